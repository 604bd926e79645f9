from typing import Any

import numpy as np
import pytest

from brainalign.encoding.settings import EncoderSettings
from brainalign.errors import InputError


def test_a_configs_mapping_is_read_whole() -> None:
    settings = EncoderSettings.from_mapping(
        {
            "regression": "ridge",
            "penalties": "shared",
            "grid": {"values": [1, 10], "scale": "absolute"},
            "inner": "leave-one-out",
            "zscore": True,
            "delays": [1, 2],
            "word_components": 10,
            "trim": [20, 15],
            "zscore_delayed": True,
            "standardize": "fold",
            "intercept": False,
            "split": {"kind": "kfold", "folds": 5, "seed": 0},
            "layer": {"fixed": "final"},
            "aggregate": "schrimpf",
            "bootstrap": {"draws": 20, "seed": 3},
        }
    )
    assert (settings.grid, settings.grid_scale, settings.delays) == ((1.0, 10.0), "absolute", (1, 2))
    assert (settings.layer, settings.fixed_layer, settings.draws, settings.seed) == ("fixed", "final", 20, 3)
    assert (settings.trim, settings.word_components, settings.intercept) == ((20, 15), 10, False)
    assert settings.fits_features
    assert not EncoderSettings(trim=(1, 1), zscore=True, zscore_delayed=True).fits_features
    assert EncoderSettings(standardize="training", intercept=False).fits_features
    assert EncoderSettings.from_mapping({}) == EncoderSettings()
    np.testing.assert_allclose(EncoderSettings().grid, np.logspace(-4, 8, 13))


def test_what_is_tried() -> None:
    assert EncoderSettings(regression="ols").penalty_values == (0.0,)
    assert EncoderSettings(penalties=3.0).penalty_values == (3.0,)
    assert len(EncoderSettings().penalty_values) == 13
    assert not EncoderSettings(regression="ols").chooses_penalty
    assert not EncoderSettings(penalties=3.0).chooses_penalty


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ({"regresion": "ols"}, "unknown setting of an encoder 'regresion'; did you mean 'regression'?"),
        ({"regression": "rigde"}, "unknown regression 'rigde'; did you mean 'ridge'?"),
        ({"grid": {"value": [1]}}, "unknown setting of the grid 'value'; did you mean 'values'?"),
        ({"grid": {"values": [1, 0]}}, "the grid of penalties must be rising numbers above 0, but is [1.0, 0.0]."),
        ({"grid": {"scale": "log"}}, "unknown scale of the grid 'log'"),
        ({"bootstrap": {"draw": 5}}, "unknown setting of the bootstrap 'draw'; did you mean 'draws'?"),
        ({"bootstrap": {"draws": 0}}, "the bootstrap needs at least 1 draw, but is given 0."),
        ({"layer": "nestd"}, "unknown choice of layer 'nestd'; did you mean 'nested'?"),
        ({"layer": "fixed"}, "the choice of layer 'fixed' does not go with the fixed layer None."),
        ({"layer": {"fix": "final"}}, "unknown choice of layer 'fix'; did you mean 'fixed'?"),
        ({"penalties": 0.0}, "a fixed penalty must be a finite number above 0, but is 0; without one take 'ols'."),
        ({"penalties": float("inf")}, "a fixed penalty must be a finite number above 0, but is inf"),
        ({"penalties": "per-voxel"}, "unknown rule of penalties 'per-voxel'"),
        ({"inner": "fold"}, "unknown way to choose penalties 'fold'; did you mean 'folds'?"),
        ({"delays": [1, -2]}, "delays must be different whole numbers of at least 0, but are [1, -2]."),
        ({"trim": [20, -1]}, "trim must be two whole numbers of at least 0, for start and end, but is [20, -1]."),
        ({"trim": [20]}, "trim must be two whole numbers of at least 0, for start and end, but is [20]."),
        ({"word_rule": "publishd"}, "unknown rule of words 'publishd'; did you mean 'published'?"),
        (
            {"word_rule": "published", "word_components": 3},
            "word_rule: published needs word_components and zscore_delayed: true.",
        ),
        ({"word_components": 0}, "stimuli need at least 1 component, but are given 0."),
        ({"standardize": "folds"}, "unknown way to standardize 'folds'; did you mean 'fold'?"),
        ({"intercept": False}, "a fit without an intercept needs features and responses of mean 0 and a linear kernel"),
        (
            {"intercept": False, "standardize": "fold", "kernel": "rbf"},
            "but standardize is 'fold' and the kernel 'rbf'.",
        ),
        ({"aggregate": "median"}, "unknown aggregate 'median'"),
    ],
)
def test_mistakes_are_sentences(mapping: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        EncoderSettings.from_mapping(mapping)
    assert sentence in str(caught.value)
