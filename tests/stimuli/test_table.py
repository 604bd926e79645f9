"""Stimuli from a CSV of the user's: their columns under the project's names, in presentation order."""

import pytest

from brainalign.errors import InputError
from brainalign.stimuli.table import read_stimuli

CONTENT = """item,sentence,passage,topic,scan,start,position,note
007,The fox sleeps .,b,animals,1,4.5,3,x
NA,"It wakes , then .",b,animals,1,6,4,
1e5,A house .,a,places,2,0,1,"say ""no\"""
null,It burns .,a,places,2,2.5,2,z
"""
NAMES = {
    "stimulus_id": "item",
    "text": "sentence",
    "context_group": "passage",
    "split_group": "topic",
    "run": "scan",
    "onset_s": "start",
}


@pytest.fixture
def path(tmp_path):
    (tmp_path / "stim.csv").write_text(CONTENT)
    return tmp_path / "stim.csv"


def test_columns_get_the_projects_names_and_the_others_are_kept(path):
    assert read_stimuli(path, NAMES).to_dict("list") == {
        "stimulus_id": ["007", "NA", "1e5", "null"],
        "text": ["The fox sleeps .", "It wakes , then .", "A house .", "It burns ."],
        "context_group": ["b", "b", "a", "a"],
        "split_group": ["animals", "animals", "places", "places"],
        "run": ["1", "1", "2", "2"],
        "onset_s": [4.5, 6.0, 0.0, 2.5],
        "position": ["3", "4", "1", "2"],
        "note": ["x", "", 'say "no"', "z"],
    }


def test_a_column_of_numbers_gives_the_order(path):
    table = read_stimuli(path, NAMES, order="position")
    assert table["stimulus_id"].tolist() == ["1e5", "null", "007", "NA"]
    assert table.index.tolist() == [0, 1, 2, 3]
    assert table["onset_s"].tolist() == [0.0, 2.5, 4.5, 6.0]


def test_order_is_of_numbers_not_of_text_and_ties_keep_the_files_order(tmp_path):
    (tmp_path / "x.csv").write_text("text,n\nten,10\nnine,9\nalso nine,9.0\n")
    table = read_stimuli(tmp_path / "x.csv", {"text": "text"}, order="n")
    assert table["text"].tolist() == ["nine", "also nine", "ten"]
    assert table["stimulus_id"].tolist() == ["0001", "0002", "0003"]


def test_what_is_not_named_has_its_default(path):
    table = read_stimuli(path, {"text": "sentence"})
    assert table["stimulus_id"].tolist() == ["0001", "0002", "0003", "0004"]
    assert table["context_group"].tolist() == table["split_group"].tolist() == table["stimulus_id"].tolist()
    assert "run" not in table
    assert "onset_s" not in table
    grouped = read_stimuli(path, {"text": "sentence", "context_group": "passage"})
    assert grouped["split_group"].tolist() == ["b", "b", "a", "a"]


def test_one_column_may_serve_twice(path):
    table = read_stimuli(path, {"text": "sentence", "context_group": "passage", "split_group": "passage"})
    assert table["split_group"].tolist() == ["b", "b", "a", "a"]


BAD = {
    "a misspelt column": (
        "item,sentence\n1,a\n",
        {"text": "sentense"},
        None,
        "stim.csv: unknown column 'sentense'; did you mean 'sentence'? Allowed: item, sentence.",
    ),
    "a missing order": (
        "item,text\n1,a\n",
        {"text": "text"},
        "position",
        "stim.csv: unknown column 'position'. Allowed: item, text.",
    ),
    "no text": (
        "id,text\n1,a\n2,\n3,  \n",
        {"stimulus_id": "id", "text": "text"},
        None,
        "stim.csv: there are stimuli without text (2 of 3), as '2'.",
    ),
    "a cut row": (
        "id,text\n1,a\n2\n",
        {"stimulus_id": "id", "text": "text"},
        None,
        "stim.csv: there are stimuli without text (1 of 2), as '2'.",
    ),
    "a repeated id": (
        "id,text\n1,a\n2,b\n1,c\n",
        {"stimulus_id": "id", "text": "text"},
        None,
        "stim.csv: stimulus ids must be unique, but '1' comes more than once.",
    ),
    "an empty id": (
        "id,text\n1,a\n,b\n",
        {"stimulus_id": "id", "text": "text"},
        None,
        "stim.csv: row 2 has no stimulus_id.",
    ),
    "an empty group": (
        "text,g,n\na,x,2\nb,,1\n",
        {"text": "text", "context_group": "g"},
        "n",
        "stim.csv: row 2 has no context_group.",
    ),
    "an empty split group": (
        "text,g\na,x\nb,\n",
        {"text": "text", "split_group": "g"},
        None,
        "stim.csv: row 2 has no split_group.",
    ),
    "an interrupted group": (
        "text,g\na,x\nb,y\nc,x\n",
        {"text": "text", "context_group": "g"},
        None,
        "stim.csv: context group 'x' is interrupted by another one; "
        "put its rows together or name the column that orders them (`order`).",
    ),
    "an onset of words": (
        "text,t\na,1\nb,soon\n",
        {"text": "text", "onset_s": "t"},
        None,
        "stim.csv: column 't' holds 'soon' in row 2, not a finite number.",
    ),
    "an infinite onset": (
        "text,t,n\na,1,2\nb,inf,1\n",
        {"text": "text", "onset_s": "t"},
        "n",
        "stim.csv: column 't' holds 'inf' in row 2, not a finite number.",
    ),
    "a missing place in the order": (
        "text,n\na,1\nb,\n",
        {"text": "text"},
        "n",
        "stim.csv: column 'n' holds '' in row 2, not a finite number.",
    ),
    "only a header": ("text\n", {"text": "text"}, None, "stim.csv has a header but no rows."),
}


@pytest.mark.parametrize("case", BAD)
def test_stimuli_that_cannot_be_used_are_told_in_one_sentence(case, tmp_path):
    content, columns, order, sentence = BAD[case]
    (tmp_path / "stim.csv").write_text(content)
    with pytest.raises(InputError) as caught:
        read_stimuli(tmp_path / "stim.csv", columns, order)
    assert str(caught.value) == sentence


def test_another_encoding_is_refused(tmp_path):
    (tmp_path / "stim.csv").write_bytes("text\ncaf\xe9\n".encode("latin-1"))
    with pytest.raises(InputError) as caught:
        read_stimuli(tmp_path / "stim.csv", {"text": "text"})
    assert str(caught.value) == "stim.csv is not UTF-8 text (byte 8); save it as UTF-8."
