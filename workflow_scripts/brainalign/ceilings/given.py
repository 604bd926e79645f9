"""Ceilings that came with the data, one per neuroid; as a rule they belong to the responses alone."""

import numpy as np

from brainalign.ceilings.ceiling import UNITS, Ceiling
from brainalign.encoding.scores import Units, over_neuroids
from brainalign.errors import InputError, unknown
from brainalign.responses.samples import Columns

GIVEN_BASES = ("responses", "encoder")


def given_ceiling(
    values: np.ndarray, neuroids: Columns, aggregate: str, units: str = "r", basis: str = "responses"
) -> Ceiling:
    """Aggregate given ceilings over neuroids.

    Parameters
    ----------
    values : (neuroid,), from 0 to 1.
    aggregate : see `scores.aggregate`.
    units : what the values are: "r", or "r2" (a share of variance), whose square root is taken.
    basis : what they belong to: the "responses" alone, or an "encoder", too, where other subjects' responses predicted.

    Raises
    ------
    InputError : other units, another basis, another number of values than neuroids, values that are missing, below 0
        or above 1.
    """
    if units not in UNITS:
        raise unknown("unit of given ceilings", units, UNITS)
    if basis not in GIVEN_BASES:
        raise unknown("basis of given ceilings", basis, GIVEN_BASES)
    of_neuroids = Units.from_table(neuroids)
    given = np.asarray(values, dtype=np.float64)
    if given.shape != (len(of_neuroids),):
        raise InputError(f"the given ceilings have shape {given.shape}, but there are {len(of_neuroids)} neuroids.")
    _check(given, of_neuroids)
    ceilings = np.sqrt(given) if units == "r2" else given
    scores = over_neuroids(ceilings, of_neuroids, aggregate)
    nothing = np.full(scores.shape, np.nan)
    axes = (of_neuroids.score_subjects, of_neuroids.score_regions)
    return Ceiling("given", *axes, ceilings, scores, nothing, nothing, None, basis=basis)


def _check(given: np.ndarray, units: Units) -> None:
    bad = ~((given >= 0) & (given <= 1))
    if not bad.any():
        return
    first = int(np.argmax(bad))
    percent = "; divide percentages by 100" if np.nanmax(given) > 1 and (given[bad] > 1).all() else ""
    raise InputError(
        f"{np.count_nonzero(bad)} of {len(bad)} given ceilings are no numbers from 0 to 1, the first is "
        f"{given[first]:g} of neuroid {str(units.neuroid[first])!r}{percent}."
    )
