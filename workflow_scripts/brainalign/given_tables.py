"""Tables that users give: CSV whose faults are theirs to mend, each told in one sentence."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainalign.errors import InputError, unknown

_MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "n/a")  # in columns of numbers


def read_given_table(path: Path, text: Sequence[str] | None = None) -> pd.DataFrame:
    """Read a CSV that the user gave (comma-separated; tabs where the file's ending is .tsv), as UTF-8.

    Parameters
    ----------
    text : columns that are text, kept character by character; all of them if None. In the others, numbers are
        numbers and empty cells, "NA" and the like are missing values.

    Raises
    ------
    InputError : not UTF-8, not a table with a header of different names, rows longer than the header, or no rows.
    """
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    try:
        first = pd.read_csv(
            path, sep=separator, header=None, nrows=1, dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
        header = first.iloc[0]
        numeric = [name for name in header if text is not None and name not in text]
        table = _read(
            path,
            sep=separator,
            dtype=str if text is None else dict.fromkeys(text, str),
            keep_default_na=False,
            na_values=dict.fromkeys(numeric, _MISSING),
            encoding="utf-8-sig",
        )
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not UTF-8 text (byte {error.start}); save it as UTF-8.") from error
    except pd.errors.ParserWarning as error:
        raise InputError(
            f"{path.name}: rows have more cells than the header; put text that has commas in quotes."
        ) from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        said = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
        raise InputError(f"{path.name} is not a CSV table with a header: {said}.") from error
    repeated = header[header.duplicated()]
    if len(repeated):
        raise InputError(f"{path.name}: the column {repeated.iloc[0]!r} comes more than once.")
    if table.empty:
        raise InputError(f"{path.name} has a header but no rows.")
    return table


def number_columns(path: Path, table: pd.DataFrame, others: Sequence[str] = ()) -> list[str]:
    """Return the columns of numbers, in the table's order.

    Parameters
    ----------
    others : columns that are not asked for, whatever they hold.

    Raises
    ------
    InputError : a column in which most but not all cells are numbers: leaving it out in silence would lose it.
    """
    found = []
    for name in table.columns.drop(list(others)):
        if pd.api.types.is_numeric_dtype(table[name]):
            found.append(str(name))
            continue
        numbers = pd.to_numeric(table[name], errors="coerce").notna()
        if numbers.mean() > 0.5:
            cell = table.loc[~numbers, name].iloc[0]
            raise InputError(
                f"{path.name}: column {name!r} holds {cell!r} among numbers; mend it or leave the column out."
            )
    return found


def need_columns(path: Path, table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise InputError, with the nearest name, for the first column that the table lacks."""
    for column in columns:
        if column not in table.columns:
            raise InputError(f"{path.name}: {unknown('column', column, table.columns)}")


def need_unique(path: Path, ids: pd.Series) -> None:
    """Raise InputError for the first id that comes again."""
    repeated = ids[ids.duplicated()]
    if len(repeated):
        raise InputError(f"{path.name}: {ids.name} {repeated.iloc[0]!r} comes more than once.")


def need_numbers(path: Path, table: pd.DataFrame, name: str) -> None:
    """Raise InputError for the first cell of a column that is not a finite number."""
    wrong = ~np.isfinite(pd.to_numeric(table[name], errors="coerce").to_numpy(np.float64))
    if wrong.any():
        row = int(wrong.argmax())
        held = table[name][row]
        raise InputError(
            f"{path.name}: column {name!r} holds {'nothing' if pd.isna(held) else repr(held)} in row {row + 1}, "
            "not a finite number."
        )


def _read(path: Path, **options: Any) -> pd.DataFrame:
    """Read a CSV; a warning of pandas that it drops cells of the first row is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        table: pd.DataFrame = pd.read_csv(path, index_col=False, **options)
    return table
