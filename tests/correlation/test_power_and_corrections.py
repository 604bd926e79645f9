"""What a correlation could have shown, and how p is corrected over several."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from brainalign.correlation.corrections import correct
from brainalign.correlation.power import detectable_r, power
from brainalign.errors import InputError


def test_power_as_another_program_has_it() -> None:
    assert power(0.3, 50) == pytest.approx(0.5715558, abs=1e-6)  # R, pwr.r.test(r = .3, n = 50)


@pytest.mark.parametrize("n", [8, 17, 40])
def test_the_detectable_r_is_found_in_four_of_five_samples(n: int) -> None:
    r, random = detectable_r(n), np.random.default_rng(n)
    x = random.normal(size=(20_000, n))
    y = r * x + np.sqrt(1 - r * r) * random.normal(size=x.shape)
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    found = (x * y).sum(axis=1) / np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    t = stats.t.isf(0.025, n - 2)
    assert np.mean(np.abs(found) > t / np.sqrt(t * t + n - 2)) == pytest.approx(0.8, abs=0.03)


def test_covariates_cost_observations() -> None:
    assert detectable_r(20, 3) == detectable_r(17)
    assert detectable_r(17) == pytest.approx(0.6238, abs=1e-4)
    assert np.isnan(detectable_r(5, 2))
    assert detectable_r(4) > 0.98


def table() -> pd.DataFrame:
    rows = [(name, dataset, "e", "r", "all", "pearson") for name in ("mmlu", "bbh", "size") for dataset in ("a", "b")]
    found = pd.DataFrame(rows, columns=["property", "dataset", "encoder", "readout", "over", "analysis"])
    return found.assign(p=[0.01, 0.02, 0.03, 0.04, np.nan, 0.06])


def test_only_declared_tests_are_corrected() -> None:
    wanted = {"analysis": "pearson", "properties": ["mmlu", "bbh"], "datasets": ["a"]}
    found = correct(table(), {"benchmarks": wanted}, "p")
    assert found["correction"].tolist() == ["benchmarks", "", "benchmarks", "", "", ""]
    assert found["corrected_tests"].dropna().tolist() == [2, 2]
    assert found["corrected_p"].dropna().tolist() == pytest.approx([0.02, 0.03])


def test_a_test_without_p_is_counted_in_no_correction() -> None:
    found = correct(table(), {"all": {"analysis": "pearson"}}, "p")
    assert set(found["corrected_tests"]) == {5}
    assert found["corrected_p"].isna().tolist() == [False] * 4 + [True, False]
    tested = found["p"].notna()
    expected = stats.false_discovery_control(found.loc[tested, "p"])
    assert found.loc[tested, "corrected_p"].tolist() == pytest.approx(expected.tolist())


def test_a_correction_of_another_analysis_changes_nothing() -> None:
    assert correct(table(), {"other": {"analysis": "partial"}}, "p")["corrected_p"].isna().all()


def test_a_test_in_two_corrections_or_none_in_one_is_an_error() -> None:
    two = {
        "first": {"analysis": "pearson", "datasets": ["a"]},
        "second": {"analysis": "pearson", "properties": ["mmlu"]},
    }
    with pytest.raises(InputError, match=r"a test is in 'first' and in 'second'; one is allowed\."):
        correct(table(), two, "p")
    with pytest.raises(InputError, match=r"corrections\.none: no test of this study belongs to it\."):
        correct(table(), {"none": {"analysis": "pearson", "datasets": ["c"]}}, "p")
