"""How stimuli become samples: which stimuli belong to a sample, and features of samples from features of stimuli."""

from dataclasses import dataclass

import numpy as np

from brainalign.responses.samples import apply_sample_map


@dataclass(frozen=True)
class Sampling:
    """The sample map of a data set, for features that are fitted to the stimuli of training samples.

    Parameters
    ----------
    map_sample, map_stimulus, map_weight : (entry,), the sparse map in coordinates, see `apply_sample_map`.
    n_samples : rows of the sample table.
    """

    map_sample: np.ndarray
    map_stimulus: np.ndarray
    map_weight: np.ndarray
    n_samples: int

    def features(self, stimuli: np.ndarray) -> np.ndarray:
        """Turn features of stimuli (stimulus, width) into features of samples (sample, width)."""
        return apply_sample_map(stimuli, self.map_sample, self.map_stimulus, self.map_weight, self.n_samples)

    @property
    def is_empty(self) -> np.ndarray:
        """Whether a sample has no stimuli (sample,) bool."""
        return np.asarray(np.bincount(self.map_sample[self.map_weight != 0], minlength=self.n_samples) == 0)

    def stimuli_of(self, samples: np.ndarray) -> np.ndarray:
        """Return the row numbers of the stimuli that have a weight in some of the given samples, rising.

        Parameters
        ----------
        samples : row numbers of the sample table.
        """
        asked = np.zeros(self.n_samples, dtype=bool)
        asked[samples] = True
        return np.unique(self.map_stimulus[asked[self.map_sample] & (self.map_weight != 0)])
