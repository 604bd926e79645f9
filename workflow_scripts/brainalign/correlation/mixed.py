"""A linear model with a random intercept for each base, by restricted maximum likelihood."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainalign.errors import InputError

LEAST_BASES = 5
STARTS = (0.1, 10.0, 1e4)  # ratios of variances; the likelihood may have two maxima, one of them at 0
NO_VARIANCE = 1e-6  # a ratio of variances below which the bases are said not to differ


@dataclass(frozen=True)
class MixedModel:
    """Coefficients and their standard errors (column of the design), and the variances between and within bases."""

    coefficients: np.ndarray
    errors: np.ndarray
    between: float
    within: float


def random_intercepts(y: np.ndarray, design: np.ndarray, groups: Sequence[str]) -> MixedModel:
    """Fit y = X β + u[group] + e, u ~ N(0, σ_b²), e ~ N(0, σ²), by restricted maximum likelihood.

    The ratio λ = σ_b² / σ² is that of statsmodels' MixedLM (Lindstrom & Bates 1988), found by Powell's method from
    several starts, of which the likeliest is kept: its gradient methods end in singular matrices where the best λ is
    0, as it often is with few bases. With that λ and
    V = I + λ Z Z', β̂ = (X' V⁻¹ X)⁻¹ X' V⁻¹ y with the covariance σ̂² (X' V⁻¹ X)⁻¹ are statsmodels' generalised least
    squares: standard errors that take λ̂ as known (Laird & Ware 1982), like those of lme4 and nlme. MixedLM's own are of
    the observed information of β and λ together, which is not positive definite at λ̂ = 0.

    Parameters
    ----------
    y : (observation,); design : (observation, coefficient), of full rank, with its constant; groups : (observation,).

    Raises
    ------
    InputError : linearly dependent columns, no more observations than coefficients, groups of one throughout, or
        nothing left to explain.
    """
    from statsmodels.regression.linear_model import GLS
    from statsmodels.regression.mixed_linear_model import MixedLM, MixedLMParams

    names = list(dict.fromkeys(groups))
    n, p = design.shape
    if n <= p or np.linalg.matrix_rank(design) < p:
        raise InputError("the property and the families are linearly dependent, or there are too few models.")
    if len(names) == n:
        raise InputError("every base has one model only, so that bases cannot be told from models.")
    left = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    if left @ left <= 1e-20 * float((y - y.mean()) @ (y - y.mean())):
        raise InputError("the property and the families explain the score entirely, and nothing is left to the bases.")
    number = np.array([names.index(group) for group in groups])  # (observation,)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of a λ at its bound and of the information there, which is not used
        try:
            starts = [MixedLMParams.from_components(np.zeros(p), cov_re=np.array([[start]])) for start in STARTS]
            fits = [MixedLM(y, design, number).fit(start_params=s, reml=True, method=["powell"]) for s in starts]
        except (np.linalg.LinAlgError, ValueError) as error:
            raise InputError(f"the mixed model cannot be fitted ({error}).") from error
    fit = max((fit for fit in fits if fit.converged), key=lambda fit: fit.llf, default=fits[0])
    ratio = float(fit.cov_re[0, 0] / fit.scale)
    if not fit.converged or not np.isfinite(ratio):
        raise InputError("the mixed model cannot be fitted (the search for its variances does not converge).")
    ratio = ratio if ratio > NO_VARIANCE else 0.0
    same = (number[:, None] == number).astype(np.float64)  # (observation, observation)
    fixed = GLS(y, design, sigma=np.eye(n) + ratio * same).fit()
    return MixedModel(np.asarray(fixed.params), np.asarray(fixed.bse), ratio * float(fixed.scale), float(fixed.scale))


@dataclass(frozen=True)
class Slope:
    """The slope of the standardised score on the standardised property, its interval, p and degrees of freedom.

    share_between : of the variance that neither the property nor the family explains, the share between bases.
    """

    slope: float
    low: float
    high: float
    p: float
    df: int
    share_between: float


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
    p = float(2 * stats.t.sf(abs(slope) / error, df))
    return Slope(slope, slope - half, slope + half, p, df, fit.between / (fit.between + fit.within))
