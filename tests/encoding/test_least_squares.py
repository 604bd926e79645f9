"""Least squares of all folds, and of nested folds, are scikit-learn's LinearRegression refitted for each."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.linear_model import LinearRegression

import brainalign.encoding.fit as fit_module
import brainalign.encoding.least_squares as module
from brainalign.encoding.fit import FoldFit, fit_folds, training_folds
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import FeatureSpace, GramSpace, Spectrum, least_squares
from brainalign.encoding.splits import make_folds
from brainalign.responses.samples import Samples

N, FOLDS, SIZE = 100, 5, 20
SAMPLES = Samples({"split_group": np.arange(N) // 5})
SPLIT = {"kind": "grouped", "folds": FOLDS, "seed": 0}
# outer folds train on 80 rows, nested ones on 60: widths under, between and above these, and their peaks
WIDTHS = [5, 40, 57, 59, 60, 70, 79, 80, 90, 98, 99, 100, 101, 130, 400]


def problem(width: int, neuroids: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Large means and unequal scales, as hidden states have."""
    random = np.random.default_rng(width)
    x = random.normal(size=(N, width)) * np.geomspace(10, 0.05, width) + 1000 * random.normal(size=width)
    y = x[:, :1] * np.linspace(0, 0.1, neuroids) + random.normal(size=(N, neuroids))
    return x, y - y.mean(axis=0)


def settings(**changes: Any) -> EncoderSettings:
    return EncoderSettings(**({"regression": "ols", "split": SPLIT, "precision": "float64"} | changes))


def fitted(space: Any, y: np.ndarray, score_inner: bool = True, **changes: Any) -> list[FoldFit]:
    encoder = settings(**changes)
    folds = training_folds(make_folds(encoder.split, SAMPLES), encoder, SAMPLES, score_inner)
    return fit_folds([space], y, folds, encoder, score_inner)


def r_of(prediction: np.ndarray, y: np.ndarray) -> list[float]:
    return [pearsonr(prediction[:, column], y[:, column])[0] for column in range(y.shape[1])]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("width", WIDTHS)
def test_every_fold_and_inner_fold_is_a_refit(width: int, dtype: type) -> None:
    x, y = problem(width)
    y = y.astype(dtype).astype(np.float64)
    folds = make_folds(SPLIT, SAMPLES)
    for number, ours in enumerate(fitted(FeatureSpace(x), y.astype(dtype))):
        train, test = folds[number].train, folds[number].test
        prediction = LinearRegression().fit(x[train], y[train]).predict(x[test])
        tolerance = 1e-6 if dtype == np.float64 else 1e-5
        np.testing.assert_allclose(
            r_of(ours.prediction.astype(np.float64), y[test]), r_of(prediction, y[test]), atol=tolerance
        )
        scale = np.abs(prediction).max()
        np.testing.assert_allclose(ours.prediction + y[train].mean(axis=0), prediction, atol=tolerance * scale)
        assert ours.rank == min(width, 79)
        assert ours.prediction.dtype == dtype
        assert np.isnan(ours.penalty).all()
        assert ours.inner_r is not None
        inner = [fold.test for k, fold in enumerate(folds) if k != number]
        for row, held_out in zip(ours.inner_r, inner, strict=True):
            rest = np.setdiff1d(train, held_out)
            theirs = LinearRegression().fit(x[rest], y[rest]).predict(x[held_out])
            np.testing.assert_allclose(row, r_of(theirs, y[held_out]), atol=tolerance)


