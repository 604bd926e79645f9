"""What simulations must show: least squares dip where features are as many as training rows, and ridge does not;
features of noise score nothing; a planted signal is found at the r that theory gives."""

from typing import Any

import numpy as np
import pytest

from brainalign.encoding.encoder import Encoding, encode
from brainalign.encoding.settings import EncoderSettings
from brainalign.responses.samples import Samples

SPLIT = {"kind": "shuffle", "folds": 4, "test": 0.1, "seed": 0}


def encoded(x: np.ndarray, y: np.ndarray, **changes: Any) -> Encoding:
    settings = {"layer": "best", "draws": 200} | changes
    n, neuroids = y.shape
    table = {"neuroid": np.arange(neuroids).astype(str), "subject": ["S1"] * neuroids, "region": ["x"] * neuroids}
    return encode([("x", x)], y, Samples({"split_group": np.arange(n) // 4}), table, EncoderSettings(**settings))


def score(*arguments: Any, **changes: Any) -> float:
    return float(encoded(*arguments, **changes).aggregate_r[0, 0, 0])


N, N_TRAIN, LATENT, SIGNAL = 300, 270, 25, 0.15
WIDTHS = (40, 140, N_TRAIN, 540, 2160)


@pytest.fixture(scope="module")
def curves() -> dict[str, np.ndarray]:
    """r for each width: latent dimensions explain a share of the responses' variance; features are random linear
    functions of them plus unit noise."""
    random = np.random.default_rng(0)
    latent = random.normal(size=(N, LATENT))
    signal = latent @ random.normal(size=(LATENT, 150)) / np.sqrt(LATENT)
    y = np.sqrt(SIGNAL) * signal + np.sqrt(1 - SIGNAL) * random.normal(size=signal.shape)
    found: dict[str, list[float]] = {"ols": [], "ridge": []}
    for width in WIDTHS:
        x = latent @ random.normal(size=(LATENT, width)) / np.sqrt(LATENT) + random.normal(size=(N, width))
        for regression, values in found.items():
            values.append(score(x, y, regression=regression, split=SPLIT))
    return {name: np.array(values) for name, values in found.items()}


def test_least_squares_dip_where_features_are_as_many_as_training_rows(curves: dict[str, np.ndarray]) -> None:
    narrow, before, peak, after, wide = curves["ols"]
    assert peak < 0.5 * min(narrow, wide)
    assert narrow > before > peak < after < wide
    assert wide > 0.85 * narrow


def test_ridge_has_no_dip(curves: dict[str, np.ndarray]) -> None:
    ridge, least_squares = curves["ridge"], curves["ols"]
    assert (ridge > least_squares).all()
    assert ridge[2] > 3 * least_squares[2]
    assert ridge[1:-1].min() > 0.9 * min(ridge[0], ridge[-1])


@pytest.mark.parametrize("regression", ["ols", "ridge"])
@pytest.mark.parametrize("width", [5, 400])
def test_features_of_noise_score_zero_within_their_interval(width: int, regression: str) -> None:
    """An interval of 95 % may miss 0 now and then: of 20 data sets at most 3 do (with 1 in 20, 4 have a chance of
    1.6 %), and their mean is 0 within its own error."""
    scores, missed = [], 0
    for seed in range(20):
        random = np.random.default_rng([seed, width])
        x, y = random.normal(size=(120, width)), random.normal(size=(120, 3))
        found = encoded(x, y, regression=regression, split={"kind": "grouped", "folds": 5, "seed": 0})
        low, high = np.quantile(found.replicates[:, 0, 0, 0], [0.025, 0.975])
        missed += not low <= 0 <= high
        scores.append(found.aggregate_r[0, 0, 0])
    assert missed <= 3
    assert abs(np.mean(scores)) < 3 * np.std(scores) / np.sqrt(20)


def expected_r(noise: float, width: int, n_train: int, n_test: int) -> float:
    """Expected r of least squares with independent normal features and a signal of variance 1.

    Predictions x'ŵ have the covariance 1 with x'w and the variance 1 + noise q, where q = p / (n_train - p - 2) is the
    mean of the trace of (X'X)^-1 of centred features (inverse Wishart). So ρ = 1 / √((1 + noise q) (1 + noise)); and r
    of n_test rows is ρ (1 - (1 - ρ²) / (2 n_test)) on average (Fisher).
    """
    q = width / (n_train - width - 2)
    rho = 1 / np.sqrt((1 + noise * q) * (1 + noise))
    return float(rho * (1 - (1 - rho**2) / (2 * n_test)))


@pytest.mark.parametrize("noise", [0.5, 3.0, 10.0])
@pytest.mark.parametrize("width", [5, 60])
def test_a_planted_signal_is_found_at_its_known_r(width: int, noise: float) -> None:
    random = np.random.default_rng(width)
    n, neuroids, folds = 400, 300, 5
    x, weights = random.normal(size=(n, width)), random.normal(size=(width, neuroids))
    signal = x @ (weights / np.linalg.norm(weights, axis=0))
    y = signal + np.sqrt(noise) * random.normal(size=signal.shape)
    found = score(x, y, regression="ols", split={"kind": "grouped", "folds": folds, "seed": 0})
    known = expected_r(noise, width, n - n // folds, n // folds)
    assert found == pytest.approx(known, abs=0.012)
    ridge = score(x, y, split={"kind": "grouped", "folds": folds, "seed": 0})
    assert known - 0.012 < ridge < 1 / np.sqrt(1 + noise) + 0.012, "no less than least squares, no more than there is"
