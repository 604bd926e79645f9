"""The nulls that follow from the stimulus table alone, by name. A null's module is imported when it is computed.

Static embeddings, which come from a file, are in `embeddings`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from brainalign.errors import unknown

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

NULLS: Mapping[str, str] = {
    "position": "brainalign.activations.nulls.position",
    "length": "brainalign.activations.nulls.length",
    "word-rate": "brainalign.activations.nulls.word_rate",
    "autocorrelation": "brainalign.activations.nulls.autocorrelation",
    "random-embeddings": "brainalign.activations.nulls.random_embeddings",
    "random": "brainalign.activations.nulls.random_features",
}


def module_of(null: str) -> str:
    """Return the module that computes a null. Raises InputError for an unknown one."""
    if null not in NULLS:
        raise unknown("null", null, NULLS)
    return NULLS[null]


def compute_null(null: str, stimuli: pd.DataFrame, settings: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the features of a null by layer, each (stimulus × width) float32; a layer is a setting of the null.

    Raises
    ------
    InputError : an unknown null or setting.
    """
    module = importlib.import_module(module_of(null))
    for name in settings:
        if name not in module.DEFAULTS:
            raise unknown(f"setting of the null {null}", name, module.DEFAULTS or ["none"])
    layers: dict[str, np.ndarray] = module.compute(stimuli, {**module.DEFAULTS, **settings})
    return layers
