import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import r2_score

import brainalign.encoding.dependence as dependence_module
from brainalign.encoding.bootstrap import make_draws, replicate, replicate_r
from brainalign.encoding.encoder import Encoding, encode
from brainalign.encoding.scores import Units, aggregate
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.splits import inner_blocks, make_folds
from brainalign.encoding.trial import Trial
from brainalign.errors import InputError
from brainalign.inference.replicates import small_sample_factor
from brainalign.inference.shared_training import (
    group_signs,
    pair_contributions,
    shared_training_deviations,
    shared_variance,
)
from brainalign.responses.samples import Samples

GRID = (1e-2, 1.0, 1e2)
SPLIT = {"kind": "grouped", "folds": 4, "seed": 0}
GROUPS = [f"group-{number:02d}" for number in range(30)]
PACKAGE = Path(__file__).parents[2] / "workflow_scripts"


def settings(**changes: Any) -> EncoderSettings:
    return EncoderSettings(**({"grid": GRID, "split": SPLIT, "draws": 20, "precision": "float64"} | changes))


def layers_of(features: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Layers with the signal in the first: the others have less of it, and more columns than samples."""
    random = np.random.default_rng(9)
    blurred = features + 1.2 * random.normal(size=features.shape)
    wide = np.concatenate([blurred, random.normal(size=(len(features), 130))], axis=1)
    return [("blurred", blurred), ("wide", wide), ("clear", features + 0.3 * random.normal(size=features.shape))]


def naive_encoding(
    layers: list[tuple[str, np.ndarray]], y: np.ndarray, samples: Samples, units: Units, encoder: EncoderSettings
) -> dict[str, np.ndarray]:
    """Nested cross-validation with scikit-learn in plain loops."""
    folds = make_folds(encoder.split, samples)
    shape = (len(layers), len(folds))
    found = {"r": np.empty((*shape, y.shape[1])), "penalty": np.empty((*shape, y.shape[1])), "inner": np.empty(shape)}
    for i, (_, x) in enumerate(layers):
        for k, fold in enumerate(folds):
            grid = np.array(GRID) * ((x - x.mean(axis=0)) ** 2).sum() / len(x)
            blocks = inner_blocks(folds, k, encoder.split)
            held_out = np.empty((len(grid), *y.shape))
            for block in blocks:
                rest = np.setdiff1d(fold.train, block)
                for values, penalty in zip(held_out, grid, strict=True):
                    values[block] = Ridge(penalty, solver="svd").fit(x[rest], y[rest]).predict(x[block])
            inner_r = np.empty((len(blocks), y.shape[1]))
            for v in range(y.shape[1]):
                best = np.argmin(((held_out[:, fold.train, v] - y[fold.train, v]) ** 2).sum(axis=1))
                found["penalty"][i, k, v] = grid[best]
                prediction = Ridge(grid[best], solver="svd").fit(x[fold.train], y[fold.train, v]).predict(x[fold.test])
                found["r"][i, k, v] = pearsonr(prediction, y[fold.test, v])[0]
                inner_r[:, v] = [pearsonr(held_out[best, block, v], y[block, v])[0] for block in blocks]
            found["inner"][i, k] = aggregate(inner_r, units, encoder.aggregate)[0, 0]
    return found


@pytest.mark.parametrize("name", ["mean", "schrimpf", "brain-score"])
def test_encoding_is_a_plain_nested_loop(dataset: Callable[..., Any], name: str) -> None:
    data = dataset(noise=4.0)
    encoder, units, layers = settings(aggregate=name), Units.from_table(data.neuroids), layers_of(data.features)
    ours = encode(iter(layers), data.responses, data.samples, data.neuroids, encoder)
    naive = naive_encoding(layers, data.responses, data.samples, units, encoder)
    np.testing.assert_allclose(ours.r, naive["r"], atol=1e-7)
    np.testing.assert_allclose(ours.penalty, naive["penalty"], rtol=1e-9)
    np.testing.assert_allclose(ours.inner_score, naive["inner"], atol=1e-7)
    np.testing.assert_array_equal(ours.chosen_layer[:, 0], naive["inner"].argmax(axis=0))
    assert len(set(ours.chosen_layer[:, 0].tolist())) > 1, "the data must make the choice differ between folds"
    for number in range(3):
        np.testing.assert_allclose(ours.aggregate_r[number], aggregate(naive["r"][number], units, name), atol=1e-7)
    chosen = naive["r"][ours.chosen_layer[:, 0], np.arange(4)]
    np.testing.assert_allclose(ours.aggregate_r[3], aggregate(chosen, units, name), atol=1e-7)
    assert ours.score_layers == ("blurred", "wide", "clear", "chosen")
    assert ours.aggregate_r.shape == (4, 4, 3)


def plain_pairs(x: np.ndarray, data: Any, folds: list[Any], penalty: np.ndarray, units: Units) -> np.ndarray:
    """What each test group contributes by way of each training group, with the plain formula of a ridge."""
    group = np.unique(data.samples.split_group, return_inverse=True)[1]
    total = np.zeros((30, 30, *units.members.shape[:2]))
    for k, fold in enumerate(folds):
        mean = x[fold.train].mean(axis=0)
        train, test = x[fold.train] - mean, x[fold.test] - mean
        hat = test @ np.linalg.solve(train.T @ train + penalty[k] * np.eye(train.shape[1]), train.T)
        y = data.responses[fold.train]
        prediction, centre = hat @ (y - y.mean(axis=0)), data.responses[fold.test].mean(axis=0)
        every = [(hat, np.arange(6))]
        total += pair_contributions(every, data.responses, fold, prediction, centre, group, 30, units)
    return total  # summed over folds


def moved_together(values: np.ndarray, share: float) -> np.ndarray:
    """Replicates (draw, column) whose means differ by what is not noise, number by number."""
    means = [float(np.mean(column)) for column in values.T]
    if values.shape[1] < 3:
        return values
    middle = np.median(means)
    return np.array(
        [[r - mean + middle + share * (mean - middle) for r, mean in zip(draw, means, strict=True)] for draw in values]
    )


def kept_shares(cells: list[np.ndarray], spread: list[float]) -> list[float]:
    """What of the deviations of each cell's means of replicates (draw, column) is not noise."""
    freedom = sum(values.shape[1] - 1 for values in cells)
    squares = [values.shape[1] * np.var(values.mean(axis=0)) for values in cells]
    noise = [
        own**2 * values.shape[1] * np.mean([np.var(draw - values.mean(axis=0)) for draw in values])
        for values, own in zip(cells, spread, strict=True)
    ]
    of_all = 8 / max(freedom, 1)
    return [
        float(np.sqrt(max(0.0, 1.0 - (n + of_all * sum(noise)) / max(s + of_all * sum(squares), 1e-300))))
        for n, s in zip(noise, squares, strict=True)
    ]


def medians(values: np.ndarray, units: Units, spread: np.ndarray, over_subjects: bool) -> np.ndarray:
    """Medians of replicates (draw, neuroid) in every cell, and those over subjects, where asked for."""
    found = np.empty((len(values), *spread.shape))
    for region in range(spread.shape[1]):
        cells = [values[:, units.members[subject, region]] for subject in range(1, spread.shape[0])]
        shares = kept_shares(cells, spread[1:, region].tolist())
        for subject, (own, share) in enumerate(zip(cells, shares, strict=True), 1):
            found[:, subject, region] = np.median(moved_together(own, share), axis=1)
        among = found[:, 1:, region] if over_subjects else values[:, units.members[0, region]]
        of_all = np.sqrt(np.mean(spread[1:, region] ** 2)) if over_subjects else spread[0, region]
        found[:, 0, region] = np.median(moved_together(among, kept_shares([among], [of_all])[0]), axis=1)
    return found


@pytest.mark.parametrize("name", ["mean", "schrimpf", "brain-score"])
def test_replicates_of_every_layer_and_of_the_chosen_one(dataset: Callable[..., Any], name: str) -> None:
    data = dataset(noise=4.0)
    layers, units = layers_of(data.features), Units.from_table(data.neuroids)
    encoder = settings(penalties=1.0, aggregate=name)
    ours = encode(layers, data.responses, data.samples, data.neuroids, encoder)
    assert len(set(ours.chosen_layer[:, 0].tolist())) > 1, "the data must make the choice differ between folds"
    folds = make_folds(SPLIT, data.samples)
    draws = make_draws(data.samples.split_group, folds, 20, 0)
    names, group = np.unique(data.samples.split_group, return_inverse=True)
    fold_of_group = np.array(
        [next(k for k, fold in enumerate(folds) if number in group[fold.test]) for number in range(30)]
    )
    signs = group_signs(names.tolist(), 20, 0)
    r = np.empty((3, 4, 20, 6))
    pairs = []

    def drawn(r: np.ndarray, of_pairs: np.ndarray, contributions: np.ndarray) -> np.ndarray:
        """Replicates of r (fold, draw, neuroid) with what pairs hold."""
        deviations = shared_training_deviations(of_pairs, fold_of_group, signs)
        of_mean = aggregate(r, units, "mean")
        if name == "mean":
            return of_mean + deviations
        of_folds = [contributions[fold_of_group == k] for k in range(4)]
        variance = sum(own.var(axis=0, ddof=1) * len(own) for own in of_folds)
        spread = np.sqrt(1 + shared_variance(of_pairs, fold_of_group).clip(0) / variance) * np.sqrt(30 / 26)
        if name == "schrimpf":
            found = medians(r.mean(axis=0), units, spread, over_subjects=True)
        else:
            of_fold = np.full(spread.shape, np.sqrt(30 / 26))  # groups of one fold do not train each other
            found = np.mean([medians(own, units, of_fold, over_subjects=False) for own in r], axis=0)
        return found + deviations * found.std(axis=0) / of_mean.std(axis=0)

    for i, (_, x) in enumerate(layers):
        for k, fold in enumerate(folds):
            penalty = ours.penalty[i, k, 0]
            model = Ridge(penalty, solver="svd").fit(x[fold.train], data.responses[fold.train])
            r[i, k] = replicate_r(draws, k, model.predict(x[fold.test]), data.responses[fold.test])
        pairs.append(plain_pairs(x, data, folds, ours.penalty[i, :, 0], units))
        expected = drawn(r[i], pairs[i] / 4, ours.contributions[:, i])
        np.testing.assert_allclose(ours.replicates[:, i], expected, atol=1e-6)
    chosen = r[ours.chosen_layer[:, 0], np.arange(4)]
    share = [float(np.mean(ours.chosen_layer == layer)) for layer in range(3)]
    mixed = sum(p * of_layer / 4 for p, of_layer in zip(share, pairs, strict=True))
    wanted = sum(
        p * shared_variance(of_layer / 4, fold_of_group).clip(0) for p, of_layer in zip(share, pairs, strict=True)
    )
    factor = np.sqrt(wanted / shared_variance(mixed, fold_of_group))
    expected = drawn(chosen, factor * mixed, ours.contributions[:, 3])
    wide = expected.mean(axis=0) + ours.choice_spread * (expected - expected.mean(axis=0))
    assert ours.choice_spread.max() > 1
    np.testing.assert_allclose(ours.replicates[:, 3], wide, atol=1e-6)
    assert ours.resampled == "groups within folds"
    assert ours.dependence == "counted"


def test_many_groups_are_put_together_for_the_dependence_of_folds(
    dataset: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = dataset(noise=2.0)
    encoder = settings(penalties=1.0, draws=2000)
    layers = layers_of(data.features)[:1]
    every = encode(layers, data.responses, data.samples, data.neuroids, encoder)
    monkeypatch.setattr(dependence_module, "MOST_BLOCKS", 16)
    few = encode(layers, data.responses, data.samples, data.neuroids, encoder)
    assert few.dependence == "counted"
    np.testing.assert_array_equal(few.contributions, every.contributions)
    np.testing.assert_allclose(few.replicates.std(axis=0), every.replicates.std(axis=0), rtol=0.25)
    folds = make_folds(SPLIT, data.samples)
    group = np.unique(data.samples.split_group, return_inverse=True)[1]
    fold_of_group = np.array(
        [next(k for k, fold in enumerate(folds) if number in group[fold.test]) for number in range(30)]
    )
    np.testing.assert_array_equal(every.fold_of_block, fold_of_group)
    assert len(few.fold_of_block) == 16
    assert few.pairs.shape[:2] == (16, 16)
    np.testing.assert_allclose(few.pairs.sum(axis=(0, 1)), every.pairs.sum(axis=(0, 1)), atol=1e-9)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"aggregate": "schrimpf"}, "counted"),
        ({"aggregate": "mean", "regression": "ols"}, "counted"),
        ({"kernel": "rbf"}, "counted"),
        ({"split": {"kind": "leave-one-group-out", "small_folds": "pool"}}, "counted"),
        ({"split": {"kind": "shuffle", "folds": 4, "test": 0.3, "seed": 0}}, "not counted"),
        ({"split": {"kind": "kfold", "folds": 4, "seed": 0}}, "not counted"),
        ({"split": {"kind": "fixed", "column": "split_group", "train": GROUPS[:20], "test": GROUPS[20:]}}, "one fold"),
    ],
)
def test_how_the_dependence_of_folds_is_counted(dataset: Callable[..., Any], changes: Any, kind: str) -> None:
    data = dataset()
    units = Units.from_table(data.neuroids)
    layers = layers_of(data.features)[::2]
    ours = encode(layers, data.responses, data.samples, data.neuroids, settings(**changes))
    assert ours.dependence == kind
    assert np.isfinite(ours.replicates).all()
    if kind == "one fold":
        assert ours.group_names == tuple(GROUPS[20:])
        assert ours.groups == 10
        np.testing.assert_allclose(ours.contributions.sum(axis=0), ours.aggregate_r, atol=1e-9)
        trial = Trial(data.responses, data.samples, data.neuroids, settings(**changes))
        predictions = [fit.prediction for fit in trial.fit(trial.spaces(*layers[0]))]
        plain = replicate(trial.draws, predictions, trial.truths, units, "mean")
        np.testing.assert_array_equal(ours.replicates[:, 0], plain)
    elif kind == "not counted":
        assert np.isnan(ours.contributions).all()
    elif changes.get("aggregate") == "mean" or "kernel" in changes:
        assert len(ours.group_names) == 30
        np.testing.assert_allclose(ours.contributions.sum(axis=0), ours.aggregate_r, atol=1e-9)
    else:
        means = np.stack([aggregate(r, units, "mean") for r in ours.r])
        assert ours.contributions.shape == (30, 3, *means.shape[1:])


