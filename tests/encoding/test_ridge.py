import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from brainalign.encoding.ridge import (
    block_inverses,
    block_residuals,
    leave_one_out_residuals,
    predict,
    scaled_penalties,
)
from brainalign.encoding.spectrum import FeatureSpace, Spectrum

N_TRAIN, N_TEST = 60, 25
WIDTHS = [1, 10, N_TRAIN - 1, N_TRAIN, N_TRAIN + 1, 150]
PENALTIES = np.array([1e-2, 1.0, 1e3])


def problem(width: int, targets: int = 4, kind: str = "plain") -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(width + targets)
    x = random.normal(size=(N_TRAIN + N_TEST, width))
    y = x[:, :1] + random.normal(size=(len(x), targets)) + 5
    if kind == "scaled":  # large means, unequal scales, as hidden states have
        x = x * np.logspace(-1, 1.5, width) + random.normal(size=width) * 1e3
    return x, y


def factorised(x: np.ndarray, exact: bool = False) -> Spectrum:
    space, rows = FeatureSpace(x), np.arange(len(x))
    make = space.exact_spectrum if exact else space.spectrum
    return make(rows[:N_TRAIN], rows[N_TRAIN:])


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("kind", ["plain", "scaled"])
@pytest.mark.parametrize("targets", [1, 4])
@pytest.mark.parametrize("width", WIDTHS)
def test_predictions_are_scikit_learns(width: int, targets: int, kind: str, exact: bool) -> None:
    x, y = problem(width, targets, kind)
    spectrum = factorised(x, exact)
    for penalty in PENALTIES:
        ours = predict(spectrum, y[:N_TRAIN], np.full(targets, penalty))
        theirs = Ridge(alpha=penalty, solver="svd").fit(x[:N_TRAIN], y[:N_TRAIN]).predict(x[N_TRAIN:])
        np.testing.assert_allclose(ours, theirs.reshape(ours.shape), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", ["plain", "scaled"])
@pytest.mark.parametrize("width", WIDTHS)
def test_least_squares_is_the_minimum_norm_fit(width: int, kind: str) -> None:
    x, y = problem(width, kind=kind)
    spectrum = factorised(x, exact=True)
    ours = predict(spectrum, y[:N_TRAIN], np.zeros(y.shape[1]))
    theirs = LinearRegression().fit(x[:N_TRAIN], y[:N_TRAIN]).predict(x[N_TRAIN:])
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6 * np.abs(theirs).max())
    assert spectrum.rank == min(width, N_TRAIN - 1)


def test_repeated_columns_do_not_count_towards_the_rank() -> None:
    x, y = problem(5)
    doubled = np.concatenate([x, x, np.full((len(x), 1), 0.1)], axis=1)
    spectrum = factorised(doubled, exact=True)
    assert spectrum.rank == 5
    ours = predict(spectrum, y[:N_TRAIN], np.zeros(y.shape[1]))
    np.testing.assert_allclose(ours, LinearRegression().fit(x[:N_TRAIN], y[:N_TRAIN]).predict(x[N_TRAIN:]), atol=1e-9)


@pytest.mark.parametrize("width", [10, 150])
def test_large_means_change_nothing(width: int) -> None:
    """Hidden states have them; the numbers are chosen so that the shift itself is exact in float64."""
    x, y = problem(width)
    x = np.round(x * 2**10) / 2**10
    plain, shifted = factorised(x, exact=True), factorised(x + 2.0**32, exact=True)
    assert plain.rank == shifted.rank == min(width, N_TRAIN - 1)
    predictions = [predict(spectrum, y[:N_TRAIN], np.zeros(4)) for spectrum in (plain, shifted)]
    np.testing.assert_allclose(*predictions, atol=1e-7)
    dual, shifted = factorised(x), factorised(x + 2.0**32)
    predictions = [predict(spectrum, y[:N_TRAIN], np.full(4, 0.1)) for spectrum in (dual, shifted)]
    np.testing.assert_allclose(*predictions, atol=1e-7)


