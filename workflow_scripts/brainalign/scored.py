"""Encodings and ceilings as the stage alignment reads them, checked against each other."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from brainalign.ceilings.ceiling import KINDS as CEILING_KINDS
from brainalign.ceilings.ceiling import UNITS as CEILING_UNITS
from brainalign.ceilings.ceiling import in_units_of_r
from brainalign.ceilings.neuroids import normalise_neuroids
from brainalign.encoding.scores import Units
from brainalign.errors import UnreadableFileError
from brainalign.storage import read_arrays, read_attributes

CHOSEN = "chosen"
ALL = "all"

_ENCODING = (
    "aggregate_r replicates contributions pairs fold_of_block choice_spread aggregate_r2 aggregate_r2_test_mean "
    "replicates_r2 chosen_layer edge_share constant_predictions shift_p width rank train_rows layer score_layer "
    "score_subject score_region subject region"
).split()
_CEILINGS = (
    "ceiling_kind ceiling_units ceiling_aggregate ceiling_low ceiling_high ceiling_null ceiling_null_high "
    "ceiling_replicates score_subject score_region"
).split()


@dataclass(frozen=True)
class Fits:
    """What is known of the fits behind scores.

    Parameters
    ----------
    r2, r2_test_mean : (layer, subject, region); replicates_r2 : (draw, subject, region), of the chosen layer.
    edge_share, constant_share : (layer,), of folds and neuroids whose penalty is the grid's first or last, NaN where
        none is chosen, and whose prediction was constant; "chosen" has none of its own.
    widths : (layer,), features of each layer, delayed copies counted.
    ranks : (layer, fold), of the training features, where these are fitted without a penalty; train_rows : (fold,),
        samples of each training set.
    groups : how many groups of samples there are.
    contributions : (group, layer, subject, region), what each group adds to the mean r; NaN where groups are tested in
        several folds.
    pairs : (block, block, layer, subject, region), the same by way of each training block; NaN where it is not known.
    fold_of_block : (block,); pair_share : see `inference.shared_training.put_together`.
    choice_spread : (subject, region), by how much the chosen layer's distribution is widened, see `encoding.rechosen`.
    shift_p : (subject, region), p of the chosen layer by shifts of a series inside runs; NaN for no series.
    dependence : how intervals count that folds train each other, see `encoding.dependence`.
    left_out : sentences on neuroids that the responses had lost before; empty where none was.
    """

    r2: np.ndarray
    r2_test_mean: np.ndarray
    replicates_r2: np.ndarray
    edge_share: np.ndarray
    constant_share: np.ndarray
    widths: np.ndarray
    ranks: np.ndarray
    train_rows: np.ndarray
    groups: int
    contributions: np.ndarray
    pairs: np.ndarray
    fold_of_block: np.ndarray
    pair_share: float
    choice_spread: np.ndarray
    shift_p: np.ndarray
    dependence: str
    left_out: str = ""


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
    unit_cells : (unit, subject, region) bool, whether a unit that chooses a layer belongs to a cell; None where one
        chooses for all.
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
    unit_cells: np.ndarray | None = None


@dataclass(frozen=True)
class Ceilings:
    """A data set's ceilings, the one that normalises first.

    Parameters
    ----------
    kinds : names, possibly none.
    r, low, high : (kind, subject, region); replicates : (draw, kind, subject, region), NaN where a kind has none.
    null, null_high : (kind, subject, region), what the same estimate gives of noise, on average and at most; NaN where
        that is 0.
    units : of all of these; scores are in units of r, and so is what they are divided by.
    """

    kinds: tuple[str, ...]
    r: np.ndarray
    low: np.ndarray
    high: np.ndarray
    replicates: np.ndarray
    null: np.ndarray | None = None
    null_high: np.ndarray | None = None
    units: str = "r"


@dataclass(frozen=True)
class NormalisedNeuroids:
    """Scores normalised neuroid by neuroid, see `ceilings.neuroids`.

    Parameters
    ----------
    normalised : (layer, subject, region); neuroids : (subject, region), how many have a ceiling above 0.
    """

    normalised: np.ndarray
    neuroids: np.ndarray


def layer_of_neuroids(chosen: np.ndarray, subject: np.ndarray) -> np.ndarray:
    """Return the layer that was chosen for each neuroid, (fold, neuroid), index into layers.

    Parameters
    ----------
    chosen : (fold, choice unit); one unit, or the subjects by first appearance, or the neuroids.
    subject : (neuroid,) of names.

    Raises
    ------
    ValueError : the units are none of these; a clause without a full stop.
    """
    folds, units = chosen.shape
    subjects, of_neuroid = np.unique(np.asarray(subject, dtype=object), return_inverse=True)
    if units in (1, len(subject)):
        return np.broadcast_to(chosen, (folds, len(subject)))
    if units != len(subjects):
        raise ValueError(f"it has layers of {units} units, but {len(subject)} neuroids of {len(subjects)} subjects")
    first = np.unique(of_neuroid, return_index=True)[1]  # where each subject, by name, comes first
    place = np.argsort(np.argsort(first))
    return np.asarray(chosen[:, place[of_neuroid]])


def layer_shares(scores: Scores) -> np.ndarray:
    """Return the share of folds that chose a layer, in the mean over a cell's choice units (layer, subject, region).

    NaN for "chosen", and where it is not known who chose.
    """
    n_layers, shape = len(scores.layers) - 1, scores.r.shape
    shares = np.full(shape, np.nan)
    if scores.chosen_layer.size:
        chosen = scores.chosen_layer.reshape(len(scores.chosen_layer), -1)  # (fold, unit)
        of_unit = np.stack([(chosen == layer).mean(axis=0) for layer in range(n_layers)])  # (layer, unit)
        cells = scores.unit_cells
        cells = np.ones((chosen.shape[1], *shape[1:])) if cells is None else cells.astype(np.float64)
        counted = np.where(cells.any(axis=0), cells.sum(axis=0), np.nan)
        shares[:-1] = np.tensordot(of_unit, cells, axes=1) / counted
    return shares


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
            r2_test_mean=arrays["aggregate_r2_test_mean"].astype(np.float64),
            replicates_r2=arrays["replicates_r2"].astype(np.float64),
            edge_share=arrays["edge_share"].mean(axis=1),
            constant_share=arrays["constant_predictions"].mean(axis=1) / len(arrays["subject"]),
            widths=arrays["width"],
            ranks=arrays["rank"],
            train_rows=arrays["train_rows"],
            groups=int(attributes["groups"]),
            contributions=arrays["contributions"].astype(np.float64),
            pairs=arrays["pairs"].astype(np.float64),
            fold_of_block=arrays["fold_of_block"],
            pair_share=float(attributes.get("pair_share", 1.0)),
            choice_spread=arrays["choice_spread"].astype(np.float64),
            shift_p=arrays["shift_p"].astype(np.float64),
            dependence=str(attributes.get("dependence", "")),
            left_out=str(attributes.get("left_out", "")),
        ),
        _cells_of_units(path, arrays, subjects, regions),
    )


def read_ceilings(path: Path, scores: Scores) -> Ceilings:
    """Read the ceilings that belong to scores, those in units of r² as their signed root.

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
    units = _units(path, arrays["ceiling_units"])
    names = ("ceiling_aggregate", "ceiling_low", "ceiling_high", "ceiling_null", "ceiling_null_high")
    r, low, high, null, null_high = (in_units_of_r(arrays[name], units)[order] for name in names)
    replicates = np.moveaxis(in_units_of_r(np.moveaxis(arrays["ceiling_replicates"], 1, 0), units)[order], 0, 1)
    return Ceilings(tuple(kinds[index] for index in order), r, low, high, replicates, null, null_high)