def test_what_few_groups_share_is_taken_for_the_most(dataset: Callable[..., Any]) -> None:
    """Three groups, each held out once: folds are drawn, and their replicates widened for few folds and by √2."""
    data = dataset()
    groups = np.array([f"group-{number}" for number in range(3)])[
        np.arange(len(data.responses)) * 3 // len(data.responses)
    ]
    samples, units = Samples({"split_group": groups}), Units.from_table(data.neuroids)
    ours = encode(
        layers_of(data.features)[:1],
        data.responses,
        samples,
        data.neuroids,
        settings(split={"kind": "leave-one-group-out"}, layer="best"),
    )
    assert (ours.dependence, ours.resampled) == ("widened", "folds")
    draws = make_draws(groups, make_folds({"kind": "leave-one-group-out"}, samples), 20, 0)
    of_folds = np.stack([aggregate(r[None], units, "mean") for r in ours.r[0]])  # (fold, subject, region)
    plain = np.einsum("df,fsr->dsr", draws.fold_weights / 3, of_folds)
    mean = plain.mean(axis=0)
    expected = mean + small_sample_factor(3) * np.sqrt(2) * (plain - mean)
    np.testing.assert_allclose(ours.replicates[:, 0], expected, atol=1e-6)


@pytest.mark.parametrize("seed", [0, 1])
def test_as_published_is_least_squares_with_the_best_test_layer(dataset: Callable[..., Any], seed: int) -> None:
    data = dataset(seed=seed)
    split = {"kind": "shuffle", "folds": 5, "test": 0.2, "seed": 1}
    encoder = settings(regression="ols", split=split, layer="best", aggregate="brain-score")
    layers = layers_of(data.features)
    ours = encode(layers, data.responses, data.samples, data.neuroids, encoder)
    for i, (_, x) in enumerate(layers):
        for k, fold in enumerate(make_folds(split, data.samples)):
            model = LinearRegression().fit(x[fold.train], data.responses[fold.train])
            prediction = model.predict(x[fold.test])
            r = [pearsonr(prediction[:, v], data.responses[fold.test, v])[0] for v in range(6)]
            np.testing.assert_allclose(ours.r[i, k], r, atol=1e-8)
    best = int(np.argmax(ours.aggregate_r[:3, 0, 0]))
    np.testing.assert_array_equal(ours.chosen_layer, best)
    np.testing.assert_allclose(ours.aggregate_r[3], ours.aggregate_r[best])
    np.testing.assert_array_equal(ours.replicates[:, 3], ours.replicates[:, best])
    assert np.isnan(ours.inner_score).all()
    assert np.isnan(ours.penalty).all()
    assert np.isnan(ours.edge_share).all()
    np.testing.assert_array_equal(ours.rank, np.broadcast_to([[8], [95], [8]], (3, 5)))


