"""Ceilings as the stage alignment reads them, checked against the scores that they belong to."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from brainalign.ceilings.ceiling import KINDS as CEILING_KINDS
from brainalign.ceilings.ceiling import UNITS as CEILING_UNITS
from brainalign.ceilings.ceiling import in_units_of_r
from brainalign.ceilings.neuroids import normalise_neuroids
from brainalign.encoding.scores import Units
from brainalign.errors import UnreadableFileError
from brainalign.scored import Scores, check_shared, names_of
from brainalign.storage import read_arrays, read_attributes

_CEILINGS = (
    "ceiling_kind ceiling_basis ceiling_units ceiling_aggregate ceiling_low ceiling_high ceiling_null "
    "ceiling_null_high ceiling_replicates score_subject score_region"
).split()


@dataclass(frozen=True)
class Ceilings:
    """A data set's ceilings, the one that normalises first.

    Parameters
    ----------
    kinds : names, possibly none.
    r, low, high : (kind, subject, region); replicates : (draw, kind, subject, region), NaN where a kind has none.
    null, null_high : (kind, subject, region), what the same estimate gives of noise, on average and at most; NaN where
        that is 0.
    basis : what the first belongs to, one of `ceiling.BASES`; that of its kind unless given.
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
    basis: str = ""


@dataclass(frozen=True)
class NormalisedNeuroids:
    """Scores normalised neuroid by neuroid, see `ceilings.neuroids`.

    Parameters
    ----------
    normalised : (layer, subject, region); neuroids : (subject, region), how many have a ceiling above 0.
    """

    normalised: np.ndarray
    neuroids: np.ndarray


def read_ceilings(path: Path, scores: Scores) -> Ceilings:
    """Read the ceilings that belong to scores, those in units of r² as their signed root.

    Raises
    ------
    UnreadableFileError : not a file of ceilings, or of another encoder, other draws, subjects or regions.
    """
    arrays, attributes = read_arrays(path, _CEILINGS), read_attributes(path)
    encoder = json.loads(attributes.get("spec", "{}")).get("encoder")
    subjects, regions = names_of(arrays["score_subject"]), names_of(arrays["score_region"])
    check_shared(path, scores, encoder, len(arrays["ceiling_replicates"]), subjects, regions)
    kinds = names_of(arrays["ceiling_kind"])
    order = [kinds.index(kind) for kind in CEILING_KINDS if kind in kinds]
    if len(order) < len(kinds):
        strange = next(kind for kind in kinds if kind not in CEILING_KINDS)
        raise UnreadableFileError(path, f"it has a ceiling {strange!r}, but {', '.join(CEILING_KINDS)} are known")
    units = _units(path, arrays["ceiling_units"])
    names = ("ceiling_aggregate", "ceiling_low", "ceiling_high", "ceiling_null", "ceiling_null_high")
    r, low, high, null, null_high = (in_units_of_r(arrays[name], units)[order] for name in names)
    replicates = np.moveaxis(in_units_of_r(np.moveaxis(arrays["ceiling_replicates"], 1, 0), units)[order], 0, 1)
    basis = names_of(arrays["ceiling_basis"])[order[0]] if order else ""
    return Ceilings(tuple(kinds[index] for index in order), r, low, high, replicates, null, null_high, basis=basis)


def read_neuroids(encoding: Path, ceilings: Path, scores: Scores) -> NormalisedNeuroids:
    """Normalise the scores of each neuroid by its own ceiling, of the kind that is preferred.

    Raises
    ------
    UnreadableFileError : files without scores or ceilings of neuroids, or of other neuroids.
    """
    of_neuroids = ("neuroid", "subject", "region")
    fits = read_arrays(encoding, ["r", "chosen_r", *of_neuroids])
    found = read_arrays(ceilings, ["ceiling_kind", "ceiling_units", "ceiling_per_neuroid", "ceiling_per_neuroid_low"])
    kinds = names_of(found["ceiling_kind"])
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


def _units(path: Path, values: np.ndarray) -> tuple[str, ...]:
    """Return the units of each kind of ceiling."""
    units = names_of(values)
    for strange in set(units) - set(CEILING_UNITS):
        reason = f"it has a ceiling in units of {strange!r}, but {', '.join(CEILING_UNITS)} are known"
        raise UnreadableFileError(path, reason)
    return units
