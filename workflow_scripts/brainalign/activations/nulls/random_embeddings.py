"""Null: which words a part has, and nothing of what they mean."""

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from brainalign.activations.nulls.words import words_of

DEFAULTS: Mapping[str, Any] = {"width": 100, "seed": 0}


def compute(stimuli: pd.DataFrame, settings: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the mean of fixed random vectors, one for each different word, in lower case.

    A word's vector follows from the word, `width` and `seed` alone, so that all data sets share it.

    Parameters
    ----------
    stimuli : `text`.
    settings : `width`, numbers per word; `seed`.

    Returns
    -------
    "mean" → (stimulus × width): v(part) = (1 / words) Σ v(word), v(word) standard normal; zeros for a part without
    words.
    """
    width, seed = settings["width"], settings["seed"]
    vectors: dict[str, np.ndarray] = {}
    features = np.zeros((len(stimuli), width), dtype=np.float32)
    for row, text in enumerate(stimuli["text"]):
        words = [word.bare for word in words_of(text, lower=True)]
        for word in words:
            if word not in vectors:
                vectors[word] = _vector(word, width, seed)
        if words:
            features[row] = np.mean([vectors[word] for word in words], axis=0)
    return {"mean": features}


def _vector(word: str, width: int, seed: int) -> np.ndarray:
    """Return a word's vector (width,), seeded by its hash: Python's own differs from one process to the next."""
    digest = np.frombuffer(hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest(), dtype="<u4")
    return np.random.default_rng([seed, *digest.tolist()]).standard_normal(width)
