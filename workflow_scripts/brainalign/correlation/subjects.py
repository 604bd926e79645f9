"""One pair's difference over subjects."""

from typing import Any

import numpy as np

from brainalign.correlation.scores import ModelScores
from brainalign.inference.subjects import over_subjects
from brainalign.intervals import percentile_interval


def difference_over_subjects(
    scores: ModelScores, tuned: str, base: str, draws: int, seed: int, few_on_request: bool = False
) -> dict[str, Any]:
    """Return the difference of two models over subjects, each of them with its own score.

    subjects, subjects_higher : how many there are, and in how many the tuned model has the higher r.
    subject_difference : the mean over subjects of the difference in r; it need not be the difference of the aggregates.
        For "average", the weighted mean over data sets, whose subjects are taken to be different people.
    over_subjects_low, over_subjects_high : 95 % percentile interval of that mean over bootstrap samples of subjects,
        within each data set (see `inference.subjects.over_subjects`); NaN where a data set has fewer than
        FEWEST_SUBJECTS, unless `few_on_request`, or a single one.
    """
    parts = scores.parts or ((scores, 1.0),)
    t, b = scores.of(tuned), scores.of(base)
    random = np.random.default_rng(seed)  # one for all data sets: their subjects are drawn independently
    count, higher, mean, drawn = 0, 0, 0.0, np.zeros(draws)
    for part, weight in parts:
        differences = part.subject_r[:, t] - part.subject_r[:, b] if len(part.subject_r) else np.empty(0)
        differences = differences[np.isfinite(differences)]  # (subject,)
        if not len(differences):
            return {}
        found = over_subjects(differences, draws, random, few_on_request)
        count, higher = count + len(differences), higher + int((differences > 0).sum())
        mean += weight * float(found.mean)
        drawn += weight * found.replicates
    low, high = percentile_interval(drawn)
    return {
        "subjects": count,
        "subjects_higher": higher,
        "subject_difference": mean,
        "over_subjects_low": float(low),
        "over_subjects_high": float(high),
    }
