import numpy as np
import pytest
from scipy.stats import pearsonr

import brainalign.encoding.bootstrap as bootstrap_module
from brainalign.encoding.bootstrap import Draws, make_draws, replicate, replicate_r, replicate_r2
from brainalign.encoding.scores import Units, aggregate, pearson
from brainalign.encoding.splits import Fold, make_folds
from brainalign.responses.samples import Samples

GROUP = np.repeat([f"p{number}" for number in range(24)], 5)
SAMPLES = Samples({"split_group": GROUP})
UNITS = Units(np.array(list("abcd")), np.array(["S1", "S1", "S2", "S2"]), np.array(["x"] * 4))
RANDOM = np.random.default_rng(0)
RESPONSES = RANDOM.normal(size=(120, 4)) + 100
PREDICTIONS = 0.3 * RESPONSES + RANDOM.normal(size=(120, 4)) - 1e4


def split_by_fold(values: np.ndarray, folds: list[Fold]) -> list[np.ndarray]:
    return [values[fold.test] for fold in folds]


def literal_rows(draws: Draws, fold: int, draw: int) -> np.ndarray:
    """Return the row numbers, within the fold, of one draw: each group's rows as often as it is taken."""
    assert draws.counts is not None
    taken = draws.counts[fold][draw].astype(int)
    rows = [np.flatnonzero(draws.groups[fold] == group) for group, count in enumerate(taken) for _ in range(count)]
    return np.concatenate(rows) if rows else np.array([], dtype=int)


@pytest.mark.parametrize(
    ("split", "resampled"),
    [
        ({"kind": "grouped", "folds": 4, "seed": 1}, "groups within folds"),
        ({"kind": "shuffle", "folds": 5, "test": 0.2, "seed": 1}, "groups"),
        ({"kind": "kfold", "folds": 4, "seed": 1}, "groups"),
    ],
)
def test_replicates_are_those_of_resampled_rows(split: dict, resampled: str) -> None:
    folds = make_folds(split, SAMPLES)
    draws = make_draws(GROUP, folds, 12, seed=5)
    assert draws.resampled == resampled
    for number, fold in enumerate(folds):
        prediction, response = PREDICTIONS[fold.test], RESPONSES[fold.test]
        ours = replicate_r(draws, number, prediction, response)
        for draw in range(12):
            rows = literal_rows(draws, number, draw)
            r = [pearsonr(prediction[rows, column], response[rows, column])[0] for column in range(4)]
            np.testing.assert_allclose(ours[draw], r, atol=1e-9)


def test_groups_of_one_row_are_resampled_rows() -> None:
    groups = np.arange(120)
    folds = make_folds({"kind": "kfold", "folds": 4, "seed": 0}, SAMPLES)
    draws = make_draws(groups, folds, 8, seed=0)
    assert draws.resampled == "groups within folds"
    assert draws.counts is not None
    assert all((count.sum(axis=1) == 30).all() for count in draws.counts)


def test_a_shuffled_splits_folds_share_a_draw() -> None:
    folds = make_folds({"kind": "shuffle", "folds": 3, "test": 0.5, "seed": 0}, SAMPLES)
    draws = make_draws(GROUP, folds, 6, seed=0)
    assert draws.counts is not None
    names = [np.unique(GROUP[fold.test]) for fold in folds]
    for group in set(names[0]) & set(names[1]):
        first, second = (draws.counts[fold][:, list(names[fold]).index(group)] for fold in (0, 1))
        np.testing.assert_array_equal(first, second)


def test_folds_are_resampled_where_each_is_one_group() -> None:
    stories = np.repeat(["a", "b", "c", "d"], 30)
    folds = make_folds({"kind": "leave-one-group-out"}, Samples({"split_group": stories}))
    draws = make_draws(stories, folds, 200, seed=0)
    assert draws.resampled == "folds"
    np.testing.assert_array_equal(draws.fold_weights.sum(axis=1), 4)
    replicates = replicate(draws, split_by_fold(PREDICTIONS, folds), split_by_fold(RESPONSES, folds), UNITS, "mean")
    r = np.stack([pearson(PREDICTIONS[fold.test], RESPONSES[fold.test])[0] for fold in folds])
    for draw in range(5):
        rows = np.repeat(np.arange(4), draws.fold_weights[draw].astype(int))
        np.testing.assert_allclose(replicates[draw], aggregate(r[rows], UNITS, "mean"), atol=1e-6)