def test_r2_is_against_the_training_mean(dataset: Callable[..., Any]) -> None:
    data = dataset(noise=4.0)
    encoder = settings(penalties=1.0)
    ours = encode(layers_of(data.features), data.responses, data.samples, data.neuroids, encoder)
    for i, (_, x) in enumerate(layers_of(data.features)):
        for k, fold in enumerate(make_folds(SPLIT, data.samples)):
            truth, train = data.responses[fold.test], data.responses[fold.train]
            prediction = Ridge(ours.penalty[i, k, 0], solver="svd").fit(x[fold.train], train).predict(x[fold.test])
            total = ((truth - train.mean(axis=0)) ** 2).sum(axis=0)
            np.testing.assert_allclose(ours.r2[i, k], 1 - ((truth - prediction) ** 2).sum(axis=0) / total, atol=1e-8)
    np.testing.assert_allclose(ours.aggregate_r2[:3], aggregate_of(ours.r2, data), atol=1e-8)


def test_r2_against_the_test_mean_is_scikit_learns(dataset: Callable[..., Any]) -> None:
    data = dataset(noise=4.0)
    ours = encode(layers_of(data.features), data.responses, data.samples, data.neuroids, settings(penalties=1.0))
    found = np.empty((3, 4, data.responses.shape[1]))
    for i, (_, x) in enumerate(layers_of(data.features)):
        for k, fold in enumerate(make_folds(SPLIT, data.samples)):
            train = data.responses[fold.train]
            prediction = Ridge(ours.penalty[i, k, 0], solver="svd").fit(x[fold.train], train).predict(x[fold.test])
            found[i, k] = r2_score(data.responses[fold.test], prediction, multioutput="raw_values")
    np.testing.assert_allclose(ours.aggregate_r2_test_mean[:3], aggregate_of(found, data), atol=1e-8)
    chosen = found[ours.chosen_layer[:, 0], np.arange(4)]
    np.testing.assert_allclose(ours.chosen_r2_test_mean, chosen, atol=1e-8)
    assert (ours.aggregate_r2_test_mean < ours.aggregate_r2).all()


