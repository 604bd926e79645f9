"""Instruction-tuned models against the models that they were tuned from."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from brainalign.correlation.percentages import percent_change as percent_of_pair
from brainalign.correlation.percentages import percentages
from brainalign.correlation.scores import ModelScores
from brainalign.correlation.signed_ranks import approximate_p, signed_ranks_p, smallest_p
from brainalign.correlation.subjects import difference_over_subjects
from brainalign.inference.paired import paired_difference
from brainalign.inference.replicates import small_sample_factor
from brainalign.intervals import percentile_interval

PAIR, SUMMARY = "pair", "mean of the pairs"
EVERY_PAIR = "all"
COLUMNS = (
    "encoder readout dataset simulated layer_choice row over tuned base r_tuned r_tuned_low r_tuned_high r_base "
    "r_base_low r_base_high difference difference_low difference_high difference_p difference_smallest_p "
    "difference_normalised difference_normalised_low difference_normalised_high subjects subjects_higher "
    "subject_difference over_subjects_low over_subjects_high percent_change percent_pairs percent_mean_over_pairs "
    "percent_mean_over_datasets percent_of_mean_r reason left_out pairs pairs_higher bases over_bases_low "
    "over_bases_high wilcoxon_p_pairs wilcoxon_smallest_p_pairs wilcoxon_approximate_p_pairs wilcoxon_p_bases "
    "wilcoxon_smallest_p_bases wilcoxon_approximate_p_bases draws seed"
).split()
COUNTS = ("subjects", "subjects_higher", "percent_pairs", "pairs", "pairs_higher", "bases", "draws", "seed")


def compare_pairs(
    groups: Iterable[ModelScores],
    pairs: Mapping[str, str],
    draws: int,
    seed: int,
    over: Mapping[str, Sequence[str]] | None = None,
    few_subjects: str = "show",
) -> pd.DataFrame:
    """Return a row for each pair and one for the mean of each set of pairs, per encoder, readout and data set.

    The data set "average" is the mean over collections of their mean over data sets. `layer_choice` says how the layers
    were chosen whose scores are compared.

    A pair's row: difference = r of the tuned model − r of its base; its interval is of the paired replicates, that is
    over stimuli. `difference_p` is two-sided and of the same replicates, so that it is at most .05 where the interval
    leaves out 0 (see `inference.paired`); `difference_smallest_p` is what so many draws can give at least.
    `difference_normalised` is in units of the ceiling, which is held fixed, and has no interval where
    scores are normalised neuroid by neuroid. `subject_difference` and `over_subjects` are of the subjects' own scores
    (see `subjects.difference_over_subjects`). `percent_change` is 100 × difference / r of the base, only where the
    base's r is above 0 beyond its interval.

    A row of a mean has the interval of the mean difference over stimuli, its p, and, in `over_bases`, over bootstrap
    samples of bases (all pairs of a base move together): the first speaks of these models on other stimuli, the second
    of other models. Wilcoxon's signed-rank p, two-sided, is over pairs, and over the mean difference of each base, each
    beside the smallest p that so many differences can give, and beside the p of the normal approximation, which most
    programs give. The average per cent stands there in three ways (see `percentages.percentages`). Pairs without a
    score are in `left_out`.

    Parameters
    ----------
    groups : see `scores.model_scores`.
    pairs : tuned model → base.
    draws, seed : of the bootstraps of bases and of subjects.
    over : sets of models by name; the pairs of a set are those whose tuned model is in it. One set of all by default.
    few_subjects : "show", so that fewer subjects than FEWEST_SUBJECTS are counted and not resampled, or "resample".
    """
    sets = {EVERY_PAIR: list(pairs)} if over is None else over
    rows: list[dict[str, Any]] = []
    for scores in groups if pairs else ():
        names: dict[str, Any] = {"encoder": scores.encoder, "readout": scores.readout, "dataset": scores.dataset}
        names |= {"simulated": scores.simulated, "layer_choice": scores.layer_choice, "draws": draws, "seed": seed}
        rows += [names | _pair(scores, tuned, base, draws, seed, few_subjects) for tuned, base in pairs.items()]
        for name, among in sets.items():
            chosen = {tuned: base for tuned, base in pairs.items() if tuned in among}
            if chosen:
                rows.append(names | {"over": name} | _summary(scores, chosen, draws, seed))
    table = pd.DataFrame(rows, columns=COLUMNS)
    text = ["over", "left_out", "reason"]
    table[text] = table[text].astype(object).fillna("")
    return table.astype(dict.fromkeys(COUNTS, "Int64"))


def _pair(scores: ModelScores, tuned: str, base: str, draws: int, seed: int, few_subjects: str) -> dict[str, Any]:
    names = {"row": PAIR, "tuned": tuned, "base": base}
    missing = _without_score(scores, tuned, base)
    if missing:
        return names | {"reason": f"no score of {' and '.join(missing)}"}
    t, b = scores.of(tuned), scores.of(base)
    percent, reason = percent_of_pair(scores.r[t], scores.r[b], scores.replicates[:, b])
    return {
        **names,
        **_three("r_tuned", scores.r[t], scores.replicates[:, t]),
        **_three("r_base", scores.r[b], scores.replicates[:, b]),
        **_paired(scores.r[t], scores.r[b], scores.replicates[:, t], scores.replicates[:, b]),
        **_three(
            "difference_normalised",
            scores.normalised[t] - scores.normalised[b],
            scores.normalised_replicates[:, t] - scores.normalised_replicates[:, b],
        ),
        **difference_over_subjects(scores, tuned, base, draws, seed, few_subjects == "resample"),
        "percent_change": percent,
        "reason": reason,
    }


def _summary(scores: ModelScores, pairs: Mapping[str, str], draws: int, seed: int) -> dict[str, Any]:
    scored = {tuned: base for tuned, base in pairs.items() if not _without_score(scores, tuned, base)}
    names: dict[str, Any] = {"row": SUMMARY, "tuned": "", "base": "", "pairs": len(scored)}
    names["left_out"] = " ".join(tuned for tuned in pairs if tuned not in scored)
    if not scored:
        return names | {"bases": 0, "reason": "no pair has both scores"}
    t = [scores.of(model) for model in scored]
    b = [scores.of(model) for model in scored.values()]
    differences = scores.r[t] - scores.r[b]  # (pair,)
    bases = list(scored.values())
    per_base = np.array([differences[[base == name for base in bases]].mean() for name in dict.fromkeys(bases)])
    low, high = _interval(bootstrap_bases(differences, bases, draws, seed)) if len(per_base) > 1 else (np.nan, np.nan)
    normalised = scores.normalised[t] - scores.normalised[b]
    drawn = scores.normalised_replicates[:, t] - scores.normalised_replicates[:, b]
    return {
        **names,
        **_paired(*(scores.r[of].mean() for of in (t, b)), *(scores.replicates[:, of].mean(axis=1) for of in (t, b))),
        **_three("difference_normalised", normalised.mean(), drawn.mean(axis=1)),
        **percentages(scores, scored),
        "reason": "" if len(per_base) > 1 else "no interval over bases: there is one base only",
        "pairs_higher": int((differences > 0).sum()),
        "bases": len(per_base),
        "over_bases_low": low,
        "over_bases_high": high,
        "wilcoxon_p_pairs": signed_ranks_p(differences),
        "wilcoxon_smallest_p_pairs": smallest_p(differences),
        "wilcoxon_approximate_p_pairs": approximate_p(differences),
        "wilcoxon_p_bases": signed_ranks_p(per_base),
        "wilcoxon_smallest_p_bases": smallest_p(per_base),
        "wilcoxon_approximate_p_bases": approximate_p(per_base),
    }


def bootstrap_bases(differences: np.ndarray, bases: Sequence[str], draws: int, seed: int) -> np.ndarray:
    """Return the mean difference over pairs in samples of bases with replacement: (draw,).

    A base that is drawn twice has its pairs counted twice. Replicates are moved away from the mean by
    `small_sample_factor`, without which a few bases give intervals that are too narrow.

    Parameters
    ----------
    differences : (pair,); bases : the base of each pair.
    """
    names = list(dict.fromkeys(bases))
    member = np.array([[base == name for base in bases] for name in names], dtype=float)  # (base, pair)
    counts = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    weights = counts @ member  # (draw, pair)
    drawn = (weights @ differences) / weights.sum(axis=1)
    mean = differences.mean()
    return np.asarray(mean + small_sample_factor(len(names)) * (drawn - mean))


def _without_score(scores: ModelScores, *models: str) -> list[str]:
    return [model for model in models if model not in scores.models or not np.isfinite(scores.r[scores.of(model)])]


def _paired(tuned: float, base: float, of_tuned: np.ndarray, of_base: np.ndarray) -> dict[str, float]:
    """Return the difference of two scores with its interval and p, from replicates (draw,) of the same draws."""
    found = paired_difference(np.asarray(tuned), np.asarray(base), of_tuned, of_base)
    values = {"": found.difference, "_low": found.low, "_high": found.high, "_p": found.p}
    return {f"difference{end}": float(value) for end, value in (values | {"_smallest_p": found.smallest_p}).items()}


def _three(name: str, value: float, replicates: np.ndarray) -> dict[str, float]:
    low, high = _interval(replicates)
    return {name: float(value), f"{name}_low": low, f"{name}_high": high}


def _interval(replicates: np.ndarray) -> tuple[float, float]:
    low, high = percentile_interval(replicates)
    return float(low), float(high)
