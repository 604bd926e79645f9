"""Null: numbers that know nothing."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

DEFAULTS: Mapping[str, Any] = {"width": 32, "seed": 0}


def compute(stimuli: pd.DataFrame, settings: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return "random": independent standard normal numbers (stimulus × `width`), drawn with `seed`."""
    drawn = np.random.default_rng(settings["seed"]).standard_normal((len(stimuli), settings["width"]))
    return {"random": drawn.astype(np.float32)}
