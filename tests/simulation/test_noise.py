import numpy as np
import pytest

from brainalign.simulation.noise import autoregressive_noise, grouped_noise


def test_grouped_noise_has_the_intraclass_correlation():
    """Fisher's standard error for m groups of k: sqrt(2 / (k (k−1) (m−1))) (1−c) (1+(k−1)c)."""
    groups, size, neuroids, correlation = 1600, 4, 20, 0.6
    streams = np.random.default_rng(1), np.random.default_rng(2)
    noise = grouped_noise(*streams, groups, size, neuroids, correlation)
    by_group = noise.reshape(groups, size, neuroids)
    within = by_group.var(axis=1, ddof=1).mean(axis=0)
    between = size * by_group.mean(axis=1).var(axis=0, ddof=1)
    estimate = (between - within) / (between + (size - 1) * within)
    one = np.sqrt(2 / (size * (size - 1) * (groups - 1))) * (1 - correlation) * (1 + (size - 1) * correlation)
    assert abs(estimate.mean() - correlation) < 4 * one / np.sqrt(neuroids)
    assert np.abs(estimate - correlation).max() < 4.5 * one


def test_grouped_noise_is_independent_between_groups_and_neuroids_and_of_variance_one():
    noise = grouped_noise(np.random.default_rng(1), np.random.default_rng(2), 4000, 2, 6, 0.6)
    first = noise[::2]  # one sample of each group
    assert np.abs(np.corrcoef(first.T) - np.eye(6)).max() < 4.5 / np.sqrt(4000)
    assert abs(np.mean(first[1:] * first[:-1])) < 4 / np.sqrt(6 * 3999)
    assert noise.var() == pytest.approx(1, abs=4 * np.sqrt(2 * (1 + 0.6**2) / noise.size))


def test_autoregressive_noise_has_its_coefficient_and_is_stationary():
    runs, points, neuroids, coefficient = 40, 50, 50, 0.5
    noise = autoregressive_noise(np.random.default_rng(0), runs, points, neuroids, coefficient)
    by_run = noise.reshape(runs, points, neuroids)
    before, after = by_run[:, :-1], by_run[:, 1:]
    estimate = (before * after).sum() / (before**2).sum()
    assert abs(estimate - coefficient) < 4 * np.sqrt((1 - coefficient**2) / before.size)
    series = runs * neuroids
    for t in (0, 1, points - 1):  # the same variance from the first time point on
        assert abs(by_run[:, t].var() - 1) < 4 * np.sqrt(2 / series)
    assert abs(np.mean(by_run[1:, 0] * by_run[:-1, -1])) < 4 / np.sqrt((runs - 1) * neuroids)  # runs are independent


def test_more_groups_or_runs_begin_with_the_fewer():
    few = grouped_noise(np.random.default_rng(1), np.random.default_rng(2), 3, 4, 5, 0.6)
    many = grouped_noise(np.random.default_rng(1), np.random.default_rng(2), 9, 4, 5, 0.6)
    np.testing.assert_array_equal(many[:12], few)
    one = autoregressive_noise(np.random.default_rng(1), 1, 20, 5, 0.5)
    two = autoregressive_noise(np.random.default_rng(1), 2, 20, 5, 0.5)
    np.testing.assert_array_equal(two[:20], one)
