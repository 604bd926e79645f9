"""Predictions declared in a study are made by its rules, and made again only when what they come from changes."""

import h5py
import numpy as np
import pandas as pd

from workflow.project import Project

DATASETS = """datasets:
  new: {loader: stimuli-only, stimuli: mine/new.csv, text: sentence, id: id}
"""
PREDICTIONS = """predictions:
  new-by-length: {encoder: nested, features: length, dataset: user, stimuli_of: new}
  user-by-length: {encoder: plain, features: length, dataset: sim, layer: length, stimuli_of: user}
"""


def test_predictions_follow_what_they_are_made_of(project: Project) -> None:
    table = pd.DataFrame({"id": ["a", "b", "c"], "sentence": ["the cat runs", "a dog", "a big red house ."]})
    table.to_csv(project.path / "mine/new.csv", index=False)
    project.edit("config.yaml", "datasets:\n", DATASETS)
    project.edit("config.yaml", "", PREDICTIONS)
    user, sim = (("none", "length", dataset) for dataset in ("user", "sim"))
    made = {("predict_responses", "new-by-length"), ("predict_responses", "user-by-length")}
    kept = {("keep_encoder", "nested", *user), ("keep_encoder", "plain", *sim)}
    read = {("fetch_source", "new/stimuli"), ("prepare_stimuli", "new"), ("compute_features", "length", "new")}
    assert project.plan() == made | kept | read  # and nothing is scored on stimuli alone
    project.run()
    assert project.plan() == set()
    with h5py.File(project.path / "results/predictions/new-by-length.h5") as file:
        assert file["prediction"].shape == (3, 6)
        assert np.isfinite(file["prediction"][:]).all()
        assert [name.decode() for name in file["sample"][:]] == ["a", "b", "c"]
        assert file.attrs["stimuli_of"] == "new"
        assert file.attrs["code"].startswith("brainalign.stages.predict_responses@")
    with h5py.File(project.path / "results/predictions/user-by-length.h5") as file:
        assert file["prediction"].shape == (60, 8)
    project.edit("config.yaml", "log10_max: 2", "log10_max: 3")
    planned = project.plan()
    assert {("keep_encoder", "nested", *user), ("predict_responses", "new-by-length")} <= planned
    assert not {("keep_encoder", "plain", *sim), ("predict_responses", "user-by-length")} & planned
