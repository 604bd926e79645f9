"""Prepared responses, as the stages after them read them."""

from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

from brainalign.errors import UnreadableFileError
from brainalign.responses.samples import Samples, apply_sample_map
from brainalign.storage import open_arrays, read_arrays, read_attributes

_FACTS = "neuroids_given neuroids_missing neuroids_constant neuroids_dropped left_out".split()
_NEEDED = tuple("responses sample neuroid stimulus split_group map_sample map_stimulus map_weight".split())


@dataclass(frozen=True)
class StoredResponses:
    """One data set's responses.

    values : (sample, neuroid) or (repetition, sample, neuroid), float32.
    samples : the sample table; neuroids : columns neuroid, subject, region and whatever else is known of them.
    stimulus_ids : (stimulus,); arrays : every other variable by name.
    facts : on neuroids that were dropped, see `unusable.usable_neuroids`; empty where none was.
    """

    path: Path
    values: np.ndarray
    samples: Samples
    neuroids: dict[str, np.ndarray]
    stimulus_ids: np.ndarray
    arrays: dict[str, np.ndarray]
    simulated: bool
    facts: dict[str, str | int] = field(default_factory=dict)

    def features_of_samples(self, activations: np.ndarray) -> np.ndarray:
        """Turn features of stimuli (stimulus, width) into features of samples (sample, width)."""
        sample, stimulus, weight = (self.arrays[name] for name in ("map_sample", "map_stimulus", "map_weight"))
        return apply_sample_map(activations, sample, stimulus, weight, len(self.samples))


def read_responses(path: Path) -> StoredResponses:
    """Read what `prepare_responses` wrote. Raises UnreadableFileError."""
    with open_arrays(path) as file:
        missing = [name for name in _NEEDED if not isinstance(file.get(name), h5py.Dataset)]
        if missing:
            raise UnreadableFileError(path, f"it holds no responses (no variable {missing[0]!r})")
        along = {name: [dim.label or dim[0].name.lstrip("/") for dim in file[name].dims if len(dim)] for name in file}
    arrays, attributes = read_arrays(path), read_attributes(path)
    columns = {dim: [name for name, dims in along.items() if dims == [dim]] for dim in ("sample", "neuroid")}
    samples = {"sample_id": arrays.pop("sample")} | {name: arrays.pop(name) for name in columns["sample"]}
    neuroids = {"neuroid": arrays.pop("neuroid")} | {name: arrays.pop(name) for name in columns["neuroid"]}
    return StoredResponses(
        path=path,
        values=arrays.pop("responses"),
        samples=Samples.from_table(samples),
        neuroids=neuroids,
        stimulus_ids=arrays.pop("stimulus"),
        arrays=arrays,
        simulated=bool(attributes.get("simulated", 0)),
        facts={name: attributes[name] for name in _FACTS if name in attributes},
    )
