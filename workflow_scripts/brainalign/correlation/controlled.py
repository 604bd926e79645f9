"""Correlations that hold something fixed: other properties, or the family of the models."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from brainalign.correlation.corrections import correct
from brainalign.correlation.mixed import slope_beyond_families
from brainalign.correlation.observations import EVERY_MODEL, Observations, members, observe
from brainalign.correlation.partial import Part, bootstrap_controlled_r, controlled_r
from brainalign.correlation.power import detectable_r
from brainalign.correlation.properties import correlations, labels, why_no_r
from brainalign.correlation.scores import ModelScores
from brainalign.correlation.statistics import correlation_p, fisher_interval
from brainalign.errors import InputError
from brainalign.intervals import percentile_interval

WITHIN, WITHOUT = "within family", "without family"
MIXED = "mixed model"
GIVEN_R = "given r"
PARTS: tuple[Part, ...] = ("partial", "semi-partial")
ANALYSES = (*PARTS, WITHIN, WITHOUT, MIXED, GIVEN_R)
COLUMNS = (
    "encoder readout dataset simulated layer_choice over analysis family property given n bases estimate p low high "
    "over_models_low over_models_high over_stimuli_low over_stimuli_high share_between detectable_r correction "
    "corrected_tests corrected_p reason models left_out draws seed"
).split()
COUNTS = ("n", "bases", "corrected_tests", "draws", "seed")
_RENAMED = {"pearson_r": "estimate", "pearson_p": "p", "fisher_low": "low", "fisher_high": "high"}


def controlled_correlations(
    groups: Iterable[ModelScores],
    properties: pd.DataFrame,
    names: Sequence[str],
    partial: Sequence[Mapping[str, Any]] = (),
    mixed: Sequence[str] = (),
    given_r: Mapping[str, Mapping[str, Any]] | None = None,
    over: Mapping[str, Mapping[str, Any]] = EVERY_MODEL,
    corrections: Mapping[str, Mapping[str, Any]] | None = None,
    draws: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return one row per analysis, encoder, readout, data set (and "average"), set of models and property.

    `analysis` says what `estimate` is:

    partial, semi-partial : see `partial.controlled_r`, given the properties named in `given` (k of them). p is that of
        the property's coefficient in a regression on all of them, n − 2 − k degrees of freedom, and the same for both;
        the interval is Fisher's with n − k − 3, approximate for the semi-partial.
    within family, without family : Pearson's r over the models of one family, or over those of all others. In sets of
        two or more families.
    mixed model : see `mixed.slope_beyond_families`; `share_between` is the share of the remaining variance that lies
        between bases, and `reason` says where there is none.
    given r : a correlation that was given, such as a published one, with p from its n; no data of this study.

    Parameters
    ----------
    groups, properties, names, over, corrections, draws, seed : see `properties.correlations`.
    partial : {property: …, given: […]} each.
    mixed : properties.
    given_r : name of the correction → {n: …, r: {test: r}}.
    """
    groups = list(groups)
    sets = {name: members(wanted, properties) for name, wanted in over.items()}
    rows: list[dict[str, Any]] = []
    for of, among in sets.items():
        for scores in groups:
            about = labels(scores) | {"over": of, "draws": draws, "seed": seed}
            rows += [about | row for row in _partial(scores, properties, among, partial, draws, seed)]
            rows += [about | row for row in _mixed(scores, properties, among, mixed)]
    parts = [pd.DataFrame(rows), *_by_family(groups, properties, names, sets, draws, seed), _given(given_r or {})]
    table = pd.concat([part for part in parts if len(part)] or [pd.DataFrame()], ignore_index=True)
    table = table.reindex(columns=COLUMNS)
    text = ["encoder", "readout", "dataset", "layer_choice", "over", "family", "given", "reason", "models", "left_out"]
    table[text] = table[text].astype(object).fillna("")
    own = {name: entry for name, entry in (corrections or {}).items() if entry["analysis"] in ANALYSES}
    own |= {name: {"analysis": GIVEN_R, "over": [name]} for name in given_r or {}}
    return correct(table, own, "p")[COLUMNS].astype(dict.fromkeys(COUNTS, "Int64"))


def _partial(
    scores: ModelScores,
    properties: pd.DataFrame,
    among: Sequence[str],
    wanted: Sequence[Mapping[str, Any]],
    draws: int,
    seed: int,
) -> Iterator[dict[str, Any]]:
    for entry in wanted:
        found = observe(scores, properties, among, entry["property"], entry["given"])
        names = _names(found) | {"property": entry["property"], "given": " ".join(entry["given"])}
        for part in PARTS:
            yield names | {"analysis": part} | controlled_statistics(found, part, draws, seed)


