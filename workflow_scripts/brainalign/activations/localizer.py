"""The texts by which language-selective units are found: sentences, and lists of non-words."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from brainalign.errors import InputError
from brainalign.given_tables import need_columns, read_given_table

_LEAST = 2  # texts of a condition, for it to have a variance


@dataclass(frozen=True)
class LocalizerTexts:
    """Texts as stimuli (`stimulus_id`, `text`, `context_group`), each a context of its own.

    is_language : (text,) True for the condition that is to be responded to more.
    """

    stimuli: pd.DataFrame
    is_language: np.ndarray


def read_localizer(path: Path, text: str, condition: str, conditions: Sequence[str]) -> LocalizerTexts:
    """Read the texts of two conditions; rows of other conditions are left.

    Parameters
    ----------
    path : CSV (TSV where its ending says so) with a header, one text per row.
    text, condition : its columns.
    conditions : what the second column holds for language ("sentence"), and for the control ("non-word").

    Raises
    ------
    InputError : a column that is not there, or fewer than two texts of a condition.
    """
    table = read_given_table(path)
    need_columns(path, table, [text, condition])
    held = table[condition].str.strip()
    for name in conditions:
        if (held == name).sum() < _LEAST:
            there = ", ".join(map(repr, held.unique()[:6]))
            raise InputError(
                f"{path.name} needs {_LEAST} or more texts of the {condition} {name!r}, but has "
                f"{(held == name).sum()}; it holds {there}."
            )
    table = table[held.isin(list(conditions))]
    names = [f"{path.name}:{row + 2}" for row in table.index]  # as lines are numbered, where no text has a line break
    stimuli = pd.DataFrame({"stimulus_id": names, "text": table[text].str.strip().tolist(), "context_group": names})
    return LocalizerTexts(stimuli, (held[table.index] == conditions[0]).to_numpy())
