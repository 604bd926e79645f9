"""Two data sets of the same neuroids as a third: made of what is there, and scored as scikit-learn scores it."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from workflow.project import Job, Project, checkout

PENALTY = 2.0
NEUROIDS = {"first": ["a1", "a2", "b1", "b2", "b3"], "second": ["b3", "b1", "a1", "a2", "c1"]}
SHARED = ["a1", "a2", "b1", "b3"]  # in the first one's order
SIZES = {"first": 40, "second": 24}

STUDY = """study: joined
features:
  given: {table: mine/features.csv, match: text}
  length: {control: length}
datasets:
  first: {loader: table, stimuli: mine/first.csv, text: sentence, id: id, group: passage,
    responses: mine/first-responses.csv, neuroid_table: mine/first-neuroids.csv}
  second: {loader: table, stimuli: mine/second.csv, text: sentence, id: id, group: passage,
    responses: mine/second-responses.csv, neuroid_table: mine/second-neuroids.csv, bad_neuroids: drop}
encoders:
  within: {regression: ridge, penalties: 1.0, split: {kind: grouped, folds: 3, small_folds: pool}, layer: best,
    bootstrap: {draws: 20}, beyond_nulls: false, datasets: [first, second]}
analyses: {draws: 100}
figures: []
"""
BOTH = "  both: {loader: joined, datasets: [first, second], ceilings: {leave-one-subject-out: {}}}\n"
ACROSS = (
    f"  across: {{regression: ridge, penalties: {PENALTY}, grid: {{scale: absolute}}, bootstrap: {{draws: 20}}, "
    "split: {kind: fixed, column: dataset, train: first, test: second}, beyond_nulls: false, datasets: [both]}\n"
)


def _write_files(folder: Path) -> None:
    """Responses follow three given features, with weights that are a neuroid's own in both data sets."""
    random = np.random.default_rng(0)
    weights = {name: random.standard_normal(3) for name in sorted({*NEUROIDS["first"], *NEUROIDS["second"]})}
    tables = []
    for name, size in SIZES.items():
        ids = [f"s{row:02d}" for row in range(size)]  # the same in both
        text = [f"{name} sentence {row}" + " word" * int(random.integers(1, 6)) for row in range(size)]
        passages = [f"p{row // 4}" for row in range(size)]
        pd.DataFrame({"id": ids, "sentence": text, "passage": passages}).to_csv(folder / f"{name}.csv", index=False)
        features = random.standard_normal((size, 3))
        tables.append(pd.DataFrame(features, columns=["f1", "f2", "f3"]).assign(text=text))
        columns = {
            neuroid: features @ weights[neuroid] + random.standard_normal(size) + 3 for neuroid in NEUROIDS[name]
        }
        responses = pd.DataFrame(columns).assign(id=ids)
        neuroids = pd.DataFrame({"neuroid_id": NEUROIDS[name], "region": "x"})
        neuroids["subject"] = neuroids["neuroid_id"].str[0]
        if name == "second":
            responses["dead"] = 0.0
            neuroids.loc[len(neuroids)] = {"neuroid_id": "dead", "region": "x", "subject": "b"}
        responses.to_csv(folder / f"{name}-responses.csv", index=False)
        neuroids.to_csv(folder / f"{name}-neuroids.csv", index=False)
    pd.concat(tables).to_csv(folder / "features.csv", index=False)


@pytest.fixture(scope="module")
def _apart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study of both data sets by themselves, run from beginning to end."""
    project = checkout(tmp_path_factory.mktemp("apart") / "a project")
    _write_files(project.path / "mine")
    (project.path / "config.yaml").write_text(STUDY, encoding="utf-8")
    project.run()
    return project.path


@pytest.fixture
def apart(_apart: Path, tmp_path: Path) -> Project:
    path = tmp_path / "a project"
    shutil.copytree(_apart, path, symlinks=True)
    return Project(path)


def _joined(project: Project) -> Project:
    project.edit("config.yaml", "encoders:\n", BOTH + "encoders:\n" + ACROSS)
    return project


def planned(project: Project) -> set[Job]:
    """The jobs that would run, without those of the study's tables and what is made of these."""
    jobs = project.plan()
    of_study = {job for job in jobs if job[1] == "joined"}
    assert bool(of_study) == bool(jobs)
    return jobs - of_study


def cells(features: Sequence[str]) -> set[Job]:
    rules = ("fit_encoder", "score_alignment")
    return {(rule, "across", "none", name, "both") for rule in rules for name in features}


RESPONSES_OF_BOTH = {("join_responses", "both"), ("estimate_ceilings", "across", "both")} | cells(["given", "length"])
OF_BOTH = RESPONSES_OF_BOTH | {
    ("join_stimuli", "both"),
    ("join_activations", "none", "given", "both"),
    ("compute_features", "length", "both"),
}


def test_a_joined_data_set_is_made_of_what_is_there_and_scored_as_by_scikit_learn(apart: Project) -> None:
    assert planned(apart) == set()
    _joined(apart)
    assert planned(apart) == OF_BOTH
    apart.run()
    assert planned(apart) == set()
    _check_inputs(apart.path / "results")
    _check_scores(apart.path)
    _check_ceilings(apart.path)
    apart.edit("config.yaml", "datasets: [first, second], ceilings", "datasets: [second, first], ceilings")
    assert planned(apart) == OF_BOTH
    apart.edit("config.yaml", "datasets: [second, first], ceilings", "datasets: [first, second], ceilings")
    _check_a_part_that_changes(apart)


