"""Instruction-tuned models against the models that they were tuned from."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from brainalign.correlation.scores import ModelScores
from brainalign.errors import unknown
from brainalign.intervals import percentile_interval

PAIR, SUMMARY = "pair", "mean of the pairs"
COLUMNS = (
    "encoder readout dataset simulated row tuned base r_tuned r_tuned_low r_tuned_high r_base r_base_low r_base_high "
    "difference difference_low difference_high difference_normalised difference_normalised_low "
    "difference_normalised_high percent_change reason pairs bases over_bases_low over_bases_high wilcoxon_p_pairs "
    "wilcoxon_smallest_p_pairs wilcoxon_p_bases wilcoxon_smallest_p_bases draws seed"
).split()


def compare_pairs(groups: Iterable[ModelScores], pairs: Mapping[str, str], draws: int, seed: int) -> pd.DataFrame:
    """Return a row for each pair and one for their mean, per encoder, readout and data set (and "average").

    difference = r of the tuned model − r of its base; its interval is of the paired replicates, that is over stimuli.
    `difference_normalised` is in units of the ceiling, which is held fixed. `percent_change` is 100 × difference / r of
    the base, only where the interval of the base's r lies above 0.

    The row of the mean has the interval of the mean difference over stimuli, and, in `over_bases`, over bootstrap
    samples of bases (all pairs of a base move together). Wilcoxon's signed-rank p, two-sided, is over pairs, and over
    the mean difference of each base; the smallest p that so many differences can give is 2^(1 − n).

    Parameters
    ----------
    groups : see `scores.model_scores`.
    pairs : tuned model → base.
    draws, seed : of the bootstrap of bases.

    Raises
    ------
    InputError : a model that was not scored.
    """
    rows: list[dict[str, Any]] = []
    for scores in groups if pairs else ():
        names: dict[str, Any] = {"encoder": scores.encoder, "readout": scores.readout, "dataset": scores.dataset}
        names["simulated"] = scores.simulated
        for model in (*pairs, *pairs.values()):
            if model not in scores.models:
                raise unknown("model in a pair", model, scores.models)
        rows += [names | _pair(scores, tuned, base) for tuned, base in pairs.items()]
        rows.append(names | _summary(scores, pairs, draws, seed))
    counts = ["pairs", "bases", "draws", "seed"]
    return pd.DataFrame(rows, columns=COLUMNS).astype(dict.fromkeys(counts, "Int64"))


def _pair(scores: ModelScores, tuned: str, base: str) -> dict[str, Any]:
    t, b = scores.of(tuned), scores.of(base)
    difference = scores.r[t] - scores.r[b]
    base_interval = _interval(scores.replicates[:, b])
    return {
        "row": PAIR,
        "tuned": tuned,
        "base": base,
        **_three("r_tuned", scores.r[t], scores.replicates[:, t]),
        **_three("r_base", scores.r[b], scores.replicates[:, b]),
        **_three("difference", difference, scores.replicates[:, t] - scores.replicates[:, b]),
        **_three(
            "difference_normalised",
            scores.normalised[t] - scores.normalised[b],
            scores.normalised_replicates[:, t] - scores.normalised_replicates[:, b],
        ),
        "percent_change": 100 * difference / scores.r[b] if base_interval[0] > 0 else np.nan,
        "reason": "" if base_interval[0] > 0 else "no per cent: the interval of the base's r does not lie above 0",
    }


def _summary(scores: ModelScores, pairs: Mapping[str, str], draws: int, seed: int) -> dict[str, Any]:
    t = [scores.of(model) for model in pairs]
    b = [scores.of(model) for model in pairs.values()]
    differences = scores.r[t] - scores.r[b]  # (pair,)
    bases = list(pairs.values())
    per_base = np.array([differences[[base == name for base in bases]].mean() for name in dict.fromkeys(bases)])
    low, high = _interval(bootstrap_bases(differences, bases, draws, seed)) if len(per_base) > 1 else (np.nan, np.nan)
    normalised = scores.normalised[t] - scores.normalised[b]
    drawn = scores.normalised_replicates[:, t] - scores.normalised_replicates[:, b]
    return {
        "row": SUMMARY,
        "tuned": "",
        "base": "",
        **_three("difference", differences.mean(), (scores.replicates[:, t] - scores.replicates[:, b]).mean(axis=1)),
        **_three("difference_normalised", normalised.mean(), drawn.mean(axis=1)),
        "reason": "" if len(per_base) > 1 else "no interval over bases: there is one base only",
        "pairs": len(pairs),
        "bases": len(per_base),
        "over_bases_low": low,
        "over_bases_high": high,
        "wilcoxon_p_pairs": wilcoxon_p(differences),
        "wilcoxon_smallest_p_pairs": smallest_p(len(differences)),
        "wilcoxon_p_bases": wilcoxon_p(per_base),
        "wilcoxon_smallest_p_bases": smallest_p(len(per_base)),
        "draws": draws,
        "seed": seed,
    }


def bootstrap_bases(differences: np.ndarray, bases: Sequence[str], draws: int, seed: int) -> np.ndarray:
    """Return the mean difference over pairs in samples of bases with replacement: (draw,).

    A base that is drawn twice has its pairs counted twice.

    Parameters
    ----------
    differences : (pair,); bases : the base of each pair.
    """
    names = list(dict.fromkeys(bases))
    member = np.array([[base == name for base in bases] for name in names], dtype=float)  # (base, pair)
    counts = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    weights = counts @ member  # (draw, pair)
    return np.asarray((weights @ differences) / weights.sum(axis=1))


def wilcoxon_p(differences: np.ndarray) -> float:
    """Return the two-sided p of Wilcoxon's signed-rank test; NaN where a difference is missing or all are 0."""
    from scipy import stats

    if not np.isfinite(differences).all() or not differences.any():
        return float("nan")
    return float(stats.wilcoxon(differences).pvalue)


def smallest_p(n: int) -> float:
    """Return the smallest two-sided p that n differences of one sign give: 2^(1 − n)."""
    return float(2.0 ** (1 - n))


def _three(name: str, value: float, replicates: np.ndarray) -> dict[str, float]:
    low, high = _interval(replicates)
    return {name: float(value), f"{name}_low": low, f"{name}_high": high}


def _interval(replicates: np.ndarray) -> tuple[float, float]:
    low, high = percentile_interval(replicates)
    return float(low), float(high)
