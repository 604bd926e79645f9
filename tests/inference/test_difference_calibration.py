"""Are differences of models, and whole layer curves, covered and rejected as stated?

Over simulated data sets whose population scores are known, with fixed seeds.
"""

from typing import Any

import numpy as np
import pytest

from brainalign.encoding.encoder import encode
from brainalign.encoding.scores import Units, aggregate
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.splits import make_folds
from brainalign.inference.paired import paired_difference
from brainalign.inference.simultaneous import simultaneous_interval
from brainalign.intervals import percentile_interval
from brainalign.responses.samples import Samples
from inference.simulated import Design, replicates_of, simulate

BATCH, DRAWS = 100, 1000


def covered(replicates: np.ndarray, truth: np.ndarray) -> np.ndarray:
    low, high = percentile_interval(replicates)
    return (low <= truth) & (truth <= high)


@pytest.mark.slow
@pytest.mark.parametrize("signal", [0.0, 0.4])
def test_differences_of_models_are_covered_and_rejected_as_stated(signal: float) -> None:
    design = Design(signal=signal)
    inside, rejected, plainly = [], [], []
    for batch in range(2000 // BATCH):
        sets = list(simulate(design, BATCH, 1000 + batch, spaces=2))
        responses = [values for values, _ in sets]
        (plain_a, a), (plain_b, b) = (
            replicates_of(design, responses, [spaces[model] for _, spaces in sets], DRAWS, batch) for model in (0, 1)
        )
        truth = np.array([spaces[0].population - spaces[1].population for _, spaces in sets])
        scores = np.array([[one.contributions.sum() for one in spaces] for _, spaces in sets]).T
        inside.append(covered(a - b, truth))
        rejected.append(paired_difference(scores[0] - truth, scores[1], a - truth, b).p <= 0.05)
        plainly.append(paired_difference(scores[0] - truth, scores[1], plain_a - truth, plain_b).p <= 0.05)
    print(
        f"signal {signal}: covered {np.mean(inside):.4f} rejected {np.mean(rejected):.4f} plain {np.mean(plainly):.4f}"
    )
    assert 0.93 <= np.mean(inside) <= 0.97
    assert 0.04 <= np.mean(rejected) <= 0.06
    assert np.mean(plainly) > 0.08


@pytest.mark.slow
@pytest.mark.parametrize("signal", [0.4])
def test_bands_cover_whole_layer_curves(signal: float) -> None:
    design, layers = Design(signal=signal), 5
    whole, alone = [], []
    for batch in range(800 // BATCH):
        sets = list(simulate(design, BATCH, 2000 + batch, spaces=layers))
        responses = [values for values, _ in sets]
        replicates = np.stack(
            [
                replicates_of(design, responses, [spaces[layer] for _, spaces in sets], DRAWS, batch)[1]
                for layer in range(layers)
            ],
            axis=1,
        )
        truth = np.array([[one.population for one in spaces] for _, spaces in sets]).T  # (layer, data set)
        low, high, _ = simultaneous_interval(replicates)
        whole.append(((low <= truth) & (truth <= high)).all(axis=0))
        alone.append(covered(replicates, truth).all(axis=0))
    print(f"signal {signal}: band {np.mean(whole):.4f}, intervals of single layers {np.mean(alone):.4f}")
    assert 0.93 <= np.mean(whole) <= 0.97
    assert np.mean(alone) < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("signal", [0.0, 0.4])
@pytest.mark.parametrize(
    ("how", "width"),
    [({"aggregate": "schrimpf"}, 1), ({"aggregate": "schrimpf"}, 5), ({"small_folds": "pool"}, 1)],
    ids=["median", "median of five", "pooled"],
)
def test_differences_of_medians_and_of_pooled_folds_are_covered_as_stated(
    how: dict[str, Any], width: int, signal: float
) -> None:
    """Each subject of a data set is a data set of its own. Medians of five are a little careful."""
    design, subjects = Design(groups=30, folds=5, signal=signal), 40 // width
    pools = "small_folds" in how
    split = {"kind": "grouped", "folds": design.folds} | (how if pools else {})
    name = how.get("aggregate", "mean")
    names = np.repeat([f"S{number}" for number in range(subjects)], width)
    table = {"neuroid": np.arange(40).astype(str), "subject": names, "region": np.full(40, "x")}
    samples, units = Samples({"split_group": design.group.astype(str)}), Units.from_table(table)
    inside, rejected = [], []
    for seed in range(60):
        random = np.random.default_rng(seed)
        spaces = [design.grouped(random, design.width, design.shared_features) for _ in range(2)]
        weights = random.normal(size=(2, design.width, 40))
        weights *= signal / np.sqrt(2) / np.linalg.norm(weights, axis=1, keepdims=True)
        noise = np.sqrt(1 - signal**2) * design.grouped(random, 40, design.shared_noise)
        y = sum(x @ w for x, w in zip(spaces, weights, strict=True)) + noise
        settings = EncoderSettings(
            split=split, draws=500, aggregate=name, penalties=0.1, layer="best", precision="float64", seed=seed
        )
        scores, replicates, truth = [], [], []
        for x, own in zip(spaces, weights, strict=True):
            found = encode([("layer", x)], y, samples, table, settings)
            scores.append(found.aggregate_r[0, 1:, 0])
            replicates.append(found.replicates[:, 0, 1:, 0])
            products, squares = [], []
            for k, fold in enumerate(make_folds(settings.split, samples)):
                centred = x[fold.train] - x[fold.train].mean(axis=0)
                gram = centred.T @ centred + found.penalty[0, k, 0] * np.eye(design.width)
                fitted = np.linalg.solve(gram, centred.T @ (y[fold.train] - y[fold.train].mean(axis=0)))
                products.append((fitted * own).sum(axis=0))
                squares.append(np.square(fitted).sum(axis=0))
            p, q = np.array(products), np.array(squares)
            r = p.mean(axis=0, keepdims=True) / np.sqrt(q.mean(axis=0, keepdims=True)) if pools else p / np.sqrt(q)
            truth.append(aggregate(r, units, name)[1:, 0])
        inside.append(covered(replicates[0] - replicates[1], truth[0] - truth[1]))
        first, second = (values - reached for values, reached in zip(replicates, truth, strict=True))
        rejected.append(paired_difference(scores[0] - truth[0], scores[1] - truth[1], first, second).p <= 0.05)
    print(f"{how}, signal {signal}: covered {np.mean(inside):.4f}, rejected {np.mean(rejected):.4f}")
    assert 0.93 <= np.mean(inside) <= 0.97
    assert (0.04 if width == 1 else 0.025) <= np.mean(rejected) <= 0.06