def read_neuroids(encoding: Path, ceilings: Path, scores: Scores) -> NormalisedNeuroids:
    """Normalise the scores of each neuroid by its own ceiling, of the kind that is preferred.

    Raises
    ------
    UnreadableFileError : files without scores or ceilings of neuroids, or of other neuroids.
    """
    of_neuroids = ("neuroid", "subject", "region")
    fits = read_arrays(encoding, ["r", "chosen_r", *of_neuroids])
    found = read_arrays(ceilings, ["ceiling_kind", "ceiling_units", "ceiling_per_neuroid", "ceiling_per_neuroid_low"])
    kinds = _names(found["ceiling_kind"])
    first = min(range(len(kinds)), key=lambda index: CEILING_KINDS.index(kinds[index]), default=None)
    if first is None:
        raise UnreadableFileError(ceilings, "it has no ceiling by which neuroids could be normalised")
    units_of_kinds = _units(ceilings, found["ceiling_units"])
    ceiling, low = (
        in_units_of_r(found[name], units_of_kinds)[first] for name in ("ceiling_per_neuroid", "ceiling_per_neuroid_low")
    )
    if len(ceiling) != fits["r"].shape[-1]:
        raise UnreadableFileError(ceilings, f"it has {len(ceiling)} neuroids, the encoding {fits['r'].shape[-1]}")
    units = Units(*(fits[name].astype(str) for name in of_neuroids))
    aggregate = scores.encoder.get("aggregate", "mean")
    return NormalisedNeuroids(*normalise_neuroids(fits["r"], fits["chosen_r"], units, ceiling, low, aggregate))


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


def _cells_of_units(
    path: Path, arrays: dict[str, np.ndarray], subjects: tuple[str, ...], regions: tuple[str, ...]
) -> np.ndarray | None:
    """Return which cells a unit that chose a layer belongs to: a subject to all its regions, a neuroid to its own."""
    units, neuroids = arrays["chosen_layer"].shape[1], len(arrays["subject"])
    if units == 1:
        return None
    if units == neuroids:
        of_subject, of_region = _belongs(arrays["subject"], subjects), _belongs(arrays["region"], regions)
        return np.asarray(of_subject.T[:, :, None] & of_region.T[:, None, :])
    if units != len(subjects) - 1:
        reason = f"it has layers of {units} units, but {neuroids} neuroids of {len(subjects) - 1} subjects"
        raise UnreadableFileError(path, reason)
    of_subject = np.concatenate([np.ones((1, units), dtype=bool), np.eye(units, dtype=bool)])  # (subject, unit)
    return np.repeat(of_subject.T[:, :, None], len(regions), axis=2)


def _belongs(labels: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """Return whether each neuroid is of a name, (name, neuroid) bool; all are of "all"."""
    return np.stack([np.full(len(labels), name == ALL) | (labels == name) for name in names])


def _count(subject: np.ndarray, region: np.ndarray, subjects: tuple[str, ...], regions: tuple[str, ...]) -> np.ndarray:
    of_subject, of_region = _belongs(subject, subjects), _belongs(region, regions)
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


def _units(path: Path, values: np.ndarray) -> tuple[str, ...]:
    """Return the units of each kind of ceiling."""
    units = _names(values)
    for strange in set(units) - set(CEILING_UNITS):
        reason = f"it has a ceiling in units of {strange!r}, but {', '.join(CEILING_UNITS)} are known"
        raise UnreadableFileError(path, reason)
    return units


def _names(values: np.ndarray) -> tuple[str, ...]:
    return tuple(map(str, values))
