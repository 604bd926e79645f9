"""Two finished studies set beside each other: their scores, their models' properties and their settings."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainalign.comparison.settings import differing_records, differing_settings, settings_of_rows
from brainalign.comparison.tables import TOLERANCE, Draws, compare_tables
from brainalign.correlation.scores import Replicates, read_replicates
from brainalign.errors import InputError, UnreadableFileError, unknown
from brainalign.responses.unit_names import ALL
from brainalign.scored import CHOSEN
from brainalign.storage import file_digest
from brainalign.study import CELL, read_record
from brainalign.tables import read_table

SCORES, AVERAGES, BEHAVIOR, PROPERTIES = "alignment", "averages", "behavior", "properties"
TABLES = (SCORES, AVERAGES, BEHAVIOR, PROPERTIES)
ROW = (*CELL, "subject", "region", "layer", "model", "scoring", "analysis")
MEASURES = ("r", "normalised", "over_null", "ceiling")
_OF_DRAWS = ("split", "bootstrap")  # settings of an encoder on which the draws of a data set depend
_NOT_OF_STIMULI = ("citation", "collection", "ceilings", "control_region")
_COUNTS = frozenset("folds samples neuroids draws groups seed datasets collections".split())
# Columns without which the rows of a table cannot be told apart, or say nothing.
_NEEDED = {
    SCORES: (*CELL, "subject", "region", "layer", "r"),
    AVERAGES: ("encoder", "readout", "features", "r"),
    PROPERTIES: ("model",),
}


@dataclass(frozen=True)
class FinishedStudy:
    """What lies in the folder of a finished study.

    Parameters
    ----------
    tables : those of TABLES that there are; "alignment" always.
    replicates : of the chosen layers, see `correlation.scores.read_replicates`; none where there is no file.
    config : the resolved config; empty where there is none.
    records : table → versions, code, digest.
    missing : files that a finished study has and this one has not.
    """

    tables: Mapping[str, pd.DataFrame]
    replicates: Replicates = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """scores : see `compare_studies`; settings : see `settings.differing_settings`; missing : files, by study."""

    scores: pd.DataFrame
    settings: pd.DataFrame
    missing: Mapping[str, tuple[str, ...]]


def find_study(name: str, studies: Path) -> Path:
    """Return the folder of a study.

    What holds a separator of paths, and ".", ".." and "~", is the path of a folder; everything else is a name in the
    folder of all studies.

    Raises
    ------
    InputError : it is not there, or it holds no alignment.csv.
    """
    is_path = name in (".", "..", "~") or any(mark in name for mark in (os.sep, os.altsep) if mark)
    folder = Path(name).expanduser() if is_path else studies / name
    if not folder.is_dir():
        if is_path:
            raise InputError(f"{name!r} is no folder.")
        if Path(name).is_dir():
            raise InputError(f"no study {name!r} lies in {studies}; the folder of that name is {f'.{os.sep}{name}'!r}.")
        known = sorted(path.parent.name for path in studies.glob("*/alignment.csv"))
        if known:
            raise unknown("study", name, known)
        raise InputError(f"no study {name!r} lies in {studies}, nor does another.")
    if not (folder / f"{SCORES}.csv").is_file():
        raise InputError(f"{folder} holds no {SCORES}.csv, which every finished study has.")
    return folder


def read_study_folder(folder: Path) -> FinishedStudy:
    """Read a finished study, or what an archive kept of it.

    Raises
    ------
    UnreadableFileError : a file that is not what its name says, or a table without a column that it needs.
    """
    paths = {name: folder / f"{name}.csv" for name in TABLES}
    tables = {name: _read(path, _NEEDED.get(name, ())) for name, path in paths.items() if path.is_file()}
    replicates, config = folder / "replicates.h5", folder / "config.json"
    records: dict[str, dict[str, Any]] = {}
    for name in tables:
        beside = paths[name].with_name(paths[name].name + ".provenance.json")
        made = read_record(beside, ["code", "versions"]) if beside.is_file() else {}
        records[name] = {key: made[key] for key in made if key in ("versions", "code")}
        records[name]["digest"] = file_digest(paths[name])
    wanted = (paths[AVERAGES], paths[PROPERTIES], replicates, config)
    return FinishedStudy(
        tables,
        read_replicates(replicates) if replicates.is_file() else {},
        read_record(config, []) if config.is_file() else {},
        records,
        tuple(path.name for path in wanted if not path.is_file()),
    )


def _read(path: Path, needed: tuple[str, ...]) -> pd.DataFrame:
    table = read_table(path)
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise UnreadableFileError(path, f"it has no column {missing[0]!r}")
    return table


def compare_studies(a: FinishedStudy, b: FinishedStudy, tolerance: float = TOLERANCE) -> Comparison:
    """Compare the chosen layers' scores and their averages, reading behaviour and models' properties of two studies.

    `scores` has one row per table, names (data set, encoder, readout, features, subject, region, layer; model) and
    measure, see `tables.compare_tables`. Of "alignment" the measures are r, normalised, over_null and ceiling; of the
    others every column of numbers but counts. r over all subjects and regions has a paired interval where both studies
    resampled the same: the same stimuli, samples and draws, and the same split and seed of the encoder. Groups of one
    name are taken for the same; if they were not, the draws would be independent, and the interval as wide as it should
    be. Averages follow from the scores, and are compared where both studies have them; an old one that has not differs
    in nothing by that. `settings` names the keys of the config that differ and that a row depends on.
    """
    differing = pd.concat(
        [differing_settings("config", a.config, b.config), differing_records(a.records, b.records)], ignore_index=True
    )
    parts = []
    for name in TABLES:
        if name == AVERAGES and not (name in a.tables and name in b.tables):
            continue
        one, other = (study.tables.get(name, pd.DataFrame()) for study in (a, b))
        if name == SCORES:
            one, other = (table[table["layer"] == CHOSEN] for table in (one, other))
            part = compare_tables(one, other, ROW, MEASURES, shared_draws(a, b), tolerance)
        else:
            part = compare_tables(one, other, ROW, _measures([one, other]), tolerance=tolerance)
        part.insert(0, "table", name)
        parts.append(part)
    scores = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    scores["settings"] = settings_of_rows(scores, differing)
    return Comparison(scores, differing, {"a": a.missing, "b": b.missing})


def shared_draws(a: FinishedStudy, b: FinishedStudy) -> Draws:
    """Return the function that finds two cells' replicates where they are of the same draws, else None."""
    facts = [_facts(study) for study in (a, b)]

    def find(row: Mapping[str, str], measure: str) -> tuple[np.ndarray, np.ndarray] | None:
        key = tuple(row[name] for name in CELL)
        pair = a.replicates.get(key), b.replicates.get(key)
        if measure != "r" or row["subject"] != ALL or row["region"] != ALL or pair[0] is None or pair[1] is None:
            return None
        if len(pair[0]) != len(pair[1]) or facts[0].get(key) != facts[1].get(key):
            return None
        mine, theirs = (_resampled(study.config, row) for study in (a, b))
        return (pair[0], pair[1]) if mine is not None and mine == theirs else None

    return find