@pytest.mark.parametrize("name", ["mean", "schrimpf", "brain-score"])
def test_replicates_are_aggregated_like_scores(name: str) -> None:
    folds = make_folds({"kind": "grouped", "folds": 4}, SAMPLES)
    draws = make_draws(GROUP, folds, 6, seed=2)
    predictions, responses = split_by_fold(PREDICTIONS, folds), split_by_fold(RESPONSES, folds)
    ours = replicate(draws, predictions, responses, UNITS, name, spread=np.zeros((3, 2)))  # none of it is noise
    r = np.stack([replicate_r(draws, fold, predictions[fold], responses[fold]) for fold in range(4)])
    assert ours.shape == (6, 3, 2)
    assert ours.dtype == np.float32
    for draw in range(6):
        np.testing.assert_allclose(ours[draw], aggregate(r[:, draw], UNITS, name), atol=1e-6)


def test_sums_of_few_batches_at_a_time_are_those_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    folds = make_folds({"kind": "grouped", "folds": 4}, SAMPLES)
    draws = make_draws(GROUP, folds, 6, seed=2)
    given = split_by_fold(PREDICTIONS, folds), split_by_fold(RESPONSES, folds)
    whole = replicate(draws, *given, UNITS, "mean")
    monkeypatch.setattr(bootstrap_module, "BATCH", 1)
    for batches_at_once in (1, 3):  # of four: the last round has fewer
        monkeypatch.setattr(bootstrap_module, "SUMS_AT_ONCE", batches_at_once)
        np.testing.assert_allclose(replicate(draws, *given, UNITS, "mean"), whole, atol=1e-7)


def test_draws_depend_on_the_seed_and_nothing_else() -> None:
    folds = make_folds({"kind": "grouped", "folds": 4}, SAMPLES)
    first, again, other = (make_draws(GROUP, folds, 50, seed) for seed in (0, 0, 1))
    assert first.counts is not None
    assert again.counts is not None
    assert other.counts is not None
    np.testing.assert_array_equal(first.counts[2], again.counts[2])
    assert not np.array_equal(first.counts[2], other.counts[2])


def test_constant_predictions_give_zero_in_every_draw() -> None:
    folds = make_folds({"kind": "grouped", "folds": 4}, SAMPLES)
    draws = make_draws(GROUP, folds, 20, seed=0)
    r = replicate_r(draws, 0, np.full((30, 4), 0.1) + 1e-12 * RANDOM.normal(size=(30, 4)), RESPONSES[folds[0].test])
    np.testing.assert_array_equal(r, 0)


def test_a_constant_prediction_stays_so_where_a_draws_responses_hardly_vary() -> None:
    groups = np.repeat(["a", "b", "c"], 20)
    response = np.where(groups == "a", 1.0, 1e-4 * np.random.default_rng(0).normal(size=60))[:, None]
    prediction = 1e-9 * response + 1e-10 * np.random.default_rng(1).normal(size=(60, 1))
    draws = make_draws(groups, [Fold(np.arange(0), np.arange(60)), Fold(np.arange(0), np.arange(60))], 50, seed=0)
    np.testing.assert_array_equal(replicate_r(draws, 0, prediction, response), 0)


def test_a_draw_that_leaves_a_fold_empty_leaves_it_out() -> None:
    groups = np.repeat(list("abcde"), 24)
    folds = [Fold(np.arange(60, 120), np.arange(60)), Fold(np.arange(60), np.arange(40, 120))]
    draws = make_draws(groups, folds, 300, seed=0)
    empty = draws.fold_weights[:, 0] == 0
    assert 0 < empty.mean() < 0.2
    replicates = replicate(draws, split_by_fold(PREDICTIONS, folds), split_by_fold(RESPONSES, folds), UNITS, "mean")
    assert np.isfinite(replicates).all()
    second = replicate_r(draws, 1, PREDICTIONS[folds[1].test], RESPONSES[folds[1].test])
    np.testing.assert_allclose(replicates[empty, 0, 0], second[empty].reshape(-1, 2, 2).mean(axis=(1, 2)), atol=1e-6)


def test_spread_of_replicates_is_that_of_new_data() -> None:
    """The SD over draws is near the SD of r over independent data sets with the same groups."""
    folds = [Fold(np.arange(0), np.arange(120))]

    def simulated(seed: int) -> tuple[np.ndarray, np.ndarray]:
        random = np.random.default_rng(seed)
        shared = np.repeat(random.normal(size=(24, 4)), 5, axis=0)
        response = shared + random.normal(size=(120, 4))
        return np.repeat(random.normal(size=(24, 4)), 5, axis=0) + response, response

    truth = np.std([pearson(*simulated(seed))[0] for seed in range(200)])
    draws = make_draws(GROUP, folds, 200, seed=0)
    estimate = np.mean([replicate_r(draws, 0, *simulated(seed)).std(axis=0) for seed in range(20)])
    assert 0.8 < estimate / truth < 1.2


