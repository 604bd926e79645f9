"""Stimuli from a CSV with columns named in the settings."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from brainalign.errors import InputError
from brainalign.given_tables import need_columns, read_given_table

_ROLES = ("stimulus_id", "text", "context_group", "split_group", "run", "onset_s")


def read_stimuli(path: Path, columns: Mapping[str, str], order: str | None = None) -> pd.DataFrame:
    """Read stimuli and give their columns the project's names.

    Parameters
    ----------
    path : CSV (TSV where its ending says so) with a header, one row per stimulus.
    columns : the project's name → the file's name, for `text` and any of `stimulus_id`, `context_group`,
        `split_group`, `run`, `onset_s` (seconds). Without `stimulus_id`, rows are numbered "0001" on; without
        `context_group`, every stimulus is a context of its own; without `split_group`, it is the context group.
    order : column by whose numbers the rows are put in presentation order; file order if None.

    Returns
    -------
    table with `stimulus_id, text, context_group, split_group`, `run` and `onset_s` where given, then the file's
    other columns under their own names.

    Raises
    ------
    InputError : a column that is not there, empty text, duplicate ids, onsets that are not numbers.
    """
    table = read_given_table(path)
    need_columns(path, table, [*columns.values(), *([order] if order else [])])
    if order:
        table = table.iloc[_numbers(table[order], path, order).argsort(kind="stable")]
    result = pd.DataFrame(index=table.index)
    digits = max(4, len(str(len(table))))
    numbered = pd.Series([f"{row + 1:0{digits}d}" for row in range(len(table))], index=table.index)
    result["stimulus_id"] = table[columns["stimulus_id"]] if "stimulus_id" in columns else numbered
    result["text"] = table[columns["text"]]
    result["context_group"] = table[columns["context_group"]] if "context_group" in columns else result["stimulus_id"]
    result["split_group"] = table[columns["split_group"]] if "split_group" in columns else result["context_group"]
    if "run" in columns:
        result["run"] = table[columns["run"]]
    if "onset_s" in columns:
        result["onset_s"] = _numbers(table[columns["onset_s"]], path, columns["onset_s"])
    others = [name for name in table.columns if name not in columns.values() and name not in _ROLES]
    _check(result, path)
    return pd.concat([result, table[others]], axis=1).reset_index(drop=True)


def _numbers(column: pd.Series, path: Path, name: str) -> pd.Series:
    """Return a column as numbers; the index of the table is the row of the file."""
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = ~np.isfinite(numbers)
    if wrong.any():
        row = numbers.index[wrong].min()
        raise InputError(f"{path.name}: column {name!r} holds {column[row]!r} in row {row + 1}, not a finite number.")
    return numbers


def _check(table: pd.DataFrame, path: Path) -> None:
    empty = table["text"].str.strip() == ""
    if empty.any():
        first = table.loc[empty, "stimulus_id"].iloc[0]
        raise InputError(f"{path.name}: there are stimuli without text ({empty.sum()} of {len(table)}), as {first!r}.")
    repeated = table["stimulus_id"].duplicated()
    if repeated.any():
        first = table.loc[repeated, "stimulus_id"].iloc[0]
        raise InputError(f"{path.name}: stimulus ids must be unique, but {first!r} comes more than once.")
    for column in ("stimulus_id", "context_group", "split_group"):
        blank = table[column].str.strip() == ""
        if blank.any():
            row = table.index[blank].min()
            raise InputError(f"{path.name}: row {row + 1} has no {column}.")
    closed: set[str] = set()
    previous = None
    for group in table["context_group"]:
        if group != previous:
            if group in closed:
                raise InputError(
                    f"{path.name}: context group {group!r} is interrupted by another one; "
                    "put its rows together or name the column that orders them (`order`)."
                )
            closed.add(group)
            previous = group
