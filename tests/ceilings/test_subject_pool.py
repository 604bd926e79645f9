import logging
from dataclasses import replace
from math import comb
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import ShuffleSplit

from brainalign.ceilings.other_subjects import other_subjects
from brainalign.ceilings.pools import balanced_scores, brain_score_scores, draw_pools
from brainalign.ceilings.saturation import fit_saturation
from brainalign.ceilings.shifted import shifted_targets
from brainalign.ceilings.subject_pool import subject_pool_ceiling
from brainalign.encoding.encoder import encode
from brainalign.encoding.scores import Units, over_neuroids
from brainalign.encoding.settings import EncoderSettings
from brainalign.errors import InputError
from brainalign.responses.samples import Samples

GRID = tuple(float(value) for value in np.logspace(-2, 4, 7))
SETTINGS = EncoderSettings(split={"kind": "grouped", "folds": 5}, draws=30, grid=GRID, precision="float64")
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


@pytest.mark.parametrize("penalties", ["per-neuroid", "shared"])
def test_extrapolation_is_a_plain_loop_when_all_pools_are_taken(
    shared: Any, monkeypatch: pytest.MonkeyPatch, penalties: str
) -> None:
    monkeypatch.setattr(np.random, "default_rng", EveryScoreOnce)
    settings = replace(SETTINGS, penalties=penalties)
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
                own = part(neuroids, held_out)
                monkeypatch.undo()
                scores.append(encode(layers, responses[:, held_out], shared.samples, own, settings).r[0])
            curve[size] = np.concatenate(scores).mean(axis=0)
        expected = fit_saturation(np.array([1, 2]), curve)[0]
        np.testing.assert_allclose(ceiling.per_neuroid[held_out], expected, atol=1e-8)


def test_brain_scores_ceiling_is_its_loop_with_scikit_learn(shared: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refits on the concatenated responses of every pool; the bootstrap takes each score once."""
    responses, neuroids = of_subjects(shared, "S1", "S2", "S3", "S4")
    subjects, names = neuroids["subject"], ["S1", "S2", "S3", "S4"]
    monkeypatch.setattr(np.random, "default_rng", EveryScoreOnce)
    arguments = {"design": "brain-score", "pools": 6, "held_out": 3, "bootstraps": 1, "shifts": 0}
    ceiling = subject_pool_ceiling(responses, shared.samples, neuroids, SHUFFLED, **arguments)
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
        shifted = shifted_targets(data, samples, 2, np.random.default_rng(0))
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
