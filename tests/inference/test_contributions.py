"""Contributions of groups and of pairs of groups, against the encoder's own scores."""

import tracemalloc

import numpy as np
import pytest

from brainalign.encoding.scores import Units, aggregate, pearson
from brainalign.encoding.splits import Fold
from brainalign.errors import InputError
from brainalign.inference.contributions import group_contributions
from brainalign.inference.neuroid_pairs import pairs_of_neuroids
from brainalign.inference.replicates import corrected_replicates, small_sample_factor
from brainalign.inference.shared_training import (
    group_signs,
    pair_contributions,
    put_together,
    residual_pairs,
    shared_training_deviations,
    shared_variance,
    spread_of,
)
from inference.simulated import summed

RANDOM = np.random.default_rng(2)
UNITS = Units(np.array([f"n{k}" for k in range(7)]), np.array(["S1"] * 3 + ["S2"] * 4), np.array(list("xxyxxxx")))
GROUP = np.repeat(np.arange(12), [4, 6, 5, 5, 7, 3, 4, 6, 5, 5, 7, 3])
FOLD_OF_GROUP = np.arange(12) % 3
X = RANDOM.normal(size=(60, 5)) + 20
Y = 0.4 * X[:, [0, 1, 2, 3, 4, 0, 1]] + RANDOM.normal(size=(60, 7)) + 100
PENALTY = np.array([0.1, 3.0, 3.0, 0.1, 50.0, 3.0, 0.1])


def fitted(fold: int) -> tuple[np.ndarray, np.ndarray, list[tuple[np.ndarray, np.ndarray]], np.ndarray]:
    """Return training and test rows, hats and predictions of a ridge with its own penalty for each neuroid."""
    test = np.flatnonzero(FOLD_OF_GROUP[GROUP] == fold)
    train = np.flatnonzero(FOLD_OF_GROUP[GROUP] != fold)
    mean = X[train].mean(axis=0)
    hats, prediction = [], np.empty((len(test), 7))
    for penalty in np.unique(PENALTY):
        own = np.flatnonzero(penalty == PENALTY)
        inverse = np.linalg.inv((X[train] - mean).T @ (X[train] - mean) + penalty * np.eye(5))
        hats.append(((X[test] - mean) @ inverse @ (X[train] - mean).T, own))
        prediction[:, own] = Y[train][:, own].mean(axis=0) + hats[-1][0] @ (
            Y[train][:, own] - Y[train][:, own].mean(axis=0)
        )
    return train, test, hats, prediction


def pairs_of(fold: int) -> np.ndarray:
    train, test, hats, prediction = fitted(fold)
    return pair_contributions(hats, Y, Fold(train, test), prediction, Y.mean(axis=0), GROUP, 12, UNITS)


def test_contributions_sum_to_r_exactly() -> None:
    r, sums = [], []
    for fold in range(3):
        _, test, _, prediction = fitted(fold)
        r.append(pearson(prediction, Y[test])[0])
        names, c = group_contributions(prediction, Y[test], Y.mean(axis=0), GROUP[test], UNITS)
        np.testing.assert_array_equal(names, np.unique(GROUP[test]))
        assert c.shape == (4, 3, 3)
        sums.append(c.sum(axis=0))
        np.testing.assert_allclose(sums[-1], aggregate(r[-1][None], UNITS, "mean"), atol=1e-13)
    expected = aggregate(np.stack(r), UNITS, "mean")
    np.testing.assert_allclose(np.mean(sums, axis=0), expected, atol=1e-13)
    assert np.isnan(expected[2, 2])


def test_the_contribution_of_a_group_is_that_of_its_rows() -> None:
    _, test, _, prediction = fitted(1)
    names, c = group_contributions(prediction, Y[test], Y.mean(axis=0), GROUP[test], UNITS)
    for position, group in enumerate(names):
        total = 0.0
        for neuroid in range(3):
            p, y = prediction[:, neuroid], Y[test][:, neuroid]
            for row in np.flatnonzero(GROUP[test] == group):
                product = (p[row] - p.mean()) * (y[row] - Y[:, neuroid].mean())
                total += product / (p.std() * y.std() * len(p)) / 3
        assert c[position, 1, 0] == pytest.approx(total, abs=1e-12)


def test_constant_predictions_contribute_nothing() -> None:
    _, test, hats, prediction = fitted(0)
    prediction[:, :3] = 5 + 1e-12 * RANDOM.normal(size=(len(test), 3))
    _, c = group_contributions(prediction, Y[test], Y.mean(axis=0), GROUP[test], UNITS)
    np.testing.assert_array_equal(c[:, 1, 0], 0)
    train = np.flatnonzero(FOLD_OF_GROUP[GROUP] != 0)
    pairs = pair_contributions(hats, Y, Fold(train, test), prediction, Y.mean(axis=0), GROUP, 12, UNITS)
    np.testing.assert_array_equal(pairs[:, :, 1, 0], 0)


