"""One pair's difference over subjects."""

from typing import Any

import numpy as np

from brainalign.correlation.scores import ModelScores
from brainalign.inference.shared_training import small_sample_factor
from brainalign.intervals import FEWEST_SUBJECTS, percentile_interval


def over_subjects(scores: ModelScores, tuned: str, base: str, draws: int, seed: int) -> dict[str, Any]:
    """Return the difference of two models over subjects, each of them with its own score.

    subjects, subjects_higher : how many there are, and in how many the tuned model has the higher r.
    subject_difference : the mean over subjects of the difference in r; it need not be the difference of the aggregates.
        For "average", the weighted mean over data sets, whose subjects are taken to be different people.
    over_subjects_low, over_subjects_high : 95 % percentile interval of that mean over bootstrap samples of subjects,
        within each data set, moved away from the mean by `small_sample_factor`, without which few subjects give
        intervals that are too narrow; NaN where a data set has fewer than FEWEST_SUBJECTS.
    """
    parts = scores.parts or ((scores, 1.0),)
    t, b = scores.of(tuned), scores.of(base)
    random = np.random.default_rng(seed)
    count, higher, mean, drawn = 0, 0, 0.0, np.zeros(draws)
    for part, weight in parts:
        differences = part.subject_r[:, t] - part.subject_r[:, b] if len(part.subject_r) else np.empty(0)
        differences = differences[np.isfinite(differences)]  # (subject,)
        if not len(differences):
            return {}
        count, higher = count + len(differences), higher + int((differences > 0).sum())
        mean += weight * float(differences.mean())
        if len(differences) >= FEWEST_SUBJECTS:
            chosen = random.integers(len(differences), size=(draws, len(differences)))
            away = differences[chosen].mean(axis=1) - differences.mean()
            drawn += weight * (differences.mean() + small_sample_factor(len(differences)) * away)
        else:
            drawn += np.nan
    low, high = percentile_interval(drawn)
    return {
        "subjects": count,
        "subjects_higher": higher,
        "subject_difference": mean,
        "over_subjects_low": float(low),
        "over_subjects_high": float(high),
    }
