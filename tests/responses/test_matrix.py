"""What a matrix of responses must be before it is stored, and how it is read again."""

import numpy as np
import pytest

from brainalign.errors import InputError, UnreadableFileError
from brainalign.responses.stored import read_responses
from brainalign.storage import write_arrays
from responses.given_files import MATRIX, stimuli


def spoilt(value: float, repetitions: int = 0) -> np.ndarray:
    values = MATRIX.copy() if not repetitions else np.stack([MATRIX + n for n in range(repetitions)])
    values[..., 2, 1] = value
    return values


BAD = {
    "missing": (
        spoilt(np.nan),
        "there are responses that are missing or infinite (1 of 12), as in the neuroid 'neuroid-2'; "
        "leave the neuroid out (bad_neuroids: drop) or fill the gap before.",
    ),
    "infinite": (
        spoilt(-np.inf),
        "there are responses that are missing or infinite (1 of 12), as in the neuroid 'neuroid-2'; "
        "leave the neuroid out (bad_neuroids: drop) or fill the gap before.",
    ),
    "too large to be stored": (
        spoilt(1e39),
        "there are responses that are missing or infinite (1 of 12), as in the neuroid 'neuroid-2'; "
        "leave the neuroid out (bad_neuroids: drop) or fill the gap before.",
    ),
    "missing in all repetitions": (
        spoilt(np.nan, 3),
        "there are responses that are missing or infinite (1 of 12), as in the neuroid 'neuroid-2'; "
        "leave the neuroid out (bad_neuroids: drop) or fill the gap before.",
    ),
    "constant": (
        np.where([True, False, True], 1.0, MATRIX),
        "there are neuroids whose responses are constant (2 of 3), as 'neuroid-1'; leave them out "
        "(bad_neuroids: drop).",
    ),
    "constant once stored": (
        1e6 + MATRIX * [1, 1e-9, 1],
        "there are neuroids whose responses are constant (1 of 3), as 'neuroid-2'; leave them out "
        "(bad_neuroids: drop).",
    ),
    "too few samples": (
        MATRIX[:3],
        "the responses have shape (3, 3), but there are 4 samples and 3 neuroids; "
        "(sample, neuroid) or (repetition, sample, neuroid) is needed.",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_matrix_that_cannot_be_used_is_told_in_one_sentence(case, read):
    values, sentence = BAD[case]
    with pytest.raises(InputError) as caught:
        read(responses_npy=values).variables()
    assert str(caught.value) == sentence


def test_a_repetition_may_be_missing_where_another_is_not(read):
    values = np.stack([spoilt(np.nan), MATRIX])
    stored = read(responses_npy=values).variables()["responses"].values
    np.testing.assert_array_equal(stored, values.astype(np.float32))


def test_prepared_responses_are_read_as_they_were_written(read, tmp_path):
    neuroids = "neuroid_id,subject,region,x\n007,S1,a,1\nNA,S1,b,\n1e5,S2,a,3\n"
    table = stimuli(run=["1", "1", "2", "2"], onset_s=[0.0, 2.0, 0.0, 2.0])
    data = read(table=table, responses_npy=np.stack([MATRIX, MATRIX + 1]), neuroids_csv=neuroids)
    write_arrays(tmp_path / "out.h5", data.variables(), {"simulated": 1})
    found = read_responses(tmp_path / "out.h5")
    assert found.simulated
    np.testing.assert_array_equal(found.values, np.stack([MATRIX, MATRIX + 1]).astype(np.float32))
    assert {name: column.tolist() for name, column in found.samples.columns.items()} == {
        "sample_id": ["007", "NA", "1e5", "null"],
        "run": ["1", "1", "2", "2"],
        "onset_s": [0.0, 2.0, 0.0, 2.0],
        "split_group": ["t1", "t1", "t2", "t2"],
    }
    assert {name: list(column) for name, column in found.neuroids.items() if name != "x"} == {
        "neuroid": ["007", "NA", "1e5"],
        "subject": ["S1", "S1", "S2"],
        "region": ["a", "b", "a"],
    }
    np.testing.assert_array_equal(found.neuroids["x"], [1, np.nan, 3])
    assert found.stimulus_ids.tolist() == ["007", "NA", "1e5", "null"]


def test_features_of_samples_are_weighted_sums_over_their_stimuli(read, tmp_path):
    samples = "sample_id\n" + "".join(f"s{n}\n" for n in range(3))
    weights = "sample_id,stimulus_id,weight\ns0,007,0.5\ns0,NA,0.25\ns2,null,2\n"
    data = read(responses_npy=MATRIX[:3], samples_csv=samples, map_csv=weights)
    write_arrays(tmp_path / "out.h5", data.variables(), {})
    features = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0], [4.0, 40.0]])
    found = read_responses(tmp_path / "out.h5").features_of_samples(features)
    np.testing.assert_allclose(found, [[1.0, 10.0], [0.0, 0.0], [8.0, 80.0]])


@pytest.mark.parametrize("name", ["responses", "sample", "neuroid", "stimulus", "split_group", "map_weight"])
def test_prepared_responses_without_a_variable_are_unreadable(name, read, tmp_path):
    variables = read(responses_npy=MATRIX).variables()
    if name in ("sample", "neuroid", "stimulus"):  # the dimension keeps a bare scale of this name
        variables = {key: value for key, value in variables.items() if name not in value.dims}
    else:
        del variables[name]
    write_arrays(tmp_path / "out.h5", variables, {})
    with pytest.raises(UnreadableFileError) as caught:
        read_responses(tmp_path / "out.h5")
    assert caught.value.reason.startswith("it holds no responses (no variable '")
