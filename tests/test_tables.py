"""Tables keep what was put into them: ids that look like numbers, text of any kind, floats to the last bit."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from brainalign.errors import InputError, UnreadableFileError
from brainalign.given_tables import need_columns, read_given_table
from brainalign.provenance import Provenance
from brainalign.tables import TEXT_COLUMNS, read_table, write_provenance, write_table

PROVENANCE = Provenance("brainalign.stages.x", {"b": 1, "a": "é"}, "brainalign.stages.x@0123")
IDS = ["007", "NA", "1e5", "null", "nan", "None", "", "-", "True", "1_000", " 7 ", "0x1F", "inf", "1.0"]
TEXTS = [
    "a, b",
    'she said "no"',
    "two\nlines",
    "Windows\r\nlines",
    "bare\rreturn",
    "é 漢字 🙂 \u2028 \u00a0",
    "  spaces  ",
    "'",
    '"',
    "\\n",
    "#",
    ",",
    "\t",
    "NA",
]


def read_back(table: pd.DataFrame, path) -> pd.DataFrame:
    write_table(path, table, PROVENANCE)
    return read_table(path)


@pytest.mark.parametrize("column", sorted(TEXT_COLUMNS - {"text"}))
def test_ids_and_labels_that_look_like_numbers_survive(column, tmp_path):
    table = read_back(pd.DataFrame({column: IDS, "r": np.arange(len(IDS)) / 7}), tmp_path / "x.csv")
    assert table[column].tolist() == IDS
    assert table["r"].tolist() == (np.arange(len(IDS)) / 7).tolist()


def test_text_survives_character_by_character(tmp_path):
    table = pd.DataFrame({"stimulus_id": IDS, "text": TEXTS, "onset_s": np.arange(14.0)})
    pd.testing.assert_frame_equal(read_back(table, tmp_path / "x.csv"), table, check_dtype=False)


def test_a_table_of_one_text_column_keeps_its_empty_cells(tmp_path):
    assert read_back(pd.DataFrame({"text": ["", "a", ""]}), tmp_path / "x.csv")["text"].tolist() == ["", "a", ""]


def test_floats_are_exact_and_missing_ones_stay_missing(tmp_path):
    random = np.random.default_rng(0)
    values = random.standard_normal(2000) * 10.0 ** random.integers(-300, 300, 2000)
    values[:6] = [np.nan, np.inf, -np.inf, -0.0, 5e-324, 1 / 3]
    found = read_back(pd.DataFrame({"r": values}), tmp_path / "x.csv")["r"].to_numpy()
    np.testing.assert_array_equal(found, values)
    assert np.signbit(found[3])


def test_columns_of_numbers_keep_their_kind(tmp_path):
    table = pd.DataFrame({"fold": [1, 2], "r": [1.0, 2.0], "known": [True, False], "low": [np.nan, np.nan]})
    found = read_back(table, tmp_path / "x.csv")
    assert [str(kind) for kind in found.dtypes] == ["int64", "float64", "bool", "float64"]


def test_a_table_without_rows_keeps_its_columns(tmp_path):
    found = read_back(pd.DataFrame({"model": [], "r": []}), tmp_path / "x.csv")
    assert (list(found.columns), len(found)) == (["model", "r"], 0)


def test_the_file_is_plain_csv(tmp_path):
    table = pd.DataFrame({"model": ["a, b", "c"], "r": [0.1, np.nan]})
    write_table(tmp_path / "x.csv", table, PROVENANCE)
    assert (tmp_path / "x.csv").read_bytes() == b'model,r\n"a, b",0.1\nc,\n'


def test_what_made_a_table_stands_beside_it(tmp_path):
    write_table(tmp_path / "x.csv", pd.DataFrame({"r": [1.0]}), PROVENANCE)
    record = json.loads((tmp_path / "x.csv.provenance.json").read_text(encoding="utf-8"))
    versions = record.pop("versions")
    assert record == {
        "stage": "brainalign.stages.x",
        "spec": {"a": "é", "b": 1},
        "code": "brainalign.stages.x@0123",
    }
    assert versions["pandas"] == pd.__version__


def test_a_record_is_named_after_the_whole_file(tmp_path):
    write_provenance(tmp_path / "manifest.json", PROVENANCE)
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json.provenance.json"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is not a whole CSV table (No columns to parse from file)"),
        (b"\x89HDF\r\n\x1a\n\xff\xfe", "it is not a whole CSV table ('utf-8' codec can't decode"),
        (b"a,b\n1,2\n3,4,5\n", "it is not a whole CSV table (Error tokenizing data."),
        (b'a,b\n1,"cut in the mid', "it is not a whole CSV table (Error tokenizing data."),
    ],
)
def test_a_foreign_or_cut_table_is_unreadable(content, reason, tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError) as caught:
        read_table(path)
    assert caught.value.path == path
    assert caught.value.reason.startswith(reason)


# --- tables that users give -----------------------------------------------------------------------------------------


def given(path, content: str | bytes, *text: str) -> dict[str, list]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_given_table(path, text).to_dict("list")


def test_named_columns_are_text_and_the_others_numbers(tmp_path):
    content = "id,region,r,x\n007,NA,0.1,1\n1e5,null,,2\nnan,,NA,3\n"
    assert given(tmp_path / "x.csv", content, "id", "region") == {
        "id": ["007", "1e5", "nan"],
        "region": ["NA", "null", ""],
        "r": pytest.approx([0.1, np.nan, np.nan], nan_ok=True),
        "x": [1, 2, 3],
    }


def test_every_column_is_text_unless_some_are_named(tmp_path):
    (tmp_path / "x.csv").write_text("id,r\n007,\nNA,0.10\n")
    assert read_given_table(tmp_path / "x.csv").to_dict("list") == {"id": ["007", "NA"], "r": ["", "0.10"]}


def test_marks_of_windows_and_of_tabs_are_understood(tmp_path):
    expected = {"id": ["é"], "r": [0.5]}
    assert given(tmp_path / "x.csv", b"\xef\xbb\xbf" + "id,r\r\né,0.5\r\n".encode(), "id") == expected
    assert given(tmp_path / "x.TSV", "id\tr\né\t0.5\n", "id") == expected


def test_numbers_are_exact(tmp_path):
    values = (np.random.default_rng(1).standard_normal(500) * 1e-7).tolist()
    content = "r\n" + "".join(f"{value!r}\n" for value in values)
    assert given(tmp_path / "x.csv", content)["r"] == values


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "x.csv is not a CSV table with a header: No columns to parse from file."),
        ("id,text\n", "x.csv has a header but no rows."),
        ("id,text\n1,a,b\n2,c,d\n", "x.csv: rows have more cells than the header; put text that has commas in quotes."),
        ("id,text\n1,a\n2,c,d\n", "x.csv is not a CSV table with a header: Expected 2 fields in line 3, saw 3."),
        ("id,text,id\n1,a,2\n", "x.csv: the column 'id' comes more than once."),
        ("id,text\n1,\xe9\n".encode("latin-1"), "x.csv is not UTF-8 text (byte 10); save it as UTF-8."),
        ("id,text\n1,a\n".encode("utf-16"), "x.csv is not UTF-8 text (byte 0); save it as UTF-8."),
    ],
)
def test_a_table_that_cannot_be_used_is_told_in_one_sentence(content, sentence, tmp_path):
    with pytest.raises(InputError) as caught:
        given(tmp_path / "x.csv", content, "id")
    assert str(caught.value) == sentence


def test_a_missing_column_is_told_with_the_nearest(tmp_path):
    table = pd.DataFrame(columns=["stimulus", "sentence"])
    need_columns(tmp_path / "x.csv", table, ["stimulus"])
    sentence = "x.csv: unknown column 'sentense'; did you mean 'sentence'? Allowed: stimulus, sentence."
    with pytest.raises(InputError, match=re.escape(sentence)):
        need_columns(tmp_path / "x.csv", table, ["stimulus", "sentense"])