@pytest.mark.parametrize(("groups", "resampled"), [(4, "folds"), (5, "groups within folds")])
def test_folds_are_resampled_where_they_have_few_groups(groups: int, resampled: str) -> None:
    """Two stories in a fold: half of the draws would see only one of them."""
    names = np.repeat([f"g{number:02d}" for number in range(3 * groups)], 10).astype(object)
    samples = Samples({"split_group": names})
    folds = make_folds({"kind": "grouped", "by": "split_group", "folds": 3}, samples)
    assert make_draws(names, folds, 20, 0).resampled == resampled


def test_other_groups_have_other_draws() -> None:
    """Two data sets with equally many stories are no replicates of each other; one data set is of itself."""
    folds = [Fold(np.setdiff1d(np.arange(80), test), test) for test in np.arange(80).reshape(8, 10)]
    one, other = (np.repeat([f"{name}-{number}" for number in range(8)], 10) for name in ("story", "tale"))
    draws = [make_draws(names.astype(object), folds, 50, 0).fold_weights for names in (one, one, other)]
    np.testing.assert_array_equal(draws[0], draws[1])
    assert (draws[0] != draws[2]).any()


def test_replicates_of_r2_resample_the_reduction_of_squared_error() -> None:
    folds = make_folds({"kind": "grouped", "folds": 4, "seed": 1}, SAMPLES)
    draws = make_draws(GROUP, folds, 12, seed=5)
    for number, fold in enumerate(folds):
        truth = RESPONSES[fold.test] - 100
        prediction = 0.3 * truth + 0.5 * np.random.default_rng(number).normal(size=truth.shape)
        ours = replicate_r2(draws, number, prediction, truth)
        for draw in range(12):
            rows = literal_rows(draws, number, draw)
            reduction = (truth[rows] ** 2 - (truth[rows] - prediction[rows]) ** 2).mean(axis=0)
            np.testing.assert_allclose(ours[draw], reduction / (truth**2).mean(axis=0), atol=1e-12)


def test_replicates_of_r2_lie_about_the_estimate() -> None:
    """Where groups with large responses are predicted best, as a resampled denominator would not."""
    random = np.random.default_rng(0)
    signal = np.repeat(random.standard_t(3, size=(24, 4)), 5, axis=0)
    truth = signal + random.normal(size=signal.shape)
    fold = Fold(np.empty(0, dtype=int), np.arange(120))
    draws = make_draws(GROUP, [fold], 4000, seed=0)
    found = replicate_r2(draws, 0, 0.5 * signal, truth)
    estimate = 1 - ((truth - 0.5 * signal) ** 2).sum(axis=0) / (truth**2).sum(axis=0)
    np.testing.assert_allclose(found.mean(axis=0), estimate, atol=4 * found.std(axis=0).max() / np.sqrt(4000))


def test_a_few_groups_that_are_scored_together_have_no_interval() -> None:
    group = np.repeat(np.arange(8), 5).astype(str)
    few = make_draws(group, [Fold(np.arange(25), np.arange(25, 40))], 50, 0)
    assert few.resampled == "nothing"
    random = np.random.default_rng(0)
    truth, units = random.normal(size=(15, 3)), Units(np.array(list("abc")), np.array(["s"] * 3), np.array(["r"] * 3))
    for name in ("mean", "schrimpf", "brain-score"):
        assert np.isnan(replicate(few, [truth + 1.0], [truth], units, name)).all()
    overlapping = [Fold(np.arange(20, 40), np.arange(20)), Fold(np.arange(20), np.arange(10, 30))]
    several = make_draws(np.repeat(np.arange(4), 10).astype(str), overlapping, 50, 0)
    assert several.resampled == "nothing"
    truths = [random.normal(size=(20, 3)) for _ in overlapping]
    for name in ("mean", "schrimpf", "brain-score"):
        assert np.isnan(replicate(several, [truth + 1.0 for truth in truths], truths, units, name)).all()
    assert make_draws(group, overlapping, 50, 0).resampled == "groups"
    enough = make_draws(group, [Fold(np.arange(15), np.arange(15, 40))], 50, 0)
    assert enough.resampled == "groups within folds"
    held_out = random.normal(size=(25, 3))
    noisy = held_out + random.normal(size=(25, 3))
    assert (replicate(enough, [noisy], [held_out], units, "mean").std(axis=0) > 0.01).all()
