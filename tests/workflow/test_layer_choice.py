"""The layer that another data set chose, by the jobs that follow from it."""

import h5py
import numpy as np

from workflow.project import Project

ENCODING = "results/encoding/plain/last/{}/{}.h5"
MODELS = ("small", "small-untrained-0", "small-instruct", "mine")


def _fits(project: Project) -> set[tuple[str, ...]]:
    return {job[1:] for job in project.plan() if job[0] == "fit_encoder"}


def test_the_layer_is_the_one_that_the_other_data_sets_inner_folds_chose(project: Project) -> None:
    project.edit("config.yaml", "layer: best", "layer: {dataset: sim}")
    project.run(*(ENCODING.format("mine", dataset) for dataset in ("sim", "user")))
    fits = {}
    for dataset in ("sim", "user"):
        with h5py.File(project.path / ENCODING.format("mine", dataset)) as file:
            fits[dataset] = {name: file[name][:] for name in ("inner_score", "chosen_layer", "aggregate_r", "r")}
    assert len(fits["sim"]["inner_score"]) > 2
    best = fits["sim"]["inner_score"].mean(axis=1).argmax()
    assert (fits["user"]["chosen_layer"] == best).all()
    assert np.isnan(fits["user"]["inner_score"]).all()  # its own folds chose nothing
    np.testing.assert_array_equal(fits["user"]["aggregate_r"][-1], fits["user"]["aggregate_r"][best])
    np.testing.assert_array_equal(fits["sim"]["chosen_layer"][:, 0], fits["sim"]["inner_score"].argmax(axis=0))
    project.accept()
    assert _fits(project) == set()
    project.edit("config.yaml", "seed: 3, passages: 15", "seed: 4, passages: 15")
    chosen_by_sim = {("plain", "last", model, "user") for model in MODELS}
    assert {fit for fit in _fits(project) if fit[-1] == "user"} == chosen_by_sim
