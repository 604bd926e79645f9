"""Finished scores: r with its interval, against the ceiling and over the best null.

Intervals are percentiles of seeded bootstrap replicates over groups of stimuli. The encoders are not fitted again, so
they are conditional on the fit. A data set's draws are the same for every feature space under one encoder, so the
replicates of a difference are the differences of replicates.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainalign.alarms import alarms
from brainalign.ceilings.ceiling import BASES
from brainalign.ceilings.ceiling import KINDS as CEILING_KINDS
from brainalign.ceilings.neuroids import normalise_neuroids
from brainalign.encoding.scores import Units
from brainalign.errors import UnreadableFileError
from brainalign.intervals import percentile_interval
from brainalign.storage import read_arrays, read_attributes

CHOSEN = "chosen"
ALL = "all"

_ENCODING = (
    "aggregate_r replicates aggregate_r2 replicates_r2 chosen_layer edge_share constant_predictions width train_rows layer score_layer "
    "score_subject score_region subject region"
).split()
_CEILINGS = (
    "ceiling_kind ceiling_aggregate ceiling_low ceiling_high ceiling_null ceiling_null_high ceiling_replicates "
    "score_subject score_region"
).split()


@dataclass(frozen=True)
class Fits:
    """What is known of the fits behind scores.

    Parameters
    ----------
    r2 : (layer, subject, region); replicates_r2 : (draw, subject, region), of the chosen layer.
    edge_share, constant_share : (layer,), of folds and neuroids whose penalty is the grid's first or last, NaN where
        none is chosen, and whose prediction was constant; "chosen" has none of its own.
    widths : (layer,), features of each layer, delayed copies counted.
    train_rows : samples of a training set, in the mean over folds.
    groups : how many groups of samples there are.
    """

    r2: np.ndarray
    replicates_r2: np.ndarray
    edge_share: np.ndarray
    constant_share: np.ndarray
    widths: np.ndarray
    train_rows: float
    groups: int


@dataclass(frozen=True)
class Scores:
    """The scores of one feature space on one data set, as an encoding file holds them.

    Parameters
    ----------
    layers : names, the last of them "chosen"; subjects, regions : names, the first of them "all".
    r : (layer, subject, region); replicates : (draw, layer, subject, region).
    chosen_layer : (fold, unit), index into layers.
    neuroids : (subject, region), how many.
    samples : rows of the data set; simulated : whether the responses are; encoder : the settings, as given.
    fits : what else is known of the fits; None where nothing is.
    """

    layers: tuple[str, ...]
    subjects: tuple[str, ...]
    regions: tuple[str, ...]
    r: np.ndarray
    replicates: np.ndarray
    chosen_layer: np.ndarray
    neuroids: np.ndarray
    samples: int
    simulated: bool
    encoder: Any
    fits: Fits | None = None


@dataclass(frozen=True)
class Ceilings:
    """A data set's ceilings, the one that normalises first.

    Parameters
    ----------
    kinds : names, possibly none.
    r, low, high : (kind, subject, region); replicates : (draw, kind, subject, region), NaN where a kind has none.
    null, null_high : (kind, subject, region), what the same estimate gives of noise, on average and at most; NaN where
        that is 0.
    """

    kinds: tuple[str, ...]
    r: np.ndarray
    low: np.ndarray
    high: np.ndarray
    replicates: np.ndarray
    null: np.ndarray | None = None
    null_high: np.ndarray | None = None


@dataclass(frozen=True)
class NormalisedNeuroids:
    """Scores normalised neuroid by neuroid, see `ceilings.neuroids`.

    Parameters
    ----------
    normalised : (layer, subject, region); neuroids : (subject, region), how many have a ceiling above 0.
    """

    normalised: np.ndarray
    neuroids: np.ndarray


def read_scores(path: Path) -> Scores:
    """Read an encoding file. Raises UnreadableFileError where it is not one."""
    arrays, attributes = read_arrays(path, _ENCODING), read_attributes(path)
    layers, subjects, regions = (_names(arrays[name]) for name in ("score_layer", "score_subject", "score_region"))
    missing = {"spec", "samples", "groups", "simulated"} - attributes.keys()
    if missing:
        raise UnreadableFileError(path, f"it has no attribute {sorted(missing)[0]!r}")
    if layers != (*_names(arrays["layer"]), CHOSEN):
        raise UnreadableFileError(path, f"its scores are not of its layers and {CHOSEN!r}, but of {', '.join(layers)}")
    return Scores(
        layers,
        subjects,
        regions,
        arrays["aggregate_r"].astype(np.float64),
        arrays["replicates"].astype(np.float64),
        arrays["chosen_layer"],
        _count(arrays["subject"], arrays["region"], subjects, regions),
        int(attributes["samples"]),
        bool(attributes["simulated"]),
        _encoder_of(json.loads(attributes["spec"])),
        Fits(
            r2=arrays["aggregate_r2"].astype(np.float64),
            replicates_r2=arrays["replicates_r2"].astype(np.float64),
            edge_share=arrays["edge_share"].mean(axis=1),
            constant_share=arrays["constant_predictions"].mean(axis=1) / len(arrays["subject"]),
            widths=arrays["width"],
            train_rows=float(arrays["train_rows"].mean()),
            groups=int(attributes["groups"]),
        ),
    )


def read_ceilings(path: Path, scores: Scores) -> Ceilings:
    """Read the ceilings that belong to scores.

    Raises
    ------
    UnreadableFileError : not a file of ceilings, or of another encoder, other draws, subjects or regions.
    """
    arrays, attributes = read_arrays(path, _CEILINGS), read_attributes(path)
    encoder = json.loads(attributes.get("spec", "{}")).get("encoder")
    subjects, regions = _names(arrays["score_subject"]), _names(arrays["score_region"])
    _check_shared(path, scores, encoder, len(arrays["ceiling_replicates"]), subjects, regions)
    kinds = _names(arrays["ceiling_kind"])
    order = [kinds.index(kind) for kind in CEILING_KINDS if kind in kinds]
    if len(order) < len(kinds):
        strange = next(kind for kind in kinds if kind not in CEILING_KINDS)
        raise UnreadableFileError(path, f"it has a ceiling {strange!r}, but {', '.join(CEILING_KINDS)} are known")
    r, low, high = (arrays[name][order] for name in ("ceiling_aggregate", "ceiling_low", "ceiling_high"))
    null, null_high = arrays["ceiling_null"][order], arrays["ceiling_null_high"][order]
    replicates = arrays["ceiling_replicates"][:, order]
    return Ceilings(tuple(kinds[index] for index in order), r, low, high, replicates, null, null_high)


def read_neuroids(encoding: Path, ceilings: Path, scores: Scores) -> NormalisedNeuroids:
    """Normalise the scores of each neuroid by its own ceiling, of the kind that is preferred.

    Raises
    ------
    UnreadableFileError : files without scores or ceilings of neuroids, or of other neuroids.
    """
    of_neuroids = ("neuroid", "subject", "region")
    fits = read_arrays(encoding, ["r", *of_neuroids])
    found = read_arrays(ceilings, ["ceiling_kind", "ceiling_per_neuroid", "ceiling_per_neuroid_low"])
    kinds = _names(found["ceiling_kind"])
    first = min(range(len(kinds)), key=lambda index: CEILING_KINDS.index(kinds[index]), default=None)
    if first is None:
        raise UnreadableFileError(ceilings, "it has no ceiling by which neuroids could be normalised")
    ceiling, low = (found[name][first] for name in ("ceiling_per_neuroid", "ceiling_per_neuroid_low"))
    if len(ceiling) != fits["r"].shape[-1]:
        raise UnreadableFileError(ceilings, f"it has {len(ceiling)} neuroids, the encoding {fits['r'].shape[-1]}")
    units = Units(*(fits[name].astype(str) for name in of_neuroids))
    aggregate = scores.encoder.get("aggregate", "mean")
    return NormalisedNeuroids(*normalise_neuroids(fits["r"], scores.chosen_layer, units, ceiling, low, aggregate))


def read_null(path: Path, scores: Scores) -> Scores:
    """Read a null's encoding, to be set beside scores.

    Raises
    ------
    UnreadableFileError : not an encoding, or of another encoder, other draws, folds, rows, subjects or regions.
    """
    null = read_scores(path)
    _check_shared(path, scores, null.encoder, len(null.replicates), null.subjects, null.regions)
    if (null.samples, len(null.chosen_layer)) != (scores.samples, len(scores.chosen_layer)):
        raise UnreadableFileError(
            path,
            f"it has {null.samples} samples in {len(null.chosen_layer)} folds, "
            f"but the scores beside it have {scores.samples} in {len(scores.chosen_layer)}",
        )
    return null


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

    `r2` is against the mean of the training rows. `nulls_r2` is that of all nulls together, `joint_r2` that of features
    and nulls together, both at the layers chosen in the fold, and `unique_r2` their difference: what the features
    explain beyond the nulls; for the chosen layer only. `alarms` are sentences about what may be wrong with a score.

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
    best = np.where(np.isnan(chosen), -np.inf, chosen).argmax(axis=0)  # (subject, region)
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
    found = dict.fromkeys(
        "r2 r2_low r2_high nulls_r2 joint_r2 unique_r2 unique_r2_low unique_r2_high".split(), nothing
    )

    def of_chosen(name: str, values: np.ndarray, replicates: np.ndarray) -> None:
        for key, value in _with_interval(name, values, replicates).items():
            found[key] = np.where(chosen[:, None, None], value, np.nan)

    if scores.fits is not None:
        of_chosen("r2", scores.fits.r2[-1], scores.fits.replicates_r2)
        found["r2"] = scores.fits.r2
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


def _count(subject: np.ndarray, region: np.ndarray, subjects: tuple[str, ...], regions: tuple[str, ...]) -> np.ndarray:
    of_subject = np.stack([np.full(len(subject), name == ALL) | (subject == name) for name in subjects])
    of_region = np.stack([np.full(len(region), name == ALL) | (region == name) for name in regions])
    return of_subject.astype(np.int64) @ of_region.astype(np.int64).T  # (subject, region)


def _check_shared(
    path: Path, scores: Scores, encoder: Any, draws: int, subjects: tuple[str, ...], regions: tuple[str, ...]
) -> None:
    """The choice of layer is not compared: ceilings have none, and a null's layers are its own."""
    differing = _differing_setting(encoder, scores.encoder)
    if differing is not None:
        raise UnreadableFileError(path, f"it is of another encoder than the scores beside it{differing}")
    if draws != len(scores.replicates):
        raise UnreadableFileError(path, f"it has {draws} draws, but the scores beside it have {len(scores.replicates)}")
    if (subjects, regions) != (scores.subjects, scores.regions):
        raise UnreadableFileError(path, "its subjects or regions are not those of the scores beside it")


def _encoder_of(spec: Any) -> Any:
    """Return the encoder's settings in the spec of an encoding; that of joint spaces has others beside them."""
    return spec["encoder"] if isinstance(spec, dict) and "encoder" in spec else spec


def _differing_setting(one: Any, other: Any) -> str | None:
    """Say which setting differs first, as " (bootstrap)"; None where none does."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return None if one == other else ""
    differing = sorted(key for key in one | other if key != "layer" and one.get(key) != other.get(key))
    return f" ({differing[0]})" if differing else None


def _names(values: np.ndarray) -> tuple[str, ...]:
    return tuple(map(str, values))
