"""Several data sets of the same neuroids as one, so that an encoder may train on one and be tested on another.

The joined data set has the samples of all of them, one data set after another, a column `dataset` that says which is
whose, and the neuroids that all have. The split {kind: fixed, column: dataset, train: a, test: b} then trains on the
one and tests on the other; a shuffled or grouped split uses both.
"""

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from brainalign.errors import InputError
from brainalign.joined_ids import COLUMN, prefixed
from brainalign.responses.matrix import Responses
from brainalign.responses.stored import StoredResponses
from brainalign.storage import Variable

log = logging.getLogger(__name__)

_SAMPLE_IDS = ("sample_id", "split_group", "run")  # unique within a data set: told apart by its name
_STIMULUS_IDS = ("stimulus_id", "context_group", "split_group", "run")


def join_responses(datasets: Mapping[str, StoredResponses]) -> Responses:
    """Stack the responses of data sets over the neuroids that all of them have.

    Parameters
    ----------
    datasets : name → prepared responses, at least two; the order of names is the order of samples.

    Returns
    -------
    Responses
        values : (sample, neuroid), or (repetition, sample, neuroid) where any data set has repetitions; those that a
            sample does not have are NaN. Neuroids are in the first data set's order.
        samples : sample_id, split_group and run as "name/id", so that no group, run or gap spans two data sets;
            `dataset`; `onset_s` where the data sets are series; further columns that all have, as they are, so that a
            topic of one may be the topic of another.
        neuroids : neuroid_id, subject, region, and the columns in which all data sets agree. What differs, such as a
            ceiling, is of one data set and not of the neuroid, and is left out.
        stimulus_ids : "name/id".
        extra : `noise_free` where all have it.
        facts : `left_out`, sentences on neuroids that one of the data sets has lost or does not share.

    Raises
    ------
    InputError : fewer than two data sets; no neuroid in common; a neuroid of another subject or region in another data
        set; a series joined with what is none; a data set that has a column `dataset` already.
    """
    if len(datasets) < 2:
        raise InputError(f"joining needs at least 2 data sets, but is given {len(datasets)}.")
    names, stored = list(datasets), list(datasets.values())
    order = _shared_neuroids(datasets)
    n_repetitions = max((len(data.values) for data in stored if data.values.ndim == 3), default=0)
    starts_sample = _starts([len(data.samples) for data in stored])
    starts_stimulus = _starts([len(data.stimulus_ids) for data in stored])
    extra: dict[str, Variable] = {}
    if all("noise_free" in data.arrays for data in stored):
        parts = [data.arrays["noise_free"][:, index] for data, index in zip(stored, order, strict=True)]
        extra["noise_free"] = Variable(("sample", "neuroid"), np.concatenate(parts).astype(np.float32))
    return Responses(
        values=np.concatenate(
            [_repeated(data.values[..., index], n_repetitions) for data, index in zip(stored, order, strict=True)],
            axis=-2,
        ),
        samples=_samples(datasets),
        neuroids=_neuroids(stored, order),
        stimulus_ids=np.concatenate(
            [prefixed(name, data.stimulus_ids) for name, data in zip(names, stored, strict=True)]
        ),
        map_sample=_stacked(stored, "map_sample", starts_sample),
        map_stimulus=_stacked(stored, "map_stimulus", starts_stimulus),
        map_weight=_stacked(stored, "map_weight", [0] * len(stored)),
        extra=extra,
        facts=_left_out(datasets, len(order[0])),
    )


