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
from brainalign.inference.p_values import ONE_FOLD, SHARED_TRAINING_SPREAD
from brainalign.inference.sign_flip import sign_flip_test
from brainalign.inference.simultaneous import simultaneous_interval
from brainalign.intervals import percentile_interval
from brainalign.scored import Ceilings, NormalisedNeuroids, Scores

DRAWS = 1999  # sign patterns of a test


def alignment_table(
    scores: Scores,
    ceilings: Ceilings,
    nulls: Mapping[str, Scores],
    names: Mapping[str, Any],
    neuroids: NormalisedNeuroids | None = None,
    together: Sequence[Scores] = (),
) -> pd.DataFrame:
    """Return one row for each layer and "chosen" × subject × region that has neuroids.

    r is the encoder's aggregate of Pearson r on held-out rows. `normalised` is r / ceiling, not clipped, NaN where the
    ceiling is not above 0; its interval is of r / ceiling draw by draw, or, where the ceiling has no draws of its
    own, of r over the fixed ceiling. With `neuroids` it is the aggregate of r / ceiling of the `normalised_neuroids`
    neuroids whose ceiling lies above 0 by its interval, and has no interval. `ceiling_basis` says what the ceiling
    belongs to: "truth", "responses" alone, or the "encoder", too, where other subjects' responses predict as features.
    `ceiling_above_noise` is 1 where the ceiling's interval lies above 0, and above `ceiling_null_high`, the highest
    that the same estimate gives of noise; 0 where it does not, NaN where there is no interval. `over_null` is r − r of
    the null with the highest r of its chosen layer for the same subject and region; the interval is paired, of the
    differences draw by draw, for that null.

    `r_band_low` and `r_band_high` cover the whole curve over layers at once. `r_p` is of r > 0, `over_null_p` of
    `over_null` > 0, one-sided, by flipping the signs of what groups contribute to the mean over folds and neuroids
    (whatever the aggregate), the null distribution widened by √2 where folds train each other; `r_p_layers` and
    `over_null_p_layers` are the same for the family of layers, by the maximum statistic. `r_p_shift` is, for series, of
    the mean r > 0 by shifts inside runs (`inference.circular_shift`), for the chosen layer. `dependence` says how
    intervals count that folds train each other.

    `r2` is against the mean of the training rows, `r2_test_mean` against that of the test rows. `nulls_r2` is that of
    all nulls together, `joint_r2` that of features and nulls together, both at the layers chosen in the fold, and
    `unique_r2` their difference: what the features explain beyond the nulls; for the chosen layer only. `alarms` are
    sentences about what may be wrong with a score.

    Parameters
    ----------
    nulls : name → scores under the same draws; empty for a null itself.
    names : dataset, collection, encoder, readout, features, features_kind, layer_choice; `text_free`, the nulls that
        are computed without the text.
    together : scores of the nulls together, and of the features with them; empty where they were not joined.
    neuroids : scores normalised neuroid by neuroid, which then stand in the place of normalised aggregates.
    """
    blocks = {
        **_labels(scores, names),
        **_with_interval("r", scores.r, scores.replicates),
        **_band(scores),
        **_tests(scores, nulls),
        **_against_ceiling(scores, ceilings),
        **_normalised(scores, ceilings, neuroids),
        **_over_best_null(scores, nulls),
        **_beyond_nulls(scores, together),
        "alarms": alarms(scores, nulls, names.get("text_free", ())),
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
    share = np.bincount(scores.chosen_layer.ravel(), minlength=n_layers) / max(scores.chosen_layer.size, 1)  # (layer,)
    fixed = ("dataset", "collection", "encoder", "readout", "features", "features_kind")
    return {
        **{name: np.array(names[name], dtype=object) for name in fixed},
        "simulated": np.array(int(scores.simulated)),
        "subject": np.array(scores.subjects, dtype=object)[:, None],
        "region": np.array(scores.regions, dtype=object),
        "layer": np.array(scores.layers, dtype=object)[:, None, None],
        "layer_index": np.append(np.arange(n_layers, dtype=np.float64), np.nan)[:, None, None],
        "layer_share": np.append(share, np.nan)[:, None, None],
        "layer_choice": np.array(names["layer_choice"], dtype=object),
    }


def _band(scores: Scores) -> dict[str, Any]:
    """Return the simultaneous interval over layers; the chosen layer takes no part."""
    low, high = np.full(scores.r.shape, np.nan), np.full(scores.r.shape, np.nan)
    if len(scores.replicates) > 1 and len(scores.layers) > 1:
        low[:-1], high[:-1], _ = simultaneous_interval(scores.replicates[:, :-1])
    return {"r_band_low": low, "r_band_high": high}


def _tests(scores: Scores, nulls: Mapping[str, Scores]) -> dict[str, Any]:
    nothing = np.full(scores.r.shape, np.nan)
    found = dict.fromkeys("r_p r_p_layers r_p_shift over_null_p over_null_p_layers smallest_p".split(), nothing)
    dependence = "" if scores.fits is None else scores.fits.dependence
    spread = 1.0 if dependence == ONE_FOLD else SHARED_TRAINING_SPREAD
    found["dependence"] = np.array(dependence, dtype=object)
    if scores.fits is not None:
        found["r_p_shift"] = np.append(nothing[:-1], scores.fits.shift_p[None], axis=0)
    if scores.fits is None or len(scores.fits.contributions) < 2 or np.isnan(scores.fits.contributions[:, -1]).all():
        return found
    own = scores.fits.contributions
    found["r_p"], found["r_p_layers"], smallest = _sign_flips(own, spread)
    found["smallest_p"] = np.where(np.isnan(found["r_p"]), np.nan, smallest)
    beside = [null.fits.contributions[:, -1] for null in nulls.values() if null.fits is not None]
    if beside:
        best = _best_null(nulls)  # (subject, region)
        of_best = np.take_along_axis(np.stack(beside, axis=1), best[None, None], axis=1)[:, 0]  # (group, subject, ...)
        found["over_null_p"], found["over_null_p_layers"], _ = _sign_flips(own - of_best[:, None], spread)
    return found


def _sign_flips(contributions: np.ndarray, spread: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Return p alone and p in the family of layers, (layer, subject, region), and the smallest p that there can be."""
    layers = contributions.shape[1]
    flat = contributions.reshape(*contributions.shape[:2], -1)  # (group, layer, cell)
    alone = sign_flip_test(flat.reshape(len(flat), -1), DRAWS, alternative="greater", spread=spread)
    family = np.full((layers, flat.shape[2]), np.nan)
    for cell in range(flat.shape[2]):
        tested = sign_flip_test(
            flat[:, :-1, cell], DRAWS, alternative="greater", statistic="studentised", spread=spread
        )
        family[:-1, cell] = tested.p_family
    shape = contributions.shape[1:]
    return alone.p.reshape(shape), family.reshape(shape), alone.smallest_p


def _best_null(nulls: Mapping[str, Scores]) -> np.ndarray:
    """Return the number of the null with the highest r of its chosen layer, (subject, region)."""
    chosen = np.stack([null.r[-1] for null in nulls.values()])  # (null, subject, region)
    return np.asarray(np.where(np.isnan(chosen), -np.inf, chosen).argmax(axis=0))


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
    texts = {"ceiling_kind": kind, "ceiling_basis": BASES[kind] if kind else ""}
    return {name: np.array(text, dtype=object) for name, text in texts.items()} | first | columns


def _normalised(scores: Scores, ceilings: Ceilings, neuroids: NormalisedNeuroids | None) -> dict[str, Any]:
    nothing = np.full(scores.r.shape, np.nan)
    if neuroids is not None:
        found = {"normalised": neuroids.normalised, "normalised_low": nothing, "normalised_high": nothing}
        by, counts = "neuroid", neuroids.neuroids
    elif ceilings.kinds:
        ceiling = _positive(ceilings.r[0])  # (subject, region)
        own = ceilings.replicates[:, 0]  # (draw, subject, region)
        drawn = np.where(np.isfinite(own).any(axis=0), _positive(own), ceiling)
        replicates = np.where(np.isnan(ceiling), np.nan, scores.replicates / drawn[:, None])
        found = _with_interval("normalised", scores.r / ceiling, replicates)
        by, counts = "aggregate", np.where(np.isnan(ceiling), 0, scores.neuroids)
    else:
        found = dict.fromkeys(("normalised", "normalised_low", "normalised_high"), nothing)
        by, counts = "", np.zeros(scores.r.shape[1:], dtype=np.int64)
    return found | {"normalised_by": np.array(by, dtype=object), "normalised_neuroids": counts}


def _over_best_null(scores: Scores, nulls: Mapping[str, Scores]) -> dict[str, Any]:
    empty = np.full(scores.r.shape[1:], np.nan)
    if not nulls:
        numbers = ("best_null_r", "over_null", "over_null_low", "over_null_high")
        return {"best_null": np.array("", dtype=object)} | dict.fromkeys(numbers, empty)
    names = np.array(list(nulls), dtype=object)
    chosen = np.stack([null.r[-1] for null in nulls.values()])  # (null, subject, region)
    replicates = np.stack([null.replicates[:, -1] for null in nulls.values()])  # (null, draw, subject, region)
    best = _best_null(nulls)  # (subject, region)
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
        of_chosen("unique_r2", joint.r2[-1] - nulls.r2[-1], joint.replicates_r2 - nulls.replicates_r2)
    return found


def _with_interval(name: str, values: np.ndarray, replicates: np.ndarray) -> dict[str, np.ndarray]:
    low, high = percentile_interval(replicates)
    return {name: values, f"{name}_low": low, f"{name}_high": high}


def _positive(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, values, np.nan)
