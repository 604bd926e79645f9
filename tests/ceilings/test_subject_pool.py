import logging
from dataclasses import replace
from math import comb
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import ShuffleSplit

from brainalign.ceilings.other_subjects import other_subjects
from brainalign.ceilings.pool_scores import curves_over_groups
from brainalign.ceilings.pools import balanced_scores, brain_score_scores, draw_pools
from brainalign.ceilings.saturation import fit_saturation
from brainalign.ceilings.shifted import shifted_targets
from brainalign.ceilings.subject_pool import subject_pool_ceiling
from brainalign.encoding.bootstrap import Draws, make_draws
from brainalign.encoding.dependence import Dependence
from brainalign.encoding.encoder import encode
from brainalign.encoding.scores import Units, over_neuroids
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.splits import Fold
from brainalign.errors import InputError
from brainalign.inference.p_values import NOT_COUNTED, WIDENED
from brainalign.responses.samples import Samples

GRID = tuple(float(value) for value in np.logspace(-2, 4, 7))
SETTINGS = EncoderSettings(split={"kind": "grouped", "folds": 5}, draws=30, grid=GRID, precision="float64")
POOLED = {"split": {"kind": "grouped", "folds": 5, "small_folds": "pool"}}
SHUFFLED = EncoderSettings(
    regression="ols", split={"kind": "shuffle", "folds": 3, "test": 0.2, "seed": 1}, layer="best", precision="float64"
)


def part(neuroids: dict[str, np.ndarray], which: np.ndarray) -> dict[str, np.ndarray]:
    return {name: values[which] for name, values in neuroids.items()}


