"""Responses from plain files: what is understood, and the sentence for what is not."""

import numpy as np
import pytest

from brainalign.errors import InputError
from responses.given_files import MATRIX, stimuli

CSV = (
    "id,v1,v2,note,v3\n1e5,0.4,3,x,1e-7\n007,0.1,2,x,-1\nother,7,7,x,7\nnull,0.3,9,x,0.3333333333333333\nNA,0.2,1,x,5\n"
)
IDS = {"responses_id": "id"}
NEUROIDS = "neuroid_id,subject,region,x,hemisphere\nn2,02,NA,1.5,L\nn1,01,null,,\nn3,02,NA,-3,R\n"
SAMPLES = "sample_id,run,onset_s\n" + "".join(f"s{n},{1 + n // 3},{2.0 * (n % 3)}\n" for n in range(6))
MAP = "sample_id,stimulus_id,weight\ns1,007,0.5\ns1,NA,0.5\ns4,1e5,1\ns4,null,2\n"
SIX = np.arange(18.0).reshape(6, 3) ** 2


# --- matrices -------------------------------------------------------------------------------------------------------


def test_a_csv_is_joined_by_ids_and_gives_its_numeric_columns(read):
    data = read(IDS, responses_csv=CSV)
    np.testing.assert_array_equal(data.values, MATRIX)
    assert data.samples.to_dict("list") == {
        "sample_id": ["007", "NA", "1e5", "null"],
        "run": ["run-1"] * 4,
        "split_group": ["t1", "t1", "t2", "t2"],
    }
    assert data.neuroids.to_dict("list") == {
        "neuroid_id": ["v1", "v2", "v3"],
        "subject": ["single"] * 3,
        "region": ["whole"] * 3,
    }
    assert data.stimulus_ids.tolist() == ["007", "NA", "1e5", "null"]
    assert (data.map_sample.tolist(), data.map_stimulus.tolist()) == ([0, 1, 2, 3], [0, 1, 2, 3])
    assert data.map_weight.tolist() == [1.0] * 4


def test_columns_that_are_named_are_taken_in_their_order_and_may_be_regions(read):
    data = read(IDS | {"neuroids": ["v3", "v1"], "region_per_neuroid": True}, responses_csv=CSV)
    np.testing.assert_array_equal(data.values, MATRIX[:, [2, 0]])
    assert data.neuroids["region"].tolist() == ["v3", "v1"]


def test_tabs_are_understood_where_the_ending_says_so(read):
    data = read(IDS, responses_tsv=CSV.replace(",", "\t"))
    np.testing.assert_array_equal(data.values, MATRIX)


def test_a_matrix_in_presentation_order_is_taken_as_it_is(read):
    np.testing.assert_array_equal(read(responses_npy=MATRIX).values, MATRIX)
    assert read(responses_npy=MATRIX).neuroids["neuroid_id"].tolist() == ["neuroid-1", "neuroid-2", "neuroid-3"]


def test_repetitions_are_kept_as_an_axis(read):
    repeated = np.stack([MATRIX, MATRIX + 1])
    variables = read(responses_npy=repeated).variables()
    assert variables["responses"].dims == ("repetition", "sample", "neuroid")
    np.testing.assert_array_equal(variables["responses"].values, repeated.astype(np.float32))


def test_hdf5_gives_its_only_data_set_or_the_one_that_is_named(read):
    np.testing.assert_array_equal(read(responses_h5={"deep/matrix": MATRIX}).values, MATRIX)
    both = {"one": MATRIX, "two/inner": MATRIX + 1}
    np.testing.assert_array_equal(read({"responses_key": "two/inner"}, responses_h5=both).values, MATRIX + 1)


# --- tables about the matrix ----------------------------------------------------------------------------------------


def test_neuroids_of_a_matrix_are_the_rows_of_their_table(read):
    neuroids = read(responses_npy=MATRIX, neuroids_csv=NEUROIDS).neuroids
    assert neuroids["neuroid_id"].tolist() == ["n2", "n1", "n3"]
    assert neuroids["subject"].tolist() == ["02", "01", "02"]
    assert neuroids["region"].tolist() == ["NA", "null", "NA"]
    np.testing.assert_array_equal(neuroids["x"], [1.5, np.nan, -3])


def test_neuroids_of_a_csv_are_found_by_their_columns_names(read):
    settings = IDS | {"neuroid_columns": {"neuroid_id": "voxel", "subject": "who", "region": "roi"}}
    table = "roi,voxel,who,subject\na,v3,1,x\nb,v1,2,x\nc,v2,3,x\nd,other,4,x\n"
    neuroids = read(settings, responses_csv=CSV, neuroids_csv=table).neuroids
    assert neuroids.to_dict("list") == {
        "neuroid_id": ["v1", "v2", "v3"],
        "subject": ["2", "3", "1"],
        "region": ["b", "c", "a"],
    }


