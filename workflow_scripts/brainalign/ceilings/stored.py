"""Ceilings of several kinds as variables of one file."""

from collections.abc import Sequence

import numpy as np

from brainalign.ceilings.ceiling import Ceiling
from brainalign.encoding.scores import Units
from brainalign.storage import Variable

_SCORES = ("ceiling_kind", "score_subject", "score_region")


def ceiling_variables(ceilings: Sequence[Ceiling], units: Units, draws: int) -> dict[str, Variable]:
    """Return ceilings as variables along `ceiling_kind`; replicates are NaN where a kind has none.

    Parameters
    ----------
    ceilings : may be empty.
    units : of the data set's neuroids.
    draws : of the encoder's bootstrap.
    """
    shape = (len(ceilings), len(units.score_subjects), len(units.score_regions))
    scores = {name: np.full(shape, np.nan) for name in ("ceiling_aggregate", "ceiling_low", "ceiling_high")}
    replicates = np.full((draws, *shape), np.nan, dtype=np.float32)
    per_neuroid = np.full((len(ceilings), len(units)), np.nan)
    for index, ceiling in enumerate(ceilings):
        scores["ceiling_aggregate"][index] = ceiling.aggregate
        scores["ceiling_low"][index] = ceiling.low
        scores["ceiling_high"][index] = ceiling.high
        per_neuroid[index] = ceiling.per_neuroid
        if ceiling.replicates is not None:
            replicates[:, index] = ceiling.replicates
    variables = {name: Variable(_SCORES, values) for name, values in scores.items()}
    variables["ceiling_replicates"] = Variable(("draw", *_SCORES), replicates)
    variables["ceiling_per_neuroid"] = Variable(("ceiling_kind", "neuroid"), per_neuroid)
    names = {
        "ceiling_kind": [ceiling.kind for ceiling in ceilings],
        "score_subject": units.score_subjects,
        "score_region": units.score_regions,
    }
    for dim, values in names.items():
        variables[dim] = Variable((dim,), np.array(list(values), dtype=object))
    return variables
