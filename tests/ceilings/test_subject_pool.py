from dataclasses import replace
from math import comb
from typing import Any

import numpy as np
import pytest
from scipy.optimize import curve_fit

from brainalign.ceilings.saturation import fit_saturation
from brainalign.ceilings.subject_pool import draw_pools, leave_one_subject_out_ceiling, subject_pool_ceiling
from brainalign.encoding.encoder import encode
from brainalign.encoding.scores import Units, over_neuroids
from brainalign.encoding.settings import EncoderSettings
from brainalign.errors import InputError

GRID = tuple(float(value) for value in np.logspace(-2, 4, 7))
SETTINGS = EncoderSettings(split={"kind": "grouped", "folds": 5}, draws=30, grid=GRID, layer="nested")


def part(neuroids: dict[str, np.ndarray], which: np.ndarray) -> dict[str, np.ndarray]:
    return {name: values[which] for name, values in neuroids.items()}


@pytest.mark.parametrize("regression", ["ridge", "ols"])
def test_leaving_one_subject_out_is_the_encoder_with_the_others_as_features(shared: Any, regression: str) -> None:
    settings = replace(SETTINGS, regression=regression)
    ceiling = leave_one_subject_out_ceiling(shared.responses, shared.samples, shared.neuroids, settings)
    subjects = shared.neuroids["subject"]
    for row, subject in enumerate(np.unique(subjects), start=1):
        held_out = subjects == subject
        neuroids = part(shared.neuroids, held_out)
        layers = [("others", shared.responses[:, ~held_out])]
        encoding = encode(layers, shared.responses[:, held_out], shared.samples, neuroids, settings)
        np.testing.assert_allclose(ceiling.per_neuroid[held_out], encoding.r[0].mean(axis=0), atol=1e-9)
        np.testing.assert_allclose(ceiling.aggregate[row], encoding.aggregate_r[0, 1], atol=1e-9)
        assert ceiling.replicates is not None
        np.testing.assert_allclose(ceiling.replicates[:, row], encoding.replicates[:, 0, 1], atol=1e-6)


def test_delays_and_zscores_of_the_encoder_do_not_touch_a_ceiling(shared: Any) -> None:
    series = replace(SETTINGS, delays=(1, 2), zscore=True)
    plain = leave_one_subject_out_ceiling(shared.responses, shared.samples, shared.neuroids, SETTINGS)
    other = leave_one_subject_out_ceiling(shared.responses, shared.samples, shared.neuroids, series)
    np.testing.assert_array_equal(plain.aggregate, other.aggregate)


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


@pytest.mark.parametrize("n_subjects", [3, 6, 9])
@pytest.mark.parametrize("pools", [1, 3, 1000])
def test_pools_hold_out_everybody_often_enough(n_subjects: int, pools: int) -> None:
    for size in range(1, n_subjects):
        chosen = list(draw_pools(n_subjects, size, pools, np.random.default_rng(0)))
        assert len(set(chosen)) == len(chosen)
        held_out = [sum(subject not in pool for pool in chosen) for subject in range(n_subjects)]
        assert min(held_out) >= min(pools, comb(n_subjects - 1, size))


class EveryScoreOnce:
    """A generator whose bootstrap takes each score once."""

    def __init__(self, seed: int) -> None:
        self.choice = np.random.Generator(np.random.PCG64(seed)).choice

    def multinomial(self, n: int, shares: np.ndarray, size: int) -> np.ndarray:
        return np.ones((size, n))


def test_extrapolation_is_a_plain_loop_when_all_pools_are_taken(shared: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np.random, "default_rng", EveryScoreOnce)
    three = np.isin(shared.neuroids["subject"], ["S1", "S2", "S3"])
    neuroids, responses = part(shared.neuroids, three), shared.responses[:, three]
    ceiling = subject_pool_ceiling(responses, shared.samples, neuroids, SETTINGS, pools=10, bootstraps=1)
    subjects, names = neuroids["subject"], ["S1", "S2", "S3"]
    for target in names:
        held_out, others = subjects == target, [name for name in names if name != target]
        curve = np.empty((2, held_out.sum()))
        for size, pools in enumerate([[[others[0]], [others[1]]], [others]]):
            scores = []
            for pool in pools:
                layers = [("pool", responses[:, np.isin(subjects, pool)])]
                scores.append(
                    encode(layers, responses[:, held_out], shared.samples, part(neuroids, held_out), SETTINGS).r[0]
                )
            curve[size] = np.concatenate(scores).mean(axis=0)
        expected = fit_saturation(np.array([1, 2]), curve)[0]
        np.testing.assert_allclose(ceiling.per_neuroid[held_out], expected, atol=1e-9)


@pytest.mark.parametrize("fit", ["neuroid", "aggregate"])
@pytest.mark.parametrize("name", ["mean", "brain-score"])
def test_extrapolation_lies_near_the_truth_and_repeats_with_its_seed(shared: Any, fit: str, name: str) -> None:
    settings = replace(SETTINGS, aggregate=name)
    arguments = (shared.responses, shared.samples, shared.neuroids, settings)
    first, again, other = (subject_pool_ceiling(*arguments, pools=2, seed=seed, fit=fit) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.aggregate, again.aggregate)
    assert not np.array_equal(first.aggregate, other.aggregate)
    assert (first.low <= first.aggregate).all()
    assert (first.aggregate <= first.high).all()
    assert 0.4 < first.aggregate[0, 0] < 0.75
    if fit == "neuroid":
        units = Units.from_table(shared.neuroids)
        np.testing.assert_allclose(first.aggregate, over_neuroids(first.per_neuroid, units, name))


def test_too_few_subjects_are_refused(shared: Any) -> None:
    for estimate, count in ((leave_one_subject_out_ceiling, 1), (subject_pool_ceiling, 2)):
        kept = np.isin(shared.neuroids["subject"], ["S1", "S2"][:count])
        arguments = (shared.responses[:, kept], shared.samples, part(shared.neuroids, kept), SETTINGS)
        with pytest.raises(
            InputError, match=rf"needs at least {count + 1} of them here, but the data set has {count}\."
        ):
            estimate(*arguments)


def test_unknown_fit_is_refused(shared: Any) -> None:
    with pytest.raises(InputError, match="unknown fit 'neuroids'; did you mean 'neuroid'"):
        subject_pool_ceiling(shared.responses, shared.samples, shared.neuroids, SETTINGS, fit="neuroids")
