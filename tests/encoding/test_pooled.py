"""r of several folds together: 0 where nothing is predicted, and taken wherever folds are too small for one each."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.linear_model import Ridge

from brainalign.encoding.encoder import encode
from brainalign.encoding.fit import training_folds
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.splits import inner_blocks, make_folds
from brainalign.errors import InputError
from brainalign.responses.samples import Samples

GROUP = np.repeat(np.arange(12), 5)
SAMPLES = Samples({"split_group": GROUP})
POOLED = {"kind": "leave-one-group-out", "small_folds": "pool"}
GROUPED = {"kind": "grouped", "folds": 3}
NEUROIDS = {"neuroid": ["a", "b", "c"], "subject": ["S1", "S1", "S2"], "region": ["l", "l", "l"]}
WAYS: dict[str, dict[str, Any]] = {
    "all folds at once": {"penalties": 10.0},
    "least squares": {"regression": "ols"},
    "components": {"regression": "pca-ridge", "components": 30, "penalties": 10.0},
    "standardised": {"standardize": "training", "penalties": 10.0},
    "rows one by one": {"inner": "leave-one-out", "penalties": 10.0, "split": GROUPED},
    "small inner folds": {"penalties": 10.0, "split": GROUPED | {"inner": {"folds": 12}}},
}


def settings(**changes: Any) -> EncoderSettings:
    return EncoderSettings(**({"split": POOLED, "draws": 5, "precision": "float64"} | changes))


def noise(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features and responses that share nothing; responses are alike inside a group, as those of a passage are."""
    random = np.random.default_rng(seed)
    return random.normal(size=(60, 300)), random.normal(size=(60, 3)) + random.normal(size=(12, 3))[GROUP]


@pytest.mark.parametrize("way", WAYS)
def test_features_that_predict_nothing_score_nothing(way: str) -> None:
    encoder, scores, inner = settings(**WAYS[way]), [], []
    for seed in range(20):
        x, y = noise(seed)
        found = encode([("noise", x)], y, SAMPLES, NEUROIDS, encoder)
        scores.append(found.aggregate_r[0, 0, 0])
        inner.append(found.inner_score[0].mean())
    constant = encode([("constant", np.ones((60, 2)))], y, SAMPLES, NEUROIDS, encoder)
    assert not constant.r.any()
    assert not constant.inner_score.any()
    assert (constant.constant_predictions == 3).all()
    assert not constant.contributions.any()
    for values in (scores, inner):
        assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))


@pytest.mark.parametrize(
    ("split", "size"),
    [
        ({"kind": "shuffle", "folds": 2, "test": 0.2, "seed": 0, "inner": {"folds": 80}}, 100),
        ({"kind": "shuffle", "folds": 2, "test": 0.2, "seed": 0}, 120),
        ({"kind": "contiguous", "folds": 5, "gap": 18}, 100),
    ],
)
def test_layers_are_chosen_by_all_inner_folds_together_where_these_are_small(
    caplog: pytest.LogCaptureFixture, split: dict[str, Any], size: int
) -> None:
    random = np.random.default_rng(0)
    features, run = random.normal(size=(size, 4)), np.full(size, "r")
    y = features @ random.normal(size=(4, 3)) + random.normal(size=(size, 3))
    samples = Samples({"split_group": np.arange(size), "run": run})
    layers = [("noise", random.normal(size=(size, 4))), ("signal", features)]
    encoder = settings(split=split, penalties=1.0, grid_scale="absolute")
    caplog.set_level("INFO")
    ours = encode(layers, y, samples, NEUROIDS, encoder)
    assert (ours.chosen_layer == 1).all()
    assert "outer folds have fewer than 20 rows" in caplog.text
    folds = make_folds(split, samples)
    for number, fold in enumerate(folds):
        blocks = inner_blocks(folds, number, split, samples)
        assert min(map(len, blocks)) < 20
        deviation = np.full(y.shape, np.nan)
        for block in blocks:
            near = np.abs(fold.train[:, None] - block).min(axis=1) <= split.get("gap", 0)
            rest = np.setdiff1d(fold.train[~near], block)
            deviation[block] = Ridge(1.0).fit(features[rest], y[rest]).predict(features[block]) - y[rest].mean(axis=0)
        rows = fold.train
        r = [pearsonr(deviation[rows, v], y[rows, v])[0] for v in range(3)]
        np.testing.assert_allclose(ours.inner_score[1, number], ((r[0] + r[1]) / 2 + r[2]) / 2, atol=1e-8)


def test_inner_folds_of_enough_rows_are_scored_one_by_one(
    dataset: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for size, pooled in ((110, True), (130, False)):
        data = dataset(n=size, groups=size)
        encoder = settings(split={"kind": "shuffle", "folds": 3, "test": 0.2, "seed": 0})
        folds = training_folds(make_folds(encoder.split, data.samples), encoder, data.samples, True)
        assert [fold.pooled for fold in folds] == [pooled] * 3
        caplog.clear()
        encode([("x", data.features)], data.responses, data.samples, data.neuroids, encoder)
        assert ("fewer than 20 rows" in caplog.text) == pooled


def test_r2_of_single_rows_is_no_criterion() -> None:
    encoder = settings(criterion="r2", split=GROUPED | {"inner": {"folds": 40}})
    with pytest.raises(InputError, match="an inner fold of fold 0 has 1 row, of which there is no R2; take fewer"):
        training_folds(make_folds(encoder.split, SAMPLES), encoder, SAMPLES, False)


def test_a_gap_that_leaves_no_rows_around_a_row_is_told() -> None:
    samples = Samples({"split_group": GROUP, "run": np.full(60, "r")})
    encoder = settings(
        inner="leave-one-out", split={"kind": "contiguous", "folds": 2, "gap": 28, "small_folds": "pool"}
    )
    with pytest.raises(InputError, match="of fold 0 leaves 0 rows to train on; take a smaller gap"):
        training_folds(make_folds(encoder.split, samples), encoder, samples, False)
