"""Finished scores: r with its interval, against the ceiling and over the best null.

Intervals are percentiles of seeded bootstrap replicates over groups of stimuli. The encoders are not fitted again, so
they are conditional on the fit. A data set's draws are the same for every feature space under one encoder, so the
replicates of a difference are the differences of replicates.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainalign.errors import UnreadableFileError
from brainalign.intervals import percentile_interval
from brainalign.storage import read_arrays, read_attributes

CEILING_KINDS = ("known", "given", "subject-pool")
CHOSEN = "chosen"
ALL = "all"

_ENCODING = "aggregate_r replicates chosen_layer layer score_layer score_subject score_region subject region".split()
_CEILINGS = (
    "ceiling_kind ceiling_aggregate ceiling_low ceiling_high ceiling_replicates score_subject score_region".split()
)


@dataclass(frozen=True)
class Scores:
    """The scores of one feature space on one data set, as an encoding file holds them.

    Parameters
    ----------
    layers : names, the last of them "chosen"; subjects, regions : names, the first of them "all".
    r : (layer, subject, region); replicates : (draw, layer, subject, region).
    chosen_layer : (fold,), index into layers.
    neuroids : (subject, region), how many.
    samples : rows of the data set; simulated : whether the responses are; encoder : the settings, as given.
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


@dataclass(frozen=True)
class Ceilings:
    """A data set's ceilings, the one that normalises first.

    Parameters
    ----------
    kinds : names, possibly none.
    r, low, high : (kind, subject, region); replicates : (draw, kind, subject, region), NaN where a kind has none.
    """

    kinds: tuple[str, ...]
    r: np.ndarray
    low: np.ndarray
    high: np.ndarray
    replicates: np.ndarray


def read_scores(path: Path) -> Scores:
    """Read an encoding file. Raises UnreadableFileError where it is not one."""
    arrays, attributes = read_arrays(path, _ENCODING), read_attributes(path)
    layers, subjects, regions = (_names(arrays[name]) for name in ("score_layer", "score_subject", "score_region"))
    missing = {"spec", "samples", "simulated"} - attributes.keys()
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
        json.loads(attributes["spec"]),
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
    return Ceilings(tuple(kinds[index] for index in order), r, low, high, arrays["ceiling_replicates"][:, order])


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
    scores: Scores, ceilings: Ceilings, nulls: Mapping[str, Scores], names: Mapping[str, str]
) -> pd.DataFrame:
    """Return one row for each layer and "chosen" × subject × region that has neuroids.

    r is the encoder's aggregate of Pearson r on held-out rows. `normalised` is r / ceiling, not clipped, NaN where the
    ceiling is not above 0; its interval is of r / ceiling draw by draw, or, where the ceiling has no draws of its
    own, of r over the fixed ceiling. `over_null` is r − r of the null with the highest r of its chosen layer for the
    same subject and region; the interval is paired, of the differences draw by draw, for that null.

    Parameters
    ----------
    nulls : name → scores under the same draws; empty for a null itself.
    names : dataset, collection, encoder, readout, features, features_kind, layer_choice.
    """
    blocks = {
        **_labels(scores, names),
        **_with_interval("r", scores.r, scores.replicates),
        **_against_ceiling(scores, ceilings),
        **_over_best_null(scores, nulls),
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
    share = np.bincount(scores.chosen_layer, minlength=n_layers) / len(scores.chosen_layer)  # (layer,)
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
    if not ceilings.kinds:
        empty = ("ceiling", "ceiling_low", "ceiling_high")
        missing = dict.fromkeys(("normalised", "normalised_low", "normalised_high"), nothing)
        return {"ceiling_kind": np.array("", dtype=object)} | dict.fromkeys(empty, nothing) | columns | missing
    ceiling = _positive(ceilings.r[0])  # (subject, region)
    own = ceilings.replicates[:, 0]  # (draw, subject, region)
    drawn = np.where(np.isfinite(own).any(axis=0), _positive(own), ceiling)
    replicates = np.where(np.isnan(ceiling), np.nan, scores.replicates / drawn[:, None])
    return {
        "ceiling_kind": np.array(ceilings.kinds[0], dtype=object),
        "ceiling": ceilings.r[0],
        "ceiling_low": ceilings.low[0],
        "ceiling_high": ceilings.high[0],
        **columns,
        **_with_interval("normalised", scores.r / ceiling, replicates),
    }


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


def _differing_setting(one: Any, other: Any) -> str | None:
    """Say which setting differs first, as " (bootstrap)"; None where none does."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return None if one == other else ""
    differing = sorted(key for key in one | other if key != "layer" and one.get(key) != other.get(key))
    return f" ({differing[0]})" if differing else None


def _names(values: np.ndarray) -> tuple[str, ...]:
    return tuple(map(str, values))
