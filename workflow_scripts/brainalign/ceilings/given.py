"""Ceilings that came with the data, one per neuroid; they belong to the responses alone, not to an encoder."""

import numpy as np

from brainalign.ceilings.ceiling import Ceiling
from brainalign.encoding.scores import Units, over_neuroids
from brainalign.errors import InputError
from brainalign.responses.samples import Columns


def given_ceiling(values: np.ndarray, neuroids: Columns, aggregate: str) -> Ceiling:
    """Aggregate given ceilings over neuroids.

    Parameters
    ----------
    values : (neuroid,) in units of r.
    aggregate : see `scores.aggregate`.

    Raises
    ------
    InputError : another number of values than neuroids, values that are missing or no correlation.
    """
    units = Units.from_table(neuroids)
    ceilings = np.asarray(values, dtype=np.float64)
    if ceilings.shape != (len(units),):
        raise InputError(f"the given ceilings have shape {ceilings.shape}, but there are {len(units)} neuroids.")
    bad = ~(np.abs(ceilings) <= 1)
    if bad.any():
        first = int(np.argmax(bad))
        raise InputError(
            f"{np.count_nonzero(bad)} of {len(bad)} given ceilings are no correlations between -1 and 1, "
            f"the first is {ceilings[first]:g} of neuroid {str(units.neuroid[first])!r}."
        )
    scores = over_neuroids(ceilings, units, aggregate)
    nothing = np.full(scores.shape, np.nan)
    return Ceiling("given", units.score_subjects, units.score_regions, ceilings, scores, nothing, nothing, None)