def test_r2_against_the_test_mean_of_pooled_folds_is_scikit_learns(dataset: Callable[..., Any]) -> None:
    data = dataset(noise=4.0)
    split = {"kind": "leave-one-group-out", "small_folds": "pool"}
    x = data.features
    ours = encode([("layer", x)], data.responses, data.samples, data.neuroids, settings(penalties=1.0, split=split))
    held_out, rows = [], []
    for k, fold in enumerate(make_folds(split, data.samples)):
        model = Ridge(ours.penalty[0, k, 0], solver="svd").fit(x[fold.train], data.responses[fold.train])
        held_out.append(model.predict(x[fold.test]))
        rows.append(fold.test)
    found = r2_score(data.responses[np.concatenate(rows)], np.concatenate(held_out), multioutput="raw_values")
    np.testing.assert_allclose(ours.chosen_r2_test_mean[0], found, atol=1e-8)
    assert np.abs(ours.chosen_r2[0] - found).max() > 1e-4


def aggregate_of(values: np.ndarray, data: Any) -> np.ndarray:
    return np.stack([aggregate(layer, Units.from_table(data.neuroids), "mean") for layer in values])


def pooled_pairs(
    x: np.ndarray, data: Any, folds: list[Any], model: Any, deviation: np.ndarray, length: np.ndarray
) -> np.ndarray:
    """What groups contribute to a pooled r by way of one another, with the linear maps that scikit-learn's model has.

    length : of each fold's weights (fold, neuroid), by which the deviations were divided.
    """
    group = np.unique(data.samples.split_group, return_inverse=True)[1]
    pairs = np.zeros((30, 30, 1, 6))
    y = data.responses - data.responses.mean(axis=0)
    z = y / (np.linalg.norm(deviation - deviation.mean(axis=0), axis=0) * np.linalg.norm(y, axis=0))
    for tested, fold in enumerate(folds):
        n = len(fold.train)
        hat = model.fit(x[fold.train], np.eye(n)).predict(x[fold.test]) - 1 / n
        given = y[fold.train] - y[fold.train].mean(axis=0)
        for h in np.unique(group[fold.train]):
            of_group = group[fold.train] == h
            pairs[tested, h, 0] = (z[fold.test] * (hat[:, of_group] @ given[of_group])).sum(axis=0) / length[tested]
    return aggregate_of(pairs.reshape(-1, 1, 6), data).reshape(30, 30, 4, 3)


