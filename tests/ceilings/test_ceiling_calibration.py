"""Do intervals of ceilings cover the expected ceiling?

Over simulated data sets: each subject is one of its own, with the groups of stimuli, and so the draws, of the others.
A share of 2,400 has a standard error of .4 %. The seeds are fixed, so that the tests do not waver.
"""

from typing import Any

import numpy as np
import pytest

from brainalign.ceilings.known import known_ceiling
from brainalign.ceilings.repeats import repeats_ceiling
from brainalign.ceilings.split_half import split_half_ceiling
from brainalign.encoding.bootstrap import FEWEST_GROUPS
from brainalign.encoding.settings import EncoderSettings
from brainalign.responses.samples import Samples

SUBJECTS, REPETITIONS, DATA_SETS = 80, 3, 30
STORIES: dict[str, Any] = {"kind": "leave-one-group-out"}


def grouped(random: np.random.Generator, group: np.ndarray, share: float, *more: int) -> np.ndarray:
    """Normal values (..., row, subject) of variance 1, a share of it the group's."""
    own = random.normal(size=(*more, group.max() + 1, SUBJECTS))[..., group, :]
    return np.sqrt(share) * own + np.sqrt(1 - share) * random.normal(size=(*more, len(group), SUBJECTS))


def simulated(group: np.ndarray, signal: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return signals and responses to them: groups differ in mean, and in how much of the signal they have."""
    random = np.random.default_rng(seed)
    gain = np.exp(0.2 * random.normal(size=(group.max() + 1, SUBJECTS)) - 0.04)  # its square is 1 on average
    signals = np.sqrt(signal) * gain[group] * grouped(random, group, 0.5)
    return signals, signals + grouped(random, group, 0.2, REPETITIONS)


@pytest.mark.parametrize(
    ("groups", "rows", "split"),
    [(FEWEST_GROUPS, 25, STORIES), (10, 25, STORIES), (24, 5, {"kind": "grouped", "folds": 4})],
)
def test_intervals_of_ceilings_cover_the_expected_ceiling(groups: int, rows: int, split: dict[str, Any]) -> None:
    group = np.repeat(np.arange(groups), rows)
    samples = Samples({"split_group": group.astype(str)})
    names = np.arange(SUBJECTS).astype(str)
    neuroids = {"neuroid": names, "subject": names, "region": np.full(SUBJECTS, "x")}
    estimates, covers, stands_out = [], [], []
    for seed in range(DATA_SETS):
        signals, y = simulated(group, 1.0, seed)
        settings = EncoderSettings(split=split, draws=400, seed=seed, layer="best")
        found = (
            known_ceiling(signals, y, samples, neuroids, settings),
            repeats_ceiling(y, samples, neuroids, settings),
            split_half_ceiling(y, samples, neuroids, settings),
        )
        estimates.append([ceiling.aggregate[1:, 0] for ceiling in found])
        covers.append([(ceiling.low[1:, 0], ceiling.high[1:, 0]) for ceiling in found])
        noise = grouped(np.random.default_rng(1000 + seed), group, 0.2, REPETITIONS)
        of_noise = (make(noise, samples, neuroids, settings) for make in (repeats_ceiling, split_half_ceiling))
        stands_out.append([ceiling.per_neuroid_low > 0 for ceiling in of_noise])
    expected = np.mean(estimates, axis=(0, 2))[:, None]
    low, high = np.moveaxis(np.array(covers), 2, 0)  # (data set, kind, subject)
    shares = ((low <= expected) & (expected <= high)).mean(axis=(0, 2))
    above_noise = np.mean(stands_out, axis=(0, 2))
    print(f"{groups} groups, {split}: known, repeats, split-half {shares.round(4)}; of noise {above_noise.round(4)}")
    assert (np.abs(shares - 0.95) < 0.025).all()
    assert (above_noise < 0.035).all()
