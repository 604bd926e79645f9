from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainalign.activations.given import read_features
from brainalign.errors import InputError

STIMULI = pd.DataFrame({"stimulus_id": ["001", "002"], "text": ["a fox", "NA"]})


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "features.csv"


def test_joined_on_ids_in_the_order_of_the_stimuli(table: Path) -> None:
    table.write_text("stimulus_id,word,x,y\n002,b,3,4.5\n001,a,1,2.5\n009,c,7,7\n")
    np.testing.assert_array_equal(read_features(table, STIMULI)["given"], [[1, 2.5], [3, 4.5]])
    assert read_features(table, STIMULI)["given"].dtype == np.float32


def test_joined_on_text(table: Path) -> None:
    table.write_text("text,x\nNA,2\na fox,1\n")
    np.testing.assert_array_equal(read_features(table, STIMULI, on="text")["given"], [[1], [2]])


def test_repeated_texts_share_a_row(table: Path) -> None:
    table.write_text("text,x\na fox,1\n")
    twice = pd.DataFrame({"stimulus_id": ["1", "2"], "text": ["a fox", "a fox"]})
    np.testing.assert_array_equal(read_features(table, twice, on="text")["given"], [[1], [1]])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("stimulus,x\n001,1\n", "unknown column 'stimulus_id'; did you mean 'stimulus'\\?"),
        ("stimulus_id,x\n001,1\n", "has no row for 1 of 2 stimuli, the first with stimulus_id '002'"),
        ("stimulus_id,x\n001,1\n001,2\n002,3\n", "more than one row for stimulus_id '001'"),
        ("stimulus_id,x\n001,1\n002,\n", "has no finite x for stimulus_id '002'"),
        ("stimulus_id,x\n001,1\n002,inf\n", "has no finite x for stimulus_id '002'"),
        ("stimulus_id,x\n001,a\n002,b\n", "has no column of numbers beside stimulus_id"),
        ("", "is not a CSV table with a header"),
    ],
)
def test_one_sentence(table: Path, content: str, sentence: str) -> None:
    table.write_text(content)
    with pytest.raises(InputError, match=sentence):
        read_features(table, STIMULI)


def test_no_table(table: Path) -> None:
    with pytest.raises(InputError, match="is not there"):
        read_features(table, STIMULI)


def test_ids_are_no_features(tmp_path: Path) -> None:
    """Joined by text, the ids of a table are a position, not a feature."""
    path = tmp_path / "features.csv"
    path.write_text("stimulus_id,text,x\n1,a,0.5\n2,b,0.25\n")
    stimuli = pd.DataFrame({"stimulus_id": ["1", "2"], "text": ["a", "b"]})
    np.testing.assert_array_equal(read_features(path, stimuli, on="text")["given"], [[0.5], [0.25]])


def test_a_column_with_a_word_among_numbers_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "features.csv"
    path.write_text("stimulus_id,x,y\n001,1,1\n002,2,2\n003,oops,3\n")
    stimuli = pd.DataFrame({"stimulus_id": ["001", "002", "003"], "text": ["a", "b", "c"]})
    with pytest.raises(InputError, match="column 'x' holds 'oops' among numbers"):
        read_features(path, stimuli)