@pytest.mark.parametrize("regression", ["ridge", "ols"])
def test_small_folds_are_pooled(dataset: Callable[..., Any], regression: str) -> None:
    data = dataset(noise=2.0)
    split = {"kind": "leave-one-group-out", "small_folds": "pool"}
    encoder = settings(split=split, regression=regression, penalties="per-neuroid" if regression == "ols" else 1.0)
    layers = layers_of(data.features)[::2]
    ours = encode(layers, data.responses, data.samples, data.neuroids, encoder)
    assert ours.r.shape == (2, 1, 6)
    assert ours.chosen_layer.shape == (30, 1)
    folds, units = make_folds(split, data.samples), Units.from_table(data.neuroids)
    rows = np.concatenate([fold.test for fold in folds])
    draws = make_draws(data.samples.split_group, [replace(folds[0], test=rows)], 20, 0)
    inner = np.empty((2, 30))
    for i, (_, x) in enumerate(layers):
        model = LinearRegression() if regression == "ols" else Ridge(ours.penalty[i, 0, 0], solver="svd")
        # of the prediction from the mean of the rows that trained it, for weights of length 1
        deviation, length = np.empty_like(data.responses), np.empty((30, 6))
        for k, fold in enumerate(folds):
            train = data.responses[fold.train]
            deviation[fold.test] = model.fit(x[fold.train], train).predict(x[fold.test]) - train.mean(axis=0)
            length[k] = np.linalg.norm(model.coef_, axis=1)
            deviation[fold.test] /= length[k]
            held_out = np.empty_like(data.responses)
            for other in (other for number, other in enumerate(folds) if number != k):
                rest = np.setdiff1d(fold.train, other.test)
                model.fit(x[rest], data.responses[rest])
                held_out[other.test] = model.predict(x[other.test]) - data.responses[rest].mean(axis=0)
            own = fold.train
            r = [pearsonr(held_out[own, v], data.responses[own, v])[0] for v in range(6)]
            inner[i, k] = aggregate(np.array([r]), units, "mean")[0, 0]
        r = [pearsonr(deviation[:, v], data.responses[:, v])[0] for v in range(6)]
        np.testing.assert_allclose(ours.r[i, 0], r, atol=1e-8)
        drawn = aggregate(replicate_r(draws, 0, deviation[rows], data.responses[rows])[None], units, "mean")
        of_pairs = pooled_pairs(x, data, folds, model, deviation, length)
        deviations = shared_training_deviations(of_pairs, np.arange(30), group_signs(GROUPS, 20, 0))
        np.testing.assert_allclose(ours.replicates[:, i], drawn + deviations, atol=1e-6)
    np.testing.assert_allclose(ours.inner_score, inner, atol=1e-8)
    np.testing.assert_allclose(ours.contributions.sum(axis=0), ours.aggregate_r, atol=1e-8)
    assert ours.resampled == "groups within folds"


@pytest.mark.parametrize("unit", ["subject", "neuroid"])
def test_a_layer_for_every_subject_or_neuroid(dataset: Callable[..., Any], unit: str) -> None:
    """The first subject's neuroids follow one layer, the second's another."""
    data = dataset()
    other = np.random.default_rng(3).normal(size=data.features.shape)
    second = data.neuroids["subject"] == data.neuroids["subject"][-1]
    responses = np.array(data.responses)
    responses[:, second] = other[:, :2] @ np.ones((2, second.sum())) + 0.3 * data.responses[:, second]
    layers = [("first", data.features), ("other", other)]
    ours = encode(layers, responses, data.samples, data.neuroids, settings(layer_for=unit))
    units = list(dict.fromkeys(data.neuroids["subject"])) if unit == "subject" else data.neuroids["neuroid"].tolist()
    assert ours.chosen_layer.shape == (4, len(units))
    of_neuroid = second.astype(int)
    expected = of_neuroid if unit == "neuroid" else np.arange(len(units)) == len(units) - 1
    np.testing.assert_array_equal(ours.chosen_layer, np.broadcast_to(expected, ours.chosen_layer.shape))
    r = np.stack([ours.r[layer, :, number] for number, layer in enumerate(of_neuroid)], axis=1)
    np.testing.assert_allclose(ours.aggregate_r[2], aggregate(r, Units.from_table(data.neuroids), "mean"), atol=1e-9)


def test_rows_in_the_gap_of_an_inner_fold_train_nothing(dataset: Callable[..., Any]) -> None:
    data = dataset()
    split = {"kind": "contiguous", "folds": 4, "gap": 3}
    ours = encode([("x", data.features)], data.responses, data.samples, data.neuroids, settings(split=split))
    grid = np.array(GRID) * ((data.features - data.features.mean(axis=0)) ** 2).sum() / 120
    for k in range(4):
        tests = [np.arange(30 * other, 30 * other + 30) for other in range(4)]
        train = np.array([row for row in range(120) if not 30 * k - 3 <= row < 30 * k + 33])
        errors = np.zeros((3, 6))
        for other in (other for other in range(4) if other != k):
            held = np.intersect1d(tests[other], train)
            rest = np.array([row for row in train if np.abs(row - held).min() > 3])
            for number, penalty in enumerate(grid):
                model = Ridge(penalty, solver="svd").fit(data.features[rest], data.responses[rest])
                errors[number] += ((model.predict(data.features[held]) - data.responses[held]) ** 2).sum(axis=0)
        np.testing.assert_allclose(ours.penalty[0, k], grid[errors.argmin(axis=0)])


def test_fixed_layer(dataset: Callable[..., Any]) -> None:
    data = dataset()
    layers = layers_of(data.features)
    encoder = settings(layer="fixed", fixed_layer="wide")
    ours = encode(layers, data.responses, data.samples, data.neuroids, encoder)
    np.testing.assert_array_equal(ours.chosen_layer, 1)
    np.testing.assert_allclose(ours.aggregate_r[3], ours.aggregate_r[1])
    with pytest.raises(InputError, match="unknown layer 'wider'; did you mean 'wide'"):
        encode(layers, data.responses, data.samples, data.neuroids, replace(encoder, fixed_layer="wider"))


