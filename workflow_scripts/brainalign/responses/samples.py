"""The sample table, and how features of stimuli become features of samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np

from brainalign.errors import InputError, nearest


class Columns(Protocol):
    """Named columns: a mapping of arrays or a pandas table."""

    def __getitem__(self, name: str, /) -> Any: ...

    def keys(self) -> Any: ...


@dataclass(frozen=True)
class Samples:
    """The sample table: one row per response (a sentence, a scan), in the order of the response matrix.

    Parameters
    ----------
    columns : name to array (sample,). `split_group` is always there (what is held out together: topic, story);
        `run` and `onset_s` (in seconds) where the samples are a series.

    Raises
    ------
    InputError : no `split_group`, or columns of different lengths.
    """

    columns: Mapping[str, np.ndarray]

    def __post_init__(self) -> None:
        lengths = {name: len(values) for name, values in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise InputError(f"the sample table's columns must be equally long, but their lengths are {lengths}.")
        self.column("split_group")

    @classmethod
    def from_table(cls, table: Columns) -> Self:
        """Take the columns of a pandas table or of a mapping of arrays."""
        return cls({str(name): np.asarray(table[name]) for name in table.keys()})  # noqa: SIM118 -- tables iterate so

    def __len__(self) -> int:
        return len(self.columns["split_group"])

    @property
    def split_group(self) -> np.ndarray:
        """The group of each sample (sample,)."""
        return self.column("split_group")

    @property
    def run(self) -> np.ndarray:
        """The run of each sample (sample,)."""
        return self.column("run")

    @property
    def onset_s(self) -> np.ndarray | None:
        """The onset of each sample in seconds (sample,), None where the samples are no series."""
        return np.asarray(self.columns["onset_s"], dtype=np.float64) if "onset_s" in self.columns else None

    def column(self, name: str) -> np.ndarray:
        """Return a column. Raises InputError with the columns there are."""
        if name not in self.columns:
            raise InputError(
                f"the sample table has no column {name!r}{nearest(name, self.columns) or '.'} "
                f"Its columns: {', '.join(self.columns) or 'none'}."
            )
        return np.asarray(self.columns[name])


def apply_sample_map(
    activations: np.ndarray,
    map_sample: np.ndarray,
    map_stimulus: np.ndarray,
    map_weight: np.ndarray,
    n_samples: int,
) -> np.ndarray:
    """Turn features of stimuli into features of samples: out[i] = sum over entries with sample i of weight * row.

    Parameters
    ----------
    activations : (stimulus, width).
    map_sample, map_stimulus, map_weight : (entry,), the sparse map in coordinates.
    n_samples : rows of the result; a sample without an entry is a row of zeros.

    Returns
    -------
    (sample, width) float64, or `activations` itself where the map is the identity.

    Raises
    ------
    InputError : an index outside the stimuli or the samples.
    """
    n_stimuli = len(activations)
    _check_index("stimulus", map_stimulus, n_stimuli)
    _check_index("sample", map_sample, n_samples)
    if _is_identity(map_sample, map_stimulus, map_weight, n_samples, n_stimuli):
        return activations
    order = np.argsort(map_sample, kind="stable")
    rows = activations[map_stimulus[order]] * map_weight[order, None].astype(np.float64)  # (entry, width)
    mapped, starts = np.unique(map_sample[order], return_index=True)
    result = np.zeros((n_samples, activations.shape[1]))
    if len(mapped):
        result[mapped] = np.add.reduceat(rows, starts, axis=0)
    return result


def _check_index(kind: str, index: np.ndarray, size: int) -> None:
    if len(index) and (index.min() < 0 or index.max() >= size):
        raise InputError(f"the sample map names {kind} {index.max()}, but there are {size}, counted from 0.")


def _is_identity(sample: np.ndarray, stimulus: np.ndarray, weight: np.ndarray, n_samples: int, n_stimuli: int) -> bool:
    if not n_samples == n_stimuli == len(sample):
        return False
    counted = np.arange(n_samples)
    return np.array_equal(sample, counted) and np.array_equal(stimulus, counted) and bool(np.all(weight == 1))
