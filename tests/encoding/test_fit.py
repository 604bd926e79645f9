from typing import Any

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, Ridge, RidgeCV

import brainalign.encoding.fit as fit_module
import brainalign.encoding.inner as inner_module
from brainalign.encoding.fit import FoldFit, TrainingFold, fit_fold, fit_folds, training_folds
from brainalign.encoding.ridge import scaled_penalties
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import FeatureSpace, Space
from brainalign.encoding.splits import inner_blocks, make_folds
from brainalign.errors import InputError
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
    train = y[fold.train]
    deviations = predictions - (train.sum(axis=0) - train) / (len(train) - 1)  # from the mean of the other rows
    r = [pearsonr(deviations[:, column], train[:, column])[0] for column in range(5)]
    np.testing.assert_allclose(ours[0], r, atol=1e-9)


@pytest.mark.parametrize("rows_alone", [False, True])
@pytest.mark.parametrize("components", [1, 40, 70, 73, 74])
@pytest.mark.parametrize("width", [74, 140])
def test_components_that_penalties_hardly_shrink_are_refitted(width: int, components: int, rows_alone: bool) -> None:
    """Large features and small absolute penalties, or rows that alone make a component: 1 - H loses its digits."""
    x, y, samples = problem(width)
    x = (x - 30) * 1e6
    if rows_alone:
        x[[5, 60]] *= 1e3
    encoder = settings(regression="pca-ridge", components=components, grid=(1e-6, 1e-3))
    folds = make_folds(SPLIT, samples)
    fold = training_folds(folds, encoder, samples, score_inner=True)[0]
    ours = fit_one(FeatureSpace(x), y, fold, encoder, score_inner=True)
    blocks = inner_blocks(folds, 0, SPLIT)
    train = np.concatenate(blocks)
    z = np.full((100, min(components, 74)), np.nan)
    z[train] = PCA(z.shape[1], svd_solver="full").fit_transform(x[train])
    predictions = naive(z, y, blocks, encoder.grid)
    errors = ((predictions - y)[:, train] ** 2).sum(axis=1)  # (penalty, neuroid)
    assert ours.inner_r is not None
    for column, penalty in enumerate(ours.penalty):
        number = encoder.grid.index(penalty)
        assert errors[number, column] <= errors[:, column].min() * (1 + 1e-5)
        r = [pearsonr(predictions[number, rows, column], y[rows, column])[0] for rows in blocks]
        np.testing.assert_allclose(ours.inner_r[:, column], r, atol=1e-6)


GAP = {"kind": "contiguous", "folds": 4, "gap": 3}
ONSETS_S = np.where(np.arange(100) < 60, 2.0 * np.arange(100), 2.0 * np.arange(100) + 7)
RUNS = np.repeat(["b", "a"], [45, 55])


@pytest.mark.parametrize(
    ("changes", "grid"),
    [({}, GRID), ({"grid_scale": "absolute"}, (1e-9, 1.0)), ({"regression": "ols"}, (0.0,))],
)
@pytest.mark.parametrize("split", [GAP, GAP | {"gap": 6.5, "unit": "seconds"}])
@pytest.mark.parametrize("inner", ["folds", "leave-one-out"])
@pytest.mark.parametrize("width", [4, 140])
def test_rows_around_what_an_inner_fold_leaves_out_are_left_out_too(
    monkeypatch: pytest.MonkeyPatch, width: int, inner: str, split: dict[str, Any], changes: dict[str, Any], grid: Any
) -> None:
    x, y, _ = problem(width)
    samples = Samples({"split_group": RUNS, "run": RUNS, "onset_s": ONSETS_S})
    encoder = settings(split=split, inner=inner, **({"grid": grid} if grid[0] else {}), **changes)
    fold = training_folds(make_folds(split, samples), encoder, samples, score_inner=True)[1]
    ours = fit_one(FeatureSpace(x), y, fold, encoder, score_inner=True)
    position = ONSETS_S if "unit" in split else np.arange(100.0)
    held_out = np.full((len(grid), *y.shape), np.nan)
    means = np.full(y.shape, np.nan)
    blocks = [fold.train[block] for block in fold.blocks or ()]
    assert len(blocks) == (3 if inner == "folds" else len(fold.train))
    for block in blocks:
        distance = np.abs(position[fold.train][:, None] - position[block])
        near = (distance <= split["gap"]) & (RUNS[fold.train][:, None] == RUNS[block])
        rest = np.setdiff1d(fold.train[~near.any(axis=1)], block)
        means[block] = y[rest].mean(axis=0)
        for values, penalty in zip(held_out, grid, strict=True):
            model = Ridge(alpha=penalty, solver="svd") if penalty else LinearRegression()
            values[block] = model.fit(x[rest], y[rest]).predict(x[block])
    best = ((held_out - y)[:, fold.train] ** 2).sum(axis=1).argmin(axis=0)
    if grid[0]:
        np.testing.assert_array_equal(ours.penalty, np.array(grid)[best])
    chosen = np.stack([held_out[best[column], :, column] for column in range(5)], axis=1) - means
    scored = [fold.train] if inner == "leave-one-out" else blocks
    assert ours.inner_r is not None
    r = [[pearsonr(chosen[rows, column], y[rows, column])[0] for column in range(5)] for rows in scored]
    np.testing.assert_allclose(ours.inner_r, r, atol=1e-7)
    monkeypatch.setattr(inner_module, "INVERSE_BYTES", 1)
    monkeypatch.setattr(inner_module, "RESIDUAL_BYTES", 1)
    again = fit_one(FeatureSpace(x), y, fold, encoder, score_inner=True)
    np.testing.assert_allclose(again.inner_r, ours.inner_r, atol=1e-10)


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


