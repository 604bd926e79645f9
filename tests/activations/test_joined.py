"""Activations of data sets put after one another: every row stays as it is."""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest

from brainalign.activations.joined import JoinedLayer, join_activations
from brainalign.activations.nulls.registry import compute_null
from brainalign.activations.stored import read_layers, write_activations
from brainalign.errors import UnreadableFileError
from brainalign.responses.joined import join_stimuli

RANDOM = np.random.default_rng(0)


def written(path: Path, ids: list[str], **layers: np.ndarray) -> Path:
    write_activations(path, path.with_suffix(".json"), np.array(ids, dtype=object), layers, {"dtype": "bfloat16"})
    return path


def normal(rows: int, width: int) -> np.ndarray:
    return RANDOM.normal(size=(rows, width)).astype(np.float32)


@pytest.fixture
def two(tmp_path: Path) -> tuple[dict[str, Path], dict[str, list[np.ndarray]]]:
    values = {"a": [normal(3, 4), normal(5, 4)], "b": [normal(3, 2), normal(5, 2)]}
    files = {
        "one": written(tmp_path / "one.h5", ["1", "2", "3"], a=values["a"][0], b=values["b"][0]),
        "two": written(tmp_path / "two.h5", list("12345"), a=values["a"][1], b=values["b"][1]),
    }
    return files, values


def test_the_rows_of_one_data_set_come_after_those_of_the_other(two, tmp_path: Path) -> None:
    files, values = two
    ids, layers, attributes = join_activations(files)
    assert ids.tolist() == ["one/1", "one/2", "one/3", "two/1", "two/2", "two/3", "two/4", "two/5"]
    assert attributes == {"dtype": "bfloat16"}
    write_activations(tmp_path / "both.h5", tmp_path / "both.json", ids, layers, attributes)
    found = dict(read_layers(tmp_path / "both.h5", ids))
    assert list(found) == ["a", "b"]
    for name, parts in values.items():
        np.testing.assert_array_equal(found[name], np.concatenate(parts))
    stacked = {name: np.concatenate(parts) for name, parts in values.items()}
    written(tmp_path / "stacked.h5", ids.tolist(), **stacked)
    assert (tmp_path / "both.json").read_text() == (tmp_path / "stacked.json").read_text()


@pytest.mark.parametrize("rows", [slice(0, 8), slice(0, 3), slice(2, 5), slice(3, 8), slice(7, 20), slice(4, 4)])
def test_any_rows_are_read(two, rows: slice) -> None:
    files, values = two
    layer = JoinedLayer(list(files.values()), "a", [3, 5], 4)
    np.testing.assert_array_equal(layer[rows], np.concatenate(values["a"])[rows])
    assert layer[rows].dtype == np.float32


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ({"a": normal(2, 4)}, "its layers are not those of"),
        ({"b": normal(2, 2), "a": normal(2, 4)}, "its layers are not those of"),
        ({"a": normal(2, 4), "b": normal(2, 3)}, "its layers are not as wide as those of"),
    ],
)
def test_other_layers_are_refused(two, tmp_path: Path, layers: dict[str, Any], said: str) -> None:
    files, _ = two
    with pytest.raises(UnreadableFileError, match=said) as told:
        join_activations({**files, "three": written(tmp_path / "three.h5", ["x", "y"], **layers)})
    assert told.value.path == tmp_path / "three.h5"


def test_another_number_format_is_refused(two) -> None:
    files, _ = two
    with h5py.File(files["two"], "r+") as file:
        file.attrs["dtype"] = "float32"
    with pytest.raises(UnreadableFileError, match="its states are not of the number format of"):
        join_activations(files)


def test_what_is_no_file_of_activations_is_told(two) -> None:
    files, _ = two
    with h5py.File(files["two"], "r+") as file:
        del file.attrs["layers"]
    with pytest.raises(UnreadableFileError, match="it holds no activations") as told:
        join_activations(files)
    assert told.value.path == files["two"]
    with h5py.File(files["one"], "r+") as file:
        file.attrs["layers"] = json.dumps(["a", "b", "c"])
    with pytest.raises(UnreadableFileError, match="it has no variable 'c'") as told:
        join_activations(files)
    assert told.value.path == files["one"]


# --- nulls are computed for the joined stimuli: where rows could be joined, they are the same -------------------------


def stimuli(groups: list[str], words: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "stimulus_id": [str(number) for number in range(len(groups))],
            "text": ["word " * (1 + (number * words) % 4) for number in range(len(groups))],
            "context_group": groups,
            "split_group": groups,
        }
    )


TABLES = {"one": stimuli(list("ppqqq"), 1), "two": stimuli(list("pprr"), 2)}


@pytest.mark.parametrize(
    ("null", "layer"),
    [("position", "linear"), ("length", "length"), ("word-rate", "words"), ("random-embeddings", "mean")],
)
def test_a_null_of_each_stimulus_is_the_same_in_the_joined_stimuli(null: str, layer: str) -> None:
    """Groups of the same name in both data sets (here "p") stay apart, or positions would go on from one to another."""
    apart = [compute_null(null, table, {})[layer] for table in TABLES.values()]
    np.testing.assert_array_equal(compute_null(null, join_stimuli(TABLES), {})[layer], np.concatenate(apart))


def test_autocorrelation_of_joined_stimuli_reaches_no_other_data_set() -> None:
    """Its columns are stimuli: those of one data set are no columns of the other, as in joined rows they would be."""
    one, two = (compute_null("autocorrelation", table, {"sigmas": [1.0]})["sigma_1.0"] for table in TABLES.values())
    joined = compute_null("autocorrelation", join_stimuli(TABLES), {"sigmas": [1.0]})["sigma_1.0"]
    assert joined.shape == (9, 9)
    np.testing.assert_array_equal(joined[:5, :5], one)
    np.testing.assert_array_equal(joined[5:, 5:], two)
    assert not joined[:5, 5:].any()
    assert not joined[5:, :5].any()


def test_random_numbers_of_two_data_sets_are_not_the_same() -> None:
    """Joined rows would be: drawn twice with one seed, so that the n-th stimuli of both share them."""
    one, two = (compute_null("random", table, {})["random"] for table in TABLES.values())
    np.testing.assert_array_equal(one[:4], two)
    joined = compute_null("random", join_stimuli(TABLES), {})["random"]
    assert not np.isin(joined[5:], joined[:5]).any()
