"""Null: how long a part is, and nothing else."""

import unicodedata
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

DEFAULTS: Mapping[str, Any] = {}


def compute(stimuli: pd.DataFrame, _settings: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return "length": characters, words and marks of each part (stimulus × 3).

    Words stand between white space. Marks are punctuation and symbols (Unicode's categories P and S): tokenizers take
    most of them for tokens, so that a model meets more of them than words, whatever else it knows of a text.

    Where a sample collects several parts, the sample map adds them up: characters, words and marks per sample, the
    spaces between parts not counted.
    """
    sizes = [(len(text), len(text.split()), _marks(text)) for text in stimuli["text"]]
    return {"length": np.asarray(sizes, dtype=np.float32).reshape(-1, 3)}


def _marks(text: str) -> int:
    """Count punctuation and symbols.

    >>> _marks("It's 5 €, e.g. \\"that\\".")
    8
    """
    return sum(unicodedata.category(character)[0] in "PS" for character in text)
