"""Ceilings that came with the data, read from a table of the user's."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from brainalign.errors import InputError
from brainalign.given_tables import need_columns, need_numbers, need_unique, read_given_table


def read_given_ceilings(
    path: Path, neuroids: Sequence[str] | np.ndarray, neuroid: str, value: str, units: str
) -> np.ndarray:
    """Read a table of ceilings and return those of some neuroids, as ceilings of r.

    Parameters
    ----------
    path : CSV, one row per neuroid; it may have rows of other neuroids, too.
    neuroids : (neuroid,), the ids whose ceilings are wanted.
    neuroid, value : the columns of ids and of ceilings.
    units : "r", or "r2" (a share of variance), whose square root is taken.

    Returns
    -------
    (neuroid,) float64, above 0 and at most 1.

    Raises
    ------
    InputError : a column that is not there, an id that comes twice, a cell that is no number, a neuroid without a
        ceiling, a ceiling of 0 or less or above 1.
    """
    table = read_given_table(path, [neuroid])
    need_columns(path, table, [neuroid, value])
    need_unique(path, table[neuroid])
    need_numbers(path, table, value)
    values, ids = table.set_index(neuroid)[value], [str(name) for name in neuroids]
    missing = [name for name in ids if name not in values.index]
    if missing:
        raise InputError(f"{path.name} has no ceiling for the neuroid {missing[0]!r}.")
    result: np.ndarray = values.loc[ids].to_numpy(np.float64)
    wrong = ~((result > 0) & (result <= 1))
    if wrong.any():
        first = int(wrong.argmax())
        hint = "; a percentage has to be divided by 100" if 1 < result[first] <= 100 else ""
        raise InputError(
            f"{path.name}: the ceiling of {ids[first]!r} is {result[first]:g}; "
            f"a number above 0 and at most 1 is needed{hint}."
        )
    return np.sqrt(result) if units == "r2" else result