def join_stimuli(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Stack stimulus tables in the order and with the ids of `join_responses`.

    Parameters
    ----------
    tables : name → stimulus table (stimulus_id, text, context_group, split_group and further columns).

    Returns
    -------
    table with stimulus_id, context_group, split_group and run as "name/id", so that no context reaches from one data
    set into another; `dataset`; and the further columns that all tables have.

    Raises
    ------
    InputError : as `join_responses`, where it concerns tables.
    """
    if len(tables) < 2:
        raise InputError(f"joining needs at least 2 data sets, but is given {len(tables)}.")
    joined = _joined_tables(tables, _STIMULUS_IDS)
    parts_of_text = joined.groupby("text")[COLUMN].nunique()
    if repeated := int((parts_of_text > 1).sum()):
        log.warning(
            "%d texts are in several of the data sets %s: an encoder that is trained on one of these and tested on "
            "another has seen them, the first is %r",
            repeated,
            ", ".join(tables),
            str(parts_of_text.index[parts_of_text > 1][0])[:80],
        )
    return joined


def _joined_tables(tables: Mapping[str, pd.DataFrame], ids: Sequence[str]) -> pd.DataFrame:
    series = [name for name, table in tables.items() if "onset_s" in table]
    if 0 < len(series) < len(tables):
        other = next(name for name in tables if name not in series)
        raise InputError(
            f"the data set {series[0]!r} is a series with onsets and {other!r} is not; delays could not be the same."
        )
    for name, table in tables.items():
        if COLUMN in table:
            raise InputError(f"the data set {name!r} has a column {COLUMN!r} already; only data sets not joined join.")
    first = next(iter(tables.values()))
    shared = [column for column in first if all(column in table for table in tables.values())]
    parts = []
    for name, table in tables.items():
        part = table[shared].reset_index(drop=True)
        for column in ids:
            if column in part:
                part[column] = prefixed(name, part[column].to_numpy())
        part[COLUMN] = name
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _samples(datasets: Mapping[str, StoredResponses]) -> pd.DataFrame:
    tables = {name: pd.DataFrame(dict(data.samples.columns)) for name, data in datasets.items()}
    return _joined_tables(tables, _SAMPLE_IDS)


def _shared_neuroids(datasets: Mapping[str, StoredResponses]) -> list[np.ndarray]:
    """Return, for each data set, the column numbers of the neuroids that all have, in the first's order."""
    places = [{str(id_): column for column, id_ in enumerate(data.neuroids["neuroid"])} for data in datasets.values()]
    shared = [id_ for id_ in places[0] if all(id_ in place for place in places)]
    if not shared:
        raise InputError(
            f"the data sets {', '.join(map(repr, datasets))} have no neuroid in common; ids must be equal."
        )
    for name, place in zip(datasets, places, strict=True):
        if len(shared) < len(place):
            log.warning("%s: %d of %d neuroids are in all joined data sets", name, len(shared), len(place))
    order = [np.array([place[id_] for id_ in shared]) for place in places]
    first_name, first = next(iter(datasets.items()))
    for (name, data), index in zip(datasets.items(), order, strict=True):
        for column in ("subject", "region"):
            here, there = data.neuroids[column][index].astype(str), first.neuroids[column][order[0]].astype(str)
            wrong = np.flatnonzero(here != there)
            if len(wrong):
                raise InputError(
                    f"the neuroid {shared[wrong[0]]!r} has the {column} {str(there[wrong[0]])!r} in the data set "
                    f"{first_name!r}, but {str(here[wrong[0]])!r} in {name!r}."
                )
    return order


def _left_out(datasets: Mapping[str, StoredResponses], n_shared: int) -> dict[str, str | int]:
    said = [f"{name}: {data.facts['left_out']}" for name, data in datasets.items() if "left_out" in data.facts]
    for name, data in datasets.items():
        own = len(data.neuroids["neuroid"])
        if n_shared < own:
            said.append(f"{name}: {own - n_shared} of {own} neuroids dropped (not in all joined data sets)")
    return {"left_out": "; ".join(said)} if said else {}


def _neuroids(stored: Sequence[StoredResponses], order: Sequence[np.ndarray]) -> pd.DataFrame:
    tables = [
        pd.DataFrame({name: values[index] for name, values in data.neuroids.items()})
        for data, index in zip(stored, order, strict=True)
    ]
    first, always = tables[0], ["neuroid", "subject", "region"]
    others = [name for name in first if name not in always]
    same = [name for name in others if all(name in table and first[name].equals(table[name]) for table in tables)]
    return first[[*always, *same]].rename(columns={"neuroid": "neuroid_id"})


def _repeated(values: np.ndarray, n_repetitions: int) -> np.ndarray:
    """Give responses an axis of repetitions where others have it; those that there are not are NaN."""
    if not n_repetitions:
        return values
    with_axis = values if values.ndim == 3 else values[None]
    missing = np.full((n_repetitions - len(with_axis), *with_axis.shape[1:]), np.nan, dtype=values.dtype)
    return np.concatenate([with_axis, missing])


def _stacked(stored: Sequence[StoredResponses], name: str, starts: Sequence[int]) -> np.ndarray:
    return np.concatenate([data.arrays[name] + start for data, start in zip(stored, starts, strict=True)])


def _starts(lengths: Sequence[int]) -> list[int]:
    return [sum(lengths[:number]) for number in range(len(lengths))]
