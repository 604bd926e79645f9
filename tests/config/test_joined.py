"""Data sets that are others joined, encoders that are for some data sets only, and what the stages may know of them."""

from pathlib import Path
from typing import Any

import pytest

from brainalign import specs
from brainalign.config.claims import conflicts, record
from brainalign.config.joined import parts, scored_by
from brainalign.config.study import read_study
from brainalign.errors import InputError

TABLE = {"loader": "table", "stimuli": "s.csv", "responses": "r.csv", "id": "item", "split": "topic"}
BOTH = {"loader": "joined", "datasets": ["one", "two"]}
ACROSS = {
    "regression": "ridge",
    "split": {"kind": "fixed", "column": "dataset", "train": "one", "test": ["two"]},
    "datasets": ["both"],
}
CHANGES = {"datasets.one": TABLE, "datasets.two": TABLE, "datasets.both": BOTH, "encoders.across": ACROSS}
RIDGE = {"regression": "ridge", "split": {"kind": "grouped"}}
ALL = ["simulated-passages", "simulated-stories", "one", "two", "both"]


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("s.csv", "r.csv", "n.csv", "r.npy", "m.csv"):
        (tmp_path / name).write_text("")
    monkeypatch.chdir(tmp_path)


def test_an_encoder_may_train_on_one_part_and_be_tested_on_another(changed) -> None:
    study = read_study(changed(CHANGES))
    assert specs.joined(study, "both") == {"datasets": ["one", "two"]}
    assert scored_by(study, "across") == ["both"]
    assert scored_by(study, "controlled") == ALL[:-1], "an encoder that names no data sets is not for joined ones"
    assert list(parts(study, "both")) == ["one", "two"]
    assert list(parts(study, "one")) == ["one"]


def test_for_which_data_sets_an_encoder_is_changes_no_fit(changed, tmp_path: Path) -> None:
    some = read_study(changed(CHANGES | {"encoders.controlled.datasets": ["one"]}))
    every = read_study(changed(CHANGES | {"study": "second"}))
    assert specs.encoder(some, "controlled", "last-token", "one") == specs.encoder(
        every, "controlled", "last-token", "one"
    )
    assert specs.ceilings(some, "controlled", "one") == specs.ceilings(every, "controlled", "one")
    record(some, tmp_path / "studies")
    assert conflicts(every, tmp_path / "studies") == []


def test_other_parts_are_another_data_set(changed, tmp_path: Path) -> None:
    record(read_study(changed(CHANGES)), tmp_path / "studies")
    other = CHANGES | {"study": "second", "datasets.both": BOTH | {"datasets": ["two", "one"]}}
    (said,) = conflicts(read_study(changed(other)), tmp_path / "studies")
    assert said.startswith("datasets.both means two things: datasets is ['two', 'one'] in the study 'second', but ")


def test_states_that_depend_on_all_stimuli_are_computed_for_the_joined_ones(changed) -> None:
    readouts = {
        "last-token": True,
        "random": False,
        "projected": True,
        "components": False,
    }
    given: dict[str, Any] = {
        "random": {"context": "group", "tokens": "random"},
        "projected": {"match": {"projection": 4}},
        "components": {"match": {"components": 4}},
    }
    study = read_study(changed(CHANGES | {f"readouts.{name}": entry for name, entry in given.items()}))
    assert {name: specs.follow_from_stimuli(study, name) for name in study.readouts} == readouts


def test_features_in_files_are_of_each_stimulus(changed) -> None:
    given = {"features.given": {"table": "s.csv"}, "features.glove": {"control": "embeddings", "file": "s.csv"}}
    assert specs.from_files(read_study(changed(CHANGES | given))) == ["given", "glove"]


