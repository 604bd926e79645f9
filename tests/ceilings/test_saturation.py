import numpy as np
import pytest
from scipy.optimize import curve_fit, minimize_scalar

from brainalign.ceilings.saturation import fit_saturation


def saturating(x: np.ndarray, v0: float, tau: float) -> np.ndarray:
    return np.asarray(v0 * (1 - np.exp(-x / tau)))


def test_saturation_recovers_planted_curves() -> None:
    sizes = np.arange(1, 9)
    planted = [(0.3, 0.5), (0.6, 3.0), (0.95, 10.0), (0.2, 1.0)]
    v0, tau = fit_saturation(sizes, np.stack([saturating(sizes, *pair) for pair in planted], axis=1))
    np.testing.assert_allclose(v0, [pair[0] for pair in planted], rtol=1e-4)
    np.testing.assert_allclose(tau, [pair[1] for pair in planted], rtol=1e-3)


def test_saturation_is_scipys_curve_fit() -> None:
    random = np.random.default_rng(0)
    sizes = np.arange(1.0, 9.0)
    curves = np.stack([saturating(sizes, v0, 1.5) for v0 in (0.2, 0.4, 0.6, 0.8)], axis=1)
    noisy = curves + 0.02 * random.normal(size=curves.shape)
    v0, tau = fit_saturation(sizes, noisy)
    for column in range(4):
        expected, _ = curve_fit(saturating, sizes, noisy[:, column], bounds=([0, 1e-9], [1, np.inf]))
        np.testing.assert_allclose([v0[column], tau[column]], expected, rtol=1e-3)


def test_saturation_stays_within_its_bounds() -> None:
    sizes = np.arange(1, 6)
    rising, falling, jumping = 0.01 * sizes, -0.1 * sizes, np.full(5, 1.4)
    v0, _ = fit_saturation(sizes, np.stack([rising, falling, jumping], axis=1).astype(float))
    np.testing.assert_allclose(v0, [1, 0, 1], atol=1e-9)


def error(log_tau: float, sizes: np.ndarray, values: np.ndarray) -> float:
    curve = 1 - np.exp(-sizes / np.exp(log_tau))
    v0 = np.clip(curve @ values / (curve @ curve), 0, 1)
    return float(((values - v0 * curve) ** 2).sum())


def test_no_tau_of_a_fine_search_is_better() -> None:
    random = np.random.default_rng(1)
    sizes = np.arange(1.0, 9.0)
    planted = random.uniform(0, 0.6, 60) * (1 - np.exp(-sizes[:, None] / random.uniform(0.3, 12, 60)))
    noisy = planted + random.normal(0, 0.05, size=(8, 60))
    _, tau = fit_saturation(sizes, noisy)
    grid = np.linspace(np.log(0.02), np.log(2e4), 600)
    for column in range(60):
        values = noisy[:, column]
        best = grid[np.argmin([error(point, sizes, values) for point in grid])]
        bounds = (max(best - 0.05, grid[0]), min(best + 0.05, grid[-1]))
        found = minimize_scalar(error, bounds=bounds, args=(sizes, values), method="bounded", options={"xatol": 1e-9})
        assert error(np.log(tau[column]), sizes, values) <= found.fun * (1 + 1e-6)


def test_tau_stays_under_the_longest_allowed() -> None:
    sizes = np.arange(1, 6)
    v0, tau = fit_saturation(sizes, (0.001 * sizes)[:, None].astype(float), longest=15.0)
    np.testing.assert_allclose(tau, 15, rtol=1e-9)
    assert 0.01 < v0[0] < 3.6 * 0.005


@pytest.mark.parametrize("curves", [1, 4096, 4097])
def test_curves_are_fitted_by_themselves(curves: int) -> None:
    values = np.random.default_rng(2).uniform(0, 0.5, size=(4, curves))
    sizes = np.arange(1, 5)
    together, one = fit_saturation(sizes, values), fit_saturation(sizes, values[:, -1:])
    np.testing.assert_allclose(together[0][-1], one[0][0], rtol=1e-9)


def test_from_minus_1_the_fit_is_the_same_upside_down() -> None:
    random = np.random.default_rng(3)
    sizes = np.arange(1.0, 6.0)
    noise = random.normal(0, 0.1, size=(5, 3000))
    v0, tau = fit_saturation(sizes, noise, lowest=-1.0)
    mirrored = fit_saturation(sizes, -noise, lowest=-1.0)
    np.testing.assert_allclose(mirrored, (-v0, tau), rtol=1e-6, atol=1e-9)
    assert abs((v0 > 0).mean() - 0.5) < 0.03
    above = v0 > 0
    np.testing.assert_allclose(fit_saturation(sizes, noise[:, above])[0], v0[above], rtol=1e-6)
    assert (fit_saturation(sizes, noise)[0][~above] >= 0).all()
