"""Finished scores: r with its interval, against the ceiling and over the best null.

Intervals are percentiles of seeded bootstrap replicates over groups of stimuli. The encoders are not fitted again, so
they are conditional on the fit. A data set's draws are the same for every feature space under one encoder, so the
replicates of a difference are the differences of replicates.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from brainalign.alarms import alarms
from brainalign.ceilings.ceiling import BASES
from brainalign.ceilings.ceiling import KINDS as CEILING_KINDS
from brainalign.control_regions import control_columns, over_control_region
from brainalign.errors import InputError
from brainalign.inference.simultaneous import simultaneous_interval
from brainalign.intervals import percentile_interval
from brainalign.own_nulls import RANDOM_TOKENS, TWIN, over_own_null, own_null_columns
from brainalign.row_labels import BEST
from brainalign.scored import Scores, layer_shares
from brainalign.scored_ceilings import Ceilings, NormalisedNeuroids
from brainalign.scored_tests import best_null, p_columns, replicates_beyond


def alignment_table(
    scores: Scores,
    ceilings: Ceilings,
    nulls: Mapping[str, Scores],
    names: Mapping[str, Any],
    neuroids: NormalisedNeuroids | None = None,
    together: Sequence[Scores] = (),
    twins: Mapping[str, Scores] | None = None,
    random_tokens: Mapping[str, Scores] | None = None,
) -> pd.DataFrame:
    """Return one row for each layer and "chosen" × subject × region that has neuroids.

    r is the encoder's aggregate of Pearson r on held-out rows. `r_subject_mad` is the median over subjects of |r of the
    subject − their median|, unscaled, on rows of all subjects where at least two have an r of their own; it says how
    far subjects differ, whatever the aggregate, and is neither an interval nor a standard error. (Schrimpf et al. 2021
    give it as `error`, times 1.4826, which was the default of SciPy's function then.)

    `normalised` is r / ceiling, not clipped, NaN where the ceiling is not above 0; its interval is of r / ceiling draw
    by draw, or, where the ceiling has no draws of its own, of r over the fixed ceiling. With `neuroids` it is the
    aggregate of r / ceiling of the `normalised_neuroids` neuroids whose ceiling lies above 0 by its interval, and has
    no interval. `normalised_draws` are the draws that its interval is of: those whose ceiling is above 0.
    `ceiling_basis` says what the ceiling belongs to: "truth", "responses" alone, or the "encoder", too, where other
    subjects' responses predict as features.
    `ceiling_units` are those of all columns of ceilings: "r"; of a ceiling of r² they hold the signed root.
    `ceiling_above_noise` is 1 where the ceiling's interval lies above 0, and above `ceiling_null_high`, the highest
    that the same estimate gives of noise; 0 where it does not, NaN where there is no interval. `over_null` is r − r of
    the null with the highest r of its chosen layer for the same subject and region; the interval is paired, of the
    differences draw by draw, for that null. `over_twin` is r − the mean over seeds of the r of the model's untrained
    `twins`, which is `twin_r`, and `over_random_tokens` r − that of the model itself at the readouts `random_tokens`;
    their intervals are paired, too, and of the seeds that were taken: how far these lie apart is in `twin_r_lowest` and
    `twin_r_highest` alone (see `own_nulls`). Both are of the seeds' chosen layers, and empty where there are none.
    `over_control` is r of a region − `control_r`, that of the data set's `control_region` for the same layer and
    subject, with a paired interval (see `control_regions`); empty for that region, for "all", and without one.

    `r_band_low` and `r_band_high` cover the whole curve over layers at once. `r_p` is of r > 0, `over_null_p` of
    `over_null` > 0, one-sided, by flipping the signs of what groups contribute to the mean over folds and neuroids
    (whatever the aggregate), the null distribution widened by what groups share by training each other, or, where that
    is not known, by √2 (see `inference.shared_training`); `r_p_layers` and `over_null_p_layers` are the same for the
    family of layers, by the maximum statistic. `r_p_shift` is, for series, of the mean r > 0 by shifts inside runs
    (`inference.circular_shift`), for the chosen layer. `smallest_p` is the r_p, of a layer alone, of groups
    that all contribute alike. `dependence` says how intervals count that folds train each other.

    Where `layer_choice` is "best", r of the chosen layer is the highest of all layers' on the very rows that it is
    tested on. Its `r_p` and `over_null_p` are therefore those of its layer in the family of layers, and `r_p_shift` is
    empty; its r, differences and intervals do not count the choice, and lie too high.

    `r2` is against the mean of the training rows, `r2_test_mean` against that of the test rows. `nulls_r2` is that of
    all nulls together, `joint_r2` that of features and nulls together, both at the layers chosen in the fold, and
    `unique_r2` their difference: what the features explain beyond the nulls; for the chosen layer only. `alarms` are
    sentences about what may be wrong with a score. `layer_share` is the share of folds that chose a layer, where
    subjects or neuroids have layers of their own in the mean over those of the row.

    Parameters
    ----------
    nulls : name → scores under the same draws; empty for a null itself.
    names : dataset, collection, encoder, readout, features, features_kind, layer_choice; `text_free`, the nulls that
        are computed without the text; `control_region`, where there is one.
    together : scores of the nulls together, and of the features with them; empty where they were not joined.
    twins : name → scores of the model's untrained twins, under the same draws.
    random_tokens : readout → scores of the model reading random tokens, under the same draws.
    neuroids : scores normalised neuroid by neuroid, which then stand in the place of normalised aggregates.
    """
    seeds = {TWIN: twins, RANDOM_TOKENS: random_tokens}
    own = {kind: over_own_null(scores, found) for kind, found in seeds.items() if found}
    control = over_control_region(scores, names["control_region"]) if "control_region" in names else None
    blocks = {
        **_labels(scores, names),
        **_with_interval("r", scores.r, scores.replicates),
        "r_subject_mad": _subject_deviation(scores.r),
        **_band(scores),
        **p_columns(scores, nulls, names["layer_choice"] == BEST),
        **_against_ceiling(scores, ceilings),
        **_normalised(scores, ceilings, neuroids),
        **_over_best_null(scores, nulls),
        **own_null_columns(TWIN, own.get(TWIN)),
        **own_null_columns(RANDOM_TOKENS, own.get(RANDOM_TOKENS)),
        **control_columns(control),
        **_beyond_nulls(scores, together),
        "alarms": alarms(scores, nulls, names.get("text_free", ()), own, control),
    }
    shape = scores.r.shape
    table = pd.DataFrame({name: np.broadcast_to(values, shape).ravel() for name, values in blocks.items()})
    table["layer_index"] = table["layer_index"].astype("Int64")
    sizes = {
        "folds": len(scores.chosen_layer),
        "samples": scores.samples,
        "neuroids": np.broadcast_to(scores.neuroids, shape).ravel(),
        "draws": np.isfinite(scores.replicates).sum(axis=0).ravel(),
    }
    table = table.assign(**sizes)
    return table[table["neuroids"] > 0].reset_index(drop=True)


def _labels(scores: Scores, names: Mapping[str, str]) -> dict[str, Any]:
    n_layers = len(scores.layers) - 1
    fixed = ("dataset", "collection", "encoder", "readout", "features", "features_kind")
    return {
        **{name: np.array(names[name], dtype=object) for name in fixed},
        "simulated": np.array(int(scores.simulated)),
        "subject": np.array(scores.subjects, dtype=object)[:, None],
        "region": np.array(scores.regions, dtype=object),
        "layer": np.array(scores.layers, dtype=object)[:, None, None],
        "layer_index": np.append(np.arange(n_layers, dtype=np.float64), np.nan)[:, None, None],
        "layer_share": layer_shares(scores),
        "layer_choice": np.array(names["layer_choice"], dtype=object),
    }


def _subject_deviation(r: np.ndarray) -> np.ndarray:
    """Return the median absolute deviation over subjects in the place of all subjects, NaN elsewhere.

    Parameters
    ----------
    r : (layer, subject, region), the first subject "all"; subjects whose r is NaN do not count.
    """
    found = np.full(r.shape, np.nan)
    for region in range(r.shape[2]):
        own = r[:, 1:, region]
        own = own[:, np.isfinite(own).all(axis=0)]  # (layer, subject)
        if own.shape[1] > 1:
            found[:, 0, region] = np.median(np.abs(own - np.median(own, axis=1, keepdims=True)), axis=1)
    return found


def _band(scores: Scores) -> dict[str, Any]:
    """Return the simultaneous interval over layers; the chosen layer takes no part."""
    low, high = np.full(scores.r.shape, np.nan), np.full(scores.r.shape, np.nan)
    if len(scores.replicates) > 1 and len(scores.layers) > 1:
        low[:-1], high[:-1], _ = simultaneous_interval(scores.replicates[:, :-1])
    return {"r_band_low": low, "r_band_high": high}


def _against_ceiling(scores: Scores, ceilings: Ceilings) -> dict[str, Any]:
    nothing = np.full(scores.r.shape[1:], np.nan)
    found = dict(zip(ceilings.kinds, ceilings.r, strict=True))
    columns = {f"ceiling_{kind.replace('-', '_')}": found.get(kind, nothing) for kind in CEILING_KINDS}
    first: dict[str, Any] = dict.fromkeys(
        ("ceiling", "ceiling_low", "ceiling_high", "ceiling_null", "ceiling_null_high", "ceiling_above_noise"), nothing
    )
    if ceilings.kinds:
        low = ceilings.low[0]
        null, high = (nothing if of is None else of[0] for of in (ceilings.null, ceilings.null_high))
        first["ceiling"], first["ceiling_low"], first["ceiling_high"] = ceilings.r[0], low, ceilings.high[0]
        first["ceiling_null"], first["ceiling_null_high"] = null, high
        first["ceiling_above_noise"] = np.where(np.isnan(low), np.nan, low > np.fmax(high, 0.0))
    kind = ceilings.kinds[0] if ceilings.kinds else ""
    if ceilings.units != "r":
        raise InputError(f"r cannot be divided by ceilings in units of {ceilings.units!r}; take their signed root.")
    texts = {"ceiling_kind": kind, "ceiling_basis": (ceilings.basis or BASES[kind]) if kind else ""}
    texts["ceiling_units"] = ceilings.units if kind else ""
    return {name: np.array(text, dtype=object) for name, text in texts.items()} | first | columns


def _normalised(scores: Scores, ceilings: Ceilings, neuroids: NormalisedNeuroids | None) -> dict[str, Any]:
    nothing, drawn = np.full(scores.r.shape, np.nan), np.zeros(scores.r.shape, dtype=np.int64)
    if neuroids is not None:
        found = {"normalised": neuroids.normalised, "normalised_low": nothing, "normalised_high": nothing}
        by, counts = "neuroid", neuroids.neuroids
    elif ceilings.kinds:
        ceiling = _positive(ceilings.r[0])  # (subject, region)
        own = ceilings.replicates[:, 0]  # (draw, subject, region)
        against = np.where(np.isfinite(own).any(axis=0), _positive(own), ceiling)
        replicates = np.where(np.isnan(ceiling), np.nan, scores.replicates / against[:, None])
        found = _with_interval("normalised", scores.r / ceiling, replicates)
        by, counts = "aggregate", np.where(np.isnan(ceiling), 0, scores.neuroids)
        drawn = np.isfinite(replicates).sum(axis=0)
    else:
        found = dict.fromkeys(("normalised", "normalised_low", "normalised_high"), nothing)
        by, counts = "", np.zeros(scores.r.shape[1:], dtype=np.int64)
    labels = {"normalised_by": np.array(by, dtype=object), "normalised_neuroids": counts, "normalised_draws": drawn}
    return found | labels


def _over_best_null(scores: Scores, nulls: Mapping[str, Scores]) -> dict[str, Any]:
    empty = np.full(scores.r.shape[1:], np.nan)
    if not nulls:
        numbers = ("best_null_r", "over_null", "over_null_low", "over_null_high")
        return {"best_null": np.array("", dtype=object)} | dict.fromkeys(numbers, empty)
    names = np.array(list(nulls), dtype=object)
    chosen = np.stack([null.r[-1] for null in nulls.values()])  # (null, subject, region)
    replicates = np.stack([null.replicates[:, -1] for null in nulls.values()])  # (null, draw, subject, region)
    best = best_null(nulls)  # (subject, region)
    best_r = np.take_along_axis(chosen, best[None], axis=0)[0]
    best_replicates = np.take_along_axis(replicates, best[None, None], axis=0)[0]  # (draw, subject, region)
    differences = scores.replicates - best_replicates[:, None]
    return {
        "best_null": names[best],
        "best_null_r": best_r,
        **_with_interval("over_null", scores.r - best_r, differences),
    }


def _beyond_nulls(scores: Scores, together: Sequence[Scores]) -> dict[str, Any]:
    chosen = np.arange(len(scores.layers)) == len(scores.layers) - 1  # (layer,)
    nothing = np.full(scores.r.shape, np.nan)
    columns = "r2 r2_low r2_high r2_test_mean nulls_r2 joint_r2 unique_r2 unique_r2_low unique_r2_high".split()
    found = dict.fromkeys(columns, nothing)

    def of_chosen(name: str, values: np.ndarray, replicates: np.ndarray) -> None:
        for key, value in _with_interval(name, values, replicates).items():
            found[key] = np.where(chosen[:, None, None], value, np.nan)

    if scores.fits is not None:
        of_chosen("r2", scores.fits.r2[-1], scores.fits.replicates_r2)
        found["r2"], found["r2_test_mean"] = scores.fits.r2, scores.fits.r2_test_mean
    fits = [other.fits for other in together if other.fits is not None]
    if fits:
        nulls, joint = fits
        found["nulls_r2"], found["joint_r2"] = (np.where(chosen[:, None, None], of.r2[-1], np.nan) for of in fits)
        by_choice = 1.0 if scores.fits is None else scores.fits.choice_spread
        of_chosen("unique_r2", joint.r2[-1] - nulls.r2[-1], replicates_beyond(nulls, joint, by_choice))
    return found


def _with_interval(name: str, values: np.ndarray, replicates: np.ndarray) -> dict[str, np.ndarray]:
    low, high = percentile_interval(replicates)
    return {name: values, f"{name}_low": low, f"{name}_high": high}


def _positive(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, values, np.nan)