def _resampled(config: Mapping[str, Any], row: Mapping[str, str]) -> Any:
    """Return the settings on which a cell's draws depend, None where the config does not hold them."""
    dataset = config.get("datasets", {}).get(row["dataset"])
    encoder = config.get("encoders", {}).get(row["encoder"])
    if dataset is None or encoder is None:
        return None
    of_data = {key: value for key, value in dataset.items() if key not in _NOT_OF_STIMULI}
    return of_data, {key: encoder.get(key) for key in _OF_DRAWS}


def _facts(study: FinishedStudy) -> dict[tuple[str, ...], tuple[Any, ...]]:
    """Return the number of samples and of folds of each cell."""
    table = study.tables[SCORES]
    rows = table[(table["layer"] == CHOSEN) & (table["subject"] == ALL) & (table["region"] == ALL)]
    keys = zip(*(rows[name].astype(str) for name in CELL), strict=True)
    counts = zip(*(rows[name] if name in rows else [None] * len(rows) for name in ("samples", "folds")), strict=True)
    return dict(zip(keys, counts, strict=True))


def _measures(tables: list[pd.DataFrame]) -> list[str]:
    columns = dict.fromkeys(
        name for table in tables for name in table.columns if pd.api.types.is_numeric_dtype(table[name])
    )
    bounds = [name for name in columns if name.endswith(("_low", "_high")) and name.rpartition("_")[0] in columns]
    return [name for name in columns if name not in bounds and name not in _COUNTS and name != "simulated"]
