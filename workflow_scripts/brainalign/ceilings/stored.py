"""Ceilings of several kinds as variables of one file."""

from collections.abc import Sequence

import numpy as np

from brainalign.ceilings.ceiling import BASES, Ceiling
from brainalign.encoding.scores import Units
from brainalign.storage import Variable

_SCORES = ("ceiling_kind", "score_subject", "score_region")


def ceiling_variables(ceilings: Sequence[Ceiling], units: Units, draws: int) -> dict[str, Variable]:
    """Return ceilings as variables along `ceiling_kind`, each in its `ceiling_units`; what a kind has not is NaN.

    Parameters
    ----------
    ceilings : may be empty.
    units : of the data set's neuroids.
    draws : of the encoder's bootstrap.
    """
    shape = (len(ceilings), len(units.score_subjects), len(units.score_regions))
    names = ("ceiling_aggregate", "ceiling_low", "ceiling_high", "ceiling_null", "ceiling_null_high")
    scores = {name: np.full(shape, np.nan) for name in names}
    replicates = np.full((draws, *shape), np.nan, dtype=np.float32)
    per_neuroid = np.full((len(ceilings), len(units)), np.nan)
    per_neuroid_low = per_neuroid.copy()
    for index, ceiling in enumerate(ceilings):
        found = (ceiling.aggregate, ceiling.low, ceiling.high, ceiling.null, ceiling.null_high)
        for name, values in zip(names, found, strict=True):
            scores[name][index] = np.nan if values is None else values
        per_neuroid[index] = ceiling.per_neuroid
        if ceiling.per_neuroid_low is not None:
            per_neuroid_low[index] = ceiling.per_neuroid_low
        if ceiling.replicates is not None:
            replicates[:, index] = ceiling.replicates
    variables = {name: Variable(_SCORES, values) for name, values in scores.items()}
    variables["ceiling_replicates"] = Variable(("draw", *_SCORES), replicates)
    variables["ceiling_per_neuroid"] = Variable(("ceiling_kind", "neuroid"), per_neuroid)
    variables["ceiling_per_neuroid_low"] = Variable(("ceiling_kind", "neuroid"), per_neuroid_low)
    bases = [ceiling.basis or BASES[ceiling.kind] for ceiling in ceilings]
    variables["ceiling_basis"] = Variable(("ceiling_kind",), _text(bases))
    variables["ceiling_units"] = Variable(("ceiling_kind",), _text([ceiling.units for ceiling in ceilings]))
    axes: dict[str, Sequence[str]] = {
        "ceiling_kind": [ceiling.kind for ceiling in ceilings],
        "score_subject": units.score_subjects,
        "score_region": units.score_regions,
    }
    for dim, found_names in axes.items():
        variables[dim] = Variable((dim,), _text(found_names))
    return variables


def _text(values: Sequence[str]) -> np.ndarray:
    return np.array(list(values), dtype=object)
