"""Features that somebody else computed: a table with one row of numbers per stimulus."""

from pathlib import Path

import numpy as np
import pandas as pd

from brainalign.errors import InputError
from brainalign.given_tables import need_columns, number_columns, read_given_table

LAYER = "given"
LABELS = ("stimulus_id", "text", "context_group", "split_group", "run")  # never features, even where they are numbers


def read_features(path: Path, stimuli: pd.DataFrame, on: str = "stimulus_id") -> dict[str, np.ndarray]:
    """Return the numeric columns of a table, one row per stimulus.

    Parameters
    ----------
    path : CSV with a header; the column `on` says which stimulus, numeric columns are the features, others are left.
    stimuli : `stimulus_id`, `text`.
    on : "stimulus_id" or "text".

    Returns
    -------
    "given" → (stimulus × column) float32.

    Raises
    ------
    InputError : no such column, a stimulus without a row or with two, or a value that is missing or not finite.
    """
    if not path.is_file():
        raise InputError(f"the table {path} is not there.")
    table = read_given_table(path, [on])
    need_columns(path, table, [on])
    repeated = table[on][table[on].duplicated()]
    if len(repeated):
        raise InputError(f"{path.name} has more than one row for {on} {repeated.iloc[0]!r}.")
    wanted = stimuli[on].astype(str)
    missing = wanted[~wanted.isin(table[on])]
    if len(missing):
        raise InputError(
            f"{path.name} has no row for {len(missing)} of {len(wanted)} stimuli, "
            f"the first with {on} {missing.iloc[0]!r}."
        )
    labels = [name for name in LABELS if name in table and name != on]
    numbers = table.set_index(on)[number_columns(path, table, [on, *labels])]
    if numbers.shape[1] == 0:
        raise InputError(f"{path.name} has no column of numbers beside {on}.")
    values = numbers.loc[wanted.tolist()].to_numpy(np.float32)  # (stimulus, column)
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = bad[0]
        raise InputError(f"{path.name} has no finite {numbers.columns[column]} for {on} {wanted.iloc[row]!r}.")
    return {LAYER: values}
