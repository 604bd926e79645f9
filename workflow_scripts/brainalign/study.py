"""A study's cells joined into tables; no score is computed here."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainalign.errors import UnreadableFileError
from brainalign.responses.unit_names import ALL
from brainalign.row_labels import LOSS_UNITS, SPAN_UNITS
from brainalign.scored import CHOSEN
from brainalign.storage import Variable, read_arrays, read_attributes

CELL = ("dataset", "encoder", "readout", "features")
_COUNTS = ("layer_index", "folds", "samples", "neuroids", "normalised_neuroids", "draws", "normalised_draws")
LOSS_UNIT = "_nats_per_token"  # the one of LOSS_UNITS that a loss's bare name stands for
SIZES = ("parameters", "width", "depth", "vocabulary")


@dataclass(frozen=True)
class Cell:
    """The chosen layer's score over all subjects and regions, and the library versions of the encoding that it is from.

    names : dataset, encoder, readout, features; replicates : (draw,).
    """

    names: Mapping[str, str]
    replicates: np.ndarray
    versions: Mapping[str, str]


def read_cell(encoding: Path, table: pd.DataFrame) -> Cell:
    """Read the encoding that an alignment table was made of.

    Raises
    ------
    UnreadableFileError : not an encoding, or one whose score is not that of the table.
    """
    arrays = read_arrays(encoding, ["score_layer", "score_subject", "score_region", "aggregate_r", "replicates"])
    layer = _index(encoding, arrays["score_layer"], CHOSEN)
    subject = _index(encoding, arrays["score_subject"], ALL)
    region = _index(encoding, arrays["score_region"], ALL)
    row = summary_rows(table).iloc[0]
    r = arrays["aggregate_r"][layer, subject, region]
    if not np.isclose(r, row["r"], rtol=1e-9, atol=1e-12, equal_nan=True):
        raise UnreadableFileError(encoding, f"its r is {r:.6g}, but the table made of it has {row['r']:.6g}")
    versions = json.loads(read_attributes(encoding).get("versions", "{}"))
    return Cell({name: str(row[name]) for name in CELL}, arrays["replicates"][:, layer, subject, region], versions)


def summary_rows(alignment: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the chosen layer over all subjects and regions."""
    chosen = (alignment["layer"] == CHOSEN) & (alignment["subject"] == ALL) & (alignment["region"] == ALL)
    return alignment[chosen]


def join_alignments(tables: Sequence[pd.DataFrame], cells: Sequence[Cell]) -> pd.DataFrame:
    """Put tables under one another: those of the cells, in their order, then those of published scores.

    Where the encodings were made with different versions of a library, a column `versions` names each such library
    with the version that made the row.
    """
    joined = pd.concat(tables, ignore_index=True)
    joined = joined.astype(dict.fromkeys(joined.columns.intersection(list(_COUNTS)), "Int64"))
    published: list[dict[str, str]] = [{}] * (len(tables) - len(cells))
    differing = differing_versions([*(cell.versions for cell in cells), *published])
    if any(differing):
        joined["versions"] = np.repeat(differing, [len(table) for table in tables])
    return joined


def differing_versions(versions: Sequence[Mapping[str, str]]) -> list[str]:
    """Return for each record the libraries of which the records name more than one version.

    >>> differing_versions([{"numpy": "2.4.6", "h5py": "3"}, {"numpy": "2.4.7", "h5py": "3"}, {"h5py": "3"}])
    ['numpy 2.4.6', 'numpy 2.4.7', '']
    """
    seen: dict[str, set[str]] = {}
    for record in versions:
        for library, version in record.items():
            seen.setdefault(library, set()).add(version)
    several = sorted(library for library, found in seen.items() if len(found) > 1)
    return [", ".join(f"{name} {record[name]}" for name in several if name in record) for record in versions]


def replicate_variables(cells: Sequence[Cell]) -> dict[str, Variable]:
    """Return replicates (draw, cell) with the names of each cell; columns with fewer draws end in NaN."""
    draws = max((len(cell.replicates) for cell in cells), default=0)
    values = np.full((draws, len(cells)), np.nan, dtype=np.float32)
    for index, cell in enumerate(cells):
        values[: len(cell.replicates), index] = cell.replicates
    names = {name: np.array([cell.names[name] for cell in cells], dtype=object) for name in CELL}
    return {"r": Variable(("draw", "cell"), values)} | {
        name: Variable(("cell",), column) for name, column in names.items()
    }


