"""Null: how long a part is, and nothing else."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

DEFAULTS: Mapping[str, Any] = {}


def compute(stimuli: pd.DataFrame, _settings: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return "length": characters and words of each part (stimulus × 2); words stand between white space.

    Where a sample collects several parts, the sample map adds them up: characters and words per sample, the spaces
    between parts not counted.
    """
    sizes = [(len(text), len(text.split())) for text in stimuli["text"]]
    return {"length": np.asarray(sizes, dtype=np.float32).reshape(-1, 2)}