@pytest.mark.parametrize("changes", [{}, {"penalties": "shared"}, {"inner": "leave-one-out"}, {"regression": "ols"}])
def test_spaces_of_each_fold_are_fitted_as_spaces_of_all(changes: dict[str, Any]) -> None:
    x, y, samples = problem(40)
    encoder = settings(**changes)
    folds = training_folds(make_folds(SPLIT, samples), encoder, samples, score_inner=True)
    asked: list[int] = []

    def of_fold(number: int) -> list[Space]:
        asked.append(number)
        return [FeatureSpace(x)]

    together = fit_folds([FeatureSpace(x)], y, folds, encoder, True)
    for ours, theirs in zip(fit_folds(of_fold, y, folds, encoder, True), together, strict=True):
        np.testing.assert_allclose(ours.prediction, theirs.prediction, atol=1e-8)
        np.testing.assert_array_equal(ours.penalty, theirs.penalty)
        np.testing.assert_allclose(ours.inner_r, theirs.inner_r, atol=1e-8)
    assert asked == [0, 1, 2, 3]


def test_relative_penalties_of_a_folds_own_space_are_of_its_training_rows() -> None:
    x, y, samples = problem(40)
    encoder = settings(grid_scale="relative", penalties=0.3)
    folds = training_folds(make_folds(SPLIT, samples), encoder, samples, score_inner=False)
    for fit, fold in zip(fit_folds(lambda _: [FeatureSpace(x)], y, folds, encoder, False), folds, strict=True):
        centred = x[fold.train] - x[fold.train].mean(axis=0)
        np.testing.assert_allclose(fit.penalty, 0.3 * (centred**2).sum() / len(fold.train))


def test_spaces_of_all_folds_cannot_be_standardised_in_the_fold() -> None:
    x, y, samples = problem(6)
    encoder = settings(standardize="fold")
    folds = training_folds(make_folds(SPLIT, samples), encoder, samples, score_inner=False)
    with pytest.raises(InputError, match="standardised in the fold need spaces of each fold"):
        fit_folds([FeatureSpace(x)], y, folds, encoder, False)