def controlled_statistics(of: Observations, part: Part, draws: int, seed: int) -> dict[str, Any]:
    """Return a partial or semi-partial correlation with its p and intervals, or the reason for none."""
    n, k = len(of.x), of.covariates.shape[1]
    reason = why_no_r(of, k + 3)
    if not reason and (np.ptp(of.covariates, axis=0) == 0).any():
        reason = "a property that is held fixed is the same for all models"
    if reason:
        return {"reason": reason}
    estimate = float(controlled_r(of.x, of.y, of.covariates, part))
    tested = float(controlled_r(of.x, of.y, of.covariates, "partial"))
    if not np.isfinite(estimate):
        return {"reason": "the properties are linearly dependent, or explain the score entirely"}
    low, high = fisher_interval(estimate, n, k)
    over_models = percentile_interval(bootstrap_controlled_r(of.x, of.y, of.covariates, part, draws, seed))
    over_stimuli = percentile_interval(controlled_r(of.x, of.replicates, of.covariates, part))
    return {
        "estimate": estimate,
        "p": correlation_p(tested, n, k) if n - k >= 4 else np.nan,
        "low": low,
        "high": high,
        "over_models_low": float(over_models[0]),
        "over_models_high": float(over_models[1]),
        "over_stimuli_low": float(over_stimuli[0]),
        "over_stimuli_high": float(over_stimuli[1]),
        "detectable_r": detectable_r(n, k),
        "reason": "" if n - k >= 4 else f"fewer than {k + 4} models: no p and no analytic interval",
    }


def _mixed(
    scores: ModelScores, properties: pd.DataFrame, among: Sequence[str], wanted: Sequence[str]
) -> Iterator[dict[str, Any]]:
    for name in wanted:
        found = observe(scores, properties, among, name)
        row = _names(found) | {"property": name, "analysis": MIXED, "given": "family, base (random)"}
        reason = why_no_r(found, 4)
        if reason:
            yield row | {"reason": reason}
            continue
        try:
            fit = slope_beyond_families(found.x, found.y, found.families, found.bases)
        except InputError as error:
            yield row | {"reason": str(error).rstrip(".")}
            continue
        found_none = "no variance between bases: the slope of least squares" if fit.share_between == 0 else ""
        numbers = {"estimate": fit.slope, "p": fit.p, "low": fit.low, "high": fit.high}
        yield row | numbers | {"share_between": fit.share_between, "reason": found_none}


def _by_family(
    groups: Sequence[ModelScores],
    properties: pd.DataFrame,
    names: Sequence[str],
    sets: Mapping[str, Sequence[str]],
    draws: int,
    seed: int,
) -> Iterator[pd.DataFrame]:
    """Yield the plain correlations within each family of a set and without it."""
    of = properties.set_index("model")["family"]
    for name, among in sets.items():
        families = list(dict.fromkeys(of[list(among)]))
        for family in families if len(families) > 1 else ():
            inside = [model for model in among if of[model] == family]
            for analysis, kept in ((WITHIN, inside), (WITHOUT, [model for model in among if model not in inside])):
                table = correlations(groups, properties, names, draws, seed, {name: {"models": kept}}, orders=1)
                dropped = table.columns[table.columns.str.startswith(("correct", "permutation", "spearman"))]
                table = table.drop(columns=[*dropped, "untrained_excluded"]).rename(columns=_RENAMED)
                yield table.assign(analysis=analysis, family=family)


def _given(given: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return the rows of correlations that were given; the correction that they belong to stands under `over`."""
    rows = []
    for name, entry in given.items():
        for test, r in entry["r"].items():
            low, high = fisher_interval(r, entry["n"])
            row = {"analysis": GIVEN_R, "over": name, "property": test, "n": entry["n"], "estimate": r}
            limits = {"low": low, "high": high, "p": correlation_p(r, entry["n"])}
            rows.append(row | limits | {"detectable_r": detectable_r(entry["n"]), "reason": ""})
    return pd.DataFrame(rows)


def _names(of: Observations) -> dict[str, Any]:
    return {
        "n": len(of.models),
        "bases": len(set(of.bases)),
        "models": " ".join(of.models),
        "left_out": " ".join(of.left_out),
    }
