"""Correlation of alignment with properties of the models, over models."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from brainalign.correlation.scores import ModelScores
from brainalign.correlation.statistics import bootstrap_pearson, fisher_interval, pearson, spearman
from brainalign.errors import unknown
from brainalign.intervals import percentile_interval
from brainalign.study import LOSS_UNIT

LEAST_FOR_R = 3
LEAST_FOR_P = 4
COLUMNS = (
    "encoder readout dataset simulated property n pearson_r pearson_p fisher_low fisher_high over_models_low "
    "over_models_high over_stimuli_low over_stimuli_high spearman_rho spearman_p reason models left_out "
    "untrained_excluded draws seed"
).split()


def correlations(
    groups: Iterable[ModelScores], properties: pd.DataFrame, names: Sequence[str], draws: int, seed: int
) -> pd.DataFrame:
    """Return one row per encoder, readout, data set (and "average") and property.

    Observations are the trained models that have the property and a score. Untrained twins are never among them;
    `untrained_excluded` names those that were scored, `left_out` the trained models without a value. Models of one
    family, and those tuned from one base, are not independent; `pearson_p`, the Fisher interval and the one over
    models take them to be.

    Intervals of Pearson's r: `fisher`, analytic; `over_models`, percentiles over bootstrap samples of models;
    `over_stimuli`, percentiles over the replicates of the scores, models fixed.

    Parameters
    ----------
    groups : see `scores.model_scores`.
    properties : a row per model: model, kind and the properties.
    names : of the properties, or of losses.
    draws, seed : of the bootstrap of models.

    Raises
    ------
    InputError : a property that the table does not have.
    """
    table = properties.set_index("model")
    columns = {name: property_column(name, properties) for name in names}
    rows = [
        _correlate(scores, table["kind"], table[column].astype(float), draws, seed) | {"property": name}
        for scores in groups
        for name, column in columns.items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def property_column(name: str, properties: pd.DataFrame) -> str:
    """Return the column of a property or loss.

    Raises
    ------
    InputError : there is none.
    """
    for column in (name, name + LOSS_UNIT):
        if column in properties.columns:
            return column
    numbers = [column for column in properties.columns if column not in ("model", "family", "kind", "base")]
    raise unknown("property", name, numbers)


def _correlate(scores: ModelScores, kinds: pd.Series, values: pd.Series, draws: int, seed: int) -> dict[str, Any]:
    models = np.array(scores.models, dtype=object)
    x = values.reindex(scores.models).to_numpy(np.float64)  # (model,)
    untrained = (kinds.reindex(scores.models) == "untrained").to_numpy(dtype=bool)
    used = ~untrained & np.isfinite(x) & np.isfinite(scores.r)
    row = {
        "encoder": scores.encoder,
        "readout": scores.readout,
        "dataset": scores.dataset,
        "simulated": scores.simulated,
        "n": int(used.sum()),
        "models": " ".join(models[used]),
        "left_out": " ".join(models[~used & ~untrained]),
        "untrained_excluded": " ".join(models[untrained]),
        "draws": draws,
        "seed": seed,
    }
    return row | _statistics(x[used], scores.r[used], scores.replicates[:, used], draws, seed)


def _statistics(x: np.ndarray, y: np.ndarray, replicates: np.ndarray, draws: int, seed: int) -> dict[str, Any]:
    """Return the statistics of x and y (model,), with replicates of y (draw, model), or the reason for none."""
    if len(x) < LEAST_FOR_R:
        return {"reason": f"fewer than {LEAST_FOR_R} models"}
    constant = [what for what, values in (("property", x), ("score", y)) if np.ptp(values) == 0]
    if constant:
        return {"reason": f"the {constant[0]} is the same for all models"}
    r = float(pearson(x, y))
    rho, spearman_p = spearman(x, y)
    fisher = fisher_interval(r, len(x))
    over_models = percentile_interval(bootstrap_pearson(x, y, draws, seed))
    over_stimuli = percentile_interval(pearson(x, replicates))
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
    if len(x) < LEAST_FOR_P:
        return found | {"reason": f"fewer than {LEAST_FOR_P} models: no p and no analytic interval"}
    return found | {"pearson_p": pearson_p(x, y), "spearman_p": spearman_p, "reason": ""}


def pearson_p(x: np.ndarray, y: np.ndarray) -> float:
    """Return the two-sided p of r = 0 for independent pairs of normal variables."""
    from scipy import stats

    return float(stats.pearsonr(x, y).pvalue)
