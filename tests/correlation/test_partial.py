"""Partial and semi-partial correlation against regressions, against published formulas, and where there is none."""

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LinearRegression

from brainalign.correlation.partial import Part, bootstrap_controlled_r, controlled_r, residuals
from brainalign.correlation.statistics import correlation_p, fisher_interval

PARTS: tuple[Part, ...] = ("partial", "semi-partial")


def data(n: int, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    covariates = random.normal(5, 2, (n, k)) * 10.0 ** np.arange(k)
    x = covariates @ random.normal(size=k) / 10.0 ** (k - 1) + random.normal(size=n)
    return x, 0.4 * x + covariates[:, 0] + random.normal(size=n), covariates


def slowly(x: np.ndarray, y: np.ndarray, covariates: np.ndarray, part: str) -> float:
    """Residuals of scikit-learn's regressions, correlated by scipy."""
    left = [values - LinearRegression().fit(covariates, values).predict(covariates) for values in (x, y)]
    return float(stats.pearsonr(left[0], left[1] if part == "partial" else y).statistic)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(("n", "k"), [(17, 1), (12, 3), (6, 2), (60, 5)])
def test_against_regressions(part: Part, n: int, k: int) -> None:
    x, y, covariates = data(n, k)
    assert float(controlled_r(x, y, covariates, part)) == pytest.approx(slowly(x, y, covariates, part), abs=1e-10)


def test_one_covariate_against_the_formula() -> None:
    x, y, covariates = data(20, 1)
    xy, xz, yz = (np.corrcoef(a, b)[0, 1] for a, b in ((x, y), (x, covariates[:, 0]), (y, covariates[:, 0])))
    expected = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    assert float(controlled_r(x, y, covariates, "partial")) == pytest.approx(expected)
    semi = (xy - xz * yz) / np.sqrt(1 - xz**2)
    assert float(controlled_r(x, y, covariates, "semi-partial")) == pytest.approx(semi)


def test_p_is_that_of_the_coefficient() -> None:
    x, y, covariates = data(17, 2)
    design = np.column_stack([np.ones(17), x, covariates])
    coefficients = np.linalg.solve(design.T @ design, design.T @ y)
    variance = ((y - design @ coefficients) ** 2).sum() / (17 - 4)
    t = coefficients[1] / np.sqrt(variance * np.linalg.inv(design.T @ design)[1, 1])
    partial = float(controlled_r(x, y, covariates, "partial"))
    assert correlation_p(partial, 17, 2) == pytest.approx(2 * stats.t.sf(abs(t), 13), rel=1e-8)


def test_the_published_partial_correlation() -> None:
    # r of Aw et al. 2023 with MMLU and size, and of both: .805, .946, .878, n = 17.
    r = (0.805178 - 0.945717 * 0.878) / np.sqrt((1 - 0.945717**2) * (1 - 0.878**2))
    assert correlation_p(r, 17, 1) == pytest.approx(0.55, abs=0.02)


def test_the_interval_has_n_less_covariates_less_three() -> None:
    assert fisher_interval(0.4, 20, 2) == pytest.approx(fisher_interval(0.4, 18))
    half = 1.959963984540054 / np.sqrt(20 - 2 - 3)
    assert fisher_interval(0.4, 20, 2)[0] == pytest.approx(np.tanh(np.arctanh(0.4) - half))
    assert np.isnan(fisher_interval(0.4, 5, 2)).all()


@pytest.mark.parametrize("part", PARTS)
def test_there_is_none_where_covariates_depend_on_each_other_or_explain_x(part: Part) -> None:
    x, y, covariates = data(17, 2)
    for wrong in (
        np.column_stack([covariates, covariates @ [1.0, 2.0]]),
        np.column_stack([covariates, np.full(17, 3.0)]),
        np.column_stack([covariates, x]),
    ):
        assert np.isnan(controlled_r(x, y, wrong, part))


def test_partial_has_none_where_the_covariates_explain_the_score() -> None:
    x, _, covariates = data(17, 2)
    y = covariates @ [1.0, -2.0] + 3
    assert np.isnan(controlled_r(x, y, covariates, "partial"))
    assert np.isfinite(controlled_r(x, y, covariates, "semi-partial"))


def test_residuals_are_orthogonal_to_the_covariates_whatever_their_scale() -> None:
    x, _, covariates = data(30, 4)
    left = residuals(x + 1e6, covariates)
    assert left.sum() == pytest.approx(0, abs=1e-8)
    np.testing.assert_allclose(left @ (covariates / np.linalg.norm(covariates, axis=0)), 0, atol=1e-7)


@pytest.mark.parametrize("part", PARTS)
def test_the_bootstrap_against_a_loop(part: Part) -> None:
    x, y, covariates = data(8, 2)
    drawn = bootstrap_controlled_r(x, y, covariates, part, 200, 5)
    chosen = np.random.default_rng(5).integers(8, size=(200, 8))
    slow = [
        slowly(x[rows], y[rows], covariates[rows], part) if len(set(rows)) > 4 else np.nan for rows in chosen.tolist()
    ]
    distinct = np.array([len(set(rows)) for rows in chosen.tolist()])
    np.testing.assert_allclose(drawn[distinct > 4], np.array(slow)[distinct > 4], atol=1e-9)
    assert np.isnan(drawn[distinct < 3]).all()


def test_many_scores_at_once() -> None:
    x, y, covariates = data(17, 2)
    scores = np.stack([y, x + 0.1 * y, -y])
    each = [float(controlled_r(x, values, covariates, "partial")) for values in scores]
    assert controlled_r(x, scores, covariates, "partial").tolist() == pytest.approx(each)
