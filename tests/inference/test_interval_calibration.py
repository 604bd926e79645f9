"""Do intervals of a cross-validated score cover what the fitted encoders reach on new groups of stimuli?

Every number is over simulated data sets whose population scores are known; a share of 2,000 has a standard error of
.5 %, one of 1,000 of .7 %. The seeds are fixed, so that the tests do not waver.
"""

from dataclasses import replace

import numpy as np
import pytest

from brainalign.encoding.dependence import Dependence
from brainalign.encoding.encoder import encode
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.splits import make_folds
from brainalign.inference.p_values import NOT_COUNTED
from brainalign.inference.subjects import over_subjects
from brainalign.intervals import percentile_interval
from brainalign.responses.samples import Samples
from inference.simulated import Design, replicates_of, simulate

BATCH, DRAWS = 100, 1000


def covered(replicates: np.ndarray, truth: np.ndarray) -> np.ndarray:
    low, high = percentile_interval(replicates)
    return (low <= truth) & (truth <= high)


def coverage(design: Design, number: int, seed: int) -> tuple[float, float]:
    """Return the shares of data sets covered by plain and by corrected replicates."""
    plain, corrected = [], []
    for batch in range(number // BATCH):
        sets = list(simulate(design, BATCH, seed + batch))
        scored = [spaces[0] for _, spaces in sets]
        truth = np.array([one.population for one in scored])
        drawn = replicates_of(design, [responses for responses, _ in sets], scored, DRAWS, seed + batch)
        plain.append(covered(drawn[0], truth))
        corrected.append(covered(drawn[1], truth))
    return float(np.mean(plain)), float(np.mean(corrected))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("design", "plain_below"),
    [
        (Design(groups=48, folds=8, signal=0.0), 0.87),
        (Design(groups=48, folds=8, signal=0.4), 0.93),
        (Design(groups=24, folds=4, signal=0.4), 0.91),
        (Design(groups=24, folds=8, signal=0.4), 0.87),
    ],
    ids=str,
)
def test_corrected_intervals_cover_what_fitted_encoders_reach(design: Design, plain_below: float) -> None:
    plain, corrected = coverage(design, 1200 if design.groups > 48 else 2000, seed=0)
    print(f"{design}: plain {plain:.4f}, corrected {corrected:.4f}")
    assert plain < plain_below
    assert 0.93 <= corrected <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("subjects", [6, 10])
def test_intervals_over_subjects_cover_their_mean(subjects: int) -> None:
    random = np.random.default_rng(subjects)
    inside = []
    for batch in range(40):
        found = over_subjects(random.normal(size=(subjects, 100)), draws=1000, seed=batch)
        inside.append((found.low <= 0) & (found.high >= 0))
    print(f"{subjects} subjects: {np.mean(inside):.4f}")
    assert 0.93 <= np.mean(inside) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("signal", [0.0, 0.4])
def test_intervals_of_the_encoder_cover_with_penalties_chosen_per_neuroid(
    signal: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each subject of a data set is a data set of its own: same stimuli, own weights and noise."""
    design, subjects = Design(groups=30, folds=5, neuroids=2, signal=signal), 40
    settings = EncoderSettings(split={"kind": "grouped", "folds": design.folds}, draws=DRAWS, precision="float64")
    names = np.repeat([f"S{number}" for number in range(subjects)], design.neuroids)
    table = {"neuroid": np.arange(len(names)).astype(str), "subject": names, "region": np.full(len(names), "x")}
    samples = Samples({"split_group": design.group.astype(str)})
    folds = make_folds(settings.split, samples)
    plain, counted, of_r2 = [], [], []
    for seed in range(25):
        random = np.random.default_rng(100 + seed)
        x = design.grouped(random, design.width, design.shared_features)
        weights = random.normal(size=(design.width, len(names)))
        weights *= signal / np.linalg.norm(weights, axis=0)
        noise = np.sqrt(1 - signal**2) * design.grouped(random, len(names), design.shared_noise)
        y = x @ weights + noise
        own = replace(settings, seed=seed)
        found = encode([("layer", x)], y, samples, table, own)
        population, population_r2 = np.zeros(len(names)), np.zeros(len(names))
        for k, fold in enumerate(folds):
            centred, responses = x[fold.train] - x[fold.train].mean(axis=0), y[fold.train]
            for penalty in np.unique(found.penalty[0, k]):
                of = np.flatnonzero(found.penalty[0, k] == penalty)
                solved = np.linalg.solve(centred.T @ centred + penalty * np.eye(design.width), centred.T)
                fitted = solved @ (responses[:, of] - responses[:, of].mean(axis=0))
                reached = (fitted * weights[:, of]).sum(axis=0) / np.linalg.norm(fitted, axis=0)
                population[of] += reached / len(folds)
                missed = ((fitted - weights[:, of]) ** 2).sum(axis=0) + 1 - signal**2  # of responses of variance 1
                population_r2[of] += (1 - missed) / len(folds)
        truth, truth_r2 = (values.reshape(subjects, -1).mean(axis=1) for values in (population, population_r2))
        assert found.dependence == "counted"
        counted.append(covered(found.replicates[:, 0, 1:, 0], truth))
        of_r2.append(covered(found.replicates_r2[:, 1:, 0], truth_r2))
        with monkeypatch.context() as patch:
            patch.setattr(Dependence, "kind", lambda *_: NOT_COUNTED)
            without = encode([("layer", x)], y, samples, table, own)
        plain.append(covered(without.replicates[:, 0, 1:, 0], truth))
    print(
        f"encoder, signal {signal}: plain {np.mean(plain):.4f}, counted {np.mean(counted):.4f}, R2 {np.mean(of_r2):.4f}"
    )
    assert np.mean(plain) < 0.9
    assert 0.93 <= np.mean(counted) <= 0.97
    assert 0.93 <= np.mean(of_r2) <= 0.97
