"""Published encoders by name, as the encoder's settings read them."""

import numpy as np
import pytest

from brainalign.config.encoder_presets import PRESETS
from brainalign.config.study import read_study
from encoding.published.presets import settings_of


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_an_encoder(preset: str) -> None:
    assert settings_of(preset=preset).layer == "best"


def test_aw2023() -> None:
    found = settings_of(preset="aw2023")
    assert (found.regression, found.aggregate) == ("ols", "brain-score")
    assert {key: found.split[key] for key in ("kind", "folds", "test", "seed")} == {
        "kind": "shuffle",
        "folds": 10,
        "test": 0.1,
        "seed": 1,
    }


def test_wehbe2014() -> None:
    found = settings_of(preset="wehbe2014")
    np.testing.assert_allclose(found.grid, np.logspace(-6, 9, 16))
    assert (found.grid_scale, found.criterion) == ("absolute", "r2")
    assert (found.word_components, found.word_rule) == (10, "published")
    assert (found.delays, found.trim, found.zscore_delayed) == ((1, 2, 3, 4), (20, 15), True)
    assert (found.standardize, found.intercept, found.aggregate) == ("fold", False, "mean")
    assert {key: found.split[key] for key in ("kind", "folds", "gap", "at")} == {
        "kind": "contiguous",
        "folds": 4,
        "gap": 5,
        "at": "published",
    }


def test_brain_score() -> None:
    found = settings_of(preset="brain-score")
    np.testing.assert_allclose(found.grid, np.logspace(-3, 3, 7))
    assert (found.penalties, found.inner, found.grid_scale) == ("shared", "leave-one-out", "absolute")
    assert found.split["seed"] == 1234


def test_keys_beside_a_preset_change_it() -> None:
    found = settings_of(preset="brain-score", layer="nested", bootstrap={"draws": 77})
    assert (found.layer, found.draws, found.penalties) == ("nested", 77, "shared")


def test_sections_of_a_preset_are_changed_key_by_key() -> None:
    found = settings_of(preset="wehbe2014", grid={"count": 6}, split={"folds": 5}, beyond_nulls=False)
    np.testing.assert_allclose(found.grid, np.logspace(-6, 9, 6))
    assert found.grid_scale == "absolute"
    assert {key: found.split[key] for key in ("kind", "folds", "gap", "at")} == {
        "kind": "contiguous",
        "folds": 5,
        "gap": 5,
        "at": "published",
    }
    found = settings_of(preset="brain-score", split={"kind": "grouped", "folds": 4})
    assert (found.split["folds"], found.split["seed"]) == (4, 1234)


def test_another_kind_of_split_takes_nothing_from_a_preset() -> None:
    found = settings_of(preset="brain-score", split={"kind": "kfold"})
    assert (found.split["kind"], found.split["folds"], found.split["seed"]) == ("kfold", 5, None)


def test_least_squares_takes_no_penalties_from_a_preset() -> None:
    assert settings_of(preset="brain-score", regression="ols").penalty_values == (0.0,)


def test_a_section_without_a_value_is_the_presets() -> None:
    config = {
        "study": "s",
        "features": {"length": {"control": "length"}},
        "datasets": {"d": {"loader": "simulated", "kind": "stories", "seed": 0}},
        "encoders": {"e": {"preset": "brain-score", "grid": None}},
    }
    study = read_study(config, [("encoders", "e", "grid")])
    assert study.encoders["e"].grid.count == 7