def test_columns_whose_names_stand_for_something_else_are_left_out(read):
    table = "neuroid_id,run,split_group,neuroid,ceiling,map_weight,entry,noise_free,z\n" + "".join(
        f"n{n},9,9,9,9,9,9,9,{n}\n" for n in range(3)
    )
    variables = read(responses_npy=MATRIX, neuroids_csv=table).variables()
    assert {name: variable.dims for name, variable in variables.items()} == {
        "responses": ("sample", "neuroid"),
        "sample": ("sample",),
        "neuroid": ("neuroid",),
        "stimulus": ("stimulus",),
        "run": ("sample",),
        "split_group": ("sample",),
        "subject": ("neuroid",),
        "region": ("neuroid",),
        "z": ("neuroid",),
        "map_sample": ("entry",),
        "map_stimulus": ("entry",),
        "map_weight": ("entry",),
    }
    assert variables["run"].values.tolist() == ["run-1"] * 4
    assert variables["neuroid"].values.tolist() == ["n0", "n1", "n2"]


def test_text_that_is_missing_in_further_columns_is_stored_as_empty(read):
    assert read(responses_npy=MATRIX, neuroids_csv=NEUROIDS).variables()["hemisphere"].values.tolist() == ["L", "", "R"]


def test_samples_that_are_not_stimuli_have_a_table_and_a_map(read):
    data = read(responses_npy=SIX, samples_csv=SAMPLES, map_csv=MAP)
    assert data.samples["sample_id"].tolist() == ["s0", "s1", "s2", "s3", "s4", "s5"]
    assert data.samples["run"].tolist() == ["1", "1", "1", "2", "2", "2"]
    assert data.samples["onset_s"].tolist() == [0.0, 2.0, 4.0, 0.0, 2.0, 4.0]
    assert data.map_sample.tolist() == [1, 1, 4, 4]
    assert data.map_stimulus.tolist() == [0, 1, 2, 3]
    assert data.map_weight.tolist() == [0.5, 0.5, 1.0, 2.0]


def test_a_sample_without_stimuli_is_held_out_with_its_neighbours_in_its_own_run(read):
    data = read(responses_npy=SIX, samples_csv=SAMPLES, map_csv=MAP)
    assert data.samples["split_group"].tolist() == ["t1", "t1", "t1", "t2", "t2", "t2"]


def test_runs_and_onsets_of_stimuli_are_those_of_samples_that_are_stimuli(read):
    table = stimuli(run=["1", "1", "2", "2"], onset_s=[0.0, 2.0, 0.0, 2.0])
    samples = read(table=table, responses_npy=MATRIX).samples
    assert samples["run"].tolist() == ["1", "1", "2", "2"]
    assert samples["onset_s"].tolist() == [0.0, 2.0, 0.0, 2.0]


def test_further_columns_of_stimuli_or_samples_are_labels_of_the_samples(read):
    table = stimuli(topic=[1, 1, 2, 2], genre=["x", " y", "x", "x"], other=list("abcd"))
    samples = read({"columns": ["topic", "genre"]}, table=table, responses_npy=MATRIX).samples
    assert list(samples) == ["sample_id", "run", "topic", "genre", "split_group"]
    assert samples["topic"].tolist() == ["1", "1", "2", "2"]
    assert samples["genre"].tolist() == ["x", "y", "x", "x"]
    with_set = "sample_id,run,set\n" + "".join(f"s{n},{1 + n // 3},{['007', '7'][n % 2]}\n" for n in range(6))
    data = read({"columns": ["set"]}, responses_npy=SIX, samples_csv=with_set, map_csv=MAP)
    assert data.variables()["set"].values.tolist() == ["007", "7"] * 3
    assert data.variables()["set"].dims == ("sample",)


def test_the_noise_free_response_of_a_simulation_is_kept(read):
    variable = read(responses_npy=MATRIX, noise_free_npy=MATRIX * 2).variables()["noise_free"]
    assert variable.dims == ("sample", "neuroid")
    np.testing.assert_array_equal(variable.values, (MATRIX * 2).astype(np.float32))


# --- what cannot be used --------------------------------------------------------------------------------------------

