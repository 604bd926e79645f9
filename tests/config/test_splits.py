"""Every split that a config may hold becomes folds: what the config fills in, the library understands."""

import json

import numpy as np
import pytest

from brainalign import specs
from brainalign.config.study import read_study
from brainalign.encoding.splits import inner_folds, is_pooled, make_folds
from brainalign.responses.samples import Samples

RUNS = np.repeat([f"run-{number}" for number in range(8)], 60).astype(object)
SAMPLES = Samples(
    {
        "split_group": RUNS,
        "run": RUNS,
        "onset_s": np.tile(2.0 * np.arange(60), 8),
        "set": np.repeat(["a", "b", "c", "d"], 120).astype(object),
        "experiment": np.repeat(["243", "384"], 240).astype(object),
    }
)
TABLE = {"loader": "table", "stimuli": "s.csv", "responses": "r.csv", "id": "item", "group": "story", "run": "run"}
TABLE |= {"onset_s": "onset", "columns": ["set", "experiment"]}
SPLITS = [
    {"kind": "shuffle"},
    {"kind": "shuffle", "inner": {"folds": 4, "by": "run"}},
    {"kind": "kfold", "seed": 3, "small_folds": "pool", "folds": 40},
    {"kind": "grouped", "by": "set", "folds": 4},
    {"kind": "leave-one-group-out", "by": "run"},
    {"kind": "contiguous", "gap": 5},
    {"kind": "contiguous", "gap": 8.5, "unit": "seconds", "folds": 6},
    {"kind": "contiguous", "gap": 5, "folds": 4, "at": "published"},
    {"kind": "fixed", "column": "experiment", "train": 243, "test": 384, "inner": {"folds": 4}},
    {"kind": "fixed", "column": "set", "train": ["a", "b", "c"], "test": "d"},
]


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_of_the_config_makes_folds(split, changed, tmp_path, monkeypatch):
    for name in ("s.csv", "r.csv"):
        (tmp_path / name).write_text("a\n1\n")
    monkeypatch.chdir(tmp_path)
    study = read_study(
        changed({"datasets": {"mine": TABLE}, "encoders": {"e": {"regression": "ridge", "split": split}}})
    )
    written = json.loads(json.dumps(specs.encoder(study, "e", "last-token", "d")["split"]))
    folds = make_folds(written, SAMPLES)
    assert len(folds) == written.get("folds", 8 if "by" in split else 1)
    assert is_pooled(written) == ("small_folds" in split)
    if {"folds", "kind"} <= set(split):  # whatever else is left out has the same default in both
        for fold, expected in zip(folds, make_folds(split, SAMPLES), strict=True):
            np.testing.assert_array_equal(fold.train, expected.train)
            np.testing.assert_array_equal(fold.test, expected.test)
    for number, fold in enumerate(folds):
        held_out = np.concatenate([part.held_out for part in inner_folds(folds, number, written, SAMPLES)])
        np.testing.assert_array_equal(np.sort(held_out), np.sort(fold.train))
