"""Published figures beside what a study finds: "paper / here"."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from brainalign.errors import InputError, unknown
from brainalign.given_tables import need_columns, read_given_table

GIVEN_COLUMNS = ("statement", "where", "published", "table", "rows", "column")
COLUMNS = ["statement", "where", "published", "here", "difference", "n", "table", "rows", "column"]
_COUNTS = ("n", "pairs")


def read_claims(path: Path) -> pd.DataFrame:
    """Read published figures and where the study has the same quantity.

    Columns: `statement`, what the figure is; `where`, the place in the publication; `published`, the number, empty
    where the publication has none; `table`, correlations, controlled or pairs; `rows`, what picks one row of it, as
    "dataset=average; property=mmlu"; `column`, the number's column.

    Raises
    ------
    InputError : a missing column, or `published` that holds no number.
    """
    table = read_given_table(path)
    need_columns(path, table, GIVEN_COLUMNS)
    numbers = pd.to_numeric(table["published"].where(table["published"] != ""), errors="coerce")
    wrong = numbers.isna() & (table["published"] != "")
    if wrong.any():
        raise InputError(f"{path.name}: published holds {table.loc[wrong, 'published'].iloc[0]!r}; a number is needed.")
    return table.assign(published=numbers)[list(GIVEN_COLUMNS)]


def reproduced(claims: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return each published figure beside this study's: published, here, difference = here − published, and n.

    Parameters
    ----------
    claims : see `read_claims`.
    tables : name → table.

    Raises
    ------
    InputError : a table, column or key that is not there, or rows that pick none or several.
    """
    rows = []
    for claim in claims.to_dict("records"):
        if claim["table"] not in tables:
            raise unknown("table of a published figure", claim["table"], tables)
        row = _one_row(str(claim["statement"]), tables[claim["table"]], str(claim["rows"]))
        if claim["column"] not in row.index:
            raise unknown(f"column of the table {claim['table']!r}", claim["column"], row.index)
        here = float(row[claim["column"]])
        n = next((int(row[name]) for name in _COUNTS if name in row.index and not pd.isna(row[name])), None)
        rows.append({**claim, "here": here, "difference": here - claim["published"], "n": n})
    return pd.DataFrame(rows, columns=COLUMNS).astype({"n": "Int64"})


def _one_row(statement: str, table: pd.DataFrame, picked: str) -> pd.Series:
    chosen = np.ones(len(table), dtype=bool)
    for part in picked.split(";"):
        key, equals, value = (text.strip() for text in part.partition("="))
        if not equals:
            raise InputError(f"the rows of {statement!r} hold {part.strip()!r}; column=value is needed.")
        if key not in table.columns:
            raise unknown(f"column in the rows of {statement!r}", key, table.columns)
        chosen &= (table[key].astype(str) == value).to_numpy()
    if chosen.sum() != 1:
        raise InputError(f"the rows of {statement!r}, {picked!r}, pick {chosen.sum()} rows; one is needed.")
    return table[chosen].iloc[0]
