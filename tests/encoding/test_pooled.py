"""r of several folds together: 0 where nothing is predicted, and taken wherever folds are too small for one each."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler

from brainalign.encoding.encoder import encode
from brainalign.encoding.fit import fit_folds, training_folds
from brainalign.encoding.fit_to_all import fit_to_all
from brainalign.encoding.fitted import predict
from brainalign.encoding.scales import factors
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import FeatureSpace, GramSpace
from brainalign.encoding.splits import inner_blocks, make_folds
from brainalign.encoding.trial import Trial
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


def test_penalties_of_their_own_do_not_take_from_folds_that_are_scored_together() -> None:
    """Without one scale r of noise is -.15 here, and that of a signal .15 under that of one penalty for all folds."""
    neuroids = {"neuroid": np.arange(6).astype(str), "subject": ["S"] * 6, "region": ["l"] * 6}
    r: dict[Any, list[float]] = {}
    for seed in range(16):
        random = np.random.default_rng(seed)
        x = random.normal(size=(60, 10)) + random.normal(size=(12, 10))[GROUP]
        noise = random.normal(size=(60, 6)) + random.normal(size=(12, 6))[GROUP] / 2
        signal = x @ random.normal(size=(10, 6)) / 9
        for name, y in (("noise", noise), ("signal", signal + noise)):
            for penalties in ("per-neuroid", 1.0):
                trial = Trial(y, SAMPLES, neuroids, settings(penalties=penalties, draws=2, layer="best"))
                fits = trial.fit(trial.spaces("x", x))
                scores = trial.score([fit.prediction for fit in fits], scale=np.stack([fit.scale for fit in fits]))
                r.setdefault((name, penalties), []).append(scores.aggregate_r[0, 0])
    mean = {key: np.mean(values) for key, values in r.items()}
    assert abs(mean["noise", "per-neuroid"]) < 0.04
    assert mean["signal", "per-neuroid"] > mean["signal", 1.0] - 0.02


SCALES: dict[str, dict[str, Any]] = {
    "all folds at once": {},
    "one penalty for all neuroids": {"penalties": "shared"},
    "least squares": {"regression": "ols"},
    "standardised": {"standardize": "training"},
    "rows one by one": {"inner": "leave-one-out"},
    "several spaces": {},
}


@pytest.mark.parametrize("width", [4, 47, 90])
@pytest.mark.parametrize("way", SCALES)
def test_the_scale_of_a_fold_is_the_length_of_its_weights(way: str, width: int) -> None:
    random, encoder = np.random.default_rng(1), settings(**SCALES[way])
    x, y = random.normal(size=(60, width)), random.normal(size=(60, 3))
    y = y + x[:, :3] * np.array([0.0, 0.5, 2.0]) - y.mean(axis=0)
    spaces = [FeatureSpace(x)] if way != "several spaces" else [FeatureSpace(x), GramSpace(4 * x[:, :2] @ x[:, :2].T)]
    folds = training_folds(make_folds(POOLED, SAMPLES), encoder, SAMPLES, False)
    of_fold = [FeatureSpace(StandardScaler().fit(x[fold.train]).transform(x)) for fold in folds]
    given_to_fit: Any = (lambda number: [of_fold[number]]) if way == "standardised" else spaces
    fits = fit_folds(given_to_fit, y, folds, encoder, score_inner=False)
    chosen = set()
    for number, (fold, fit) in enumerate(zip(folds, fits, strict=True)):
        for neuroid, penalty in enumerate(fit.penalty):
            chosen.add(int(fit.space[neuroid]))
            given = of_fold[number].features if way == "standardised" else 2 * x[:, :2] if fit.space[neuroid] else x
            model = LinearRegression() if way == "least squares" else Ridge(penalty, solver="svd")
            weights = model.fit(given[fold.train], y[fold.train, neuroid]).coef_
            squares = np.linalg.svd(given - given.mean(axis=0), compute_uv=False) ** 2
            expected = np.linalg.norm(weights) * np.sqrt(np.sum(squares**2) / squares.sum() / 60)
            np.testing.assert_allclose(fit.scale[neuroid], expected, rtol=1e-6)
    assert chosen == ({0, 1} if way == "several spaces" else {0})


def test_folds_that_are_scored_by_themselves_have_no_scale() -> None:
    for way in ({}, {"regression": "ols"}, {"inner": "leave-one-out"}):
        encoder, (x, y) = settings(**way, split={"kind": "grouped", "folds": 3}), noise(0)
        folds = training_folds(make_folds(encoder.split, SAMPLES), encoder, SAMPLES, False)
        fits = fit_folds([FeatureSpace(x)], y - y.mean(axis=0), folds, encoder, score_inner=False)
        assert all((fit.scale == 1).all() for fit in fits)


@pytest.mark.parametrize("split", [{"kind": "leave-one-group-out"}, {"kind": "kfold", "folds": 40, "seed": 0}])
def test_samples_left_out_one_by_one_are_scored_together(split: dict[str, Any]) -> None:
    random = np.random.default_rng(0)
    x, samples = random.normal(size=(40, 3)), Samples({"split_group": np.arange(40)})
    y = x + random.normal(size=(40, 3))
    encoder = settings(split=split | {"small_folds": "pool"}, penalties=1.0, grid_scale="absolute", draws=50)
    ours = encode([("x", x)], y, samples, NEUROIDS, encoder)
    deviation = np.empty((40, 3))
    for row in range(40):
        rest = np.delete(np.arange(40), row)
        model = Ridge(1.0).fit(x[rest], y[rest])
        deviation[row] = model.predict(x[row : row + 1])[0] - y[rest].mean(axis=0)
        deviation[row] /= np.linalg.norm(model.coef_, axis=1)
    np.testing.assert_allclose(ours.r[0, 0], [pearsonr(deviation[:, v], y[:, v])[0] for v in range(3)], atol=1e-8)
    assert np.isfinite(ours.replicates).all()
    kept = fit_to_all("x", x, y, samples, NEUROIDS, encoder)
    np.testing.assert_allclose(predict(kept, x), Ridge(1.0).fit(x, y).predict(x), atol=1e-6)
    with pytest.raises(InputError, match="1 of 3 neuroids have the same response to every sample, the first is 'b'"):
        encode([("x", x)], y * np.array([1, 0, 1]), samples, NEUROIDS, encoder)


def test_responses_may_be_constant_in_a_fold_that_is_scored_with_others() -> None:
    x, y = noise(0)
    y[:5, 1] = y[5:10, 1] = 0.5
    assert np.isfinite(encode([("x", x)], y, SAMPLES, NEUROIDS, settings()).replicates).all()


def test_r_is_of_predictions_at_one_scale_and_r2_of_predictions_as_they_are() -> None:
    random = np.random.default_rng(3)
    x = {"narrow": random.normal(size=(60, 3)), "wide": 1000 * random.normal(size=(60, 30))}
    y = x["narrow"] @ random.normal(size=(3, 3)) + x["wide"] @ random.normal(size=(30, 3)) / 3000
    y += 3 * random.normal(size=(60, 3))
    ours = encode(list(x.items()), y, SAMPLES, NEUROIDS, settings())
    folds = make_folds(POOLED, SAMPLES)
    prediction, at_scale = np.empty((3, 60, 3)), np.empty((3, 60, 3))
    for number, fold in enumerate(folds):
        for layer, values in enumerate(x.values()):
            squares = np.linalg.svd(values - values.mean(axis=0), compute_uv=False) ** 2
            for v in range(3):
                model = Ridge(ours.penalty[layer, number, v], solver="svd").fit(values[fold.train], y[fold.train, v])
                prediction[layer, fold.test, v] = model.predict(values[fold.test])
                deviation = prediction[layer, fold.test, v] - y[fold.train, v].mean()
                scale = np.linalg.norm(model.coef_) * np.sqrt(np.sum(squares**2) / squares.sum())
                at_scale[layer, fold.test, v] = deviation / scale
        for made in (prediction, at_scale):
            made[2, fold.test] = made[ours.chosen_layer[number, 0], fold.test]
    assert set(ours.chosen_layer.ravel().tolist()) == {0, 1}
    for layer, r in enumerate([*ours.r[:, 0], ours.chosen_r[0]]):
        expected = [pearsonr(at_scale[layer, :, v], y[:, v])[0] for v in range(3)]
        np.testing.assert_allclose(r, expected, atol=1e-8)
    r2 = r2_score(y, prediction[2], multioutput="raw_values")
    np.testing.assert_allclose(ours.chosen_r2_test_mean[0], r2, atol=1e-8)
    np.testing.assert_allclose(ours.contributions.sum(axis=0), ours.aggregate_r, atol=1e-8)


def test_a_scale_that_is_rounding_predicts_nothing_in_any_unit() -> None:
    for unit in (1e-15, 1.0, 1e9):
        found = factors(np.array([[2.0, 0.0, 1e-12]]) * unit, np.full(3, unit))
        np.testing.assert_allclose(found, [[0.5, 0.0, 0.0]])


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
