"""Reliability ceilings against plain loops and planted signal and noise."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm, t

from brainalign.ceilings.known import known_ceiling
from brainalign.ceilings.repeats import repeats_ceiling
from brainalign.ceilings.resampling import about, sample_weights, spread_of_draws
from brainalign.ceilings.split_half import draw_halves, split_half_ceiling
from brainalign.encoding.scores import Units, over_neuroids
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.splits import make_folds
from brainalign.encoding.trial import Trial
from brainalign.errors import InputError
from brainalign.responses.samples import Samples

SETTINGS = EncoderSettings(split={"kind": "grouped", "folds": 5}, draws=40, precision="float64")
SAMPLES = Samples({"split_group": np.repeat(np.arange(100), 2).astype(str)})
SHARES = np.repeat([0.5, 0.2, 0.05, 0.0], 10)  # of the variance of one response that is signal
NEUROIDS = {
    "neuroid": np.arange(40).astype(str),
    "subject": np.tile(["S1", "S2"], 20),
    "region": np.repeat(["high", "low", "least", "none"], 10),
}


def planted(repetitions: int, missing: float = 0.0, baselines: float = 0.0, seed: int = 0) -> tuple[Any, np.ndarray]:
    """Responses (repetition, sample, neuroid) and their signal."""
    random = np.random.default_rng(seed)
    signal = np.sqrt(SHARES) * random.normal(size=(200, 40))
    values = signal + np.sqrt(1 - SHARES) * random.normal(size=(repetitions, 200, 40))
    values += baselines * random.normal(size=(repetitions, 1, 40))
    gone = random.uniform(size=values.shape) < missing
    gone[:2] = False
    values[gone] = np.nan
    return values, signal


def plain_reliability(y: np.ndarray) -> float:
    """One neuroid (repetition, sample), by the analysis of variance with loops."""
    m, n = y.shape
    shift = np.array([np.mean([y[j, i] for i in range(n) if not np.isnan(y[j, i])]) for j in range(m)])
    squares, freedom, inverse, means, shifts = 0.0, 0, [], [], []
    for i in range(n):
        there = [j for j in range(m) if not np.isnan(y[j, i])]
        values = np.array([y[j, i] - shift[j] for j in there])
        squares += ((values - values.mean()) ** 2).sum()
        freedom += len(there) - 1
        inverse.append(1 / len(there))
        means.append(np.mean([y[j, i] for j in there]))
        shifts.append(np.mean([shift[j] for j in there]))
    noise = squares / (freedom - (m - 1))
    return float(1 - (noise * np.mean(inverse) + np.var(shifts, ddof=1)) / np.var(means, ddof=1))


@pytest.mark.parametrize(("missing", "baselines"), [(0.0, 0.0), (0.0, 3.0), (0.4, 0.0), (0.4, 0.5)])
def test_repeats_are_a_plain_loop(missing: float, baselines: float) -> None:
    values, _ = planted(4, missing, baselines)
    ceiling = repeats_ceiling(values, SAMPLES, NEUROIDS, SETTINGS)
    expected = np.array([plain_reliability(values[:, :, v]) for v in range(40)])
    np.testing.assert_allclose(np.sign(ceiling.per_neuroid) * ceiling.per_neuroid**2, expected, atol=1e-9)
    units = Units.from_table(NEUROIDS)
    np.testing.assert_allclose(ceiling.aggregate, over_neuroids(ceiling.per_neuroid, units, "mean"))


def test_without_missing_values_it_is_the_published_noise_ceiling() -> None:
    """Allen et al. (2022): z-scored repetitions, mean of the variances of each sample's, and what is left of 1."""
    values, _ = planted(3)
    ceiling = repeats_ceiling(values, SAMPLES, NEUROIDS, SETTINGS).per_neuroid
    for v in range(20):
        noise = values[:, :, v].var(axis=0, ddof=1).mean()
        signal = values[:, :, v].mean(axis=0).var(ddof=1) - noise / 3
        ncsnr = np.sqrt(signal / noise)
        assert ceiling[v] == pytest.approx(np.sqrt(ncsnr**2 / (ncsnr**2 + 1 / 3)), abs=0.01)


