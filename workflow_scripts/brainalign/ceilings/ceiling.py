"""What every kind of noise ceiling gives, and the units that it is in."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

# The kinds in the order in which they are preferred for normalising. First what is known of the responses: the truth
# of a simulation, then what their authors measured, then their reliability, which is an upper bound for every model
# with every encoder (of all repetitions at once before random halves of them). Last what other subjects' responses
# predict, which depends on the encoder and on how many subjects there are, so that a model can score above it; of the
# two the plain score first: it is about 0 where nothing is shared, and has the draws of the models' scores, whereas
# the extrapolated one is above 0 on noise (see `subject_pool`).
KINDS = ("known", "given", "repeats", "split-half", "leave-one-subject-out", "subject-pool")

# What a ceiling belongs to; one that came with the data may say that it is of an encoder, too.
BASES = MappingProxyType(
    {
        "known": "truth",
        "given": "responses",
        "repeats": "responses",
        "split-half": "responses",
        "leave-one-subject-out": "encoder",
        "subject-pool": "encoder",
    }
)

# What a ceiling is of: Pearson r, or its square, which a reliability or a share of variance is a ceiling of.
UNITS = ("r", "r2")


@dataclass(frozen=True)
class Ceiling:
    """A noise ceiling; all its values are in the same units, which scores must have that are divided by it.

    Parameters
    ----------
    kind : how it was found, one of KINDS.
    score_subjects, score_regions : names of the axes, beginning with "all".
    per_neuroid : (neuroid,), the mean over folds where there are folds.
    aggregate : (score_subject, score_region), under the encoder's aggregate; NaN where a cell is empty.
    low, high : (score_subject, score_region), 2.5 and 97.5 % of the resamples; NaN where there are none.
    replicates : (draw, score_subject, score_region) float32 under the draws of the models' scores (the same draw has
        the same number), None where the ceiling does not come from them.
    per_neuroid_low : (neuroid,), 2.5 % of each neuroid's own resamples; None where there are none.
    null, null_high : (score_subject, score_region), the mean and the highest of the ceilings found by the same means
        where subjects share nothing; None where noise gives 0 on average.
    units : one of UNITS.
    basis : what it belongs to, one of those in BASES; that of its kind unless given.
    """

    kind: str
    score_subjects: tuple[str, ...]
    score_regions: tuple[str, ...]
    per_neuroid: np.ndarray
    aggregate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    replicates: np.ndarray | None
    per_neuroid_low: np.ndarray | None = None
    null: np.ndarray | None = None
    null_high: np.ndarray | None = None
    units: str = "r"
    basis: str = ""


def signed_root(values: np.ndarray) -> np.ndarray:
    """Return sqrt(|x|) with the sign of x: reliabilities below 0, which noise gives as often, stay below 0."""
    return np.asarray(np.sign(values) * np.sqrt(np.abs(values)))


def in_units_of_r(values: np.ndarray, units: Sequence[str]) -> np.ndarray:
    """Return ceilings of several kinds in units of r: of those in units of r² the signed root.

    Parameters
    ----------
    values : (kind, ...).
    units : (kind,), each one of UNITS.
    """
    squared = np.array([own == "r2" for own in units], dtype=bool).reshape(-1, *[1] * (values.ndim - 1))
    return np.where(squared, signed_root(values), values)