@pytest.mark.parametrize("pools", [False, True])
@pytest.mark.parametrize("width", [5, 60, 90, 130])
def test_the_identity_the_refits_of_pairs_and_each_fold_by_itself_agree(
    width: int, pools: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = problem(width)
    split = SPLIT | ({"small_folds": "pool"} if pools else {})
    found = [fitted(FeatureSpace(x), y, split=split)]
    monkeypatch.setattr(fit_module, "identity_holds", lambda *_: False)
    found.append(fitted(FeatureSpace(x), y, split=split))
    monkeypatch.setattr(fit_module, "partition_samples", lambda *_: False)
    found.append(fitted(FeatureSpace(x), y, split=split))
    for one, two, three in zip(*found, strict=True):
        for other in (two, three):
            np.testing.assert_allclose(one.prediction, other.prediction, atol=1e-7 * np.abs(y).max())
            np.testing.assert_allclose(one.inner_r, other.inner_r, atol=1e-7)
            assert one.rank == other.rank


@pytest.mark.parametrize(("width", "holds"), [(40, True), (60, False), (70, False), (99, False), (130, True)])
def test_where_the_identity_serves(width: int, holds: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = problem(width)
    refitted = []
    refit_all = fit_module.refit_all
    monkeypatch.setattr(fit_module, "refit_all", lambda *given: refitted.append(1) or refit_all(*given))
    fitted(FeatureSpace(x), y)
    assert bool(refitted) != holds


def test_between_the_peaks_only_a_nested_fit_needs_refits() -> None:
    x, _ = problem(70)
    order = np.arange(N)
    spectrum = least_squares(FeatureSpace(x), order, order[:0])
    tests = np.array_split(order, FOLDS)
    assert module.identity_holds(spectrum, tests, score_inner=False)
    assert not module.identity_holds(spectrum, tests, score_inner=True)


def test_a_fit_without_two_folds_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = problem(99)
    made: list[frozenset[int]] = []

    def counted(space: Any, train: np.ndarray, test: np.ndarray) -> Spectrum:
        made.append(frozenset(train.tolist()))
        return least_squares(space, train, test)

    monkeypatch.setattr(module, "least_squares", counted)
    fitted(FeatureSpace(x), y)
    assert len(made) == len(set(made)) == FOLDS + FOLDS * (FOLDS - 1) // 2


@pytest.mark.parametrize("copies", [1, 8])
def test_repeated_features_and_rows_do_not_count_towards_the_rank(copies: int) -> None:
    x, y = problem(30)
    x = np.tile(x, copies)
    x[::2] = x[1::2]  # each row twice, both in one group
    for ours, fold in zip(fitted(FeatureSpace(x), y), make_folds(SPLIT, SAMPLES), strict=True):
        centred = x[fold.train] - x[fold.train].mean(axis=0)
        weights = np.linalg.pinv(centred, rcond=1e-10) @ (y[fold.train] - y[fold.train].mean(axis=0))
        theirs = (x[fold.test] - x[fold.train].mean(axis=0)) @ weights
        np.testing.assert_allclose(ours.prediction, theirs, atol=1e-6)
        assert ours.rank == 30


@pytest.mark.parametrize("power", [-3, -6, -9, -12, -15])
@pytest.mark.parametrize("width", [101, 300])
def test_a_bad_condition_is_met_by_the_features_themselves(width: int, power: int) -> None:
    """Singular values from 1 down to 10^(power / 2), and means far above all of them."""
    random = np.random.default_rng(width)
    left, right = (np.linalg.qr(random.normal(size=(size, N)))[0] for size in (N, width))
    x = left * np.logspace(0, power / 2, N) @ right.T + 10.0 * np.round(random.normal(size=width))
    y = random.normal(size=(N, 6))
    y -= y.mean(axis=0)
    for ours, fold in zip(fitted(FeatureSpace(x), y), make_folds(SPLIT, SAMPLES), strict=True):
        mean = x[fold.train].mean(axis=0)
        weights = np.linalg.pinv(x[fold.train] - mean, rcond=1e-12) @ (y[fold.train] - y[fold.train].mean(axis=0))
        theirs = (x[fold.test] - mean) @ weights
        np.testing.assert_allclose(r_of(ours.prediction, y[fold.test]), r_of(theirs, y[fold.test]), atol=1e-6)


def test_a_gram_matrix_alone_does_as_well_where_it_is_well_conditioned() -> None:
    x, y = problem(300)
    of_features, of_gram = fitted(FeatureSpace(x), y), fitted(GramSpace((x - 900) @ (x - 900).T), y)
    for one, other in zip(of_features, of_gram, strict=True):
        np.testing.assert_allclose(one.prediction, other.prediction, atol=1e-6)
        np.testing.assert_allclose(one.inner_r, other.inner_r, atol=1e-6)
        assert one.rank == other.rank


def test_predictions_peak_where_features_are_as_many_as_training_rows() -> None:
    """Double descent: the error of least squares on noise is far above all others at the peak."""
    errors = {}
    for width in (20, 79, 400):
        random = np.random.default_rng(3)
        x, y = random.normal(size=(N, width)), random.normal(size=(N, 40))
        y -= y.mean(axis=0)
        folds = make_folds(SPLIT, SAMPLES)
        found = fitted(FeatureSpace(x), y, score_inner=False)
        errors[width] = np.mean(
            [np.mean((fit.prediction - y[fold.test]) ** 2) for fit, fold in zip(found, folds, strict=True)]
        )
    assert errors[79] > 5 * max(errors[20], errors[400])