def test_pairs_sum_to_contributions_and_are_those_of_each_training_groups_responses() -> None:
    train, test, hats, prediction = fitted(2)
    pairs = pairs_of(2)
    names, c = group_contributions(prediction, Y[test], Y.mean(axis=0), GROUP[test], UNITS)
    np.testing.assert_allclose(pairs.sum(axis=1)[names], c, atol=1e-12)
    untested = np.setdiff1d(np.arange(12), names)
    np.testing.assert_array_equal(pairs[untested][..., 0, 0], 0)
    np.testing.assert_array_equal(pairs[:, names][..., 0, 0], 0)
    by_hand = np.zeros((12, 12))
    for hat, own in hats:
        for neuroid in np.intersect1d(own, [0, 1, 2]):
            p, y = prediction[:, neuroid], Y[test][:, neuroid]
            for h in np.unique(GROUP[train]):
                only = np.where(GROUP[train] == h, Y[train][:, neuroid] - Y[train][:, neuroid].mean(), 0.0)
                part = hat @ only
                products = (part - part.mean()) * (y - Y[:, neuroid].mean()) / (p.std() * y.std() * len(p))
                for g in names:
                    by_hand[g, h] += products[GROUP[test] == g].sum() / 3
    np.testing.assert_allclose(pairs[:, :, 1, 0], by_hand, atol=1e-12)


@pytest.mark.parametrize("pooled", [False, True])
@pytest.mark.parametrize("fold", [0, 1, 2])
def test_pairs_of_each_neuroid(fold: int, pooled: bool) -> None:
    train, test, hats, prediction = fitted(fold)
    names = np.arange(7).astype(str)
    norm = RANDOM.uniform(1, 2, size=7) if pooled else None
    place = hats, Y, Fold(train, test), prediction, Y.mean(axis=0), GROUP, 12
    tested, pairs = pairs_of_neuroids(*place, norm)
    expected = pair_contributions(*place, Units(names, names, np.full(7, "x")), norm)[:, :, 1:, 0]
    assert tested.tolist() == np.unique(GROUP[test]).tolist()
    assert pairs.shape == (len(tested), 12, 7)
    np.testing.assert_allclose(pairs, expected[tested], atol=1e-13)
    assert np.abs(pairs).max() > 1e-3


def test_a_neuroid_without_a_hat_is_named() -> None:
    train, test, hats, prediction = fitted(0)
    with pytest.raises(InputError, match="neuroid 0 is predicted by 0 hats"):
        pair_contributions(hats[1:], Y, Fold(train, test), prediction, Y.mean(axis=0), GROUP, 12, UNITS)
    with pytest.raises(InputError, match="there are 3 group labels and 7 neuroids"):
        group_contributions(prediction, Y[test], Y.mean(axis=0), GROUP[:3], UNITS)


@pytest.mark.parametrize("fold_of_group", [FOLD_OF_GROUP, np.arange(12), np.array([0] * 7 + [1] * 2 + [2] * 3)])
def test_residual_pairs_are_those_of_additive_effects(fold_of_group: np.ndarray) -> None:
    pairs = RANDOM.normal(size=(12, 12)) + 5 + RANDOM.normal(size=(12, 1))
    rows, columns = np.nonzero(fold_of_group[:, None] != fold_of_group)
    effects = np.concatenate([np.eye(12)[rows], np.eye(12)[columns]], axis=1)
    solution, _, rank, _ = np.linalg.lstsq(effects, pairs[rows, columns], rcond=None)
    expected = np.zeros((12, 12))
    expected[rows, columns] = pairs[rows, columns] - effects @ solution
    expected *= np.sqrt(len(rows) / (len(rows) - rank))
    np.testing.assert_allclose(residual_pairs(pairs, fold_of_group), expected, atol=1e-12)
    shared = sum(expected[g, h] * expected[h, g] for g in range(12) for h in range(12))
    np.testing.assert_allclose(shared_variance(pairs, fold_of_group), shared, rtol=1e-5)


def test_deviations_have_the_variance_stated_and_keep_scale_and_sign() -> None:
    pairs = sum(pairs_of(k) for k in range(3))
    signs = group_signs([f"g{k}" for k in range(12)], 40000, 0)
    deviations = shared_training_deviations(pairs / 3, FOLD_OF_GROUP, signs)
    stated = shared_variance(pairs, FOLD_OF_GROUP) / 9
    assert np.nanmin(stated) > 0
    np.testing.assert_allclose(deviations.var(axis=0), stated, rtol=0.06)
    assert np.nanmax(np.abs(deviations.mean(axis=0)) / np.sqrt(stated)) < 0.03
    np.testing.assert_allclose(shared_training_deviations(-2 * pairs / 3, FOLD_OF_GROUP, signs), -2 * deviations)


