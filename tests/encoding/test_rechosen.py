"""By how much scores of layers that are chosen by fold are wider, against draws made one by one."""

from dataclasses import replace

import numpy as np
import pytest

from brainalign.encoding.bootstrap import make_draws
from brainalign.encoding.encoder import Encoding, encode
from brainalign.encoding.rechosen import CHOICE_OF_NEUROIDS, fold_sums, ratio_of_spreads
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.splits import Fold, make_folds
from brainalign.inference.shared_training import group_signs, residual_pairs, shared_variance, spread_of
from brainalign.inference.sign_flip import sign_flip_test
from brainalign.intervals import percentile_interval
from brainalign.responses.samples import Samples
from inference.simulated import Design

DESIGN = Design(groups=24, folds=4, neuroids=4, signal=0.0)
SETTINGS = EncoderSettings(split={"kind": "grouped", "folds": 4}, draws=40, precision="float64", penalties=0.3)
TABLE = {
    "neuroid": np.arange(4).astype(str),
    "subject": np.array(["S1", "S1", "S2", "S2"]),
    "region": np.array(list("abab")),
}


def samples_of(design: Design) -> Samples:
    return Samples({"split_group": design.group.astype(str)})


def encoded(seed: int, signals: list[float], settings: EncoderSettings = SETTINGS, design: Design = DESIGN) -> Encoding:
    """Encode noise, to whose features each layer adds as much of the responses as is asked."""
    random = np.random.default_rng(seed)
    y = design.grouped(random, 4, 0.5)
    layers = [
        (f"layer_{k}", np.concatenate([design.grouped(random, 6, 0.3), signal * y], axis=1))
        for k, signal in enumerate(signals)
    ]
    return encode(layers, y, samples_of(design), TABLE, settings)


def by_hand(found: Encoding, settings: EncoderSettings, subject: int, region: int, chooser: int) -> float:
    """SD(T*) over the mean of SD(T^l) as often as layers are taken, draw by draw and fold by fold."""
    folds = make_folds(settings.split, samples_of(DESIGN))
    draws = make_draws(DESIGN.group, [Fold(np.empty(0, dtype=int), fold.test) for fold in folds], 40, 0)
    names = sorted(set(DESIGN.group.astype(str)))
    assert tuple(names) == found.group_names
    signs = group_signs(names, 40, 0)
    members = [[names.index(name) for name in sorted(set(DESIGN.group[fold.test].astype(str)))] for fold in folds]
    assert draws.counts is not None
    every = np.empty((40, 2, 3, 4))  # (draw, own or chooser, layer, fold)
    for draw, sums in enumerate(every):
        for which, (s, r) in enumerate([(subject, region), (chooser, 0)]):
            for layer in range(3):
                pairs = residual_pairs(found.pairs[:, :, layer, s, r], found.fold_of_block)
                symmetric = (pairs + pairs.T) / 2
                weight = np.sqrt(min(1.0, max(0.0, (pairs * pairs.T).sum() / (symmetric**2).sum())))
                for k in range(4):
                    of_groups = found.contributions[members[k], layer, s, r] @ draws.counts[k][draw]
                    shared = sum(
                        signs[draw, g] * signs[draw, h] * weight * symmetric[g, h] / np.sqrt(2)
                        for g in members[k]
                        for h in range(24)
                    )
                    sums[which, layer, k] = of_groups + shared
    for which in (0, 1):
        mean, of_layers = every[:, which].mean(axis=0), every[:, which].sum(axis=2)  # (layer, fold), (draw, layer)
        ahead = of_layers.mean(axis=0) - of_layers.mean()
        noise = sum(np.var(of_layers[:, layer] - of_layers.mean(axis=1)) for layer in range(3))
        kept = max(0.0, 1.0 - noise / sum(ahead**2))
        for layer in range(3):
            for k in range(4):
                every[:, which, layer, k] += mean[:, k].mean() + kept * ahead[layer] / 4 - mean[layer, k]
    again, taken = [], np.zeros(3)
    for sums in every:
        layers = [int(np.argmax(sums[1].sum(axis=1) - sums[1][:, k])) for k in range(4)]
        again.append(sum(sums[0, layers[k], k] for k in range(4)))
        taken += np.bincount(layers, minlength=3)
    held = sum(taken[layer] / taken.sum() * np.std(every[:, 0, layer].sum(axis=1)) for layer in range(3))
    return max(1.0, float(np.std(again) / held))


def test_the_ratio_is_that_of_draws_made_one_by_one() -> None:
    found = encoded(1, [0.0, 0.0, 0.0])
    for cell in ((0, 0), (1, 0), (2, 2)):
        assert found.choice_spread[cell] == pytest.approx(by_hand(found, SETTINGS, *cell, 0))
    assert found.choice_spread.max() > 1.05


def test_subjects_that_choose_by_themselves_have_their_own() -> None:
    settings = replace(SETTINGS, layer_for="subject")
    found = encoded(1, [0.0, 0.0, 0.0], settings)
    for subject in (1, 2):
        assert found.choice_spread[subject, 0] == pytest.approx(by_hand(found, settings, subject, 0, subject))
    np.testing.assert_allclose(found.choice_spread[0], found.choice_spread[1:].mean(axis=0))


