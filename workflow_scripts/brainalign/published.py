"""Scores that others published, as rows of an alignment table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainalign.alignment import alignment_table
from brainalign.errors import InputError
from brainalign.given_tables import need_columns, read_given_table
from brainalign.responses.unit_names import ALL
from brainalign.scored import CHOSEN, Scores
from brainalign.scored_ceilings import Ceilings

READOUT = "published"
UNITS = ("r", "normalised")
_UNKNOWN = ("folds", "samples", "neuroids", "normalised_neuroids")


def read_published(path: Path, model: str, score: str, units: str, ceiling: float | None) -> dict[str, float]:
    """Return model → r from a table of one row per model; NaN where a model has no score.

    Parameters
    ----------
    model, score : columns.
    units : "r", or "normalised" for r over the ceiling, which is then multiplied by it.

    Raises
    ------
    InputError : a missing column, a model twice or without a name, a score that is no number, or an r outside −1 to 1.
    """
    table = read_given_table(path)
    need_columns(path, table, [model, score])
    names = table[model]
    if (names == "").any():
        raise InputError(f"{path.name}: the column {model!r} is empty in row {int((names == '').argmax()) + 1}.")
    if names.duplicated().any():
        raise InputError(f"{path.name}: the model {names[names.duplicated()].iloc[0]!r} comes more than once.")
    numbers = pd.to_numeric(table[score].where(table[score] != ""), errors="coerce")
    words = numbers.isna() & (table[score] != "")
    if words.any():
        held, of = table.loc[words, score].iloc[0], names[words].iloc[0]
        raise InputError(f"{path.name}: {score!r} of the model {of!r} holds {held!r}; a number is needed.")
    r = numbers * (ceiling if units == "normalised" and ceiling is not None else 1.0)
    outside = r.abs() > 1
    if outside.any():
        held, of = numbers[outside].iloc[0], names[outside].iloc[0]
        hint = "; a percentage has to be divided by 100" if 1 < abs(held) <= 100 and units == "r" else ""
        raise InputError(f"{path.name}: {score!r} of the model {of!r} is {held:g}; r lies between −1 and 1{hint}.")
    return dict(zip(names, r.astype(float), strict=True))


def published_table(
    scores: Mapping[str, float], ceiling: float | None, names: Mapping[str, str], ceiling_basis: str = "responses"
) -> pd.DataFrame:
    """Return a row for each model, with the columns of every alignment table.

    What a publication does not say is empty: layers, subjects, nulls, replicates and so intervals, numbers of samples
    and neuroids.

    Parameters
    ----------
    scores : model → r.
    ceiling : in r.
    names : dataset, collection and encoder.
    ceiling_basis : what the ceiling belongs to, see `ceilings.given`.
    """
    one = np.ones((1, 1, 1))
    ceilings = _ceiling(ceiling, ceiling_basis)
    rows = []
    for model, r in scores.items():
        own = Scores(
            layers=(CHOSEN,),
            subjects=(ALL,),
            regions=(ALL,),
            r=one * r,
            replicates=np.empty((0, 1, 1, 1)),
            chosen_layer=np.empty(0, dtype=np.int64),
            neuroids=np.ones((1, 1), dtype=np.int64),
            samples=0,
            simulated=False,
            encoder=None,
        )
        of = {"readout": READOUT, "features": model, "features_kind": "model", "layer_choice": "published"}
        rows.append(alignment_table(own, ceilings, {}, {**names, **of}))
    table = pd.concat(rows, ignore_index=True)
    unknown = pd.array([pd.NA] * len(table), dtype="Int64")
    return table.assign(**dict.fromkeys(_UNKNOWN, unknown), layer_share=np.nan)


def take_models(
    tables: Sequence[pd.DataFrame], models: Mapping[str, Mapping[str, Any]], without_weights: Sequence[str]
) -> list[pd.DataFrame]:
    """Return the rows of a study's models.

    Raises
    ------
    InputError : a model that has neither weights nor a published score.
    """
    taken = [table[table["features"].isin(list(models))] for table in tables]
    scored = {name for table in taken for name in table["features"]}
    for name in without_weights:
        if name not in scored:
            raise InputError(
                f"the model {name!r} has neither weights nor a row in a table of published scores; its name there "
                "must be the same."
            )
    return taken


def _ceiling(ceiling: float | None, basis: str) -> Ceilings:
    nothing = np.full((0 if ceiling is None else 1, 1, 1), np.nan)
    kinds = () if ceiling is None else ("given",)
    r = nothing if ceiling is None else np.full((1, 1, 1), ceiling)
    return Ceilings(kinds, r, nothing, nothing, np.empty((0, len(kinds), 1, 1)), basis=basis)
