"""Neuroids that are constant, or have NaN or infinite responses: refused, or dropped and counted."""

import logging

import numpy as np
import pytest

from brainalign.errors import InputError
from brainalign.responses.stored import read_responses
from brainalign.responses.unusable import usable_neuroids
from brainalign.storage import write_arrays
from responses.given_files import MATRIX

DROP = {"bad_neuroids": "drop"}
NAN, INF = np.nan, np.inf
# Columns: good, NaN, good, constant, infinite, constant once stored as float32.
WITH_BAD = np.column_stack([MATRIX[:, 0], [1, NAN, 3, 4], MATRIX[:, 1], [2.0] * 4, [1, 2, INF, 4], [1, 1, 1, 1 + 1e-9]])
NEUROIDS = "neuroid_id,subject,region,x\n" + "".join(f"n{n},s{n % 2},r,{n}.5\n" for n in range(6))


def test_bad_neuroids_are_refused_unless_they_are_to_be_dropped(read) -> None:
    for settings in ({}, {"bad_neuroids": "refuse"}):
        with pytest.raises(InputError, match=r"missing or infinite .* out \(bad_neuroids: drop\) or fill the gap"):
            read(settings, responses_npy=WITH_BAD).variables()


def test_they_are_dropped_with_their_rows_of_the_table(read, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        data = read(DROP, responses_npy=WITH_BAD, neuroids_csv=NEUROIDS)
    np.testing.assert_array_equal(data.variables()["responses"].values, WITH_BAD[:, [0, 2]].astype(np.float32))
    assert data.neuroids.to_dict("list") == {
        "neuroid_id": ["n0", "n2"],
        "subject": ["s0", "s0"],
        "region": ["r", "r"],
        "x": [0.5, 2.5],
    }
    assert data.facts == {
        "neuroids_given": 6,
        "neuroids_missing": 2,
        "neuroids_constant": 2,
        "neuroids_dropped": "n1, n3, n4, n5",
        "left_out": "4 of 6 neuroids dropped (2 NaN or infinite, 2 constant)",
    }
    assert caplog.messages == ["4 of 6 neuroids dropped (2 NaN or infinite, 2 constant): n1, n3, n4, n5"]


def test_nothing_is_said_where_all_are_good(read, caplog) -> None:
    data = read(DROP, responses_npy=MATRIX)
    assert data.facts == {}
    assert not caplog.messages
    np.testing.assert_array_equal(data.values, read(responses_npy=MATRIX).values)


def test_a_neuroid_is_kept_where_other_repetitions_are_there(read) -> None:
    repeated = np.stack([WITH_BAD, WITH_BAD[[1, 0, 2, 3]]])  # the NaN of the second neuroid is in another row
    repeated[:, :, 4] = MATRIX[:, 2]
    data = read(DROP, responses_npy=repeated)
    assert data.neuroids["neuroid_id"].tolist() == ["neuroid-1", "neuroid-2", "neuroid-3", "neuroid-5"]
    assert data.facts["left_out"] == "2 of 6 neuroids dropped (2 constant)"


def test_dropped_channels_of_a_csv_are_named(read) -> None:
    table = "id,v1,v2\n007,1,\nNA,2,\n1e5,3,\nnull,5,\n"
    data = read(DROP | {"responses_id": "id", "neuroids": ["v1", "v2"]}, responses_csv=table)
    assert data.neuroids["neuroid_id"].tolist() == ["v1"]
    assert data.facts["neuroids_dropped"] == "v2"


def test_what_was_dropped_is_read_back(read, tmp_path) -> None:
    data = read(DROP, responses_npy=WITH_BAD)
    write_arrays(tmp_path / "r.h5", data.variables(), {**data.facts, "simulated": 0})
    assert read_responses(tmp_path / "r.h5").facts == data.facts


def test_the_first_ten_are_named() -> None:
    values = np.concatenate([np.full((3, 12), 1.0), [[1.0], [2.0], [3.0]]], axis=1)
    kept, facts = usable_neuroids(values, [f"n{number}" for number in range(13)])
    assert np.flatnonzero(kept).tolist() == [12]
    assert facts["neuroids_dropped"] == "n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, ..."


def test_a_data_set_of_bad_neuroids_alone_is_refused(read) -> None:
    with pytest.raises(InputError) as told:
        read(DROP, responses_npy=WITH_BAD[:, [1, 3, 4]])
    assert str(told.value) == (
        "none of the 3 neuroids can be used: 2 have NaN or infinite responses, 1 the same one throughout."
    )
