"""Activation files: one variable per layer, read one at a time."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from brainalign.errors import UnreadableFileError
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


def read_layers(path: Path, stimulus_ids: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (name, (stimulus, width) float32) of each layer in order, reading one at a time.

    Raises
    ------
    UnreadableFileError : not a whole activation file, or its stimuli are not `stimulus_ids`; or, when it is reached,
        a layer whose values are damaged.
    """
    names = read_attributes(path).get("layers")
    if names is None:
        raise UnreadableFileError(path, "it holds no activations (no attribute 'layers')")
    if read_arrays(path, ["stimulus"])["stimulus"].tolist() != list(stimulus_ids):
        raise UnreadableFileError(path, "its stimuli are not those of the responses")
    for name in json.loads(names):
        yield name, read_arrays(path, [name])[name]