BAD = {
    "a misspelt id column": (
        {"responses_id": "item"},
        {"responses_csv": CSV},
        "responses.csv: unknown column 'item'. Allowed: id, v1, v2, note, v3.",
    ),
    "a misspelt neuroid": (
        IDS | {"neuroids": ["v1", "v22"]},
        {"responses_csv": CSV},
        "responses.csv: unknown column 'v22'; did you mean 'v2'? Allowed: id, v1, v2, note, v3.",
    ),
    "text as a neuroid": (
        IDS | {"neuroids": ["v1", "note"]},
        {"responses_csv": CSV},
        "responses.csv: column 'note' is to be a neuroid, but holds 'x' in row 1.",
    ),
    "no numbers": (
        IDS,
        {"responses_csv": "id,note\n007,x\n"},
        "responses.csv has no column of numbers beside 'id'; name the neuroids' columns.",
    ),
    "a repeated row": (
        IDS,
        {"responses_csv": CSV + "007,1,1,x,1\n"},
        "responses.csv: id '007' comes more than once.",
    ),
    "missing rows": (
        IDS,
        {"responses_csv": "id,v1\n007,1\nnull,2\n"},
        "responses.csv has no row for 2 of 4 samples, as 'NA'.",
    ),
    "only a header": (IDS, {"responses_csv": "id,v1\n"}, "responses.csv has a header but no rows."),
    "another encoding": (
        IDS,
        {"responses_csv": b"id,v1\n\xe9,1\n"},
        "responses.csv is not UTF-8 text (byte 6); save it as UTF-8.",
    ),
    "a pickle": (
        {},
        {"responses_npy": np.array([{"a": 1}], dtype=object)},
        "responses.npy is not a readable array of numbers: Object arrays cannot be loaded when allow_pickle=False.",
    ),
    "an empty array file": (
        {},
        {"responses_npy": b""},
        "responses.npy is not a readable array of numbers: No data left in file.",
    ),
    "an array of words": (
        {},
        {"responses_npy": np.array([["a", "b"]])},
        "responses.npy holds <U1 of shape (1, 2); numbers of shape (sample, neuroid) or "
        "(repetition, sample, neuroid) are needed.",
    ),
    "a complex array": (
        {},
        {"responses_npy": MATRIX + 1j},
        "responses.npy holds complex128 of shape (4, 3); numbers of shape (sample, neuroid) or "
        "(repetition, sample, neuroid) are needed.",
    ),
    "a single number": (
        {},
        {"responses_npy": np.array(1.0)},
        "responses.npy holds float64 of shape (); numbers of shape (sample, neuroid) or "
        "(repetition, sample, neuroid) are needed.",
    ),
    "a vector": (
        {},
        {"responses_npy": MATRIX[:, 0]},
        "responses.npy holds float64 of shape (4,); numbers of shape (sample, neuroid) or "
        "(repetition, sample, neuroid) are needed.",
    ),
    "no HDF5": (
        {},
        {"responses_h5": b"text"},
        "responses.h5 is not a readable array of numbers: "
        "Unable to synchronously open file (file signature not found).",
    ),
    "an empty HDF5": ({}, {"responses_h5": {}}, "responses.h5 holds no data set."),
    "several data sets": (
        {},
        {"responses_h5": {"a": MATRIX, "b/c": MATRIX}},
        "responses.h5 holds the data sets a, b/c; name one as `responses_key`.",
    ),
    "a misspelt data set": (
        {"responses_key": "voxel"},
        {"responses_h5": {"voxels": MATRIX, "times": MATRIX}},
        "responses.h5: unknown data set 'voxel'; did you mean 'voxels'? Allowed: times, voxels.",
    ),
    "a group": (
        {"responses_key": "b"},
        {"responses_h5": {"b/c": MATRIX}},
        "responses.h5: unknown data set 'b'. Allowed: b/c.",
    ),
    "a neuroid too many": (
        {},
        {"responses_npy": MATRIX, "neuroids_csv": NEUROIDS + "n4,01,NA,1,L\n"},
        "neuroids.csv has 4 rows, but the responses have 3 neuroids.",
    ),
    "a neuroid without a row": (
        IDS,
        {"responses_csv": CSV, "neuroids_csv": "neuroid_id\nv1\nv2\n"},
        "neuroids.csv has no row for the neuroid 'v3'.",
    ),
    "a repeated neuroid": (
        {},
        {"responses_npy": MATRIX, "neuroids_csv": "neuroid_id\na\nb\na\n"},
        "neuroids.csv: neuroid_id 'a' comes more than once.",
    ),
    "a neuroid without a subject": (
        {},
        {"responses_npy": MATRIX, "neuroids_csv": "neuroid_id,subject\na,1\nb,\nc,1\n"},
        "neuroids.csv: the neuroid 'b' has no subject.",
    ),
    "a misspelt neuroid column": (
        {"neuroid_columns": {"neuroid_id": "voxel"}},
        {"responses_npy": MATRIX, "neuroids_csv": "voxels\na\nb\nc\n"},
        "neuroids.csv: unknown column 'voxel'; did you mean 'voxels'? Allowed: voxels.",
    ),
    "a misspelt column of samples": (
        {"columns": ["runs"]},
        {"responses_npy": SIX, "samples_csv": SAMPLES, "map_csv": MAP},
        "samples.csv: unknown column 'runs'; did you mean 'run'? Allowed: sample_id, run, onset_s.",
    ),
    "a misspelt column of stimuli": (
        {"columns": ["texts"]},
        {"responses_npy": MATRIX},
        "the stimulus table: unknown column 'texts'; did you mean 'text'? "
        "Allowed: stimulus_id, text, context_group, split_group.",
    ),
    "a sample without a label": (
        {"columns": ["set"]},
        {"responses_npy": SIX, "samples_csv": "sample_id,set\ns0,a\ns1, \n", "map_csv": MAP},
        "samples.csv: column 'set' holds nothing for the sample 's1'.",
    ),
    "samples and stimuli of other ids": (
        {},
        {"responses_npy": SIX, "samples_csv": SAMPLES},
        "there are 6 samples and 4 stimuli with other ids; "
        "a `map` of sample_id, stimulus_id, weight must say which belong together.",
    ),
    "a repeated sample": (
        {},
        {"responses_npy": SIX, "samples_csv": SAMPLES.replace("s1", "s0"), "map_csv": MAP},
        "samples.csv: sample_id 's0' comes more than once.",
    ),
    "an onset of words": (
        {},
        {"responses_npy": SIX, "samples_csv": SAMPLES.replace("4.0", "soon"), "map_csv": MAP},
        "samples.csv: column 'onset_s' holds 'soon' in row 3, not a finite number.",
    ),
    "a sample without its column": (
        {},
        {"responses_npy": SIX, "samples_csv": "sample,run\ns0,1\n", "map_csv": MAP},
        "samples.csv: unknown column 'sample_id'; did you mean 'sample'? Allowed: sample, run.",
    ),
    "a map to nowhere": (
        {},
        {"responses_npy": SIX, "samples_csv": SAMPLES, "map_csv": MAP + "s5,7,1\n"},
        "map.csv: stimulus_id '7' is not one of the data set.",
    ),
    "a map from nowhere": (
        {},
        {"responses_npy": SIX, "samples_csv": SAMPLES, "map_csv": MAP + "s9,007,1\n"},
        "map.csv: sample_id 's9' is not one of the data set.",
    ),
    "a weight of words": (
        {},
        {"responses_npy": SIX, "samples_csv": SAMPLES, "map_csv": MAP + "s5,null,half\n"},
        "map.csv: column 'weight' holds 'half' in row 5, not a finite number.",
    ),
    "an empty map": (
        {},
        {"responses_npy": SIX, "samples_csv": SAMPLES, "map_csv": "sample_id,stimulus_id\n"},
        "map.csv has a header but no rows.",
    ),
    "a sample in two groups": (
        {},
        {"responses_npy": SIX, "samples_csv": SAMPLES, "map_csv": MAP + "s1,1e5,1\n"},
        "a sample has stimuli of the split groups 't1' and 't2'; it could be held out with only one of them.",
    ),
    "a run without stimuli": (
        {},
        {"responses_npy": SIX, "samples_csv": SAMPLES, "map_csv": "sample_id,stimulus_id\ns1,007\n"},
        "no sample of the run '2' has a stimulus in the `map`.",
    ),
}
BAD |= {
    f"a {what} that is all": (
        {"region_per_neuroid": True},
        contents,
        f"{file}: the neuroid {neuroid!r} has the {what} 'all', which is the name of all {what}s together in every "
        "table; give it another name.",
    )
    for what, file, neuroid, contents in (
        ("subject", "neuroids.csv", "n2", {"responses_npy": MATRIX, "neuroids_csv": NEUROIDS.replace("02,", "all,")}),
        (
            "region",
            "neuroids.csv",
            "n1",
            {"responses_npy": MATRIX, "neuroids_csv": NEUROIDS.replace("01,null", "01,all")},
        ),
        ("region", "responses.csv", "all", {"responses_csv": CSV.replace("v1", "all").replace("id,", "stimulus_id,")}),
    )
}


@pytest.mark.parametrize("case", BAD)
def test_files_that_cannot_be_used_are_told_in_one_sentence(case, read):
    settings, contents, sentence = BAD[case]
    with pytest.raises(InputError) as caught:
        read(settings, **contents)
    assert str(caught.value) == sentence
