"""Null: where a part stands in its context group, and nothing else."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

DEFAULTS: Mapping[str, Any] = {}


def compute(stimuli: pd.DataFrame, _settings: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the position of each part in its context group.

    Parameters
    ----------
    stimuli : `context_group`, in presentation order.
    _settings : there are none.

    Returns
    -------
    "linear" : the number of parts before it (stimulus × 1).
    "one_hot" : 1 in the column of its position, up to the longest group, and last the number of parts before it
        divided by that length (stimulus × longest + 1).
    """
    index = stimuli.groupby("context_group", sort=False).cumcount().to_numpy()
    longest = int(index.max()) + 1 if len(index) else 0
    linear = index[:, None].astype(np.float32)
    one_hot = np.eye(longest, dtype=np.float32)[index]
    return {"linear": linear, "one_hot": np.hstack([one_hot, linear / max(longest, 1)])}
