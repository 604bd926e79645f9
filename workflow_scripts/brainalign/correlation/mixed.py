"""A linear model with a random intercept for each base, by restricted maximum likelihood."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainalign.errors import InputError

LEAST_BASES = 5
_WIDEST = 8.0  # log10 of the largest ratio of variances that is looked at


@dataclass(frozen=True)
class MixedModel:
    """Coefficients and their standard errors (column of the design), and the variances between and within bases."""

    coefficients: np.ndarray
    errors: np.ndarray
    between: float
    within: float


def random_intercepts(y: np.ndarray, design: np.ndarray, groups: Sequence[str]) -> MixedModel:
    """Fit y = X β + u[group] + e, u ~ N(0, σ_b²), e ~ N(0, σ²), by restricted maximum likelihood.

    With λ = σ_b² / σ² and V = I + λ Z Z', β̂ = (X' V⁻¹ X)⁻¹ X' V⁻¹ y and σ̂² = (y − X β̂)' V⁻¹ (y − X β̂) / (n − p), the
    criterion (n − p) log σ̂² + log |V| + log |X' V⁻¹ X| is minimised over λ ≥ 0 alone (Harville 1977; Laird & Ware
    1982). The standard errors take λ̂ as known. The same numbers as statsmodels' MixedLM(…).fit(reml=True).

    Parameters
    ----------
    y : (observation,); design : (observation, coefficient), of full rank, with its constant; groups : (observation,).

    Raises
    ------
    InputError : linearly dependent columns, no more observations than coefficients, or groups of one throughout.
    """
    from scipy import optimize

    names = list(dict.fromkeys(groups))
    n, p = design.shape
    if n <= p or np.linalg.matrix_rank(design) < p:
        raise InputError("the property and the families are linearly dependent, or there are too few models.")
    if len(names) == n:
        raise InputError("every base has one model only, so that bases cannot be told from models.")
    member = np.array([[group == name for name in names] for group in groups], dtype=np.float64)  # (observation, group)
    sizes = member.sum(axis=0)  # (group,)

    def solve(ratio: float) -> tuple[float, np.ndarray, np.ndarray, float]:
        def weigh(values: np.ndarray) -> np.ndarray:  # V⁻¹ v, group by group: v − λ / (1 + m λ) Σ v
            return np.asarray(values - member @ ((ratio / (1 + ratio * sizes))[:, None] * (member.T @ values)))

        weighed = weigh(design)
        information = design.T @ weighed  # (coefficient, coefficient)
        coefficients = np.linalg.solve(information, weighed.T @ y)
        left = y - design @ coefficients
        variance = float(left @ weigh(left[:, None])[:, 0]) / (n - p)
        logs = np.log1p(ratio * sizes).sum() + np.linalg.slogdet(information)[1]
        return float((n - p) * np.log(variance) + logs), coefficients, information, variance

    def criterion(exponent: float) -> float:
        return solve(10.0**exponent)[0]

    # From a grid to its best cell: the criterion may have two minima, one of them at 0.
    grid = np.linspace(-_WIDEST, _WIDEST, 65)
    best = int(np.argmin([criterion(exponent) for exponent in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    exponent = optimize.minimize_scalar(criterion, bounds=(low, high), method="bounded", options={"xatol": 1e-10}).x
    ratio = 0.0 if solve(0.0)[0] <= criterion(exponent) else float(10.0**exponent)
    _, coefficients, information, variance = solve(ratio)
    errors = np.sqrt(np.diagonal(np.linalg.inv(information)) * variance)
    return MixedModel(coefficients, errors, ratio * variance, variance)


@dataclass(frozen=True)
class Slope:
    """The slope of the standardised score on the standardised property, its interval, p and degrees of freedom."""

    slope: float
    low: float
    high: float
    p: float
    df: int


def slope_beyond_families(x: np.ndarray, y: np.ndarray, families: Sequence[str], bases: Sequence[str]) -> Slope:
    """Fit y by x and a constant for each family, with a random intercept for each base; x and y are standardised.

    p and the interval are from Student's t with as many degrees of freedom as there are bases beyond the fixed effects,
    which is careful for a property that differs within bases, and right for one that, like size, does not.

    Parameters
    ----------
    x, y : (model,), neither constant; families, bases : of each model.

    Raises
    ------
    InputError : fewer than 5 bases, no more bases than fixed effects, or no fit (see `random_intercepts`).
    """
    from scipy import stats

    count, names = len(set(bases)), list(dict.fromkeys(families))
    if count < LEAST_BASES:
        raise InputError(f"there are {count} bases, and a random intercept needs at least {LEAST_BASES}.")
    df = count - 1 - len(names)
    if df < 1:
        raise InputError(f"{count} bases are too few for {len(names)} families and a property.")
    standard = [(values - values.mean()) / values.std(ddof=1) for values in (x, y)]
    member = [np.array([family == name for family in families], dtype=np.float64) for name in names]
    fit = random_intercepts(standard[1], np.stack([standard[0], *member], axis=1), bases)
    slope, error = float(fit.coefficients[0]), float(fit.errors[0])
    half = float(stats.t.isf(0.025, df)) * error
    return Slope(slope, slope - half, slope + half, float(2 * stats.t.sf(abs(slope) / error, df)), df)
