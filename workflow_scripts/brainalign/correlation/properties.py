"""Correlation of alignment with properties of the models, over models."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from brainalign.correlation.bases import permutation_p
from brainalign.correlation.corrections import correct
from brainalign.correlation.observations import EVERY_MODEL, Observations, members, observe
from brainalign.correlation.power import detectable_r
from brainalign.correlation.scores import ModelScores
from brainalign.correlation.statistics import bootstrap_pearson, correlation_p, fisher_interval, pearson, spearman
from brainalign.intervals import percentile_interval

LEAST_FOR_R = 3
LEAST_FOR_P = 4
ANALYSIS = "pearson"
COLUMNS = (
    "encoder readout dataset simulated layer_choice over property n bases pearson_r pearson_p fisher_low fisher_high "
    "over_models_low over_models_high over_stimuli_low over_stimuli_high spearman_rho spearman_p permutation_p "
    "permutation_smallest_p permutation_orders detectable_r correction corrected_tests corrected_p reason models "
    "left_out untrained_excluded draws seed"
).split()
COUNTS = ("n", "bases", "permutation_orders", "corrected_tests")


def correlations(
    groups: Iterable[ModelScores],
    properties: pd.DataFrame,
    names: Sequence[str],
    draws: int,
    seed: int,
    over: Mapping[str, Mapping[str, Any]] = EVERY_MODEL,
    corrections: Mapping[str, Mapping[str, Any]] | None = None,
    orders: int = 9999,
) -> pd.DataFrame:
    """Return one row per encoder, readout, data set (and "average"), set of models and property.

    Observations are the trained models of the set that have the property and a score. Untrained twins are never among
    them; `untrained_excluded` names those that were scored, `left_out` the trained models without a value. Models of
    one family, and those tuned from one base, are not independent; `pearson_p`, the Fisher interval and the one over
    models take them to be. `permutation_p` moves whole bases (see `bases.permutation_p`). `layer_choice` says how the
    layers were chosen whose scores are correlated: "best" is by the test scores themselves.

    Intervals of Pearson's r: `fisher`, analytic; `over_models`, percentiles over bootstrap samples of models;
    `over_stimuli`, percentiles over the replicates of the scores, models fixed. `detectable_r` is the smallest |r| that
    so many independent models show at .05, two-sided, with a power of 80 %. `corrected_p` is Benjamini–Hochberg's over
    the `corrected_tests` of the declared `correction`.

    Parameters
    ----------
    groups : see `scores.model_scores`.
    properties : a row per model: model, family, kind, base and the properties.
    names : of the properties, or of losses.
    draws, seed : of the bootstrap of models; the seed also of the random orders of bases.
    over : sets of models, see `observations.members`.
    corrections : families of tests, see `corrections.correct`.
    orders : random orders of bases, where there are too many for all.

    Raises
    ------
    InputError : a property that the table does not have, or a test in two corrections.
    """
    sets = {name: members(wanted, properties) for name, wanted in over.items()}
    rows = [
        {"property": name, "over": of, "draws": draws, "seed": seed}
        | labels(scores)
        | _row(observe(scores, properties, among, name), draws, seed, orders)
        for scores in groups
        for of, among in sets.items()
        for name in names
    ]
    table = pd.DataFrame(rows, columns=COLUMNS).assign(analysis=ANALYSIS)
    table = correct(table, corrections or {}, "pearson_p")[COLUMNS]
    return table.astype(dict.fromkeys(COUNTS, "Int64"))


def labels(scores: ModelScores) -> dict[str, Any]:
    """Return the columns that say whose scores a row is about."""
    names = {"encoder": scores.encoder, "readout": scores.readout, "dataset": scores.dataset}
    return names | {"simulated": scores.simulated, "layer_choice": scores.layer_choice}


def why_no_r(of: Observations, needed: int) -> str:
    """Return why there is no correlation, or nothing."""
    if len(of.x) < needed:
        return f"fewer than {needed} models"
    constant = [what for what, values in (("property", of.x), ("score", of.y)) if np.ptp(values) == 0]
    return f"the {constant[0]} is the same for all models" if constant else ""


def _row(of: Observations, draws: int, seed: int, orders: int) -> dict[str, Any]:
    row = {
        "n": len(of.models),
        "bases": len(set(of.bases)),
        "models": " ".join(of.models),
        "left_out": " ".join(of.left_out),
        "untrained_excluded": " ".join(of.untrained),
    }
    return row | _statistics(of, draws, seed, orders)


def _statistics(of: Observations, draws: int, seed: int, orders: int) -> dict[str, Any]:
    """Return the statistics, or the reason for none."""
    reason = why_no_r(of, LEAST_FOR_R)
    if reason:
        return {"reason": reason}
    n, r = len(of.x), float(pearson(of.x, of.y))
    rho, spearman_p = spearman(of.x, of.y)
    fisher = fisher_interval(r, n)
    over_models = percentile_interval(bootstrap_pearson(of.x, of.y, draws, seed))
    over_stimuli = percentile_interval(pearson(of.x, of.replicates))
    found = {
        "pearson_r": r,
        "fisher_low": fisher[0],
        "fisher_high": fisher[1],
        "over_models_low": float(over_models[0]),
        "over_models_high": float(over_models[1]),
        "over_stimuli_low": float(over_stimuli[0]),
        "over_stimuli_high": float(over_stimuli[1]),
        "spearman_rho": rho,
    }
    if n < LEAST_FOR_P:
        return found | {"reason": f"fewer than {LEAST_FOR_P} models: no p and no analytic interval"}
    moved = permutation_p(of.x, of.y, of.bases, orders, seed)
    return found | {
        "pearson_p": correlation_p(r, n),
        "spearman_p": spearman_p,
        "permutation_p": moved.p,
        "permutation_smallest_p": moved.smallest,
        "permutation_orders": moved.orders,
        "detectable_r": detectable_r(n),
        "reason": "",
    }