@pytest.mark.parametrize("extra", [0, 140])
def test_group_indicators_score_nothing_when_groups_are_held_out(dataset: Callable[..., Any], extra: int) -> None:
    """A text-free code of the passage predicts where passages share noise and rows of them are in training."""
    data = dataset(groups=30)
    group = np.repeat(np.arange(30), 4)
    noise = np.random.default_rng(0).normal(size=(30, 6))[group]
    responses = noise + 0.5 * data.responses
    padding = np.full((120, extra), 0.1)  # more columns than samples: the other form of the same algebra
    indicator = np.concatenate([np.eye(30)[group], padding], axis=1)

    def encoded(split: dict[str, Any]) -> Encoding:
        encoder = settings(split=split, grid=(1e-4, 1.0, 1e4))
        return encode([("indicator", indicator)], responses, data.samples, data.neuroids, encoder)

    grouped = encoded(SPLIT)
    assert np.array_equal(grouped.r, np.zeros_like(grouped.r))
    assert np.array_equal(grouped.replicates[:, 0], np.zeros_like(grouped.replicates[:, 0]))
    np.testing.assert_array_equal(grouped.constant_predictions, 6)
    assert encoded({"kind": "kfold", "folds": 4, "seed": 0}).aggregate_r[0, 0, 0] > 0.3


@pytest.mark.parametrize("width", [5, 70])
def test_noise_features_have_a_mean_r_of_zero(dataset: Callable[..., Any], width: int) -> None:
    data = dataset(n=80, groups=20, neuroids=3)
    encoder = settings(grid=tuple(np.logspace(-2, 3, 6)), draws=1)
    scores = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        features, responses = random.normal(size=(80, width)), random.normal(size=(80, 3))
        scores.append(
            encode([("noise", features)], responses, data.samples, data.neuroids, encoder).aggregate_r[1, 0, 0]
        )
    assert abs(np.mean(scores)) < 3 * np.std(scores) / np.sqrt(len(scores))


def test_scores_do_not_depend_on_the_features_scale_or_mean(dataset: Callable[..., Any]) -> None:
    data = dataset()
    shifted = 300 * data.features + 1e5
    both = encode([("a", data.features), ("b", shifted)], data.responses, data.samples, data.neuroids, settings())
    np.testing.assert_allclose(both.r[0], both.r[1], atol=1e-8)


@pytest.mark.parametrize("inner", ["folds", "leave-one-out"])
@pytest.mark.parametrize("regression", ["ridge", "ols"])
def test_constant_features_score_nothing_and_are_counted(
    dataset: Callable[..., Any], regression: str, inner: str
) -> None:
    """As the embedding of a full stop that ends every sentence."""
    data = dataset()
    layers = [("constant", np.full((len(data.responses), 5), 3.0)), ("features", data.features)]
    choice = {"regression": regression, "inner": inner, "split": {"kind": "grouped", "by": "split_group", "folds": 5}}
    found = encode(layers, data.responses, data.samples, data.neuroids, EncoderSettings(draws=5, **choice))
    assert (found.r[0] == 0).all()
    assert (found.rank[0] == 0).all()
    assert (found.constant_predictions[0] == data.responses.shape[1]).all()
    assert (found.chosen_layer == 1).all()


def test_repetitions_are_averaged_and_gaps_left_out(dataset: Callable[..., Any]) -> None:
    data = dataset()
    repeated = np.stack([data.responses + 1, data.responses - 1, np.full_like(data.responses, np.nan)])
    layers = layers_of(data.features)
    once = encode(layers, data.responses, data.samples, data.neuroids, settings())
    thrice = encode(layers, repeated, data.samples, data.neuroids, settings())
    np.testing.assert_allclose(once.r, thrice.r, atol=1e-10)


def series(data: Any) -> Samples:
    runs = np.repeat(["r1", "r2", "r3", "r4"], 30)
    onset = np.tile(2.0 * np.arange(30), 4)
    return Samples({"split_group": runs, "run": runs, "onset_s": onset})


def test_delays_and_zscores_come_before_the_folds(dataset: Callable[..., Any]) -> None:
    data = dataset()
    samples, x = series(data), data.features
    encoder = settings(delays=(0, 2), zscore=True, penalties=1.0, split={"kind": "leave-one-group-out"})
    ours = encode([("x", x)], data.responses, samples, data.neuroids, encoder)
    by_run = x.reshape(4, 30, -1)
    scored = (by_run - by_run.mean(axis=1, keepdims=True)) / by_run.std(axis=1, keepdims=True)
    later = np.concatenate([np.zeros((4, 2, scored.shape[2])), scored[:, :-2]], axis=1)
    delayed = np.concatenate([scored, later], axis=2).reshape(120, -1)
    plain = encode([("x", delayed)], data.responses, samples, data.neuroids, replace(encoder, delays=(), zscore=False))
    np.testing.assert_allclose(ours.r, plain.r, atol=1e-9)
    assert ours.resampled == "folds"


def test_delays_need_onsets_and_are_left_out_for_single_sentences(dataset: Callable[..., Any]) -> None:
    data = dataset()
    layers = [("x", data.features)]
    plain = encode(layers, data.responses, data.samples, data.neuroids, settings())
    delayed = encode(layers, data.responses, data.samples, data.neuroids, settings(delays=(1, 2)))
    np.testing.assert_array_equal(plain.r, delayed.r)


@pytest.mark.parametrize(("runs", "level"), [(0, "INFO"), (1, "INFO"), (4, "WARNING")])
def test_what_is_left_out_without_onsets_is_told(
    dataset: Callable[..., Any], caplog: pytest.LogCaptureFixture, runs: int, level: str
) -> None:
    data = dataset()
    columns = dict(series(data).columns)
    del columns["onset_s"]
    if runs < 2:
        columns |= {"run": np.full(120, "run-1")}
    if not runs:
        del columns["run"]
    caplog.set_level("INFO")
    encoder = settings(delays=(1, 2), trim=(3, 0))
    encode(
        [("x", data.features)], data.responses, Samples(columns | dict(data.samples.columns)), data.neuroids, encoder
    )
    (told,) = (record for record in caplog.records if "onset_s" in record.getMessage())
    assert told.levelname == level
    assert told.getMessage().endswith("so that delays 1, 2 and trimming 3 and 0 are left out")
    caplog.clear()
    encode([("x", data.features)], data.responses, series(data), data.neuroids, settings(delays=(1,), split=SPLIT))
    assert "left out" not in caplog.text