def _check_inputs(results: Path) -> None:
    stimuli = pd.read_csv(results / "stimuli/both.csv")
    assert stimuli["stimulus_id"].tolist() == [f"{name}/s{row:02d}" for name in SIZES for row in range(SIZES[name])]
    for column in ("context_group", "split_group"):
        groups = stimuli.groupby("dataset", sort=False)[column].agg(set)
        assert not groups["first"] & groups["second"]
    with h5py.File(results / "activations/none/given/both.h5") as file:
        found, ids = file["given"][:], file["stimulus"].asstr()[:].tolist()
    assert ids == stimuli["stimulus_id"].tolist()
    parts = []
    for name in SIZES:
        with h5py.File(results / f"activations/none/given/{name}.h5") as file:
            parts.append(file["given"][:])
    np.testing.assert_array_equal(found, np.concatenate(parts))
    with h5py.File(results / "responses/both.h5") as file:
        assert file["neuroid"].asstr()[:].tolist() == SHARED
        assert file["dataset"].asstr()[:].tolist() == ["first"] * 40 + ["second"] * 24
        assert file.attrs["left_out"] == (
            "second: 1 of 6 neuroids dropped (1 constant); first: 1 of 5 neuroids dropped (not in all joined data "
            "sets); second: 1 of 5 neuroids dropped (not in all joined data sets)"
        )
    table = pd.read_csv(results / "alignment/within/none/given/second.csv")
    assert set(table["alarms"]) == {"1 of 6 neuroids dropped (1 constant)"}


def _tables(project: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Return features (sample, 3) and responses (sample, shared neuroid) of one data set from the user's files."""
    stimuli = pd.read_csv(project / f"mine/{part}.csv")
    features = pd.read_csv(project / "mine/features.csv").set_index("text").loc[stimuli["sentence"]]
    responses = pd.read_csv(project / f"mine/{part}-responses.csv").set_index("id").loc[stimuli["id"]]
    return features.to_numpy(), responses[SHARED].to_numpy()


def _check_scores(project: Path) -> None:
    (x_train, y_train), (x_test, y_test) = _tables(project, "first"), _tables(project, "second")
    predicted = Ridge(alpha=PENALTY).fit(x_train, y_train).predict(x_test)
    r = pearsonr(predicted, y_test).statistic
    about_training = np.square(y_test - y_train.mean(axis=0)).sum(axis=0)
    r2 = 1 - np.square(y_test - predicted).sum(axis=0) / about_training
    with h5py.File(project / "results/encoding/across/none/given/both.h5") as file:
        np.testing.assert_allclose(file["r"][0], r[None], atol=1e-5)
        np.testing.assert_allclose(file["r2"][0], r2[None], atol=1e-5)
        about_test = r2_score(y_test, predicted, multioutput="raw_values")
        np.testing.assert_allclose(file["chosen_r2_test_mean"][:], about_test[None], atol=1e-5)
        assert file["train_rows"][:].tolist() == [40]
    table = pd.read_csv(project / "results/studies/joined/alignment.csv")
    row = table.query("encoder == 'across' and features == 'given' and layer == 'chosen'").query(
        "subject == 'all' and region == 'all'"
    )
    assert row["r"].item() == pytest.approx(np.mean([r[:2].mean(), r[2:].mean()]), abs=1e-5)
    assert r.min() > 0.4  # each neuroid has its own weights, and none another's


def _check_ceilings(project: Path) -> None:
    """What the other subject's responses predict, trained on the first data set and tested on the second."""
    train, test = _tables(project, "first")[1], _tables(project, "second")[1]
    expected = []
    for own, other in ((slice(0, 2), slice(2, 4)), (slice(2, 4), slice(0, 2))):
        predicted = Ridge(alpha=PENALTY).fit(train[:, other], train[:, own]).predict(test[:, other])
        expected.extend(pearsonr(predicted, test[:, own]).statistic)
    with h5py.File(project / "results/ceilings/across/both.h5") as file:
        np.testing.assert_allclose(file["ceiling_per_neuroid"][:], [expected], atol=1e-5)


def _check_a_part_that_changes(project: Project) -> None:
    """It takes the joined responses with it, and neither the other part nor what is computed of stimuli."""
    path = project.path / "mine/second-responses.csv"
    table = pd.read_csv(path)
    table.loc[3, "b1"] += 1
    table.to_csv(path, index=False)
    own = {("fetch_source", "second/responses"), ("prepare_responses", "second")}
    own |= {("estimate_ceilings", "within", "second")}
    own |= {
        (rule, "within", "none", name, "second")
        for rule in ("fit_encoder", "score_alignment")
        for name in ("given", "length")
    }
    assert planned(project) == own | RESPONSES_OF_BOTH


MODEL = """readouts:
  last: {pooling: last}
  drawn: {pooling: last, tokens: random}
models:
  mine: {source: mine/model, family: g, kind: vanilla}
features:
"""


def test_a_model_reads_the_joined_stimuli_only_where_they_make_a_difference(apart: Project) -> None:
    _joined(apart).edit("config.yaml", "features:\n", MODEL)
    parts = ("first", "second")
    extracted = {("extract_activations", "last", "mine", name) for name in parts}
    extracted |= {("extract_activations", "drawn", "mine", name) for name in (*parts, "both")}
    jobs = planned(apart)
    assert {job for job in jobs if job[0] == "extract_activations"} == extracted
    assert {job for job in jobs if job[0] == "join_activations"} == {
        ("join_activations", "last", "mine", "both"),
        ("join_activations", "none", "given", "both"),
    }