def properties_table(
    models: Mapping[str, Mapping[str, Any]],
    given: Sequence[str],
    manifests: Mapping[str, Mapping[str, Any]],
    losses: Mapping[str, Mapping[str, Mapping[str, Any]]],
) -> pd.DataFrame:
    """Return one row per model, by family, size and base, a base before what was made of it.

    Parameters
    ----------
    models : name → family, kind, base, training_tokens and the given properties (a number or None).
    given : names of the given properties.
    manifests : model → parameters, width, depth, vocabulary; a number or None.
    losses : loss → model → nats_per_token, nats_per_word, nats_per_byte; columns are named `<loss>_nats_per_token`, ….
        Of an encoder with a decoder, span_nats_per_token, …, which have columns of their own where there are any.
    """
    units = [(loss, unit) for loss, of_models in losses.items() for unit in _units_of(of_models)]
    rows = []
    for name, entry in models.items():
        sizes = {size: _number(manifests.get(name, {}).get(size)) for size in SIZES}
        parameters = sizes.pop("parameters")
        rows.append(
            {
                "model": name,
                "family": entry["family"],
                "kind": entry["kind"],
                "base": entry.get("base") or "",
                "parameters": parameters,
                "log10_parameters": math.log10(parameters) if parameters > 0 else math.nan,
                **sizes,
                "training_tokens": _number(entry.get("training_tokens")),
                **{f"{loss}_{unit}": _number(losses[loss].get(name, {}).get(unit)) for loss, unit in units},
                **{key: _number(entry.get(key)) for key in given},
            }
        )
    columns = ["model", "family", "kind", "base", "parameters", "log10_parameters", *SIZES[1:], "training_tokens"]
    columns += [*(f"{loss}_{unit}" for loss, unit in units), *given]
    table = pd.DataFrame(rows, columns=columns)
    table = table.sort_values(["family", "parameters", "base", "model"], ignore_index=True)
    return table.astype(dict.fromkeys([*SIZES, "training_tokens"], "Int64"))


def read_losses(paths: Iterable[Path]) -> dict[str, dict[str, dict[str, Any]]]:
    """Read measured losses: loss → model → record. A file is its model, and the folder in which it lies is the loss.

    Raises
    ------
    UnreadableFileError : a file with neither a next-word loss nor one of spans cut out of a text.
    """
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for path in paths:
        record = read_record(path, ())
        if not any(all(unit in record for unit in units) for units in (LOSS_UNITS, SPAN_UNITS)):
            raise UnreadableFileError(path, "it has no {!r}, {} and {}, nor those of spans".format(*LOSS_UNITS))
        found.setdefault(path.parent.name, {})[path.stem] = record
    return found


def stated_sizes(models: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the sizes that a study states of its models without weights: model → parameters, width, …."""
    return {name: entry["sizes"] for name, entry in models.items() if "sizes" in entry}


def read_sizes(models: Mapping[str, Mapping[str, Any]], manifests: Iterable[Path]) -> dict[str, Mapping[str, Any]]:
    """Return every model's sizes: of its manifest, whose folder is the model, or as the study states them.

    Raises
    ------
    UnreadableFileError : see `read_record`.
    """
    return stated_sizes(models) | {path.parent.name: read_record(path, SIZES) for path in manifests}


def read_record(path: Path, keys: Iterable[str]) -> dict[str, Any]:
    """Read a JSON object that an earlier job wrote. Raises UnreadableFileError where a key is missing."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UnreadableFileError(path, f"it is not JSON ({error})") from error
    missing = [key for key in keys if not isinstance(record, dict) or key not in record]
    if missing:
        raise UnreadableFileError(path, f"it has no {missing[0]!r}")
    if not isinstance(record, dict):
        raise UnreadableFileError(path, "it holds no names with values")
    return dict(record)


def _units_of(records: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the units of a loss's columns: those of the next word always, those of spans where a model has them."""
    return LOSS_UNITS + tuple(unit for unit in SPAN_UNITS if any(unit in record for record in records.values()))


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _index(path: Path, names: np.ndarray, wanted: str) -> int:
    found = np.flatnonzero(names == wanted)
    if len(found) != 1:
        raise UnreadableFileError(path, f"it has no scores named {wanted!r}")
    return int(found[0])
