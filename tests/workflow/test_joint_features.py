"""Feature spaces together, as an entry of `features`: scored as scikit-learn scores them, by jobs of their own."""

import shutil
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from workflow.project import Job, Project, checkout

PENALTY = 0.02
FEATURES = "features:\n"
BOTH = "  both: {joint: [mine, given]}\n"
STUDY = f"""study: joint
models:
  mine: {{source: mine/model, family: g, kind: vanilla}}
features:
  position: {{control: position}}
  length: {{control: length}}
  given: {{table: mine/features.csv, datasets: [user]}}
{BOTH}  nulls: {{joint: [length, position]}}
datasets:
  user: {{loader: table, stimuli: mine/stimuli.csv, text: sentence, id: id, group: passage,
    responses: mine/responses.npy, neuroid_table: mine/neuroids.csv}}
readouts:
  last: {{pooling: last}}
encoders:
  ridge: {{regression: ridge, penalties: {PENALTY}, grid: {{scale: absolute}}, mixtures: 5, precision: float64,
    split: {{kind: grouped, folds: 3}}, bootstrap: {{draws: 20}}}}
  plain: {{regression: ols, split: {{kind: kfold, folds: 3, seed: 0}}, bootstrap: {{draws: 20}}}}
analyses: {{draws: 100}}
figures: [over-nulls, split-policies]
"""


@pytest.fixture(scope="module")
def _finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study, run from beginning to end. Neuroids follow the given features, the sentence's length, or neither."""
    project = checkout(tmp_path_factory.mktemp("joint") / "a project")
    mine = project.path / "mine"
    random = np.random.default_rng(0)
    given = pd.read_csv(mine / "features.csv")[["f1", "f2", "f3"]].to_numpy()
    words = pd.read_csv(mine / "stimuli.csv")["sentence"].str.count(" ").to_numpy()[:, None]
    signal = np.hstack([given @ random.normal(size=(3, 3)), words - words.mean() + given[:, :1], np.zeros((60, 2))])
    np.save(mine / "responses.npy", (signal + random.normal(size=(60, 6))).astype(np.float32))
    (project.path / "config.yaml").write_text(STUDY, encoding="utf-8")
    project.run()
    return project.path


@pytest.fixture
def finished(_finished: Path, tmp_path: Path) -> Project:
    path = tmp_path / "a project"
    shutil.copytree(_finished, path, symlinks=True)
    return Project(path)


def planned(project: Project) -> set[Job]:
    """The jobs that would run, without those of the study's tables, of which there are always some."""
    jobs = project.plan()
    of_study = {job for job in jobs if job[1] == "joint"}
    assert of_study
    return jobs - of_study


def own(readout: str, name: str) -> set[Job]:
    return {(rule, "ridge", readout, name, "user") for rule in ("fit_joint_features", "score_alignment")}


def test_adding_and_changing_an_entry_runs_its_own_jobs_and_the_joins(finished: Project) -> None:
    assert finished.plan() == set()
    finished.edit("config.yaml", BOTH, BOTH + "  three: {joint: [length, mine, given]}\n")
    assert planned(finished) == own("last", "three")
    finished.edit("config.yaml", "[length, position]", "[position, length]")
    assert planned(finished) == own("last", "three") | own("none", "nulls")
    finished.edit("config.yaml", "  three: {joint: [length, mine, given]}\n", "")
    finished.edit("config.yaml", "[position, length]", "[length, position]")
    finished.edit("config.yaml", BOTH, "")
    assert planned(finished) == set()


def test_what_a_member_is_made_of_takes_the_joint_features_with_it(finished: Project) -> None:
    path = finished.path / "mine/features.csv"
    table = pd.read_csv(path)
    table.loc[0, "f1"] += 1
    table.to_csv(path, index=False)
    jobs = planned(finished)
    assert {job for job in jobs if job[0] == "fit_joint_features"} == {
        ("fit_joint_features", "ridge", "last", "both", "user")
    }
    assert not {job for job in jobs if "nulls" in job}


def test_an_encoder_that_cannot_join_has_no_cell(finished: Project) -> None:
    results = finished.path / "results"
    found = {
        tuple(path.relative_to(results / "alignment").parts[:-1]) for path in results.glob("alignment/*/*/*/*.csv")
    }
    assert {cell for cell in found if cell[2] in ("both", "nulls")} == {
        ("ridge", "last", "both"),
        ("ridge", "none", "nulls"),
    }
    assert ("plain", "last", "mine") in found
    assert not list(results.glob("activations/*/both"))
    assert not list(results.glob("encoding/*/*/both+nulls"))


