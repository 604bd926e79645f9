"""Activation files: one variable per layer, read one at a time."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from brainalign.errors import UnreadableFileError, unknown
from brainalign.storage import Values, Variable, content_digest, read_arrays, read_attributes, write_arrays, write_json


def write_activations(
    path: Path, digest: Path, stimulus_ids: np.ndarray, layers: Mapping[str, Values], attributes: Mapping[str, Any]
) -> None:
    """Write layers, each (stimulus, width) as float32, in their order, and the digest of their content.

    A layer may be an array or rows on disk (`partial.Rows`), of which 8 MiB are in memory at a time.
    """
    variables = {"stimulus": Variable(("stimulus",), np.asarray(stimulus_ids, dtype=object))}
    for name, values in layers.items():
        states = values if values.dtype == np.float32 else np.asarray(values[:], dtype=np.float32)
        variables[name] = Variable(("stimulus", f"unit_{states.shape[1]}"), states)
    write_arrays(path, variables, {**attributes, "layers": json.dumps(list(layers))})
    write_json(digest, {"layers": list(layers), "content": content_digest(variables)})


class StoredLayers(Mapping[str, np.ndarray]):
    """The layers of an activation file as features of samples, each read when it is asked for.

    Parameters
    ----------
    path, stimulus_ids : as for `read_layers`.
    sample : turns features of stimuli into features of samples.
    """

    def __init__(self, path: Path, stimulus_ids: np.ndarray, sample: Callable[[np.ndarray], np.ndarray]) -> None:
        self._path, self._sample = path, sample
        self._names = layer_names(path, stimulus_ids)

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._names:
            raise unknown(f"layer of {self._path}", name, self._names)
        return self._sample(read_arrays(self._path, [name])[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def read_layers(path: Path, stimulus_ids: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (name, (stimulus, width) float32) of each layer in order, reading one at a time.

    Raises
    ------
    UnreadableFileError : not a whole activation file, or its stimuli are not `stimulus_ids`; or, when it is reached,
        a layer whose values are damaged.
    """
    for name in layer_names(path, stimulus_ids):
        yield name, read_arrays(path, [name])[name]


def layer_names(path: Path, stimulus_ids: np.ndarray) -> list[str]:
    """Read the names of the layers in their order.

    Raises
    ------
    UnreadableFileError : not a whole activation file, or its stimuli are not `stimulus_ids`.
    """
    names = read_attributes(path).get("layers")
    if names is None:
        raise UnreadableFileError(path, "it holds no activations (no attribute 'layers')")
    if read_arrays(path, ["stimulus"])["stimulus"].tolist() != list(stimulus_ids):
        raise UnreadableFileError(path, "its stimuli are not those of the responses")
    return [str(name) for name in json.loads(names)]
