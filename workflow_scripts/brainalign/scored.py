"""Encodings as the stage alignment reads them, checked against each other."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from brainalign.errors import UnreadableFileError
from brainalign.responses.unit_names import ALL
from brainalign.storage import read_arrays, read_attributes

CHOSEN = "chosen"

_ENCODING = (
    "aggregate_r replicates contributions pairs fold_of_block choice_spread aggregate_r2 aggregate_r2_test_mean "
    "replicates_r2 spread_r2 chosen_layer edge_share constant_predictions shift_p width rank train_rows layer "
    "score_layer score_subject score_region subject region"
).split()


@dataclass(frozen=True)
class Fits:
    """What is known of the fits behind scores.

    Parameters
    ----------
    r2, r2_test_mean : (layer, subject, region); replicates_r2 : (draw, subject, region), of the chosen layer.
    spread_r2 : (subject, region), by how much replicates of R² are widened for folds that train each other.
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
    spread_r2: np.ndarray
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
    layers, subjects, regions = (names_of(arrays[name]) for name in ("score_layer", "score_subject", "score_region"))
    missing = {"spec", "samples", "groups", "simulated"} - attributes.keys()
    if missing:
        raise UnreadableFileError(path, f"it has no attribute {sorted(missing)[0]!r}")
    if layers != (*names_of(arrays["layer"]), CHOSEN):
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
            spread_r2=arrays["spread_r2"].astype(np.float64),
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


def read_null(path: Path, scores: Scores) -> Scores:
    """Read a null's encoding, to be set beside scores.

    Raises
    ------
    UnreadableFileError : not an encoding, or of another encoder, other draws, folds, rows, subjects or regions.
    """
    null = read_scores(path)
    check_shared(path, scores, null.encoder, len(null.replicates), null.subjects, null.regions)
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


def check_shared(
    path: Path, scores: Scores, encoder: Any, draws: int, subjects: tuple[str, ...], regions: tuple[str, ...]
) -> None:
    """Refuse a file of another encoder, other draws, subjects or regions than the scores that it is read beside.

    The choice of layer is not compared: ceilings have none, and a null's layers are its own.

    Raises
    ------
    UnreadableFileError : as said.
    """
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


def names_of(values: np.ndarray) -> tuple[str, ...]:
    """Return text as a file holds it as names."""
    return tuple(map(str, values))