def test_the_samples_of_a_joined_set_have_the_columns_of_its_parts(changed) -> None:
    run = TABLE | {"run": "session", "columns": ["topic_of_all"], "split": "passage"}
    columns = {"datasets.one": run, "datasets.two": run}
    for by in ("run", "topic_of_all", "dataset"):
        across = ACROSS | {"split": {"kind": "leave-one-group-out", "by": by}}
        read_study(changed(CHANGES | columns | {"encoders.across": across}))


DATASET = "datasets.both.datasets: "
SPLIT = "encoders.across.split."
MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "a layer by a part": (
        {"encoders.controlled": RIDGE | {"layer": {"dataset": "one"}, "datasets": ["both", "one"]}},
        "encoders.controlled.layer.dataset: holds 'one', which shares the samples of 'one' with 'both', for which the "
        "encoder is too, so that 'both' would be tested on samples that chose its layer; leave one of both out of "
        "encoders.controlled.datasets, or name a data set of other samples.",
    ),
    "a layer by the joined": (
        {"encoders.controlled": RIDGE | {"layer": {"dataset": "both"}, "datasets": ["both", "two"]}},
        "encoders.controlled.layer.dataset: holds 'both', which shares the samples of 'two' with 'two', for which the "
        "encoder is too, so that 'two' would be tested on samples that chose its layer; leave one of both out of "
        "encoders.controlled.datasets, or name a data set of other samples.",
    ),
    "an unknown part": (
        {"datasets.both": BOTH | {"datasets": ["one", "twoo"]}},
        DATASET + "holds 'twoo', which is the name of no data set of the loader table; did you mean 'two'? Allowed: "
        "one, two.",
    ),
    "itself": (
        {"datasets.both": BOTH | {"datasets": ["one", "both"]}},
        DATASET + "holds 'both', its own name; a data set is not joined with itself.",
    ),
    "one data set twice": (
        {"datasets.both": BOTH | {"datasets": ["one", "one"]}},
        "datasets.both: `datasets` names 'one' more than once; a data set is not joined with itself.",
    ),
    "one data set": (
        {"datasets.both": BOTH | {"datasets": ["one"]}},
        "datasets.both: `datasets` names 1, but joining needs at least 2.",
    ),
    "a joined one": (
        {"datasets.more": {"loader": "joined", "datasets": ["both", "one"]}},
        "datasets.more.datasets: holds 'both', which is joined itself; name its parts, one, two.",
    ),
    "stimuli alone": (
        {
            "datasets.new": {"loader": "stimuli-only", "stimuli": "s.csv"},
            "datasets.both": BOTH | {"datasets": ["one", "new"]},
        },
        DATASET + "holds 'new', which has stimuli and no responses.",
    ),
    "a simulation": (
        {"datasets.both": BOTH | {"datasets": ["one", "simulated-passages"]}},
        DATASET + "holds 'simulated-passages', which is simulated; its neuroids are those of no other data set.",
    ),
    "neuroids without names": (
        {"datasets.one": TABLE | {"responses": "r.npy"}},
        DATASET + "holds 'one', whose neuroids are only numbered, but neuroids are joined by their ids; name them by "
        "datasets.one.neuroid_table.",
    ),
    "a series and sentences": (
        {"datasets.two": TABLE | {"onset_s": "seconds"}},
        DATASET + "'two' is a series with onsets and 'one' is not; delays could not be the same.",
    ),
    "ceilings of repetitions": (
        {"datasets.both": BOTH | {"ceilings": {"split-half": {}}}},
        "datasets.both: ceilings.split-half is of one data set's responses, not of those of a part that another "
        "predicts; leave-one-subject-out and subject-pool are.",
    ),
    "known ceilings": (
        {"datasets.both": BOTH | {"ceilings": {"known": {}}}},
        "datasets.both: ceilings.known exists for simulated data only.",
    ),
    "a split by parts of what has none": (
        {"encoders.across": ACROSS | {"datasets": ["both", "simulated-passages"]}},
        SPLIT + "column: holds 'dataset', but 'simulated-passages' is one data set, not several joined; say which the "
        "encoder is for in encoders.across.datasets.",
    ),
    "a part that is none": (
        {"encoders.across": ACROSS | {"split": ACROSS["split"] | {"test": "tow"}}},  # type: ignore[operator]
        SPLIT + "test: holds 'tow', which is the name of no part of the data set 'both'; did you mean 'two'? Allowed: "
        "one, two.",
    ),
    "a column that a part has not": (
        {
            "datasets.one": TABLE | {"columns": ["subtopic"]},
            "encoders.across": ACROSS | {"split": {"kind": "leave-one-group-out", "by": "subtopic"}},
        },
        SPLIT + "by: holds 'subtopic', but the samples of the data set 'two' have no such column; name a column of its "
        "table in datasets.two.columns.",
    ),
    "an encoder for no data set": (
        {"encoders.controlled.datasets": ["simulated-passage"]},
        "encoders.controlled.datasets: holds 'simulated-passage', which is the name of no data set with responses; did "
        "you mean 'simulated-passages'? Allowed: simulated-passages, simulated-stories, one, two, both.",
    ),
    "a layer by a data set that the encoder is not for": (
        {"encoders.across": ACROSS | {"layer": {"dataset": "one"}}},
        "encoders.across.layer.dataset: holds 'one', which is the name of no data set. Allowed: both.",
    ),
    "a prediction for a part": (
        {
            "predictions.p": {
                "encoder": "across",
                "features": "length",
                "dataset": "both",
                "stimuli_of": "two",
            }
        },
        "predictions.p.stimuli_of: holds 'two', which is the name of no other data set. Allowed: simulated-passages, "
        "simulated-stories.",
    ),
    "a prediction by an encoder that is for others": (
        {
            "predictions.p": {
                "encoder": "across",
                "features": "length",
                "dataset": "one",
                "stimuli_of": "two",
            }
        },
        "predictions.p.dataset: holds 'one', which is the name of no data set of the encoder 'across'. Allowed: both.",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told(changed, mistake: str) -> None:
    changes, sentence = MISTAKES[mistake]
    with pytest.raises(InputError) as told:
        read_study(changed(CHANGES | changes))
    assert str(told.value).splitlines()[0] == sentence  # what follows from it may be said after it


def test_neuroids_of_a_matrix_may_be_named_by_a_table(changed) -> None:
    read_study(changed(CHANGES | {"datasets.one": TABLE | {"responses": "r.npy", "neuroid_table": "n.csv"}}))


def test_responses_of_other_data_sets_are_predicted_by_a_joined_one(changed) -> None:
    prediction = {"encoder": "across", "features": "length", "dataset": "both", "stimuli_of": "simulated-passages"}
    study = read_study(changed(CHANGES | {"predictions.p": prediction}))
    assert specs.prediction(study, "p")["dataset"] == "both"


def test_whether_bad_neuroids_are_dropped_is_for_the_responses_to_know(changed) -> None:
    def found(**further: str) -> Any:
        study = read_study(changed(CHANGES | {"datasets.one": TABLE | further}))
        return specs.responses(study, "one")["settings"]["bad_neuroids"]

    assert found() == "refuse"
    assert found(bad_neuroids="drop") == "drop"
    with pytest.raises(InputError, match=r"datasets.one.bad_neuroids: holds 'ignore'; one of 'refuse', 'drop' is need"):
        found(bad_neuroids="ignore")


def test_a_joined_data_set_that_no_encoder_is_for(changed) -> None:
    with pytest.raises(InputError, match=r"datasets.both: no encoder is for this joined data set; name it in one, as"):
        read_study(changed({key: value for key, value in CHANGES.items() if not key.startswith("encoders.")}))


def test_a_layer_may_be_chosen_by_other_samples(changed) -> None:
    by_two = RIDGE | {"layer": {"dataset": "two"}, "datasets": ["one", "two"]}
    read_study(changed(CHANGES | {"encoders.controlled": by_two}))
