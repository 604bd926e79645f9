"""Responses in memory: samples × neuroids with the tables that say what both are."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from brainalign.errors import InputError
from brainalign.responses.unusable import constant, missing_or_infinite
from brainalign.storage import Variable

RESERVED = frozenset("repetition entry map_sample map_stimulus map_weight noise_free".split())


@dataclass(frozen=True)
class Responses:
    """A data set's responses.

    values : (sample, neuroid) or (repetition, sample, neuroid), float32.
    samples : table with sample_id, split_group, run, and onset_s (seconds) for series.
    neuroids : table with neuroid_id, subject, region, and numeric columns such as x, y, z, ceiling.
    stimulus_ids : (stimulus,) in presentation order.
    map_sample, map_stimulus, map_weight : the sparse sample × stimulus map, one entry each; a sample's features
        are the weighted sum of its stimuli's features.
    extra : further variables by name, such as the noise-free response of a simulation.
    facts : what else is to be known, as attributes of the file: `left_out`, a sentence on neuroids that were dropped.
    """

    values: np.ndarray
    samples: pd.DataFrame
    neuroids: pd.DataFrame
    stimulus_ids: np.ndarray
    map_sample: np.ndarray
    map_stimulus: np.ndarray
    map_weight: np.ndarray
    extra: Mapping[str, Variable] = field(default_factory=dict)
    facts: Mapping[str, str | int] = field(default_factory=dict)

    def variables(self) -> dict[str, Variable]:
        """Return everything as variables of one file.

        Raises
        ------
        InputError : values that are missing or infinite, repeated ids, shapes that do not fit, a column with the
            name of another variable.
        """
        values = _checked(self)
        axes = ("repetition", "sample", "neuroid")[-values.ndim :]
        result = {"responses": Variable(axes, values)}
        result["sample"] = Variable(("sample",), self.samples["sample_id"].to_numpy(object))
        result["neuroid"] = Variable(("neuroid",), self.neuroids["neuroid_id"].to_numpy(object))
        result["stimulus"] = Variable(("stimulus",), np.asarray(self.stimulus_ids, dtype=object))
        for dim, table in (("sample", self.samples), ("neuroid", self.neuroids)):
            for column in table.columns.drop(f"{dim}_id"):
                if column in result or column in RESERVED:
                    raise InputError(f"the table of {dim}s has a column {column!r}, a name that is kept; rename it.")
                result[column] = Variable((dim,), _values(table[column]))
        result["map_sample"] = Variable(("entry",), self.map_sample.astype(np.int64))
        result["map_stimulus"] = Variable(("entry",), self.map_stimulus.astype(np.int64))
        result["map_weight"] = Variable(("entry",), self.map_weight.astype(np.float64))
        return result | dict(self.extra)


def identity_map(samples: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the map of samples that are stimuli, one to one: (sample, stimulus, weight), each (samples,)."""
    index = np.arange(samples, dtype=np.int64)
    return index, index.copy(), np.ones(samples)


def _values(column: pd.Series) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(np.float64)
    return column.astype(object).where(column.notna(), "").astype(str).to_numpy(object)


def _checked(responses: Responses) -> np.ndarray:
    """Return the values as float32; what is checked is what will be stored."""
    values, samples, neuroids = responses.values, responses.samples, responses.neuroids
    if values.ndim not in (2, 3) or values.shape[-2:] != (len(samples), len(neuroids)):
        raise InputError(
            f"the responses have shape {values.shape}, but there are {len(samples)} samples and "
            f"{len(neuroids)} neuroids; (sample, neuroid) or (repetition, sample, neuroid) is needed."
        )
    for name, ids in (("neuroid", neuroids["neuroid_id"]), ("sample", samples["sample_id"])):
        if ids.duplicated().any():
            raise InputError(f"{name} ids must be unique, but {ids[ids.duplicated()].iloc[0]!r} comes more than once.")
    with np.errstate(over="ignore"):
        stored = values.astype(np.float32)
    wrong = missing_or_infinite(stored)
    if wrong.any():
        first = neuroids["neuroid_id"].iloc[int(np.argwhere(wrong)[0][-1])]
        raise InputError(
            f"there are responses that are missing or infinite ({wrong.sum()} of {wrong.size}), as in the neuroid "
            f"{first!r}; leave the neuroid out (bad_neuroids: drop) or fill the gap before."
        )
    still = constant(stored)
    if still.any():
        first = neuroids["neuroid_id"].iloc[int(still.argmax())]
        raise InputError(
            f"there are neuroids whose responses are constant ({still.sum()} of {len(neuroids)}), as {first!r}; "
            "leave them out (bad_neuroids: drop)."
        )
    return stored
