"""By how much scores of layers that are chosen by fold are wider, against draws made one by one."""

from dataclasses import replace

import numpy as np
import pytest

from brainalign.encoding import sampled_neuroids
from brainalign.encoding.bootstrap import make_draws
from brainalign.encoding.encoder import Encoding, encode
from brainalign.encoding.rechosen import fold_sums, ratio_of_spreads
from brainalign.encoding.sampled_neuroids import sampled, weights_of_means
from brainalign.encoding.scores import Units
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


def drawn_by_hand(found: Encoding, settings: EncoderSettings, subject: int, region: int) -> np.ndarray:
    """The sums of a cell in every draw, (draw, layer, fold), group by group, with layers' differences shrunk."""
    folds = make_folds(settings.split, samples_of(DESIGN))
    draws = make_draws(DESIGN.group, [Fold(np.empty(0, dtype=int), fold.test) for fold in folds], 40, 0)
    names = sorted(set(DESIGN.group.astype(str)))
    assert tuple(names) == found.group_names
    signs = group_signs(names, 40, 0)
    members = [[names.index(name) for name in sorted(set(DESIGN.group[fold.test].astype(str)))] for fold in folds]
    assert draws.counts is not None
    every = np.empty((40, 3, 4))  # (draw, layer, fold)
    for layer in range(3):
        pairs = residual_pairs(found.pairs[:, :, layer, subject, region], found.fold_of_block)
        symmetric = (pairs + pairs.T) / 2
        weight = np.sqrt(min(1.0, max(0.0, (pairs * pairs.T).sum() / (symmetric**2).sum())))
        for draw in range(40):
            for k in range(4):
                of_groups = found.contributions[members[k], layer, subject, region] @ draws.counts[k][draw]
                shared = sum(
                    signs[draw, g] * signs[draw, h] * weight * symmetric[g, h] / np.sqrt(2)
                    for g in members[k]
                    for h in range(24)
                )
                every[draw, layer, k] = of_groups + shared
    mean, of_layers = every.mean(axis=0), every.sum(axis=2)  # (layer, fold), (draw, layer)
    ahead = of_layers.mean(axis=0) - of_layers.mean()
    noise = sum(np.var(of_layers[:, layer] - of_layers.mean(axis=1)) for layer in range(3))
    kept = max(0.0, 1.0 - noise / sum(ahead**2))
    for layer in range(3):
        for k in range(4):
            every[:, layer, k] += mean[:, k].mean() + kept * ahead[layer] / 4 - mean[layer, k]
    return every