def test_all_has_the_mean_of_subjects_with_neuroids_of_the_region() -> None:
    random = np.random.default_rng(2)
    y = DESIGN.grouped(random, 4, 0.5)
    layers = [(f"layer_{k}", DESIGN.grouped(random, 6, 0.3)) for k in range(3)]
    table = TABLE | {"region": np.array(list("abaa"))}
    found = encode(layers, y, samples_of(DESIGN), table, replace(SETTINGS, layer_for="subject"))
    assert found.choice_spread[1, 2] > 1
    assert found.choice_spread[0, 2] == found.choice_spread[1, 2]  # the second subject has no region b


def test_a_layer_far_ahead_is_chosen_in_every_draw() -> None:
    found = encoded(2, [0.0, 1.0, 0.0])
    assert (found.chosen_layer == 1).all()
    np.testing.assert_allclose(found.choice_spread, 1.0)
    np.testing.assert_array_equal(found.replicates[:, -1], found.replicates[:, 1])


def test_other_choices_are_not_drawn_again() -> None:
    assert (encoded(1, [0.0, 0.0, 0.0], replace(SETTINGS, layer="best")).choice_spread == 1).all()
    by_neuroid = encoded(1, [0.0, 0.0, 0.0], replace(SETTINGS, layer_for="neuroid"))
    assert (by_neuroid.choice_spread == CHOICE_OF_NEUROIDS).all()
    alone = encoded(1, [0.0], replace(SETTINGS, layer_for="neuroid"))
    assert (alone.choice_spread == 1).all()


def test_folds_that_are_resampled_and_unknown_pairs() -> None:
    random = np.random.default_rng(0)
    contributions, weights = random.normal(size=(6, 2)), random.integers(0, 3, size=(5, 6)).astype(float)
    fold = np.array([0, 0, 1, 1, 2, 2])
    found = fold_sums(contributions, None, weights, fold, fold, np.ones((5, 6)), 1.0)
    expected = (weights[:, :, None] * contributions).reshape(5, 3, 2, 2).sum(axis=2)
    np.testing.assert_allclose(found, expected)
    unknown = np.full((6, 6, 2), np.nan)
    np.testing.assert_allclose(fold_sums(contributions, unknown, weights, fold, fold, np.ones((5, 6)), 1.0), expected)
    nothing = np.full((2, 5, 3, 1), np.nan)
    assert ratio_of_spreads(nothing, nothing).tolist() == [1.0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "common", "signal"),
    [(6, 0.8, 0.0), (6, 0.8, 0.3)],
    ids=["noise", "signal"],
)
def test_intervals_and_p_of_a_chosen_layer(number: int, common: float, signal: float) -> None:
    """Layers that have some of their features in common, one chosen in each fold by the others.

    Each subject of a data set chooses for itself, and is a data set of its own.
    """
    subjects, width = 20, 3
    design = Design(groups=48, folds=8, neuroids=width * subjects, signal=signal)
    settings = replace(SETTINGS, split={"kind": "grouped", "folds": 8}, draws=400, layer_for="subject")
    names = np.repeat([f"S{subject}" for subject in range(subjects)], width)
    table = {"neuroid": np.arange(len(names)).astype(str), "subject": names, "region": np.full(len(names), "x")}
    samples = samples_of(design)
    folds = make_folds(settings.split, samples)
    inside, held, p = [], [], []
    for seed in range(50):
        random = np.random.default_rng(seed)
        base = design.grouped(random, design.width, design.shared_features)
        weights = random.normal(size=(design.width, len(names)))
        weights *= signal / np.linalg.norm(weights, axis=0)
        y = base @ weights + np.sqrt(1 - signal**2) * design.grouped(random, len(names), design.shared_noise)
        layers = [
            np.sqrt(common) * base + np.sqrt(1 - common) * design.grouped(random, design.width, design.shared_features)
            for _ in range(number)
        ]
        found = encode(
            [(f"layer_{k}", x) for k, x in enumerate(layers)], y, samples, table, replace(settings, seed=seed)
        )
        truth = np.zeros(subjects)
        for k, fold in enumerate(folds):
            r = np.empty((number, subjects))
            for layer, features in enumerate(layers):
                x = features[fold.train] - features[fold.train].mean(axis=0)
                ridge = x.T @ x + found.penalty[layer, k, 0] * np.eye(design.width)
                fitted = np.linalg.solve(ridge, x.T @ (y[fold.train] - y[fold.train].mean(axis=0)))
                reached = np.sqrt(common) * (fitted * weights).sum(axis=0) / np.linalg.norm(fitted, axis=0)
                r[layer] = reached.reshape(subjects, width).mean(axis=1)
            truth += r[found.chosen_layer[k], np.arange(subjects)] / len(folds)
        by_choice = found.choice_spread[1:, 0]
        drawn = found.replicates[:, -1, 1:, 0].astype(np.float64)
        plain = drawn.mean(axis=0) + (drawn - drawn.mean(axis=0)) / by_choice
        for values, into in ((drawn, inside), (plain, held)):
            low, high = percentile_interval(values)
            into.append((low <= truth) & (truth <= high))
        c, pairs = found.contributions[:, -1, 1:, 0], found.pairs[:, :, -1, 1:, 0]
        shared = spread_of(shared_variance(pairs, found.fold_of_block, found.pair_share), np.square(c).sum(axis=0))
        p.append(sign_flip_test(c, 999, seed, "greater", spread=shared * by_choice).p)
    rejected = np.mean(np.array(p) <= 0.05)
    print(f"{number} layers: {np.mean(inside):.3f}, the choice held {np.mean(held):.3f}, rejected {rejected:.3f}")
    assert np.mean(held) < 0.935
    assert 0.93 <= np.mean(inside) <= 0.97
    if signal == 0:
        assert 0.04 <= rejected <= 0.06
