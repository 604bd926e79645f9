"""Random intercepts against closed forms and against the dense likelihood, also where there are none."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, stats

from brainalign.correlation.mixed import random_intercepts, slope_beyond_families
from brainalign.errors import InputError

PACKAGES = Path(__file__).parents[2] / "workflow_scripts"
ENVIRONMENT = os.environ | {"PYTHONPATH": str(PACKAGES)}
SIZES = (1, 2, 3, 4, 1, 2, 5, 3)


def data(between: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    random = np.random.default_rng(seed)
    groups = [f"g{number}" for number, size in enumerate(SIZES) for _ in range(size)]
    effects = np.repeat(random.normal(0, between, len(SIZES)), SIZES)
    design = np.column_stack([np.ones(len(groups)), random.normal(size=len(groups)) + effects])
    return design @ [1.0, 0.5] + effects + random.normal(size=len(groups)), design, groups


def dense(y: np.ndarray, design: np.ndarray, groups: list[str]) -> tuple[np.ndarray, float, float]:
    """Minimise the restricted likelihood of both variances with whole matrices."""
    same = np.array([[one == other for other in groups] for one in groups], dtype=float)

    def negative(logs: np.ndarray) -> float:
        covariance = np.exp(logs[0]) * same + np.exp(logs[1]) * np.eye(len(y))
        inverse = np.linalg.inv(covariance)
        information = design.T @ inverse @ design
        left = y - design @ np.linalg.solve(information, design.T @ inverse @ y)
        return float(np.linalg.slogdet(covariance)[1] + np.linalg.slogdet(information)[1] + left @ inverse @ left)

    starts = [np.array([a, b]) for a in (-6.0, -1.0, 1.0) for b in (-1.0, 1.0)]
    options = {"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000}
    best = min(
        (optimize.minimize(negative, s, method="Nelder-Mead", options=options) for s in starts), key=lambda f: f.fun
    )
    between, within = np.exp(best.x)
    inverse = np.linalg.inv(between * same + within * np.eye(len(y)))
    return np.linalg.solve(design.T @ inverse @ design, design.T @ inverse @ y), between, within


@pytest.mark.parametrize(("between", "seed"), [(0.5, 0), (1.5, 1), (4.0, 2)])
def test_against_the_dense_likelihood(between: float, seed: int) -> None:
    y, design, groups = data(between, seed)
    fit = random_intercepts(y, design, groups)
    coefficients, of_groups, within = dense(y, design, groups)
    assert fit.coefficients == pytest.approx(coefficients, rel=1e-4)
    assert (fit.between, fit.within) == pytest.approx((of_groups, within), rel=1e-3, abs=1e-4)
    same = np.array([[one == other for other in groups] for one in groups], dtype=float)
    inverse = np.linalg.inv(of_groups * same + within * np.eye(len(y)))
    errors = np.sqrt(np.diagonal(np.linalg.inv(design.T @ inverse @ design)))
    assert fit.errors == pytest.approx(errors, rel=1e-3)


def test_balanced_groups_have_the_variances_of_an_analysis_of_variance() -> None:
    random = np.random.default_rng(4)
    values = random.normal(0, 2, (6, 1)) + random.normal(size=(6, 5))
    groups = [f"g{number}" for number in range(6) for _ in range(5)]
    fit = random_intercepts(values.ravel(), np.ones((30, 1)), groups)
    within = values.var(axis=1, ddof=1).mean()
    between = values.mean(axis=1).var(ddof=1) - within / 5
    assert (fit.within, fit.between) == pytest.approx((within, between), rel=1e-4)
    assert fit.coefficients[0] == pytest.approx(values.mean())
    assert fit.errors[0] == pytest.approx(values.mean(axis=1).std(ddof=1) / np.sqrt(6), rel=1e-4)


def test_without_differences_between_groups_it_is_least_squares() -> None:
    random = np.random.default_rng(1)
    design = np.column_stack([np.ones(20), random.normal(size=20)])
    y = design @ [1.0, 2.0] + np.tile([1.0, -1.0], 10) + 1e-3 * random.normal(size=20)
    fit = random_intercepts(y, design, [f"g{number // 2}" for number in range(20)])
    expected = stats.linregress(design[:, 1], y)
    assert fit.between == 0
    assert fit.coefficients[1] == pytest.approx(expected.slope)
    assert fit.errors[1] == pytest.approx(expected.stderr)


@pytest.mark.parametrize("within", [1e-3, 0.05])
def test_it_finds_bases_that_differ_far_more_than_their_models(within: float) -> None:
    """The likelihood has a second maximum where x, which goes with the bases, explains what the bases do."""
    random = np.random.default_rng(5)
    bases = random.normal(0, 5, 9)
    groups = [f"g{number}" for number in range(9) for _ in range(3)]
    x = np.repeat(bases, 3) + 0.5 * random.normal(size=27)
    y = 0.4 * x + np.repeat(bases, 3) + within * random.normal(size=27)
    design = np.column_stack([np.ones(27), x])
    fit = random_intercepts(y, design, groups)
    centred = [values - np.repeat(values.reshape(9, 3).mean(axis=1), 3) for values in (x, y)]
    of_models_alone = (centred[0] @ centred[1]) / (centred[0] @ centred[0])
    assert fit.coefficients[1] == pytest.approx(of_models_alone, abs=0.02)
    assert fit.between > 100 * fit.within


def test_nothing_is_said_on_the_way(recwarn: pytest.WarningsRecorder) -> None:
    y, design, groups = data(0.0, 6)
    random_intercepts(
        y - np.repeat([y[np.array(groups) == name].mean() for name in dict.fromkeys(groups)], SIZES), design, groups
    )
    assert [str(warning.message) for warning in recwarn] == []


def test_a_score_that_is_explained_entirely_is_refused() -> None:
    x = np.random.default_rng(0).normal(size=12)
    with pytest.raises(InputError, match="explain the score entirely"):
        slope_beyond_families(x, 3 * x + 1, ["f"] * 12, [f"b{number // 2}" for number in range(12)])


def test_statsmodels_is_imported_by_the_fit_alone() -> None:
    script = "import sys, brainalign.correlation.mixed; print('statsmodels' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert done.stdout.strip() == "False"


def test_the_slope_is_of_standardised_values_beyond_families() -> None:
    random = np.random.default_rng(2)
    bases = [f"b{number}" for number in range(10) for _ in range(2)]
    families = ["one"] * 10 + ["two"] * 10
    x = np.repeat(random.normal(size=10), 2) + np.repeat([0.0, 20.0], 10)
    y = 0.3 * x + np.repeat([0.0, -50.0], 10) + 0.05 * random.normal(size=20)
    found = slope_beyond_families(x, y, families, bases)
    assert found.slope == pytest.approx(0.3 * x.std(ddof=1) / y.std(ddof=1), rel=0.1)
    assert np.corrcoef(x, y)[0, 1] < 0 < found.low
    assert found.df == 10 - 1 - 2
    shifted = slope_beyond_families(3 * x + 1, 100 * y, families, bases)
    assert shifted.slope == pytest.approx(found.slope, rel=1e-5)


def test_slopes_of_nothing_are_called_significant_as_often_as_alpha_says() -> None:
    random = np.random.default_rng(7)
    bases = [f"b{number}" for number in range(9) for _ in range(2)]
    found = []
    for _ in range(60):
        x = np.repeat(random.normal(size=9), 2)
        y = np.repeat(random.normal(size=9), 2) + 0.5 * random.normal(size=18)
        found.append(slope_beyond_families(x, y, ["f"] * 18, bases).p < 0.05)
    assert 0.01 <= np.mean(found) <= 0.1


@pytest.mark.parametrize(
    ("bases", "families", "reason"),
    [
        ("aabbccdd", "ffffffff", "there are 4 bases, and a random intercept needs at least 5"),
        ("abcdefgh", "ffffffff", "every base has one model only"),
        ("aabbccde", "ffgghhij", "5 bases are too few for 5 families"),
    ],
)
def test_what_cannot_be_fitted_is_refused(bases: str, families: str, reason: str) -> None:
    x = np.arange(8.0) ** 2
    with pytest.raises(InputError, match=reason):
        slope_beyond_families(x, np.sqrt(x), list(families), list(bases))


def test_a_property_that_is_the_family_is_refused() -> None:
    x = np.repeat([0.0, 1.0], 8)
    with pytest.raises(InputError, match="linearly dependent"):
        slope_beyond_families(x, np.arange(16.0), ["f"] * 8 + ["g"] * 8, [f"b{number // 2}" for number in range(16)])