def chosen_by_hand(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The layer that the other folds choose for each, (draw, fold), and how often each is taken (layer,)."""
    layers = [[int(np.argmax(draw.sum(axis=1) - draw[:, k])) for k in range(4)] for draw in sums]
    return np.array(layers), np.bincount(np.ravel(layers), minlength=3) / np.size(layers)


def by_hand(found: Encoding, settings: EncoderSettings, subject: int, region: int, chooser: int) -> float:
    """SD(T*) over the mean of SD(T^l) as often as layers are taken, draw by draw and fold by fold."""
    own = drawn_by_hand(found, settings, subject, region)
    layers, taken = chosen_by_hand(drawn_by_hand(found, settings, chooser, 0))
    again = [sum(draw[layer, k] for k, layer in enumerate(of)) for draw, of in zip(own, layers, strict=True)]
    held = sum(taken[layer] * np.std(own[:, layer].sum(axis=1)) for layer in range(3))
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
    alone = encoded(1, [0.0], replace(SETTINGS, layer_for="neuroid"))
    assert (alone.choice_spread == 1).all()


def test_neuroids_that_choose_by_themselves() -> None:
    """Neuroids 0 and 2 are all of region a, one of each subject; neuroids 0 and 1 all of the first subject."""
    settings = replace(SETTINGS, layer_for="neuroid")
    found = encoded(1, [0.0, 0.0, 0.0], settings)
    sums = {v: drawn_by_hand(found, settings, 1 + v // 2, 1 + v % 2) for v in range(4)}
    again, mixed, own = {}, {}, {}
    for v, of in sums.items():
        layers, taken = chosen_by_hand(of)
        again[v] = np.array(
            [sum(draw[layer, k] for k, layer in enumerate(row)) for draw, row in zip(of, layers, strict=True)]
        )
        total = of.sum(axis=2)  # (draw, layer)
        mixed[v] = total @ taken
        own[v] = taken @ total.var(axis=0) - mixed[v].var()
    for cell, members in (((1, 1), [0]), ((1, 0), [0, 1]), ((0, 1), [0, 2]), ((0, 0), [0, 1, 2, 3])):
        mean = sum(again[v] for v in members) / len(members)
        held = np.var(sum(mixed[v] for v in members) / len(members)) + sum(own[v] for v in members) / len(members) ** 2
        assert found.choice_spread[cell] == pytest.approx(max(1.0, np.sqrt(np.var(mean) / held)), rel=1e-5)
    assert found.choice_spread.max() > 1.05


def test_neuroids_are_sampled_in_every_subject_and_region() -> None:
    subjects = np.repeat(["S1", "S2", "S3"], [50, 7, 1])
    regions = np.where(np.arange(58) % 5 == 0, "b", "a")  # S3 has region a only
    units = Units(np.arange(58).astype(str), subjects, regions)
    chosen, stands_for = sampled(units, 20)
    assert len(chosen) == 4 + 4 + 4 + 2 + 1
    assert (np.diff(chosen) > 0).all()
    for subject, region in {*zip(subjects, regions, strict=True)}:
        base = np.flatnonzero((subjects == subject) & (regions == region))
        held = np.isin(chosen, base)
        assert base[0] in chosen
        assert base[-1] in chosen
        np.testing.assert_allclose(stands_for[held], len(base) / held.sum())
    few, stands_for = sampled(units, 3)  # of five subjects and regions
    assert few.tolist() == [1, 51, 57]
    assert stands_for.tolist() == [40, 5, 1]
    everyone, stands_for = sampled(units, 500)
    assert everyone.tolist() == list(range(58))
    assert (stands_for == 1).all()


def test_means_are_over_subjects_with_neuroids() -> None:
    units = Units(np.arange(4).astype(str), np.array(["S1", "S1", "S2", "S2"]), np.array(list("abaa")))
    weights = weights_of_means(units.members, np.array([1.0, 3.0, 2.0, 2.0]))
    np.testing.assert_allclose(weights[0, 0], [0.125, 0.375, 0.25, 0.25])
    np.testing.assert_allclose(weights[0, 1], [0.5, 0, 0.25, 0.25])
    np.testing.assert_allclose(weights[0, 2], [0, 1, 0, 0])
    np.testing.assert_allclose(weights[2], [[0, 0, 0.5, 0.5], [0, 0, 0.5, 0.5], [0, 0, 0, 0]])


def test_cells_of_which_no_neuroid_is_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = replace(SETTINGS, layer_for="neuroid")
    whole = encoded(1, [0.0, 0.0, 0.0], settings).choice_spread
    monkeypatch.setattr(sampled_neuroids, "SAMPLE", 2)
    found = encoded(1, [0.0, 0.0, 0.0], settings).choice_spread
    np.testing.assert_allclose(found[1, 1], whole[1, 1], rtol=1e-6)  # the first and the last of four are sampled
    np.testing.assert_allclose(found[2, 2], whole[2, 2], rtol=1e-6)
    assert found[1, 2] == found[2, 1] == pytest.approx((whole[1, 1] + whole[2, 2]) / 2, rel=1e-6)


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
@pytest.mark.parametrize("signal", [0.0, 0.3], ids=["noise", "signal"])
@pytest.mark.parametrize("chooses", ["subject", "neuroid"])
def test_intervals_and_p_of_a_chosen_layer(chooses: str, signal: float) -> None:
    """Six layers that have most of their features in common, one chosen in each fold by the others.

    Each subject, or neuroid, of a data set chooses for itself, and each subject is a data set of its own.
    """
    number, common, subjects, width = 6, 0.8, 20, 3
    design = Design(groups=48, folds=8, neuroids=width * subjects, signal=signal)
    settings = replace(SETTINGS, split={"kind": "grouped", "folds": 8}, draws=400, layer_for=chooses)
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
            r = np.empty((number, len(names)))
            for layer, features in enumerate(layers):
                x = features[fold.train] - features[fold.train].mean(axis=0)
                ridge = x.T @ x + found.penalty[layer, k, 0] * np.eye(design.width)
                fitted = np.linalg.solve(ridge, x.T @ (y[fold.train] - y[fold.train].mean(axis=0)))
                r[layer] = np.sqrt(common) * (fitted * weights).sum(axis=0) / np.linalg.norm(fitted, axis=0)
            unit = np.arange(found.chosen_layer.shape[1])
            chosen = np.repeat(found.chosen_layer[k], len(names) // len(unit))
            truth += r[chosen, np.arange(len(names))].reshape(subjects, width).mean(axis=1) / len(folds)
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
    print(f"by {chooses}, signal {signal}: {np.mean(inside):.3f}, held {np.mean(held):.3f}, rejected {rejected:.3f}")
    assert np.mean(held) < 0.935
    assert 0.93 <= np.mean(inside) <= 0.97
    if signal == 0:
        assert 0.04 <= rejected <= 0.06
