"""False discovery, paired differences, bands over layers, and subjects."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from brainalign.errors import InputError
from brainalign.inference.false_discovery import false_discovery_p
from brainalign.inference.paired import paired_difference
from brainalign.inference.simultaneous import simultaneous_interval
from brainalign.inference.subjects import over_subjects

RANDOM = np.random.default_rng(3)


@pytest.mark.parametrize("method", ["bh", "by"])
def test_false_discovery_leaves_out_columns_without_a_p(method: str) -> None:
    p = RANDOM.uniform(size=(3, 4)) ** 2
    holes = np.insert(p.ravel(), [2, 7], np.nan)
    adjusted = false_discovery_p(holes, method)
    np.testing.assert_allclose(adjusted[~np.isnan(holes)], false_discovery_control(p.ravel(), method=method))
    assert np.isnan(adjusted[np.isnan(holes)]).all()
    assert false_discovery_p(p).shape == p.shape
    assert np.isnan(false_discovery_p(np.array([np.nan]))).all()


def test_unknown_methods_are_named() -> None:
    with pytest.raises(InputError, match="unknown method of false discovery control 'bonferroni'"):
        false_discovery_p(np.ones(2), "bonferroni")


def test_paired_differences_invert_their_interval() -> None:
    second = RANDOM.normal(0.2, 0.05, size=(1000, 200))
    first = second + RANDOM.normal(RANDOM.normal(0, 0.04, size=200), 0.02, size=(1000, 200))
    found = paired_difference(first.mean(axis=0), second.mean(axis=0), first, second)
    outside = (found.low > 0) | (found.high < 0)
    assert 20 < outside.sum() < 180
    np.testing.assert_array_equal(outside, found.p < 0.051)
    np.testing.assert_allclose(found.difference, (first - second).mean(axis=0))
    cell = 7
    d = first[:, cell] - second[:, cell]
    assert found.p[cell] == min(1, 2 * (min(sum(d <= 0), sum(d >= 0)) + 1) / 1001)
    assert found.p.min() >= found.smallest_p[0] == 2 / 1001


def test_models_against_themselves_do_not_differ_and_missing_cells_stay_missing() -> None:
    replicates = RANDOM.normal(size=(100, 2))
    replicates[:, 1] = np.nan
    found = paired_difference(np.zeros(2), np.zeros(2), replicates, replicates)
    assert found.p[0] == 1
    assert np.isnan(found.p[1])
    assert found.draws.tolist() == [100, 0]


def test_other_draws_are_refused() -> None:
    with pytest.raises(InputError, match="share their draws"):
        paired_difference(np.zeros(1), np.zeros(1), np.zeros((5, 1)), np.zeros((6, 1)))


def test_bands_are_those_of_plain_loops() -> None:
    replicates = RANDOM.normal(size=(300, 6, 2)).cumsum(axis=1) * np.arange(1, 7)[:, None]
    low, high, quantile = simultaneous_interval(replicates)
    for curve in range(2):
        mean = [np.mean(replicates[:, layer, curve]) for layer in range(6)]
        spread = [np.std(replicates[:, layer, curve], ddof=1) for layer in range(6)]
        largest = [
            max(abs(draw[layer, curve] - mean[layer]) / spread[layer] for layer in range(6)) for draw in replicates
        ]
        q = np.quantile(largest, 0.95)
        assert quantile[curve] == pytest.approx(q)
        np.testing.assert_allclose(low[:, curve], np.array(mean) - q * np.array(spread))
        np.testing.assert_allclose(high[:, curve], np.array(mean) + q * np.array(spread))
    inside = ((low <= replicates) & (replicates <= high)).all(axis=1).mean(axis=0)
    np.testing.assert_allclose(inside, 0.95, atol=0.005)


def test_bands_of_a_thousand_draws_cover_whole_curves() -> None:
    """Replicates that are as the estimate is: normal, with layers that are alike the nearer they are to each other."""
    layers, curves = 12, 400
    random = np.random.default_rng(1)
    apart = np.abs(np.subtract.outer(np.arange(layers), np.arange(layers)))
    mixed = np.linalg.cholesky(0.5 + 0.5 * 0.8**apart) * np.linspace(0.02, 0.04, layers)[:, None]
    estimate = random.normal(size=(curves, layers)) @ mixed.T  # about a true curve of 0
    replicates = estimate.T + np.einsum("dcl,kl->dkc", random.normal(size=(1000, curves, layers)), mixed)
    low, high, quantile = simultaneous_interval(replicates)
    assert ((low <= 0) & (high >= 0)).all(axis=0).mean() == pytest.approx(0.95, abs=0.03)
    alone = [np.quantile(replicates, tail, axis=0) for tail in (0.025, 0.975)]
    assert ((alone[0] <= 0) & (alone[1] >= 0)).all(axis=0).mean() < 0.9
    assert (quantile > 2.2).all()


def test_layers_that_are_constant_or_missing_take_no_part() -> None:
    replicates = RANDOM.normal(size=(200, 4))
    low, high, quantile = simultaneous_interval(replicates)
    more = np.concatenate([replicates, np.full((200, 1), 0.3), np.full((200, 1), np.nan)], axis=1)
    low_more, high_more, same = simultaneous_interval(more)
    assert same == quantile
    np.testing.assert_allclose(low_more[:4], low)
    np.testing.assert_allclose(high_more[:4], high)
    assert low_more[4] == pytest.approx(0.3)
    assert high_more[4] == pytest.approx(0.3)
    assert np.isnan(low_more[5])
    with pytest.raises(InputError, match="at least 2 draws"):
        simultaneous_interval(replicates[:1])


def test_few_subjects_are_shown_and_resampled_on_request_only() -> None:
    values = RANDOM.normal(size=(5, 3))
    shown = over_subjects(values, 200, 0)
    assert np.isnan(shown.low).all()
    assert shown.reason == "5 of at least 6 subjects: their values are shown, not resampled unless asked for"
    np.testing.assert_array_equal(shown.values, values)
    asked = over_subjects(values, 200, 0, on_request=True)
    assert asked.reason == ""
    assert (asked.low < asked.mean).all()
    assert (asked.mean < asked.high).all()
    assert "1 of at least 6" in over_subjects(values[:1], 200, 0, on_request=True).reason
    with pytest.raises(InputError, match="finite values"):
        over_subjects(np.array([1.0, np.nan]), 10, 0)


def test_subjects_intervals_are_as_wide_as_students() -> None:
    values = RANDOM.normal(size=(8, 400))
    found = over_subjects(values, 4000, 0)
    student = 2.364624 * values.std(axis=0, ddof=1) / np.sqrt(8)
    np.testing.assert_allclose(np.mean((found.high - found.low) / 2 / student), 1, atol=0.03)