@pytest.mark.parametrize("criterion", ["squared-error", "r2"])
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("width", [6, 60, 75, 140])
def test_standardised_fits_with_and_without_an_intercept(width: int, intercept: bool, criterion: str) -> None:
    """Inner folds are not standardised again; predictions are in the responses' units."""
    x, y, samples = problem(width)
    y = y * np.geomspace(1, 1e3, 5) + 1e3
    z = x / x.std(axis=0) / 10  # of means that are not 0, so that an intercept tells
    encoder = settings(standardize="fold", intercept=intercept, criterion=criterion)
    folds = training_folds(make_folds(SPLIT, samples), encoder, samples, score_inner=True)
    found = fit_folds(lambda _: [FeatureSpace(z, intercept)], y, folds, encoder, True)
    for ours, fold in zip(found, folds, strict=True):
        t = (y - y[fold.train].mean(axis=0)) / y[fold.train].std(axis=0)
        blocks = [fold.train[block] for block in fold.blocks or ()]
        held_out = np.full((len(GRID), *y.shape), np.nan)
        for values, penalty in zip(held_out, GRID, strict=True):
            for block in blocks:
                rest = np.setdiff1d(fold.train, block)
                model = Ridge(penalty, fit_intercept=intercept, solver="svd").fit(z[rest], t[rest])
                values[block] = model.predict(z[block])
        costs = np.stack([((held_out - t)[:, block] ** 2).mean(axis=1) for block in blocks])
        weights = [1 / t[block].var(axis=0) if criterion == "r2" else len(block) * np.ones(5) for block in blocks]
        best = (costs * np.stack(weights)[:, None]).sum(axis=0).argmin(axis=0)
        np.testing.assert_array_equal(ours.penalty, np.array(GRID)[best])
        assert ours.inner_r is not None
        for column, chosen in enumerate(best):
            model = Ridge(GRID[chosen], fit_intercept=intercept, solver="svd").fit(z[fold.train], t[fold.train, column])
            theirs = model.predict(z[fold.test]) * y[fold.train, column].std()
            np.testing.assert_allclose(ours.prediction[:, column], theirs, atol=1e-8 * np.abs(theirs).max())
            r = [pearsonr(held_out[chosen, rows, column], t[rows, column])[0] for rows in blocks]
            np.testing.assert_allclose(ours.inner_r[:, column], r, atol=1e-7)


@pytest.mark.parametrize("width", [20, 74, 140])
def test_without_an_intercept_rows_left_out_one_by_one_are_refits_too(width: int) -> None:
    x, y, samples = problem(width)
    x = x / 30
    encoder = settings(standardize="fold", intercept=False, inner="leave-one-out")
    fold = training_folds(make_folds(SPLIT, samples), encoder, samples, score_inner=True)[0]
    ours = fit_fold([FeatureSpace(x, centred=False)], None, y, fold, encoder, score_inner=True)
    t = (y - y[fold.train].mean(axis=0)) / y[fold.train].std(axis=0)
    held_out = np.full((len(GRID), *y.shape), np.nan)
    for values, penalty in zip(held_out, GRID, strict=True):
        for row in fold.train:
            rest = np.setdiff1d(fold.train, row)
            values[row] = x[row] @ Ridge(penalty, fit_intercept=False, solver="svd").fit(x[rest], t[rest]).coef_.T
    best = ((held_out - t)[:, fold.train] ** 2).sum(axis=1).argmin(axis=0)
    np.testing.assert_array_equal(ours.penalty, np.array(GRID)[best])


@pytest.mark.parametrize("changes", [{}, {"penalties": "shared"}, {"regression": "ols"}])
def test_neuroids_are_taken_in_batches(monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]) -> None:
    x, y, samples = problem(40)
    encoder = settings(**changes)
    fold = training_folds(make_folds(SPLIT, samples), encoder, samples, score_inner=True)[0]
    whole = fit_one(FeatureSpace(x), y, fold, encoder, score_inner=True)
    monkeypatch.setattr(fit_module, "AT_ONCE", 2)
    parts = fit_one(FeatureSpace(x), y, fold, encoder, score_inner=True)
    np.testing.assert_array_equal(whole.penalty, parts.penalty)
    np.testing.assert_allclose(whole.prediction, parts.prediction, atol=1e-12)
    np.testing.assert_allclose(whole.inner_r, parts.inner_r, atol=1e-12)


@pytest.mark.parametrize("split", [SPLIT, {"kind": "contiguous", "folds": 4, "gap": 1}])
def test_a_neuroid_that_does_not_vary_in_an_inner_fold_is_judged_by_the_others(split: dict[str, Any]) -> None:
    x, y, samples = problem(6)
    encoder = settings(criterion="r2", split=split)
    folds = training_folds(make_folds(split, samples), encoder, samples, score_inner=False)
    y[folds[1].test, 4] = 0.0
    errors = np.zeros(len(GRID))
    for block in [folds[0].train[block] for block in folds[0].blocks or ()][1:]:
        near = np.abs(folds[0].train[:, None] - block).min(axis=1) <= (split.get("gap") or 0)
        rest = folds[0].train[~near]
        for number, penalty in enumerate(GRID):
            residuals = y[block, 4] - Ridge(penalty, solver="svd").fit(x[rest], y[rest, 4]).predict(x[block])
            errors[number] += (residuals**2).mean() / y[block, 4].var()
    assert fit_folds([FeatureSpace(x)], y, folds, encoder, False)[0].penalty[4] == pytest.approx(GRID[errors.argmin()])