@pytest.mark.parametrize("find", [repeats_ceiling, split_half_ceiling])
@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_the_planted_ceiling_is_found(find: Callable[..., Any], missing: float) -> None:
    """The known ceiling of the same mean responses; over 12 data sets, so that only a bias could differ."""
    differences = []
    for seed in range(12):
        values, signal = planted(4, missing, seed=seed)
        found = find(values, SAMPLES, NEUROIDS, replace(SETTINGS, draws=20))
        known = known_ceiling(signal + 1e-9, values, SAMPLES, NEUROIDS, SETTINGS)
        differences.append(found.per_neuroid - known.per_neuroid)
    by_share = np.mean(differences, axis=0).reshape(4, 10).mean(axis=1)
    np.testing.assert_allclose(by_share[:2], 0, atol=0.02)
    np.testing.assert_allclose(by_share[3], 0, atol=0.06)  # noise gives values below 0 as often


@pytest.mark.parametrize("find", [repeats_ceiling, split_half_ceiling])
def test_intervals_hold_the_estimate_and_noise_holds_0(find: Callable[..., Any]) -> None:
    ceiling = find(planted(4)[0], SAMPLES, NEUROIDS, replace(SETTINGS, draws=300))
    assert (ceiling.low[0, 1:4] < ceiling.aggregate[0, 1:4]).all()
    assert (ceiling.aggregate[0, 1:4] < ceiling.high[0, 1:4]).all()
    assert (ceiling.per_neuroid_low[:10] > 0).all()
    assert (ceiling.per_neuroid_low[30:] > 0).mean() < 0.2
    assert ceiling.null is None


