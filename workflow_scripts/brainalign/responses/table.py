"""Responses from plain files: a CSV, NPY or HDF5 matrix, and CSV tables about its rows and columns."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from brainalign.errors import InputError, unknown
from brainalign.responses.matrix import Responses, identity_map
from brainalign.storage import Variable

ONE_SUBJECT = "single"
ONE_REGION = "whole"
_RESERVED = ("ceiling", "sample", "stimulus", "responses")


def read_responses(files: Mapping[str, Path], settings: Mapping[str, Any], stimuli: pd.DataFrame) -> Responses:
    """Read a data set's responses.

    Parameters
    ----------
    files : role → path: `responses` (CSV, NPY, HDF5), and any of `neuroids` (CSV, one row per column of the
        matrix), `samples` (CSV, one row per row of the matrix), `map` (CSV: sample_id, stimulus_id, weight),
        `ceilings` (CSV), `noise_free` (NPY).
    settings : `responses_id` (the CSV's column with sample ids), `responses_key` (the HDF5 data set),
        `neuroids` (the CSV's columns to use; by default all but `responses_id` and the text columns),
        `neuroid_columns` (project's name → file's name, for neuroid_id, subject, region),
        `region_per_neuroid` (without a table of neuroids: each is a region of its own name),
        `ceilings` ({neuroid, value, units}: the table's columns and "r" or "r2").
    stimuli : the data set's stimulus table.

    Raises
    ------
    InputError : files, columns or rows that do not fit each other.
    """
    samples = _samples(files, stimuli)
    path = files["responses"]
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        values, names = _from_csv(path, settings, samples["sample_id"].tolist())
    else:
        values, names = _from_array(path, settings.get("responses_key")), None
    if "neuroids" in files:
        neuroids = _neuroids(files["neuroids"], settings.get("neuroid_columns", {}), names, values.shape[-1])
    else:
        neuroids = _unnamed_neuroids(names, values.shape[-1], settings.get("region_per_neuroid", False))
    if "ceilings" in files:
        neuroids["ceiling"] = _ceilings(files["ceilings"], settings["ceilings"], neuroids["neuroid_id"])
    map_sample, map_stimulus, map_weight = _map(files.get("map"), samples["sample_id"], stimuli["stimulus_id"])
    extra: dict[str, Variable] = {}
    if "noise_free" in files:
        noise_free = _from_array(files["noise_free"], None)
        extra["noise_free"] = Variable(("sample", "neuroid"), noise_free.astype(np.float32))
    groups = stimuli["split_group"].to_numpy(object)
    samples["split_group"] = _split_groups(map_sample, map_stimulus, groups, len(samples))
    ids = stimuli["stimulus_id"].to_numpy(object)
    return Responses(values, samples, neuroids, ids, map_sample, map_stimulus, map_weight, extra)


def _samples(files: Mapping[str, Path], stimuli: pd.DataFrame) -> pd.DataFrame:
    """One row per sample; without a table of samples, each stimulus is one."""
    if "samples" in files:
        table = _csv(files["samples"], {"sample_id": str, "run": str})
        _need(files["samples"], table, ["sample_id"])
    else:
        table = stimuli[[name for name in ("stimulus_id", "run", "onset_s") if name in stimuli]]
        table = table.rename(columns={"stimulus_id": "sample_id"})
    result = pd.DataFrame({"sample_id": table["sample_id"].astype(str)})
    result["run"] = table["run"].astype(str) if "run" in table else "run-1"
    if "onset_s" in table:
        result["onset_s"] = pd.to_numeric(table["onset_s"])
    return result


def _from_csv(path: Path, settings: Mapping[str, Any], sample_ids: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    key = settings.get("responses_id") or "stimulus_id"
    table = _csv(path, {key: str})
    _need(path, table, [key])
    names = settings.get("neuroids") or [
        name for name in table.columns if name != key and pd.api.types.is_numeric_dtype(table[name])
    ]
    _need(path, table, names)
    if not names:
        raise InputError(f"{path.name} has no numeric column beside {key!r}; name the neuroids' columns.")
    repeated = table[key].duplicated()
    if repeated.any():
        raise InputError(f"{path.name}: {key} {table.loc[repeated, key].iloc[0]!r} comes more than once.")
    rows = table.set_index(key)
    missing = [name for name in sample_ids if name not in rows.index]
    if missing:
        raise InputError(f"{path.name} has no row for {len(missing)} of {len(sample_ids)} samples, as {missing[0]!r}.")
    text = [name for name in names if not pd.api.types.is_numeric_dtype(rows[name])]
    if text:
        raise InputError(f"{path.name}: column {text[0]!r} is to be a neuroid, but holds text.")
    return rows.loc[list(sample_ids), list(names)].to_numpy(np.float64), list(names)


def _from_array(path: Path, key: str | None) -> np.ndarray:
    """Read an NPY (never pickled) or one data set of an HDF5 file."""
    try:
        if path.suffix.lower() == ".npy":
            return np.asarray(np.load(path, allow_pickle=False))
        with h5py.File(path, "r") as file:
            names = [name for name in file if isinstance(file[name], h5py.Dataset)]
            if key is None and len(names) != 1:
                raise InputError(f"{path.name} has data sets {', '.join(names)}; name one as `responses_key`.")
            if key is not None and key not in file:
                raise unknown(f"data set of {path.name}", key, names)
            return np.asarray(file[key or names[0]][()])
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path.name} is not a readable array of numbers: {error}.") from error


def _unnamed_neuroids(names: Sequence[str] | None, count: int, region_per_neuroid: bool) -> pd.DataFrame:
    ids = list(names) if names is not None else [f"neuroid-{index + 1}" for index in range(count)]
    region = ids if region_per_neuroid else ONE_REGION
    return pd.DataFrame({"neuroid_id": ids, "subject": ONE_SUBJECT, "region": region})


def _neuroids(path: Path, columns: Mapping[str, str], names: Sequence[str] | None, count: int) -> pd.DataFrame:
    """One row per neuroid: ids, subject and region, then the table's other columns."""
    columns = {"neuroid_id": "neuroid_id", "subject": "subject", "region": "region"} | dict(columns)
    table = _csv(path, dict.fromkeys(columns.values(), str))
    _need(path, table, [columns["neuroid_id"]])
    if names is not None:
        rows = table.set_index(columns["neuroid_id"], drop=False)
        missing = [name for name in names if name not in rows.index]
        if missing:
            raise InputError(f"{path.name} has no row for the neuroid {missing[0]!r}.")
        table = rows.loc[list(names)].reset_index(drop=True)
    if len(table) != count:
        raise InputError(f"{path.name} has {len(table)} rows, but the responses have {count} neuroids.")
    result = pd.DataFrame({"neuroid_id": table[columns["neuroid_id"]]})
    for name, default in (("subject", ONE_SUBJECT), ("region", ONE_REGION)):
        result[name] = table.get(columns[name], default)
    others = [name for name in table.columns if name not in columns.values() and name not in _RESERVED]
    return pd.concat([result, table[others]], axis=1)


def _ceilings(path: Path, settings: Mapping[str, str], neuroids: pd.Series) -> np.ndarray:
    table = _csv(path, {settings["neuroid"]: str})
    _need(path, table, [settings["neuroid"], settings["value"]])
    values = table.set_index(settings["neuroid"])[settings["value"]]
    missing = [name for name in neuroids if name not in values.index]
    if missing:
        raise InputError(f"{path.name} has no ceiling for the neuroid {missing[0]!r}.")
    result = values.loc[neuroids.tolist()].to_numpy(np.float64)
    if not ((result > 0) & (result <= 1)).all():
        wrong = result[~((result > 0) & (result <= 1))][0]
        raise InputError(f"{path.name}: a ceiling is {wrong:g}; a correlation above 0 and at most 1 is needed.")
    return np.sqrt(result) if settings["units"] == "r2" else result


def _map(
    path: Path | None, sample_ids: pd.Series, stimulus_ids: pd.Series
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if path is None:
        if sample_ids.tolist() != stimulus_ids.tolist():
            raise InputError(
                f"there are {len(sample_ids)} samples and {len(stimulus_ids)} stimuli with other ids; "
                "a `map` of sample_id, stimulus_id, weight must say which belong together."
            )
        return identity_map(len(sample_ids))
    table = _csv(path, {"sample_id": str, "stimulus_id": str})
    _need(path, table, ["sample_id", "stimulus_id"])
    found = []
    for name, ids in (("sample_id", sample_ids), ("stimulus_id", stimulus_ids)):
        index = pd.Index(ids).get_indexer(table[name])
        if (index < 0).any():
            raise InputError(f"{path.name}: {name} {table.loc[index < 0, name].iloc[0]!r} is not one of the data set.")
        found.append(index.astype(np.int64))
    weight = table["weight"].to_numpy(np.float64) if "weight" in table else np.ones(len(table))
    return found[0], found[1], weight


def _split_groups(map_sample: np.ndarray, map_stimulus: np.ndarray, groups: np.ndarray, samples: int) -> np.ndarray:
    """The group of each sample's stimuli; a sample without stimuli belongs to the group before it."""
    result = np.full(samples, None, dtype=object)
    for sample, stimulus in zip(map_sample, map_stimulus, strict=True):
        if result[sample] is not None and result[sample] != groups[stimulus]:
            raise InputError(
                f"a sample has stimuli of the split groups {result[sample]!r} and {groups[stimulus]!r}; "
                "it could be held out with only one of them."
            )
        result[sample] = groups[stimulus]
    return pd.Series(result).ffill().bfill().to_numpy(object)


def _csv(path: Path, text: Mapping[str, type]) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=dict(text), encoding="utf-8-sig")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not a CSV table with a header: {error}.") from error


def _need(path: Path, table: pd.DataFrame, columns: Sequence[str]) -> None:
    for column in columns:
        if column not in table.columns:
            raise InputError(f"{path.name}: {unknown('column', column, table.columns)}")
