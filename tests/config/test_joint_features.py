"""Feature spaces together: what is asked for, where they are scored, and what the stages may know of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from brainalign import specs
from brainalign.config.claims import conflicts, record
from brainalign.config.joint_features import datasets_of, joint_features, members_at, readouts_of
from brainalign.config.schema import SCHEMA
from brainalign.config.study import Study, read_study
from brainalign.errors import InputError

Changed = Callable[[dict[str, Any]], dict[str, Any]]

TWIN = "tiny-16-untrained-0"
CHANGES: dict[str, Any] = {
    "features.both": {"joint": [TWIN, "length", "own"]},
    "features.nulls-only": {"joint": ["position", "length"], "datasets": ["simulated-stories"]},
    "features.own": {"table": "f.csv", "datasets": ["simulated-passages"]},
    "readouts.mean": {"pooling": "mean"},
}

TABLE = {
    "loader": "table",
    "stimuli": "s.csv",
    "id": "stimulus_id",
    "group": "text",
    "responses": "r.csv",
    "neuroid_table": "n.csv",
}
JOINED: dict[str, Any] = {
    "datasets.one": TABLE,
    "datasets.two": TABLE,
    "datasets.all": {"loader": "joined", "datasets": ["one", "two"]},
    "encoders.across": {
        "regression": "ridge",
        "datasets": ["all"],
        "split": {"kind": "fixed", "column": "dataset", "train": "one", "test": "two"},
    },
    "features.own.datasets": ["one"],
    "features.both.datasets": ["all"],
}


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("f.csv", "new.csv", "s.csv", "r.csv", "n.csv"):
        (tmp_path / name).write_text("stimulus_id,text,f\n0001,a b,1\n")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def study(changed: Changed) -> Study:
    return read_study(changed(CHANGES))


def test_models_are_joined_at_every_readout_and_others_as_they_are(study: Study) -> None:
    assert list(joint_features(study)) == ["both", "nulls-only"]
    assert readouts_of(study, "both") == ["last-token", "mean"]
    assert members_at(study, "both", "mean") == [("mean", TWIN), ("none", "length"), ("none", "own")]
    assert readouts_of(study, "nulls-only") == ["none"]
    assert members_at(study, "nulls-only", "none") == [("none", "position"), ("none", "length")]


def test_data_sets_are_those_that_all_members_cover(study: Study) -> None:
    assert datasets_of(study, "both") == ["simulated-passages"]
    assert datasets_of(study, "nulls-only") == ["simulated-stories"]


def test_a_joined_data_set_is_covered_where_its_parts_are(changed: Changed) -> None:
    given = {name: value for name, value in JOINED.items() if name != "features.own.datasets"}
    study = read_study(changed(CHANGES | given | {"features.own.datasets": ["one", "two"]}))
    assert datasets_of(study, "both") == ["all"]
    by_parts = {"features.own.datasets": ["one", "two"], "features.both.datasets": ["one", "two"]}
    assert datasets_of(read_study(changed(CHANGES | given | by_parts)), "both") == ["one", "two", "all"]


def test_a_joint_entry_is_no_null_and_has_a_kind_of_its_own(study: Study) -> None:
    assert specs.nulls(study) == ["position", "length", "autocorrelation"]
    assert specs.from_files(study) == ["own"]
    names = specs.alignment(study, "controlled", "mean", "both", "simulated-passages")
    assert (names["features"], names["features_kind"], names["layer_choice"]) == ("both", "joint", "nested")


def test_its_job_knows_the_encoder_and_the_order_of_its_members(study: Study, changed: Changed) -> None:
    spec = specs.joint_features(study, "controlled", "both")
    assert spec == specs.joint_encoder(study, "controlled") | {"weights": "joint", "members": [TWIN, "length", "own"]}
    turned = CHANGES | {"features.both": {"joint": ["length", TWIN, "own"]}}
    assert specs.joint_features(read_study(changed(turned)), "controlled", "both") != spec
    elsewhere = CHANGES | {"features.both": {"joint": [TWIN, "length", "own"], "datasets": ["simulated-passages"]}}
    assert specs.joint_features(read_study(changed(elsewhere)), "controlled", "both") == spec


def test_only_a_linear_ridge_with_an_intercept_can_join(study: Study, changed: Changed) -> None:
    assert [name for name, encoder in study.encoders.items() if encoder.can_join] == ["controlled"]
    apart = read_study(changed(CHANGES | {"encoders.controlled.beyond_nulls": False}))
    assert (apart.encoders["controlled"].can_join, apart.encoders["controlled"].joins) == (True, False)


def test_the_schema_knows_joint_features(changed: Changed) -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.validate(changed(CHANGES), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(changed({"features.both": {"joint": ["length"]}}), schema)


NO_RIDGE = {"regression": "ols", "split": {"kind": "grouped"}}
MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown name": (
        {"features.both.joint": ["length", "tiny-81"]},
        "features.both.joint: holds 'tiny-81', which is the name of no model with weights or other entry of "
        "`features`; did you mean 'tiny-80'? Allowed: tiny-16, ",
    ),
    "itself": (
        {"features.both.joint": ["length", "both"]},
        "features.both.joint: holds 'both', its own name; a feature space is not joined with itself.",
    ),
    "a repeated name": (
        {"features.both.joint": ["length", "position", "length"]},
        "features.both.joint: holds 'length' twice; each feature space is joined once.",
    ),
    "joint features": (
        {"features.both.joint": ["length", "nulls-only"]},
        "features.both.joint: holds 'nulls-only', which is joint itself; name its members, position, length.",
    ),
    "one name": (
        {"features.both.joint": ["length"]},
        "features.both.joint: holds ['length']; at least 2 entries are needed.",
    ),
    "seven names": (
        {"features.both.joint": [f"m{number}" for number in range(7)]},
        "at most 6 entries are needed.",
    ),
    "a name with a plus": (
        {"features.both.joint": ["length", "a+b"]},
        "features.both.joint.1: holds 'a+b', which cannot be a file's name here; letters, digits, '.', '_' and '-' are "
        "allowed, the first a letter or digit.",
    ),
    "an entry's name with a plus": (
        {"features.tiny-80+length": {"joint": ["tiny-80", "length"]}},
        "features: the name 'tiny-80+length' cannot be a file's name here; letters, digits, '.', '_' and '-' are "
        "allowed, the first a letter or digit.",
    ),
    "a key of a table": (
        {"features.both.as_null": True},
        "features.both: unknown key 'as_null'. Allowed: joint, datasets.",
    ),
    "a misspelt key": (
        {"features.both": {"joints": ["length", "position"]}},
        "features.both: unknown key 'joints'; did you mean 'joint'? Allowed: joint, datasets.",
    ),
    "the name of a model": (
        {"features.tiny-16": {"joint": ["length", "position"]}},
        "features.tiny-16: 'tiny-16' is also the name of a model; both would write the same files.",
    ),
    "an unknown data set": (
        {"features.both.datasets": ["simulated-storys"]},
        "features.both.datasets: holds 'simulated-storys', which is the name of no data set with responses; did you "
        "mean 'simulated-stories'?",
    ),
    "a data set that a member lacks": (
        {"features.both.datasets": ["simulated-passages", "simulated-stories"]},
        "features.both.datasets: holds 'simulated-stories', which its member 'own' does not cover.",
    ),
    "a joined data set with a part that a member lacks": (
        JOINED,
        "features.both.datasets: holds 'all', which its member 'own' does not cover.",
    ),
    "members that never meet": (
        {
            "features.other": {"table": "f.csv", "datasets": ["simulated-stories"]},
            "features.both.joint": ["own", "other"],
        },
        "features.both.joint: no data set with responses has all its members, but only own (simulated-passages); other "
        "(simulated-stories).",
    ),
    "no encoder that joins": (
        {"encoders.controlled": NO_RIDGE},
        "features.both.joint: feature spaces are joined by a ridge with a linear kernel and an intercept, but of the "
        "encoders that are for simulated-passages none is one; give one, as {regression: ridge, split: {kind: "
        "grouped}}.",
    ),
    "no encoder that joins there": (
        {"encoders.controlled.datasets": ["simulated-stories"]},
        "of the encoders that are for simulated-passages none is one",
    ),
    "a prediction by it": (
        {
            "datasets.new": {"loader": "stimuli-only", "stimuli": "new.csv"},
            "predictions.p": {
                "encoder": "controlled",
                "features": "both",
                "dataset": "simulated-passages",
                "stimuli_of": "new",
            },
        },
        "predictions.p.features: holds 'both', which is joint features; encoders are kept of one feature space: name "
        f"one of its members, {TWIN}, length, own.",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence(changed: Changed, mistake: str) -> None:
    change, sentence = MISTAKES[mistake]
    with pytest.raises(InputError) as told:
        read_study(changed(CHANGES | change))
    assert sentence in str(told.value)
    sentences = str(told.value).split("\n")
    assert len(sentences) == (2 if mistake == "no encoder that joins" else 1), sentences  # of both entries


def test_published_models_have_nothing_to_join(changed: Changed) -> None:
    (Path("scores.csv")).write_text("model,r\npaper,0.3\n")
    published = {
        "published.table-5": {"table": "scores.csv", "model": "model", "score": "r", "units": "r"},
        "models.paper": {"published": {}, "family": "f", "kind": "vanilla"},
        "features.both": {"joint": ["paper", "length"]},
    }
    with pytest.raises(InputError, match=r"both\.joint: holds 'paper', which is the name of no model with weights"):
        read_study(changed(CHANGES | published))


def test_a_name_joins_the_same_members_in_all_studies_of_a_folder(
    study: Study, changed: Changed, tmp_path: Path
) -> None:
    record(study, tmp_path)
    other = CHANGES | {"study": "second", "features.both": {"joint": ["length", "own"]}}
    (sentence,) = conflicts(read_study(changed(other)), tmp_path)
    assert sentence.startswith(
        f"features.both means two things: joint is ['length', 'own'] in the study 'second', but ['{TWIN}', 'length', "
        "'own'] in 'first'"
    )
    elsewhere = CHANGES | {"study": "second", "features.nulls-only": {"joint": ["position", "length"]}}
    assert conflicts(read_study(changed(elsewhere)), tmp_path) == []