def test_opposite_pairs_share_nothing() -> None:
    pairs = RANDOM.normal(size=(12, 12))
    pairs -= pairs.T
    assert shared_variance(pairs, FOLD_OF_GROUP) < 0
    assert not shared_training_deviations(
        pairs[..., None], FOLD_OF_GROUP, group_signs(list("abcdefghijkl"), 5, 0)
    ).any()
    assert spread_of(shared_variance(pairs, FOLD_OF_GROUP), np.ones(())) == 1


def test_a_spread_that_is_not_known_is_the_most_there_can_be() -> None:
    found = spread_of(np.array([np.nan, 3.0, 3.0, -3.0]), np.array([1.0, 1.0, 0.0, 1.0]))
    np.testing.assert_allclose(found, [np.sqrt(2), 2.0, np.sqrt(2), 1.0])


@pytest.mark.parametrize(("folds", "blocks"), [(3, 24), (24, 16), (3, 48)])
def test_groups_put_together_estimate_the_same(folds: int, blocks: int) -> None:
    fold_of_group = np.arange(48) % folds
    apart = fold_of_group[:, None] != fold_of_group
    block_of_group, fold_of_block, share = put_together(fold_of_group, blocks)
    assert len(fold_of_block) == block_of_group.max() + 1 <= max(blocks, folds)
    for block, fold in enumerate(fold_of_block):
        if folds <= blocks:
            assert set(fold_of_group[block_of_group == block]) == {fold}
    ours, whole = [], []
    for _ in range(300):
        pairs = RANDOM.normal(size=(48, 48))
        pairs = (pairs + 0.5 * pairs.T) * apart
        together = summed(pairs[..., None], block_of_group)
        assert together.sum() == pytest.approx(pairs.sum())
        ours.append(shared_variance(together, fold_of_block, share)[0])
        whole.append(shared_variance(pairs, fold_of_group))
    np.testing.assert_allclose([np.mean(ours), np.mean(whole)], apart.sum(), rtol=0.06)


def test_signs_are_those_of_the_groups_and_the_seed() -> None:
    names = list("abcd")
    np.testing.assert_array_equal(group_signs(names, 20, 1), group_signs(names, 20, 1))
    assert not np.array_equal(group_signs(names, 20, 1), group_signs(names, 20, 2))
    assert not np.array_equal(group_signs(names, 20, 1), group_signs(list("abce"), 20, 1))


def test_only_resampled_folds_are_moved_away_from_their_mean() -> None:
    replicates, deviations = RANDOM.normal(size=(50, 3)).astype(np.float32), RANDOM.normal(size=(50, 3))
    kept = corrected_replicates(replicates, "groups within folds", 5, deviations)
    np.testing.assert_allclose(kept, replicates + deviations)
    moved = corrected_replicates(replicates, "folds", 5)
    np.testing.assert_allclose(moved.mean(axis=0), replicates.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(moved.std(axis=0) / replicates.std(axis=0), small_sample_factor(5), rtol=1e-5)
    assert small_sample_factor(5) == pytest.approx(np.sqrt(5 / 4) * 2.7764451 / 1.9599640)


def test_too_few_groups_are_named() -> None:
    with pytest.raises(InputError, match=r"at least 5 groups, and .* 3 groups in 3 folds with 6 such pairs"):
        residual_pairs(np.ones((3, 3)), np.arange(3))
    with pytest.raises(InputError, match="cannot be told from 1 value"):
        small_sample_factor(1)


def test_pairs_of_many_subjects_hold_no_product_of_rows_for_each() -> None:
    """Groups lie scattered among the rows, and sums over them are held, not test × training rows of every subject."""
    random, n, subjects = np.random.default_rng(3), 400, 100
    names = np.arange(subjects).astype(str)
    units = Units(names, names, np.full(subjects, "x"))
    group, rows = random.permutation(np.arange(n) % 20), np.arange(n)
    test = np.flatnonzero(group < 5)
    fold = Fold(np.setdiff1d(rows, test), random.permutation(test))
    responses = random.normal(size=(n, subjects))
    hat = random.normal(size=(len(fold.test), len(fold.train)))
    hat -= hat.mean(axis=1, keepdims=True)
    prediction = hat @ responses[fold.train]
    centre = responses[fold.test].mean(axis=0)
    tracemalloc.start()
    ours = pair_contributions([(hat, np.arange(subjects))], responses, fold, prediction, centre, group, 20, units)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * subjects * len(fold.test) * len(fold.train) / 4
    y = responses[fold.test] - centre
    z = y / np.linalg.norm(y, axis=0) / np.linalg.norm(prediction - prediction.mean(axis=0), axis=0)
    of_training = responses[fold.train] - responses[fold.train].mean(axis=0)
    centred = hat - hat.mean(axis=0)
    for g, h in [(0, 5), (3, 19), (4, 7)]:
        own, others = group[fold.test] == g, group[fold.train] == h
        plain = np.einsum("iv,ij,jv->v", z[own], centred[np.ix_(own, others)], of_training[others])
        np.testing.assert_allclose(ours[g, h, 1:, 0], plain, atol=1e-12)
    assert not ours[5:].any()