def _with(values: np.ndarray, where: Any, value: float) -> np.ndarray:
    changed = np.array(values)
    changed[where] = value
    return changed


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda x, y: ([("x", _with(x, (3, 2), np.nan))], y), "layer 'x' has 1 NaN or infinite values of 960."),
        (
            lambda x, y: ([("x", np.clip(1e200 * x, -1e200, 1e200))], y),
            "the largest absolute value of layer 'x' is 1e+200, but must lie between 1e-50 and 1e+50 (or be 0), "
            "so that products of features can be computed.",
        ),
        (lambda x, y: ([("x", x[:-1])], y), "layer 'x' has shape (119, 8), but there are 120 samples."),
        (lambda x, y: ([], y), "there is no layer to encode."),
        (
            lambda x, y: ([("x", x)], _with(y, (0, [1, 4]), np.inf)),
            "2 of 6 neuroids have NaN or infinite responses, the first is 'n1'.",
        ),
        (
            lambda x, y: ([("x", x)], _with(y, (slice(None), 5), 0.25)),
            "1 of 6 neuroids have the same response to every sample, the first is 'n5'.",
        ),
        (
            lambda x, y: ([("x", x)], y[:, :3]),
            "the responses have shape (120, 3), but there are 120 samples and 6 neuroids.",
        ),
    ],
)
def test_bad_input_is_refused_with_a_sentence(dataset: Callable[..., Any], change: Any, sentence: str) -> None:
    data = dataset()
    layers, responses = change(data.features, data.responses)
    with pytest.raises(InputError) as caught:
        encode(layers, responses, data.samples, data.neuroids, settings())
    assert str(caught.value) == sentence


def test_features_may_be_as_large_and_small_as_is_said(dataset: Callable[..., Any]) -> None:
    data = dataset()
    x = data.features / np.abs(data.features).max()
    for changes in ({}, {"regression": "ols"}, {"kernel": "rbf"}, {"inner": "leave-one-out"}):
        encoder = settings(**changes)
        plain, large, small = (
            encode([("x", factor * x)], data.responses, data.samples, data.neuroids, encoder)
            for factor in (1.0, 1e50, 1.001e-50)
        )
        np.testing.assert_allclose(large.r, plain.r, atol=1e-6)
        np.testing.assert_allclose(small.r, plain.r, atol=1e-6)


def test_neuroids_constant_in_one_folds_test_rows_are_refused(dataset: Callable[..., Any]) -> None:
    data = dataset()
    rows = make_folds(SPLIT, data.samples)[2].test
    responses = _with(data.responses, (rows, 3), 1.0)
    with pytest.raises(InputError, match=r"every test sample of fold 2, the first is 'n3'"):
        encode([("x", data.features)], responses, data.samples, data.neuroids, settings())


def test_layers_are_taken_one_at_a_time(dataset: Callable[..., Any]) -> None:
    data = dataset()
    taken: list[str] = []

    def lazily() -> Any:
        for name, features in layers_of(data.features):
            taken.append(name)
            yield name, features

    encode(lazily(), data.responses, data.samples, data.neuroids, settings())
    assert taken == ["blurred", "wide", "clear"]


