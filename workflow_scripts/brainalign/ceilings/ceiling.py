"""What every kind of noise ceiling gives, in units of r."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ceiling:
    """A noise ceiling in units of Pearson r.

    Parameters
    ----------
    kind : how it was found: "known", "given", "subject-pool", "leave-one-subject-out".
    score_subjects, score_regions : names of the axes, beginning with "all".
    per_neuroid : (neuroid,), the mean over folds where there are folds.
    aggregate : (score_subject, score_region), under the encoder's aggregate; NaN where a cell is empty.
    low, high : (score_subject, score_region), 2.5 and 97.5 % of the resamples; NaN where there are none.
    replicates : (draw, score_subject, score_region) float32 under the draws of the models' scores (the same draw has
        the same number), None where the ceiling does not come from them.
    """

    kind: str
    score_subjects: tuple[str, ...]
    score_regions: tuple[str, ...]
    per_neuroid: np.ndarray
    aggregate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    replicates: np.ndarray | None
