"""Responses shifted along the samples, so that subjects share no stimulus: what a ceiling is made of noise alone."""

from dataclasses import dataclass

import numpy as np

from brainalign.ceilings.other_subjects import OtherSubjects
from brainalign.encoding.scores import Units
from brainalign.responses.samples import Samples

NEUROIDS = 12  # of each subject and shift: an aggregate of noise needs few, spread over its regions
LEAST_SHARE = 0.1  # of the samples (of each run's), by which responses are shifted at least, from either end


@dataclass(frozen=True)
class ShiftedTargets:
    """Shifted responses of some neuroids of every subject.

    Parameters
    ----------
    responses : (sample, column), centred.
    neuroid, subject, shift : (column,), numbers.
    units : of all neuroids.
    count : how many shifts there are.
    """

    responses: np.ndarray
    neuroid: np.ndarray
    subject: np.ndarray
    shift: np.ndarray
    units: Units
    count: int

    def units_of(self, shift: int) -> Units:
        """Return where the columns of one shift belong; subjects and regions may be in another order."""
        own = self.neuroid[self.shift == shift]
        return Units(self.units.neuroid[own], self.units.subject[own], self.units.region[own])


def shifted_targets(data: OtherSubjects, count: int, random: np.random.Generator) -> ShiftedTargets:
    """Shift the responses of random neuroids, some of each subject and region, circularly by random numbers of samples.

    A series is shifted inside its runs, all else as a whole, so that neighbours stay neighbours: what an encoder's
    split lets neighbours tell of each other is in the shifted responses, too.

    Parameters
    ----------
    data : its samples are those that trimming leaves.
    count : of shifts; each takes other neuroids.
    """
    units, samples = data.units, data.trial.samples
    each = max(2, NEUROIDS // len(units.regions))
    cells = [np.flatnonzero(members) for members in units.members[1:, 1:].reshape(-1, len(units)) if members.any()]
    blocks = _blocks(samples)
    parts, neuroids = [np.empty((len(samples), 0), dtype=data.responses.dtype)], [np.empty(0, dtype=np.intp)]
    for _ in range(count):
        chosen = np.sort(np.concatenate([random.permutation(cell)[:each] for cell in cells]))
        rows = np.concatenate([np.roll(block, _distance(len(block), random)) for block in blocks])
        place = np.empty(len(samples), dtype=np.intp)
        place[np.concatenate(blocks)] = rows
        parts.append(data.responses[place][:, chosen])
        neuroids.append(chosen)
    neuroid = np.concatenate(neuroids)
    shift = np.repeat(np.arange(count), [len(chosen) for chosen in neuroids[1:]])
    return ShiftedTargets(np.concatenate(parts, axis=1), neuroid, data.subject[neuroid], shift, units, count)


def _blocks(samples: Samples) -> list[np.ndarray]:
    if samples.onset_s is None:
        return [np.arange(len(samples))]
    run = samples.run
    return [np.flatnonzero(run == name) for name in dict.fromkeys(run.tolist())]


def _distance(length: int, random: np.random.Generator) -> int:
    least = max(1, int(LEAST_SHARE * length))
    return int(random.integers(least, max(least + 1, length - least + 1)))