def test_scores_stand_beside_the_nulls_and_are_told_of(finished: Project) -> None:
    study = finished.path / "results/studies/joint"
    table = pd.read_csv(study / "alignment.csv")
    rows = table[table["features_kind"] == "joint"]
    assert set(rows["features"]) == {"both", "nulls"}
    assert set(rows["layer"]) == {"joint", "chosen"}
    assert rows["over_null"].notna().all()
    assert rows["unique_r2"].isna().all()
    assert set(rows["best_null"]) <= {"length", "position"}
    for figure in ("over_nulls", "split_policies"):
        plotted = pd.read_csv(study / f"figures/{figure.replace('_', '-')}.csv")
        assert {"both", "nulls"} <= set(plotted["features"])
    said = (study / "report/methods.txt").read_text(encoding="utf-8")
    assert "Feature spaces that are joined: both (mine and given) and nulls (length and position)." in said
    assert "from at most 5 (encoder ridge) weightings" in said


def _layers(path: Path) -> dict[str, np.ndarray]:
    with h5py.File(path) as file:
        return {name: item[:] for name, item in file.items() if item.ndim == 2}


WEIGHTINGS = {
    "last/both": [(1, 0), (0, 1), (0.25, 0.75), (0.5, 0.5), (0.75, 0.25)],
    "none/+nulls": [(1, 0), (0, 1), (0.5, 0.5)],
    "last/mine+nulls": [
        *((1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0.5, 0.5)),  # without the model, those of the nulls
        *((0.5, 0.5, 0), (0.5, 0, 0.5), (0.5, 0.25, 0.25)),
    ],
}
MEMBERS = {
    "last/both": {"mine": "last", "given": "none"},
    "none/+nulls": {"position": "none", "length": "none"},
    "last/mine+nulls": {"mine": "last", "position": "none", "length": "none"},
}


@pytest.mark.parametrize("joined", WEIGHTINGS)
def test_scores_are_those_of_scikit_learn(finished: Project, joined: str) -> None:
    """Ridges on features of which each space is divided by √trace and multiplied by √weight, refitted in every fold."""
    results = finished.path / "results"
    responses = np.load(finished.path / "mine/responses.npy").astype(np.float64)
    members, weightings = MEMBERS[joined], WEIGHTINGS[joined]
    layers = {name: _layers(results / f"activations/{at}/{name}/user.h5") for name, at in members.items()}
    chosen: list[list[str]] = []
    for name, at in members.items():
        with h5py.File(results / f"encoding/ridge/{at}/{name}/user.h5") as file:
            names, index = file["layer"].asstr()[:], file["chosen_layer"][:, 0]
        chosen.append([str(names[number]) for number in index])
    with h5py.File(results / f"encoding/ridge/{joined}/user.h5") as file:
        r, r2 = file["r"][0].astype(np.float64), file["r2"][0].astype(np.float64)
        assert file["layer"].asstr()[:].tolist() == ["joint"]
    tests = _grouped(3)
    taken = set()
    for fold, test in enumerate(tests):
        spaces = [layers[name][chosen[number][fold]].astype(np.float64) for number, name in enumerate(members)]
        scaled = [(x - x.mean(axis=0)) / np.sqrt(np.square(x - x.mean(axis=0)).sum()) for x in spaces]
        inputs = [np.hstack([np.sqrt(w) * x for w, x in zip(weights, scaled, strict=True)]) for weights in weightings]
        train = np.setdiff1d(np.arange(60), test)
        inner = [held for number, held in enumerate(tests) if number != fold]
        errors = [sum(_errors(x, responses, np.setdiff1d(train, held), held) for held in inner) for x in inputs]
        best = np.argmin(errors, axis=0)  # (neuroid,)
        taken |= set(best.tolist())
        for neuroid, choice in enumerate(best):
            y = responses[:, neuroid]
            predicted = Ridge(alpha=PENALTY).fit(inputs[choice][train], y[train]).predict(inputs[choice][test])
            assert r[fold, neuroid] == pytest.approx(np.corrcoef(predicted, y[test])[0, 1], abs=1e-5)
            total = np.square(y[test] - y[train].mean()).sum()
            assert r2[fold, neuroid] == pytest.approx(1 - np.square(y[test] - predicted).sum() / total, abs=1e-5)
    assert len(taken) > 1, "the neuroids must differ in their weights"


def _errors(x: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    return np.square(y[test] - Ridge(alpha=PENALTY).fit(x[train], y[train]).predict(x[test])).sum(axis=0)


def _grouped(folds: int) -> list[np.ndarray]:
    """The test rows of scikit-learn's GroupKFold over 15 passages of 4 sentences."""
    from sklearn.model_selection import GroupKFold

    passages = np.repeat([f"p{number}" for number in range(15)], 4)
    found = [test for _, test in GroupKFold(folds).split(np.zeros(60), groups=passages)]
    assert all(len(one) == len(other) == 20 for one, other in pairwise(found))
    return found
