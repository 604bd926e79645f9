from typing import Any

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.linear_model import LinearRegression, Ridge, RidgeCV

import brainalign.encoding.inner as inner_module
from brainalign.encoding.fit import FoldFit, TrainingFold, fit_fold, training_folds
from brainalign.encoding.ridge import scaled_penalties
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import FeatureSpace, Space
from brainalign.encoding.splits import inner_blocks, make_folds
from brainalign.responses.samples import Samples

GRID = tuple(float(value) for value in np.logspace(-2, 4, 7))
SPLIT = {"kind": "grouped", "folds": 4, "seed": 0}


def settings(**changes: Any) -> EncoderSettings:
    return EncoderSettings(**({"grid": GRID, "grid_scale": "absolute", "split": SPLIT} | changes))


def problem(width: int, neuroids: int = 5) -> tuple[np.ndarray, np.ndarray, Samples]:
    random = np.random.default_rng(width)
    x = random.normal(size=(100, width)) + 30
    strength = np.linspace(0, 2, neuroids)
    y = x[:, :3].mean(axis=1, keepdims=True) * strength + random.normal(size=(100, neuroids))
    return x, y, Samples({"split_group": np.arange(100) // 5})


def fit_one(space: Space, y: np.ndarray, fold: TrainingFold, encoder: EncoderSettings, score_inner: bool) -> FoldFit:
    """Fit one fold by itself."""
    penalties = scaled_penalties(encoder.penalty_values, encoder.grid_scale, space.trace, len(y))
    return fit_fold([space], [penalties], y, fold, encoder, score_inner)


def naive(x: np.ndarray, y: np.ndarray, blocks: list[np.ndarray], grid: tuple[float, ...]) -> np.ndarray:
    """Return held-out predictions (penalty, row of x, neuroid) by refits; NaN outside the blocks."""
    result = np.full((len(grid), *y.shape), np.nan)
    for block in blocks:
        rest = np.setdiff1d(np.concatenate(blocks), block)
        for number, penalty in enumerate(grid):
            model = Ridge(alpha=penalty, solver="svd") if penalty else LinearRegression()
            result[number, block] = model.fit(x[rest], y[rest]).predict(x[block])
    return result


@pytest.mark.parametrize("rule", ["per-neuroid", "shared"])
@pytest.mark.parametrize("width", [6, 75, 140])
def test_nested_choice_is_that_of_plain_refits(width: int, rule: str) -> None:
    x, y, samples = problem(width)
    encoder = settings(penalties=rule)
    folds = make_folds(SPLIT, samples)
    for number, fold in enumerate(training_folds(folds, encoder, samples, score_inner=True)):
        ours = fit_one(FeatureSpace(x), y, fold, encoder, score_inner=True)
        blocks = inner_blocks(folds, number, SPLIT)
        train = np.concatenate(blocks)
        predictions = naive(x, y, blocks, GRID)
        errors = ((predictions - y)[:, train] ** 2).sum(axis=1)  # (penalty, neuroid)
        if rule == "shared":
            errors = np.broadcast_to(errors.sum(axis=1, keepdims=True), errors.shape)
        best = errors.argmin(axis=0)
        np.testing.assert_array_equal(ours.penalty, np.array(GRID)[best])
        np.testing.assert_array_equal(ours.at_edge, (best == 0) | (best == len(GRID) - 1))
        assert ours.inner_r is not None
        for column, penalty in enumerate(best):
            model = Ridge(alpha=GRID[penalty], solver="svd").fit(x[train], y[train, column])
            np.testing.assert_allclose(
                ours.prediction[:, column] + y[fold.train, column].mean(), model.predict(x[fold.test]), atol=1e-8
            )
            r = [pearsonr(predictions[penalty, rows, column], y[rows, column])[0] for rows in blocks]
            np.testing.assert_allclose(ours.inner_r[:, column], r, atol=1e-8)


@pytest.mark.parametrize("per_target", [True, False])
@pytest.mark.parametrize("width", [6, 74, 75, 140])
def test_leave_one_out_choice_is_ridge_cvs(width: int, per_target: bool) -> None:
    x, y, samples = problem(width)
    encoder = settings(penalties="per-neuroid" if per_target else "shared", inner="leave-one-out")
    space = FeatureSpace(x)
    for fold in training_folds(make_folds(SPLIT, samples), encoder, samples, score_inner=False):
        ours = fit_one(space, y, fold, encoder, score_inner=False)
        theirs = RidgeCV(alphas=GRID, alpha_per_target=per_target).fit(x[fold.train], y[fold.train])
        np.testing.assert_allclose(ours.penalty, np.broadcast_to(theirs.alpha_, 5))
        np.testing.assert_allclose(
            ours.prediction + y[fold.train].mean(axis=0), theirs.predict(x[fold.test]), atol=1e-8
        )
        assert ours.inner_r is None


def test_leave_one_out_inner_score_is_r_of_the_pooled_predictions() -> None:
    x, y, samples = problem(6)
    encoder = settings(penalties=10.0, inner="leave-one-out")
    fold = training_folds(make_folds(SPLIT, samples), encoder, samples, score_inner=True)[0]
    ours = fit_one(FeatureSpace(x), y, fold, encoder, score_inner=True).inner_r
    predictions = naive(x, y, [np.array([row]) for row in fold.train], (10.0,))[0, fold.train]
    assert ours is not None
    assert ours.shape == (1, 5)
    r = [pearsonr(predictions[:, column], y[fold.train, column])[0] for column in range(5)]
    np.testing.assert_allclose(ours[0], r, atol=1e-9)


@pytest.mark.parametrize("width", [6, 140])
def test_least_squares_refits_its_inner_folds(width: int) -> None:
    x, y, samples = problem(width)
    encoder = settings(regression="ols")
    folds = make_folds(SPLIT, samples)
    fold = training_folds(folds, encoder, samples, score_inner=True)[1]
    ours = fit_one(FeatureSpace(x), y, fold, encoder, score_inner=True)
    blocks = inner_blocks(folds, 1, SPLIT)
    predictions = naive(x, y, blocks, (0.0,))[0]
    assert ours.inner_r is not None
    for row, block in zip(ours.inner_r, blocks, strict=True):
        np.testing.assert_allclose(row, [pearsonr(predictions[block, c], y[block, c])[0] for c in range(5)], atol=1e-8)
    assert np.isnan(ours.penalty).all()
    assert not ours.at_edge.any()


@pytest.mark.parametrize("width", [6, 70, 140])
@pytest.mark.parametrize("power", [-16, -13, -11, -9, -7])
def test_small_penalties_are_as_exact_as_refits(power: int, width: int) -> None:
    x, y, samples = problem(width)
    smallest = 10.0**power * np.linalg.norm(x - x.mean(axis=0), 2) ** 2
    encoder = settings(grid=(smallest, 10 * smallest))
    folds = make_folds(SPLIT, samples)
    fold = training_folds(folds, encoder, samples, score_inner=True)[0]
    ours = fit_one(FeatureSpace(x), y, fold, encoder, score_inner=True)
    blocks = inner_blocks(folds, 0, SPLIT)
    predictions = naive(x, y, blocks, encoder.grid)
    index = np.searchsorted(encoder.grid, ours.penalty * 0.99)
    for column, number in enumerate(index):
        model = Ridge(alpha=encoder.grid[number], solver="svd").fit(x[fold.train], y[fold.train, column])
        np.testing.assert_allclose(
            ours.prediction[:, column] + y[fold.train, column].mean(), model.predict(x[fold.test]), atol=1e-6
        )
    assert ours.inner_r is not None
    for row, block in zip(ours.inner_r, blocks, strict=True):
        r = [pearsonr(predictions[number, block, column], y[block, column])[0] for column, number in enumerate(index)]
        np.testing.assert_allclose(row, r, atol=1e-6)


@pytest.mark.parametrize("width", [20, 140])
def test_small_penalties_see_directions_that_a_gram_matrix_rounds_away(width: int) -> None:
    x, y, samples = problem(width)
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(width, width)))[0]
    x = (x - 30) * np.logspace(0, -6, width) @ rotation
    encoder = settings(penalties=1e-13)
    fold = training_folds(make_folds(SPLIT, samples), encoder, samples, score_inner=False)[0]
    ours = fit_one(FeatureSpace(x), y, fold, encoder, score_inner=False)
    theirs = Ridge(alpha=1e-13, solver="svd").fit(x[fold.train], y[fold.train]).predict(x[fold.test])
    np.testing.assert_allclose(ours.prediction + y[fold.train].mean(axis=0), theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "changes", [{}, {"inner": "leave-one-out"}, {"penalties": "shared"}, {"grid": (1e-9, 1.0)}, {"regression": "ols"}]
)
@pytest.mark.parametrize("limit", ["RESIDUAL_BYTES", "INVERSE_BYTES"])
def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch, limit: str, changes: dict[str, Any]) -> None:
    x, y, samples = problem(74)
    encoder = settings(**changes)
    fold = training_folds(make_folds(SPLIT, samples), encoder, samples, score_inner=True)[0]
    whole = fit_one(FeatureSpace(x), y, fold, encoder, score_inner=True)
    monkeypatch.setattr(inner_module, limit, 1)
    one_by_one = fit_one(FeatureSpace(x), y, fold, encoder, score_inner=True)
    np.testing.assert_array_equal(whole.penalty, one_by_one.penalty)
    np.testing.assert_allclose(whole.prediction, one_by_one.prediction, atol=1e-12)
    np.testing.assert_allclose(whole.inner_r, one_by_one.inner_r, atol=1e-12)


def test_fixed_penalty_without_inner_scores_needs_no_inner_folds() -> None:
    x, y, samples = problem(6)
    encoder = settings(penalties=3.0, split={"kind": "kfold", "folds": 2})
    fold = training_folds(make_folds(encoder.split, samples), encoder, samples, score_inner=False)[0]
    ours = fit_one(FeatureSpace(x), y, fold, encoder, score_inner=False)
    theirs = Ridge(alpha=3.0).fit(x[fold.train], y[fold.train]).predict(x[fold.test])
    np.testing.assert_allclose(ours.prediction + y[fold.train].mean(axis=0), theirs, atol=1e-9)
    assert not ours.at_edge.any()