def of_subjects(shared: Any, *names: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    kept = np.isin(shared.neuroids["subject"], names)
    return shared.responses[:, kept], part(shared.neuroids, kept)


@pytest.mark.parametrize("n_subjects", [3, 6, 9])
@pytest.mark.parametrize("pools", [1, 3, 1000])
def test_pools_hold_out_everybody_often_enough(n_subjects: int, pools: int) -> None:
    for size in range(1, n_subjects):
        chosen = list(draw_pools(n_subjects, size, pools, np.random.default_rng(0)))
        assert len(set(chosen)) == len(chosen)
        held_out = [sum(subject not in pool for pool in chosen) for subject in range(n_subjects)]
        assert min(held_out) >= min(pools, comb(n_subjects - 1, size))


def test_a_balanced_pool_predicts_everybody_outside_it() -> None:
    scores = balanced_scores(5, 2, np.random.default_rng(0))
    for size, pool in {(score.size, score.pool) for score in scores}:
        assert size == len(pool)
        assert {score.target for score in scores if score.pool == pool} == set(range(5)) - set(pool)


def test_brain_scores_pools_are_its_loop() -> None:
    """The loops of `ceiling_packaging.py`, with subjects in the order of their numbers."""
    of_pools, of_targets = np.random.RandomState(0), np.random.RandomState(0)
    expected = []
    for x in range(2, 10):
        combinations: dict[tuple[int, ...], None] = {}
        while len(combinations) < 10:
            combinations[tuple(of_pools.choice(np.arange(9), size=x, replace=False).tolist())] = None
        for combination in combinations:
            subjects = sorted(set(combination))
            for subject in set(of_targets.choice(subjects, size=5).tolist()):
                expected.append((x, tuple(sorted(set(subjects) - {subject})), subject))
    found = [(score.size, score.pool, score.target) for score in brain_score_scores(9, 10, 5, 0)]
    assert sorted(found) == sorted(expected)
    assert all(size == len(pool) + 1 for size, pool, _ in found)


class EveryScoreOnce:
    """A generator whose bootstrap takes each score once."""

    def __init__(self, seed: int) -> None:
        self.choice = np.random.Generator(np.random.PCG64(seed)).choice

    def multinomial(self, n: int, shares: np.ndarray, size: int) -> np.ndarray:
        return np.ones((size, n))


def every_group_once(split_group: np.ndarray, folds: list[Fold], draws: int, seed: int) -> Draws:
    drawn = make_draws(split_group, folds, 1, seed)
    assert drawn.counts is not None
    return replace(drawn, counts=tuple(np.ones_like(counts) for counts in drawn.counts))


@pytest.mark.parametrize("own", [{}, {"penalties": "shared"}, {"kernel": "rbf", "bandwidths": (0.5, 2.0)}, POOLED])
def test_extrapolation_is_a_plain_loop_when_all_pools_are_taken(
    shared: Any, own: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a draw that takes every group once."""
    monkeypatch.setattr("brainalign.ceilings.pool_scores.make_draws", every_group_once)
    settings = replace(SETTINGS, **own)
    responses, neuroids = of_subjects(shared, "S1", "S2", "S3")
    ceiling = subject_pool_ceiling(responses, shared.samples, neuroids, settings, pools=10, bootstraps=1, shifts=0)
    subjects, names = neuroids["subject"], ["S1", "S2", "S3"]
    for target in names:
        held_out, others = subjects == target, [name for name in names if name != target]
        curve = np.empty((2, held_out.sum()))
        for size, pools in enumerate([[[others[0]], [others[1]]], [others]]):
            scores = []
            for pool in pools:
                layers = [("pool", responses[:, np.isin(subjects, pool)])]
                scores.append(
                    encode(layers, responses[:, held_out], shared.samples, part(neuroids, held_out), settings).r[0]
                )
            curve[size] = np.concatenate(scores).mean(axis=0)
        expected = fit_saturation(np.array([1, 2]), curve)[0]
        np.testing.assert_allclose(ceiling.per_neuroid[held_out], expected, atol=1e-8)


@pytest.mark.parametrize("own", [{}, POOLED])
def test_a_draw_takes_groups_of_stimuli_as_often_in_all_pools(shared: Any, own: dict[str, Any]) -> None:
    """A draw is r of the test rows, each as often as its group is drawn."""
    responses, neuroids = of_subjects(shared, "S1", "S2", "S3")
    data = other_subjects(responses, shared.samples, neuroids, replace(SETTINGS, **own), least=3)
    asked = balanced_scores(3, 10, np.random.default_rng(0))
    curves, _ = curves_over_groups(asked, data, shifted_targets(data, 0, np.random.default_rng(0)), 4, seed=7)
    folds = data.trial.folds
    tests = [np.concatenate([fold.test for fold in folds])] if own else [fold.test for fold in folds]
    whole = [Fold(np.empty(0, dtype=np.intp), rows) for rows in tests]
    draws = make_draws(shared.samples.split_group, whole, 4, 7)
    assert draws.counts is not None
    expected = np.zeros((4, 2, 12))
    for score in asked:
        columns = np.flatnonzero(data.subject == score.target)
        predictions = data.predict(score.pool, data.responses[:, columns])
        predictions = [np.concatenate(predictions)] if own else predictions
        for draw in range(4):
            for fold, rows in enumerate(tests):
                labels = np.unique(shared.samples.split_group[rows], return_inverse=True)[1]
                taken = np.repeat(np.arange(len(rows)), draws.counts[fold][draw].astype(int)[labels])
                for place, column in enumerate(columns):
                    r = np.corrcoef(predictions[fold][taken, place], data.responses[rows[taken], column])[0, 1]
                    expected[draw, score.size - 1, column] += r / len(tests) / (2 if score.size == 1 else 1)
    np.testing.assert_allclose(curves.drawn, expected, atol=1e-6)


def test_intervals_are_wider_where_folds_train_each_other(shared: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = (shared.responses, shared.samples, shared.neuroids, replace(SETTINGS, aggregate="schrimpf"))
    widths, bounds = [], []
    for kind in (NOT_COUNTED, WIDENED):
        monkeypatch.setattr(Dependence, "kind", lambda *_, kind=kind: kind)
        ceiling = subject_pool_ceiling(*arguments, pools=1, bootstraps=30, shifts=0)
        assert ceiling.per_neuroid_low is not None
        widths.append(ceiling.high - ceiling.low)
        bounds.append(ceiling.per_neuroid - ceiling.per_neuroid_low)
    np.testing.assert_allclose(widths[1], np.sqrt(2) * widths[0], rtol=1e-5)
    assert (bounds[1] > bounds[0]).all()


@pytest.mark.slow
def test_intervals_hold_the_mean_estimate_over_other_stimuli() -> None:
    """Of the same subjects; there are many pools, by whose resampled scores intervals would be a third as wide."""
    weights = np.random.default_rng(99).normal(size=(5, 200)) / np.sqrt(5)
    neuroids = {
        "neuroid": np.arange(200).astype(str),
        "subject": np.repeat(["S1", "S2", "S3", "S4", "S5"], 40),
        "region": np.full(200, "a"),
    }
    samples = Samples({"split_group": np.repeat(np.arange(40), 4).astype(str)})
    found = []
    for seed in range(30):
        random = np.random.default_rng(seed)
        latent = np.repeat(random.normal(size=(40, 5)), 4, axis=0) + random.normal(size=(160, 5))
        responses = 0.6 / np.sqrt(2) * latent @ weights + 0.8 * random.normal(size=(160, 200))
        settings = replace(SETTINGS, precision="float32")
        found.append(subject_pool_ceiling(responses, samples, neuroids, settings, pools=6, seed=seed, shifts=0))
    truth = np.mean([ceiling.aggregate for ceiling in found], axis=0)
    covered = np.mean([(ceiling.low <= truth) & (truth <= ceiling.high) for ceiling in found], axis=0)
    assert covered[0, 0] > 0.8
    assert covered[1:, 0].mean() > 0.88
    spread = np.std([ceiling.aggregate for ceiling in found], axis=0)
    width = np.mean([ceiling.high - ceiling.low for ceiling in found], axis=0) / 3.92
    assert 0.8 < width[0, 0] / spread[0, 0] < 1.5


def test_without_resamples_there_is_a_ceiling_without_an_interval(shared: Any) -> None:
    """Four passages scored together: too few to be drawn."""
    samples = Samples({"split_group": np.repeat(list("abcd"), 40)})
    settings = replace(SETTINGS, split={"kind": "leave-one-group-out", "small_folds": "pool"})
    ceiling = subject_pool_ceiling(shared.responses, samples, shared.neuroids, settings, pools=1, shifts=2)
    assert 0.4 < ceiling.aggregate[0, 0] < 0.75
    assert np.isfinite(ceiling.per_neuroid).all()
    assert ceiling.null is not None
    assert np.isfinite(ceiling.null).all()
    for bounds in (ceiling.low, ceiling.high, ceiling.per_neuroid_low):
        assert np.isnan(bounds).all()


def test_few_neuroids_of_noise_have_a_ceiling() -> None:
    """Of independent noise 2.5 %, where a quarter would by resampled scores of pools."""
    random = np.random.default_rng(1)
    responses = random.normal(size=(160, 600))
    neuroids = {
        "neuroid": np.arange(600).astype(str),
        "subject": np.repeat(["S1", "S2", "S3"], 200),
        "region": np.full(600, "a"),
    }
    samples = Samples({"split_group": np.repeat(np.arange(40), 4).astype(str)})
    ceiling = subject_pool_ceiling(responses, samples, neuroids, SETTINGS, bootstraps=100)
    assert ceiling.per_neuroid_low is not None
    assert (ceiling.per_neuroid > 0).mean() > 0.3
    assert (ceiling.per_neuroid_low > 0).mean() < 0.04  # 2.5 % and two standard errors


def test_brain_scores_ceiling_is_its_loop_with_scikit_learn(shared: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refits on the concatenated responses of every pool; the bootstrap takes each score once."""
    responses, neuroids = of_subjects(shared, "S1", "S2", "S3", "S4")
    subjects, names = neuroids["subject"], ["S1", "S2", "S3", "S4"]
    monkeypatch.setattr(np.random, "default_rng", EveryScoreOnce)
    arguments = {"design": "brain-score", "pools": 6, "held_out": 3, "bootstraps": 1, "shifts": 0}
    ceiling = subject_pool_ceiling(responses, shared.samples, neuroids, SHUFFLED, **arguments)
    assert ceiling.per_neuroid_low is None  # its resamples are not over stimuli
    asked = brain_score_scores(4, 6, 3, 0)
    splits = list(ShuffleSplit(3, train_size=0.8, random_state=1).split(responses))
    for number, name in enumerate(names):
        held_out = subjects == name
        sizes = sorted({score.size for score in asked if score.target == number})
        curve = []
        for size in sizes:
            found = []
            for score in asked:
                if (score.size, score.target) != (size, number):
                    continue
                x = responses[:, np.isin(subjects, [names[other] for other in score.pool])]
                for train, test in splits:
                    predicted = LinearRegression().fit(x[train], responses[train][:, held_out]).predict(x[test])
                    truth = responses[test][:, held_out]
                    found.append([np.corrcoef(predicted[:, v], truth[:, v])[0, 1] for v in range(4)])
            curve.append(np.mean(found, axis=0))
        expected = fit_saturation(np.array(sizes), np.array(curve))[0]
        np.testing.assert_allclose(ceiling.per_neuroid[held_out], expected, atol=1e-6)


@pytest.mark.parametrize("fit", ["neuroid", "aggregate"])
@pytest.mark.parametrize("name", ["mean", "brain-score"])
def test_extrapolation_lies_near_the_truth_and_repeats_with_its_seed(shared: Any, fit: str, name: str) -> None:
    settings = replace(SETTINGS, aggregate=name)
    arguments = (shared.responses, shared.samples, shared.neuroids, settings)
    options = {"pools": 1, "fit": fit, "shifts": 3, "bootstraps": 20}
    first, again, other = (subject_pool_ceiling(*arguments, seed=seed, **options) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.aggregate, again.aggregate)
    np.testing.assert_array_equal(first.null_high, again.null_high)
    assert not np.array_equal(first.aggregate, other.aggregate)
    assert (first.low <= first.aggregate).all()
    assert (first.aggregate <= first.high).all()
    assert 0.4 < first.aggregate[0, 0] < 0.75
    assert first.null_high is not None
    assert first.low[0, 0] > first.null_high[0, 0]
    assert first.per_neuroid_low is not None
    assert (first.per_neuroid_low <= first.per_neuroid).all()
    assert (first.per_neuroid_low > 0).mean() > 0.9
    if fit == "neuroid":
        units = Units.from_table(shared.neuroids)
        np.testing.assert_allclose(first.aggregate, over_neuroids(first.per_neuroid, units, name))


def noise(seed: int, subjects: int = 4, each: int = 30) -> tuple[np.ndarray, Samples, dict[str, np.ndarray]]:
    """Responses that subjects do not share, correlated inside each subject."""
    random = np.random.default_rng(seed)
    parts = [random.normal(size=(160, 4)) @ random.normal(size=(4, each)) for _ in range(subjects)]
    responses = np.concatenate(parts, axis=1) + random.normal(size=(160, subjects * each))
    neuroids = {
        "neuroid": np.arange(subjects * each).astype(str),
        "subject": np.repeat([f"S{number}" for number in range(subjects)], each),
        "region": np.full(subjects * each, "a"),
    }
    return responses, Samples({"split_group": np.repeat(np.arange(40), 4).astype(str)}), neuroids


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_noise_is_told_from_a_ceiling(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    """The extrapolation itself says something above 0 of noise; what stands beside it says that it is nothing."""
    with caplog.at_level(logging.WARNING):
        ceiling = subject_pool_ceiling(*noise(seed), SETTINGS, pools=2, bootstraps=40)
    assert ceiling.aggregate[0, 0] > 0.03
    assert ceiling.null is not None
    assert ceiling.null_high is not None
    assert ceiling.null[0, 0] > 0.03
    assert ceiling.low[0, 0] <= ceiling.null_high[0, 0]
    assert "does not stand out from noise" in caplog.text


def test_a_signal_is_not_called_noise(shared: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        subject_pool_ceiling(shared.responses, shared.samples, shared.neuroids, SETTINGS, pools=1, bootstraps=20)
    assert "noise" not in caplog.text


def test_an_aggregated_curve_of_noise_is_near_0() -> None:
    ceiling = subject_pool_ceiling(*noise(0), SETTINGS, pools=2, bootstraps=40, fit="aggregate")
    assert ceiling.aggregate[0, 0] < 0.1


def test_shifts_keep_neighbours_and_runs() -> None:
    responses, _, neuroids = noise(0)
    columns = {
        "split_group": np.repeat(np.arange(40), 4).astype(str),
        "run": np.repeat(["one", "two"], 80),
        "onset_s": np.tile(np.arange(80.0), 2),
    }
    for series in (True, False):
        samples = Samples(columns if series else {"split_group": columns["split_group"]})
        data = other_subjects(responses, samples, neuroids, SETTINGS, least=3)
        shifted = shifted_targets(data, 2, np.random.default_rng(0))
        assert set(shifted.subject) == {0, 1, 2, 3}
        for column in range(shifted.responses.shape[1]):
            original, moved = data.responses[:, shifted.neuroid[column]], shifted.responses[:, column]
            for run in (slice(0, 80), slice(80, 160)) if series else (slice(None),):
                steps = [step for step in range(160) if np.array_equal(np.roll(original[run], step), moved[run])]
                assert steps
                assert 8 <= steps[0] <= len(original[run]) - 8


def test_axes_of_what_noise_gives_are_those_of_the_ceiling(shared: Any) -> None:
    """Regions and subjects may come in another order among the few neuroids that are shifted."""
    order = np.random.default_rng(5).permutation(24)
    responses, neuroids = shared.responses[:, order], part(shared.neuroids, order)
    ceiling = subject_pool_ceiling(responses, shared.samples, neuroids, SETTINGS, pools=1, bootstraps=20, shifts=2)
    assert ceiling.null is not None
    assert ceiling.null.shape == ceiling.aggregate.shape == (7, 3)
    assert np.isfinite(ceiling.null).all()


def test_too_few_subjects_are_refused(shared: Any) -> None:
    responses, neuroids = of_subjects(shared, "S1", "S2")
    with pytest.raises(InputError, match=r"needs at least 3 of them here, but the data set has 2\."):
        subject_pool_ceiling(responses, shared.samples, neuroids, SETTINGS)


def test_a_subject_that_is_hardly_ever_held_out_is_refused(shared: Any) -> None:
    arguments = (shared.responses, shared.samples, shared.neuroids, SETTINGS)
    with pytest.raises(
        InputError, match=r"the random pools predict the subject 'S\d' at [01] sizes, but a curve needs 2"
    ):
        subject_pool_ceiling(*arguments, design="brain-score", pools=1, held_out=1)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"fit": "neuroids"}, "unknown fit 'neuroids'; did you mean 'neuroid'"),
        ({"design": "brainscore"}, "unknown design 'brainscore'; did you mean 'brain-score'"),
    ],
)
def test_unknown_options_are_refused(shared: Any, option: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        subject_pool_ceiling(shared.responses, shared.samples, shared.neuroids, SETTINGS, **option)
