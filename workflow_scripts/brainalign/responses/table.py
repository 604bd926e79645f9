"""Responses from plain files: a CSV, NPY or HDF5 matrix, and CSV tables about its rows and columns."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from brainalign.errors import InputError, unknown
from brainalign.given_tables import need_columns, need_numbers, need_unique, number_columns, read_given_table
from brainalign.responses.matrix import RESERVED, Responses, identity_map
from brainalign.responses.unit_names import refuse_the_name_of_all
from brainalign.responses.unusable import usable_neuroids
from brainalign.storage import Variable

ONE_SUBJECT = "single"
ONE_REGION = "whole"
# Columns of a neuroid table that are left out: their names are kept for something else.
_LEFT_OUT = RESERVED | frozenset("ceiling sample stimulus responses neuroid neuroid_id subject region".split())
_LEFT_OUT |= frozenset("sample_id split_group run onset_s".split())


def read_responses(files: Mapping[str, Path], settings: Mapping[str, Any], stimuli: pd.DataFrame) -> Responses:
    """Read a data set's responses.

    Parameters
    ----------
    files : role → path: `responses` (CSV, NPY, HDF5), and any of `neuroids` (CSV, one row per column of the
        matrix), `samples` (CSV, one row per row of the matrix), `map` (CSV: sample_id, stimulus_id, weight),
        `noise_free` (NPY).
    settings : `responses_id` (the CSV's column with sample ids), `responses_key` (the HDF5 data set),
        `neuroids` (the CSV's columns to use; by default all but `responses_id` and the text columns),
        `neuroid_columns` (project's name → file's name, for neuroid_id, subject, region),
        `region_per_neuroid` (without a table of neuroids: each is a region of its own name),
        `columns` (further columns of the samples, or of the stimuli where these are the samples, as labels),
        `bad_neuroids` ("drop" leaves out neuroids that are constant or have NaN or infinite responses; without it they
        are refused when the responses are written).
    stimuli : the data set's stimulus table.

    Raises
    ------
    InputError : files, columns or rows that do not fit each other.
    """
    samples = _samples(files, stimuli, settings.get("columns", []))
    path = files["responses"]
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        values, names = _from_csv(path, settings, samples["sample_id"].tolist())
    else:
        values, names = _from_array(path, settings.get("responses_key")), None
    if "neuroids" in files:
        neuroids = _neuroids(files["neuroids"], settings.get("neuroid_columns", {}), names, values.shape[-1])
    else:
        neuroids = _unnamed_neuroids(names, values.shape[-1], settings.get("region_per_neuroid", False))
    named = neuroids.rename(columns={"neuroid_id": "neuroid"})
    refuse_the_name_of_all(named, files.get("neuroids", path).name)
    facts: dict[str, str | int] = {}
    if settings.get("bad_neuroids") == "drop":
        kept, facts = usable_neuroids(values, neuroids["neuroid_id"].tolist())
        values, neuroids = values[..., kept], neuroids[kept].reset_index(drop=True)
    map_sample, map_stimulus, map_weight = _map(files.get("map"), samples["sample_id"], stimuli["stimulus_id"])
    extra: dict[str, Variable] = {}
    if "noise_free" in files:
        noise_free = _from_array(files["noise_free"], None)
        extra["noise_free"] = Variable(("sample", "neuroid"), noise_free.astype(np.float32))
    groups = stimuli["split_group"].to_numpy(object)
    samples["split_group"] = _split_groups(map_sample, map_stimulus, groups, samples["run"])
    ids = stimuli["stimulus_id"].to_numpy(object)
    return Responses(values, samples, neuroids, ids, map_sample, map_stimulus, map_weight, extra, facts)


def _samples(files: Mapping[str, Path], stimuli: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """One row per sample; without a table of samples, each stimulus is one."""
    path = files.get("samples")
    if path is not None:
        table = read_given_table(path, ["sample_id", "run", *columns])
        need_columns(path, table, ["sample_id", *columns])
        need_unique(path, table["sample_id"])
        if "onset_s" in table:
            need_numbers(path, table, "onset_s")
    else:
        path = Path("the stimulus table")
        need_columns(path, stimuli, columns)
        table = stimuli[[name for name in ("stimulus_id", "run", "onset_s", *columns) if name in stimuli]]
        table = table.rename(columns={"stimulus_id": "sample_id"})
    result = pd.DataFrame({"sample_id": table["sample_id"].astype(str)})
    result["run"] = table["run"].astype(str) if "run" in table else "run-1"
    if "onset_s" in table:
        result["onset_s"] = table["onset_s"].astype(np.float64)
    for name in columns:
        result[name] = _labels(path, table, name)
    return result


def _labels(path: Path, table: pd.DataFrame, name: str) -> pd.Series:
    """Return a column as text. Raises InputError for the first empty cell: no split could place it."""
    labels = table[name].astype(object).where(table[name].notna(), "").astype(str).str.strip()
    blank = labels == ""
    if blank.any():
        first = table.loc[blank, "sample_id"].iloc[0]
        raise InputError(f"{path.name}: column {name!r} holds nothing for the sample {first!r}.")
    return labels


def _from_csv(path: Path, settings: Mapping[str, Any], sample_ids: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    key = settings.get("responses_id") or "stimulus_id"
    table = read_given_table(path, [key])
    need_columns(path, table, [key])
    names = settings.get("neuroids") or number_columns(path, table, [key])
    need_columns(path, table, names)
    if not names:
        raise InputError(f"{path.name} has no column of numbers beside {key!r}; name the neuroids' columns.")
    need_unique(path, table[key])
    rows = table.set_index(key)
    missing = [name for name in sample_ids if name not in rows.index]
    if missing:
        raise InputError(f"{path.name} has no row for {len(missing)} of {len(sample_ids)} samples, as {missing[0]!r}.")
    for name in names:
        if not pd.api.types.is_numeric_dtype(rows[name]):
            row = int(pd.to_numeric(table[name], errors="coerce").isna().argmax())
            raise InputError(
                f"{path.name}: column {name!r} is to be a neuroid, but holds {table[name][row]!r} in row {row + 1}."
            )
    return rows.loc[list(sample_ids), list(names)].to_numpy(np.float64), list(names)


def _from_array(path: Path, key: str | None) -> np.ndarray:
    """Read an NPY (never pickled) or one data set of an HDF5 file."""
    try:
        values = np.asarray(np.load(path, allow_pickle=False) if path.suffix.lower() == ".npy" else _hdf5(path, key))
    except InputError:
        raise
    except (OSError, ValueError, EOFError) as error:
        said = " ".join(str(error).split()).removesuffix(".")
        raise InputError(f"{path.name} is not a readable array of numbers: {said}.") from error
    if values.dtype.kind not in "fiub" or values.ndim not in (2, 3):
        raise InputError(
            f"{path.name} holds {values.dtype} of shape {values.shape}; numbers of shape (sample, neuroid) or "
            "(repetition, sample, neuroid) are needed."
        )
    return values


def _hdf5(path: Path, key: str | None) -> np.ndarray:
    with h5py.File(path, "r") as file:
        names: list[str] = []
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        if not names:
            raise InputError(f"{path.name} holds no data set.")
        if key is None and len(names) > 1:
            raise InputError(f"{path.name} holds the data sets {', '.join(names)}; name one as `responses_key`.")
        if key is not None and not isinstance(file.get(key), h5py.Dataset):
            raise InputError(f"{path.name}: {unknown('data set', key, names)}")
        return np.asarray(file[key or names[0]][()])


def _unnamed_neuroids(names: Sequence[str] | None, count: int, region_per_neuroid: bool) -> pd.DataFrame:
    ids = list(names) if names is not None else [f"neuroid-{index + 1}" for index in range(count)]
    region = ids if region_per_neuroid else ONE_REGION
    return pd.DataFrame({"neuroid_id": ids, "subject": ONE_SUBJECT, "region": region})


def _neuroids(path: Path, columns: Mapping[str, str], names: Sequence[str] | None, count: int) -> pd.DataFrame:
    """One row per neuroid: ids, subject and region, then the table's other columns."""
    columns = {"neuroid_id": "neuroid_id", "subject": "subject", "region": "region"} | dict(columns)
    table = read_given_table(path, list(columns.values()))
    need_columns(path, table, [columns["neuroid_id"]])
    need_unique(path, table[columns["neuroid_id"]])
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
        blank = result[name].str.strip() == ""
        if blank.any():
            raise InputError(f"{path.name}: the neuroid {result.loc[blank, 'neuroid_id'].iloc[0]!r} has no {name}.")
    others = [name for name in table.columns if name not in columns.values() and name not in _LEFT_OUT]
    return pd.concat([result, table[others]], axis=1)


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
    table = read_given_table(path, ["sample_id", "stimulus_id"])
    need_columns(path, table, ["sample_id", "stimulus_id"])
    found = []
    for name, ids in (("sample_id", sample_ids), ("stimulus_id", stimulus_ids)):
        index = pd.Index(ids).get_indexer(table[name])
        if (index < 0).any():
            raise InputError(f"{path.name}: {name} {table.loc[index < 0, name].iloc[0]!r} is not one of the data set.")
        found.append(index.astype(np.int64))
    if "weight" in table:
        need_numbers(path, table, "weight")
    weight = table["weight"].to_numpy(np.float64) if "weight" in table else np.ones(len(table))
    return found[0], found[1], weight


def _split_groups(map_sample: np.ndarray, map_stimulus: np.ndarray, groups: np.ndarray, runs: pd.Series) -> np.ndarray:
    """The group of each sample's stimuli; a sample without stimuli belongs to the group before it in its run.

    Those at a run's beginning belong to the run's first group: with another run's they would be held out apart
    from their neighbours in time.
    """
    result = np.full(len(runs), None, dtype=object)
    for sample, stimulus in zip(map_sample, map_stimulus, strict=True):
        if result[sample] is not None and result[sample] != groups[stimulus]:
            raise InputError(
                f"a sample has stimuli of the split groups {result[sample]!r} and {groups[stimulus]!r}; "
                "it could be held out with only one of them."
            )
        result[sample] = groups[stimulus]
    within = pd.Series(result, dtype=object).groupby(runs.to_numpy(), sort=False)
    filled = within.ffill().groupby(runs.to_numpy(), sort=False).bfill()
    empty = runs[filled.isna().to_numpy()]
    if len(empty):
        raise InputError(f"no sample of the run {empty.iloc[0]!r} has a stimulus in the `map`.")
    return filled.to_numpy(object)
