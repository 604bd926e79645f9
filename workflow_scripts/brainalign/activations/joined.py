"""Activations of several data sets as one: their rows, one data set after another, computed no second time.

The states of a stimulus are the same in both, as long as they follow from its own text and context group alone, which
does not reach beyond its data set.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from brainalign.errors import UnreadableFileError
from brainalign.joined_ids import prefixed
from brainalign.storage import Values, open_arrays, read_arrays, read_attributes


class JoinedLayer:
    """One layer's states (stimulus × width) float32 of several files, read when they are sliced.

    Parameters
    ----------
    files : activation files.
    name : of the layer.
    sizes : stimuli of each file.
    width : of the layer.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, files: Sequence[Path], name: str, sizes: Sequence[int], width: int) -> None:
        self.shape = (sum(sizes), width)
        self._files, self._name, self._sizes = files, name, sizes

    def __getitem__(self, rows: slice, /) -> np.ndarray:
        """Return neighbouring rows (row × width). Raises UnreadableFileError for a layer that is damaged."""
        start, stop, _ = rows.indices(self.shape[0])
        found, first = [np.empty((0, self.shape[1]), dtype=self.dtype)], 0
        for path, size in zip(self._files, self._sizes, strict=True):
            own = slice(max(start - first, 0), min(stop - first, size))
            if own.start < own.stop:
                with open_arrays(path) as file:
                    found.append(file[self._name][own])
            first += size
        return np.concatenate(found)


def join_activations(files: Mapping[str, Path]) -> tuple[np.ndarray, dict[str, Values], dict[str, Any]]:
    """Return the stimulus ids, layers and common attributes of activation files put after one another.

    Parameters
    ----------
    files : name of a data set → its activations; of one readout and one feature space.

    Returns
    -------
    stimulus ids (stimulus,), each "name/id"; layer → states (stimulus × width), read when they are sliced; the number
    format of the states, where they have one.

    Raises
    ------
    UnreadableFileError : not activations, or of other layers or widths, or another number format, than the first.
    """
    paths = list(files.values())
    names, first = _layers(paths[0]), read_attributes(paths[0])
    ids = [read_arrays(path, ["stimulus"])["stimulus"] for path in paths]
    widths = _widths(paths[0], names)
    for path in paths[1:]:
        if _layers(path) != names:
            raise UnreadableFileError(path, f"its layers are not those of {paths[0]}")
        if _widths(path, names) != widths:
            raise UnreadableFileError(path, f"its layers are not as wide as those of {paths[0]}")
        if read_attributes(path).get("dtype") != first.get("dtype"):
            raise UnreadableFileError(path, f"its states are not of the number format of {paths[0]}")
    sizes = [len(own) for own in ids]
    layers: dict[str, Values] = {
        name: JoinedLayer(paths, name, sizes, width) for name, width in zip(names, widths, strict=True)
    }
    stimulus_ids = np.concatenate([prefixed(name, own) for name, own in zip(files, ids, strict=True)])
    return stimulus_ids, layers, {"dtype": first["dtype"]} if "dtype" in first else {}


def _layers(path: Path) -> list[str]:
    names = read_attributes(path).get("layers")
    if names is None:
        raise UnreadableFileError(path, "it holds no activations (no attribute 'layers')")
    return [str(name) for name in json.loads(names)]


def _widths(path: Path, names: Sequence[str]) -> list[int]:
    with open_arrays(path) as file:
        missing = [name for name in names if name not in file]
        if missing:
            raise UnreadableFileError(path, f"it has no variable {missing[0]!r}")
        return [int(file[name].shape[1]) for name in names]
