"""Where states are kept while a model is read."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from brainalign.errors import InputError


class Store(Protocol):
    """Keeps states step by step; `partial.PartialStates` does so on disk.

    steps : what was finished, in order, in this run and in earlier ones.
    """

    steps: list[Mapping[str, Any]]

    def write(self, layer: str, rows: np.ndarray, states: np.ndarray) -> None:
        """Keep states (row × width) float32 of one layer as these rows."""

    def finish(self, step: Mapping[str, Any]) -> None:
        """Note that all that was written since the last step belongs to this one, and is whole."""

    def layer(self, name: str) -> Any:
        """Return the states of one layer (stimulus × width), read when they are sliced."""

    def scratch(self) -> Path:
        """Return a folder for further files, which go with the store."""


class Memory:
    """A store that is gone with the process."""

    def __init__(self, rows: int) -> None:
        self.steps: list[Mapping[str, Any]] = []
        self._rows = rows
        self._layers: dict[str, np.ndarray] = {}
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    def write(self, layer: str, rows: np.ndarray, states: np.ndarray) -> None:
        if layer not in self._layers:
            self._layers[layer] = np.empty((self._rows, states.shape[1]), dtype=np.float32)
        self._layers[layer][rows] = states

    def finish(self, step: Mapping[str, Any]) -> None:
        self.steps.append(step)

    def layer(self, name: str) -> np.ndarray:
        return self._layers[name]

    def scratch(self) -> Path:
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="brainalign-")
        return Path(self._scratch.name)


def check_finite(states: np.ndarray, layer: str, stimuli: np.ndarray) -> None:
    """Raise InputError, naming layer and stimulus, where a row of states (stimulus × width) is not finite."""
    finite = np.isfinite(states).all(axis=1)
    if not finite.all():
        stimulus = stimuli[int(np.argmin(finite))]
        raise InputError(
            f"the state of layer {layer} for stimulus {stimulus!r} is not finite; "
            "a wider dtype (float32 or bfloat16) may help."
        )