@pytest.mark.parametrize(
    ("split", "degrees", "units"),
    [(SETTINGS.split, 95, 100), ({"kind": "shuffle", "folds": 4, "test": 0.15, "seed": 1}, None, 100)],
)
def test_replicates_are_the_estimate_of_repeated_samples(split: Any, degrees: int | None, units: int) -> None:
    """A draw that takes a group k times is the data set with that group's samples k times, moved and widened."""
    settings = replace(SETTINGS, split=split, draws=5, layer="best")
    values, _ = planted(3)
    weights = sample_weights(Trial(values, SAMPLES, NEUROIDS, settings)).astype(int)
    assert (weights.sum(axis=1) == 200).all()
    assert (weights[:, ::2] == weights[:, 1::2]).all()
    ceiling = split_half_ceiling(values, SAMPLES, NEUROIDS, settings, of="reliability", splits=1)
    (half,) = draw_halves(3, 1, np.random.default_rng(0))
    tested = np.unique(np.concatenate([fold.test // 2 for fold in make_folds(split, SAMPLES)]))
    if degrees is None:  # groups that are tested, and those that no fold tests
        assert len(tested) < units
        degrees = units - 2
    spread = np.sqrt(units / degrees) * t.ppf(0.975, degrees) / norm.ppf(0.975)
    drawn = np.empty((5, 40))
    one, other = values[half].mean(axis=0), values[np.setdiff1d(range(3), half)].mean(axis=0)
    for draw, counts in enumerate(weights):
        rows = np.repeat(np.arange(200), counts)
        r = np.array([np.corrcoef(one[rows, v], other[rows, v])[0, 1] for v in range(40)])
        drawn[draw] = 2 * r / (1 + r)
    moved = ceiling.per_neuroid + spread * (drawn - drawn.mean(axis=0))
    cells = over_neuroids(moved, Units.from_table(NEUROIDS), "mean")
    np.testing.assert_allclose(ceiling.replicates, cells, atol=1e-5)
    np.testing.assert_allclose(ceiling.per_neuroid_low, np.quantile(moved, 0.025, axis=0), atol=1e-5)


@pytest.mark.parametrize("find", [repeats_ceiling, split_half_ceiling])
def test_a_draw_that_takes_everything_once_is_the_estimate(
    find: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = f"brainalign.ceilings.{'repeats' if find is repeats_ceiling else 'split_half'}.sample_weights"
    monkeypatch.setattr(module, lambda trial: np.ones((2, 200)))
    ceiling = find(planted(4, 0.3)[0], SAMPLES, NEUROIDS, SETTINGS)
    np.testing.assert_allclose(ceiling.replicates[1], ceiling.aggregate, atol=1e-4)


def test_draws_of_folds_take_their_samples_together() -> None:
    """Where a fold has few groups, whole folds are drawn."""
    samples = Samples({"split_group": np.repeat(np.arange(8), 25).astype(str)})
    settings = replace(SETTINGS, split={"kind": "leave-one-group-out"}, draws=6)
    trial = Trial(planted(2)[0], samples, NEUROIDS, settings)
    assert trial.draws.resampled == "folds"
    weights = sample_weights(trial)
    np.testing.assert_array_equal(weights[:, ::25], trial.draws.fold_weights)
    assert spread_of_draws(trial) == pytest.approx(np.sqrt(8 / 7) * 2.3646243 / 1.9599640)


def test_the_spread_is_that_of_sums_over_groups() -> None:
    trial = Trial(planted(2)[0], SAMPLES, NEUROIDS, SETTINGS)
    assert spread_of_draws(trial) == pytest.approx(trial.dependence.linear_spread)
    part = np.repeat(["train", "test"], [80, 120])
    samples = Samples({"split_group": SAMPLES.split_group, "part": part})
    fixed = {"kind": "fixed", "column": "part", "train": "train", "test": "test"}
    trial = Trial(planted(2)[0], samples, NEUROIDS, replace(SETTINGS, split=fixed))
    of_tested, of_all = (spread_of_draws(trial, tested_only=only) for only in (True, False))
    assert of_tested == pytest.approx(np.sqrt(60 / 59) * t.ppf(0.975, 59) / norm.ppf(0.975))
    assert of_all == pytest.approx(np.sqrt(100 / 98) * t.ppf(0.975, 98) / norm.ppf(0.975))


def test_draws_that_are_not_finite_do_not_move_the_others() -> None:
    replicates = np.array([[1.0, np.nan], [3.0, np.nan], [-np.inf, np.nan]])
    found = about(np.array([5.0, 1.0]), replicates, 2.0)
    np.testing.assert_array_equal(found, [[3.0, np.nan], [7.0, np.nan], [-np.inf, np.nan]])


@pytest.mark.parametrize("find", [repeats_ceiling, split_half_ceiling])
@pytest.mark.parametrize(
    ("groups", "split"),
    [
        (1, {"kind": "shuffle", "folds": 4, "test": 0.2, "seed": 1}),
        (4, {"kind": "leave-one-group-out", "small_folds": "pool"}),
        (4, {"kind": "fixed", "column": "split_group", "train": ["1", "2", "3"], "test": "0", "inner": {"folds": 3}}),
    ],
)
def test_few_groups_have_a_ceiling_without_an_interval(find: Callable[..., Any], groups: int, split: Any) -> None:
    """As the models' scores; also where the groups that no fold tests could be drawn."""
    samples = Samples({"split_group": np.repeat(np.arange(groups), 200 // groups).astype(str)})
    values, signal = planted(3)
    settings = replace(SETTINGS, split=split, layer="best")
    known = known_ceiling(signal + 1e-9, values, samples, NEUROIDS, settings)
    for ceiling in (find(values, samples, NEUROIDS, settings), known):
        assert np.isfinite(ceiling.aggregate).all()
        for held in (ceiling.low, ceiling.high, ceiling.per_neuroid_low, ceiling.replicates):
            assert np.isnan(held).all()


def test_split_halves_are_a_plain_loop() -> None:
    values, _ = planted(5, 0.5)
    ceiling = split_half_ceiling(values, SAMPLES, NEUROIDS, SETTINGS, splits=4, seed=3, of="reliability")
    halves = draw_halves(5, 4, np.random.default_rng(3))
    for v in range(40):
        found = []
        for half in halves:
            pairs = []
            for i in range(200):
                first = [values[j, i, v] for j in range(5) if j in half and not np.isnan(values[j, i, v])]
                second = [values[j, i, v] for j in range(5) if j not in half and not np.isnan(values[j, i, v])]
                if first and second:
                    pairs.append((np.mean(first), np.mean(second)))
            r = np.corrcoef(np.array(pairs).T)[0, 1]
            found.append(2 * r / (1 + r))
        assert ceiling.per_neuroid[v] == pytest.approx(np.median(found), abs=1e-9)


def test_the_ceiling_of_r_is_the_root_of_the_reliability() -> None:
    values, _ = planted(4)
    of_r, reliability = (split_half_ceiling(values, SAMPLES, NEUROIDS, SETTINGS, of=of) for of in ("r", "reliability"))
    np.testing.assert_allclose(of_r.per_neuroid * np.abs(of_r.per_neuroid), reliability.per_neuroid, atol=1e-12)


def test_halves_are_different_and_all_of_them_where_there_are_few() -> None:
    def names(repetitions: int, splits: int) -> set[frozenset[frozenset[int]]]:
        everyone, halves = set(range(repetitions)), draw_halves(repetitions, splits, np.random.default_rng(0))
        found = {frozenset([frozenset(half.tolist()), frozenset(everyone - set(half.tolist()))]) for half in halves}
        assert len(found) == len(halves)
        assert {len(half) for half in halves} == {repetitions // 2}
        return found

    assert [len(names(repetitions, 10)) for repetitions in (2, 3, 4, 5, 6, 30)] == [1, 3, 3, 10, 10, 10]
    assert len(names(6, 9)) == 9


@pytest.mark.parametrize("find", [repeats_ceiling, split_half_ceiling])
def test_responses_without_repetitions_are_refused(find: Callable[..., Any]) -> None:
    values, _ = planted(2)
    kind = "repeats" if find is repeats_ceiling else "split-half"
    for responses, there in ((values[0], "have no axis of them"), (values[:1], "have one")):
        with pytest.raises(InputError, match=f"kind '{kind}' needs at least 2 repetitions, but the responses {there}"):
            find(responses, SAMPLES, NEUROIDS, SETTINGS)
    values[1, :, 7] = np.nan
    with pytest.raises(InputError, match="1 of 40 neuroids have no sample with two responses, the first is '7'"):
        find(values, SAMPLES, NEUROIDS, SETTINGS)
    values[:, 3, 9] = np.nan
    with pytest.raises(InputError, match="1 of 40 neuroids have no response at all to some sample, the first is '9'"):
        find(values, SAMPLES, NEUROIDS, SETTINGS)


def test_wrong_options_of_split_halves_are_refused() -> None:
    values, _ = planted(2)
    with pytest.raises(InputError, match="unknown quantity of a split-half ceiling 'r2'"):
        split_half_ceiling(values, SAMPLES, NEUROIDS, SETTINGS, of="r2")
    with pytest.raises(InputError, match="needs at least 1 split, but is given 0"):
        split_half_ceiling(values, SAMPLES, NEUROIDS, SETTINGS, splits=0)


def test_noise_that_cannot_be_told_from_shifts_is_refused() -> None:
    """Two repetitions with one sample in common: their shift is as good as its noise."""
    values, _ = planted(2)
    values[1, 1:, 5] = np.nan
    with pytest.raises(InputError, match=r"1 of 40 neuroids have too few repeated responses .* the first is '5'\."):
        repeats_ceiling(values, SAMPLES, NEUROIDS, SETTINGS)
    values[1, 1:3, 5] = 0.5, -0.5
    assert np.isfinite(repeats_ceiling(values, SAMPLES, NEUROIDS, SETTINGS).per_neuroid).all()
