"""Are differences of models, and whole layer curves, covered and rejected as stated?

Over simulated data sets whose population scores are known, with fixed seeds.
"""

import numpy as np
import pytest

from brainalign.inference.paired import paired_difference
from brainalign.inference.simultaneous import simultaneous_interval
from brainalign.intervals import percentile_interval
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