def test_imports_only_numpy() -> None:
    code = (
        "import sys; import brainalign.encoding.encoder, brainalign.ceilings.subject_pool, brainalign.ceilings.given; "
        "print([name for name in ('scipy', 'sklearn', 'pandas', 'torch') if name in sys.modules])"
    )
    environment = {"PYTHONPATH": str(PACKAGE), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"


def encode_series(signal: float, split: dict[str, Any]) -> Encoding:
    random = np.random.default_rng(4)
    runs = np.repeat(["r1", "r2", "r3", "r4"], 40)
    samples = Samples({"split_group": runs, "run": runs, "onset_s": np.tile(np.arange(40.0), 4)})
    x, noise = random.normal(size=(160, 5)), random.normal(size=(164, 8))
    y = signal * x[:, :1] + noise[4:] + 0.8 * noise[3:-1] + 0.6 * noise[2:-2]
    neuroids = {"neuroid": np.arange(8).astype(str), "subject": ["S1"] * 4 + ["S2"] * 4, "region": ["x"] * 8}
    return encode([("layer", x)], y, samples, neuroids, settings(split=split, draws=20))


def test_series_are_tested_by_shifts_inside_runs() -> None:
    by_run: dict[str, Any] = {"kind": "grouped", "folds": 4, "seed": 0}
    assert encode_series(0.0, by_run).shift_p[0, 0] > 0.05
    found = encode_series(1.0, by_run).shift_p
    assert found.shape == (3, 2)
    assert (found <= 0.01).all()
    assert (encode_series(1.0, {"kind": "contiguous", "folds": 4, "gap": 2}).shift_p <= 0.01).all()


def test_pooled_series_are_tested_by_shifts_of_the_pooled_r() -> None:
    """Every offset of both runs, each held out as a whole, with plain refits."""
    random, run = np.random.default_rng(0), np.repeat(["r1", "r2", "r3"], 24)
    samples = Samples({"split_group": run, "run": run, "onset_s": np.tile(np.arange(24.0), 3)})
    x = random.normal(size=(72, 2))
    y = 0.35 * x[:, :1] + random.normal(size=(72, 2)) + np.repeat([1.0, 0.0, -1.0], 24)[:, None]
    neuroids = {"neuroid": ["a", "b"], "subject": ["S1", "S1"], "region": ["l", "l"]}
    split = {"kind": "leave-one-group-out", "small_folds": "pool"}
    encoder = settings(split=split, penalties=1.0, grid_scale="absolute", layer="best")
    found = encode([("layer", x)], y, samples, neuroids, encoder).shift_p
    deviation = np.empty_like(y)
    for test in np.arange(72).reshape(3, 24):
        rest = np.delete(np.arange(72), test)
        model = Ridge(1.0).fit(x[rest], y[rest])
        deviation[test] = model.predict(x[test]) - y[rest].mean(axis=0)
        deviation[test] /= np.linalg.norm(model.coef_, axis=1)  # one scale for all folds
    deviation = (deviation - deviation.mean(axis=0)) / deviation.std(axis=0)
    truth = (y - y.mean(axis=0)) / y.std(axis=0)
    # what each run adds to r at each offset, the mean over neuroids; offset 0 is no shift
    runs = np.array(
        [
            [np.mean(np.roll(deviation[part], o, axis=0) * truth[part], axis=1).sum() / 72 for o in range(24)]
            for part in np.arange(72).reshape(3, 24)
        ]
    )
    shifted = runs[0, 1:, None, None] + runs[1, None, 1:, None] + runs[2, None, None, 1:]  # 23³ combinations
    p = (1 + np.sum(shifted >= runs[:, 0].sum() / np.sqrt(2))) / (1 + shifted.size)
    assert 0.001 < p < 0.5
    np.testing.assert_allclose(found, p, rtol=1e-6)


@pytest.mark.parametrize(
    "split", [{"kind": "kfold", "folds": 4, "seed": 0}, {"kind": "shuffle", "folds": 4, "test": 0.3, "seed": 0}]
)
def test_what_is_no_series_when_it_is_tested_is_not_shifted(split: dict[str, Any]) -> None:
    assert np.isnan(encode_series(1.0, split).shift_p).all()


@pytest.mark.parametrize("unit", [1e-13, 1e9, 1e16])
@pytest.mark.parametrize("changes", [{}, {"penalties": "shared"}, {"layer": "best"}], ids=str)
def test_scores_do_not_depend_on_the_unit_of_the_responses(
    dataset: Callable[..., Any], unit: float, changes: dict[str, Any]
) -> None:
    data, encoder = dataset(noise=2.0), settings(**{"precision": "float32"} | changes)
    layers = layers_of(data.features)
    ours, scaled = (
        encode(layers, values, data.samples, data.neuroids, encoder)
        for values in (data.responses, unit * data.responses)
    )
    for name in ("r", "r2", "aggregate_r", "replicates", "replicates_r2", "contributions", "inner_score", "pairs"):
        np.testing.assert_allclose(getattr(scaled, name), getattr(ours, name), atol=5e-6, err_msg=name)


@pytest.mark.parametrize("unit", [1e-16, 1e19])
def test_responses_that_float32_does_not_hold_are_refused(dataset: Callable[..., Any], unit: float) -> None:
    data = dataset()
    given = layers_of(data.features), unit * data.responses, data.samples, data.neuroids
    with pytest.raises(InputError, match=r"6 of 6 neuroids vary by less than 1e-14 or more than 1e\+17.*precision"):
        encode(*given, settings(precision="float32"))
    exact = encode(*given, settings())
    plain = encode(given[0], data.responses, *given[2:], settings())
    np.testing.assert_allclose(exact.r, plain.r, atol=1e-9)


@pytest.mark.parametrize("layer_for", ["all", "subject"])
def test_pooled_folds_of_few_groups_have_scores_and_no_interval(dataset: Callable[..., Any], layer_for: str) -> None:
    data = dataset(groups=3)
    split = {"kind": "leave-one-group-out", "small_folds": "pool"}
    settings = EncoderSettings(split=split, draws=20, layer_for=layer_for, grid=(1.0, 10.0))
    layers = [("one", data.features), ("other", data.features[:, ::2])]
    found = encode(layers, data.responses, data.samples, data.neuroids, settings)
    assert (found.aggregate_r[:, 0, 0] > 0).all()
    assert np.isnan(found.replicates).all()
    assert found.resampled == "nothing"


def test_one_group_in_overlapping_folds_has_no_interval(dataset: Callable[..., Any]) -> None:
    """Drawn again it is itself, so that an interval would have no width."""
    data = dataset(groups=1)
    settings = EncoderSettings(split={"kind": "shuffle", "folds": 3, "test": 0.2, "seed": 1}, draws=20, layer="best")
    found = encode([("layer", data.features)], data.responses, data.samples, data.neuroids, settings)
    assert found.aggregate_r[0, 0, 0] > 0
    assert np.isnan(found.replicates).all()


def test_another_baseline_of_the_tested_part_changes_no_test(dataset: Callable[..., Any]) -> None:
    """As of responses that were measured in another session than those that trained."""
    data = dataset()
    part = np.where(np.arange(120) < 60, "a", "b")
    samples = Samples(dict(data.samples.columns) | {"part": part})
    settings = EncoderSettings(
        split={"kind": "fixed", "column": "part", "train": "a", "test": "b"}, draws=20, precision="float64"
    )
    plain, moved = (
        encode(
            [("layer", data.features)], data.responses + by * (part == "b")[:, None], samples, data.neuroids, settings
        )
        for by in (0.0, 50.0)
    )
    np.testing.assert_allclose(moved.aggregate_r, plain.aggregate_r, atol=1e-9)
    np.testing.assert_allclose(moved.contributions, plain.contributions, atol=1e-9)
    np.testing.assert_allclose(plain.contributions[:, 0].sum(axis=0), plain.aggregate_r[0], atol=1e-9)