def test_each_neuroid_has_its_own_penalty() -> None:
    x, y = problem(10, targets=3)
    together = predict(factorised(x), y[:N_TRAIN], PENALTIES)
    for column, penalty in enumerate(PENALTIES):
        alone = Ridge(alpha=penalty).fit(x[:N_TRAIN], y[:N_TRAIN, column]).predict(x[N_TRAIN:])
        np.testing.assert_allclose(together[:, column], alone, atol=1e-9)


def refitted_residuals(x: np.ndarray, y: np.ndarray, blocks: list[slice], penalties: np.ndarray) -> np.ndarray:
    result = np.empty((len(x), len(penalties), y.shape[1]))
    for block in blocks:
        rest = np.delete(np.arange(len(x)), block)
        for number, penalty in enumerate(penalties):
            model = Ridge(alpha=penalty, solver="svd").fit(x[rest], y[rest])
            result[block, number] = y[block] - model.predict(x[block]).reshape(-1, y.shape[1])
    return result


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("kind", ["plain", "scaled"])
@pytest.mark.parametrize("targets", [1, 4])
@pytest.mark.parametrize("width", WIDTHS)
def test_block_residuals_are_those_of_refits(width: int, targets: int, kind: str, exact: bool) -> None:
    x, y = problem(width, targets, kind)
    x, y, spectrum = x[:N_TRAIN], y[:N_TRAIN], factorised(x, exact)
    blocks = [slice(0, 7), slice(7, 27), slice(27, 28), slice(28, N_TRAIN)]
    inverses = block_inverses(spectrum, PENALTIES, blocks)
    ours = block_residuals(spectrum, y, PENALTIES, blocks, inverses)
    np.testing.assert_allclose(ours, refitted_residuals(x, y, blocks, PENALTIES), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("width", WIDTHS)
def test_leave_one_out_residuals_are_those_of_refits(width: int) -> None:
    x, y = problem(width)
    ours = leave_one_out_residuals(factorised(x), y[:N_TRAIN], PENALTIES)
    singles = [slice(row, row + 1) for row in range(N_TRAIN)]
    theirs = refitted_residuals(x[:N_TRAIN], y[:N_TRAIN], singles, PENALTIES)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("width", [10, 150])
def test_relative_penalties_do_not_depend_on_the_features_scale(width: int) -> None:
    x, y = problem(width)
    spectrum = factorised(x)
    centred = x[:N_TRAIN] - x[:N_TRAIN].mean(axis=0)
    penalties = scaled_penalties([0.5, 2.0], "relative", spectrum.trace, N_TRAIN)
    np.testing.assert_allclose(penalties, np.array([0.5, 2.0]) * np.trace(centred @ centred.T) / N_TRAIN)
    np.testing.assert_array_equal(scaled_penalties([0.5, 2.0], "absolute", spectrum.trace, N_TRAIN), [0.5, 2.0])
    scaled = factorised(1e4 * x)
    (penalty,) = scaled_penalties([0.5], "relative", scaled.trace, N_TRAIN)
    ours = predict(scaled, y[:N_TRAIN], np.full(4, penalty))
    np.testing.assert_allclose(ours, predict(spectrum, y[:N_TRAIN], np.full(4, penalties[0])), atol=1e-9)


@pytest.mark.parametrize("width", [3, 150])
def test_features_that_do_not_vary_in_training_predict_the_mean(width: int) -> None:
    x, y = problem(width)
    x[:N_TRAIN] = 0.1
    spectrum = factorised(x)
    assert (spectrum.rank, spectrum.trace) == (0, 0.0)
    ours = predict(spectrum, y[:N_TRAIN], np.zeros(4))
    np.testing.assert_allclose(ours, np.broadcast_to(y[:N_TRAIN].mean(axis=0), ours.shape))
