"""A name means one thing in all studies whose results lie in one folder."""

import json
from pathlib import Path

import pytest
import yaml

from brainalign.config.claims import conflicts, record
from brainalign.config.study import Study, read_study

ROOT = Path(__file__).parents[2]
FOLDER = (
    "whose results lie in the same folder; rename it in one of them, or, if 'first' is to change too or is no longer "
    "wanted, delete its config.json there."
)


@pytest.fixture
def compare(changed, tmp_path):
    """Return a function that records one study and asks another one, both given as changes of the default."""

    def compare(theirs: dict, mine: dict) -> list[str]:
        record(read_study(changed({"study": "first"} | theirs)), tmp_path)
        return conflicts(read_study(changed({"study": "second"} | mine)), tmp_path)

    return compare


def test_studies_that_agree_do_not_conflict(compare):
    assert compare({}, {}) == []


def test_a_study_does_not_conflict_with_its_own_past(compare):
    assert compare({}, {"study": "first", "readouts.last-token.pooling": "mean"}) == []


FREE = {
    "a family": {"models.tiny-16.family": "other"},
    "the kind": {"models.tiny-16.kind": "untrained", "models.tiny-16-instruct": ...},
    "the order of the seeds of twins": {"models.tiny-16.untrained": {"seeds": [1, 0]}},
    "a citation": {"datasets.simulated-passages.citation": "us"},
    "a citation of a text": {"texts.world-training.citation": "us"},
    "the data sets that features cover": {"features.glove.datasets": ["simulated-passages"]},
    "a new model": {"models.x": {"source": "a/b", "family": "f", "kind": "vanilla"}},
    "a model less": {"models.tiny-16-instruct": ...},
    "analyses": {"analyses.draws": 500},
    "properties": {"properties": {"mmlu": {"values": {"tiny-16": 1}}}},
    "figures": {"figures": ["layers"]},
    "the order of names": {"features": ...},
}


@pytest.mark.parametrize("case", FREE)
def test_what_reaches_no_shared_file_is_free(case, compare, tmp_path, monkeypatch, config):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "glove.csv").write_text("a\n")
    glove = {"features.glove": {"table": "glove.csv"}, "models.tiny-16.untrained": {"seeds": [0, 1]}}
    changes = FREE[case]
    if case == "the order of names":
        changes = {"features": dict(reversed(config["features"].items())) | {"glove": {"table": "glove.csv"}}}
    assert compare(glove, glove | changes) == []


CLASHES = {
    "a model": (
        {"models.tiny-16.dtype": "bfloat16"},
        ["models.tiny-16 means two things: dtype is bfloat16 in the study 'second', but float32 in 'first', " + FOLDER],
    ),
    "the base of a tuned model": (
        {"models.tiny-16-instruct.base": "tiny-32"},
        [
            "models.tiny-16-instruct means two things: base is tiny-32 in the study 'second', but tiny-16 in 'first', "
            + FOLDER
        ],
    ),
    "a readout": (
        {"readouts.last-token.pooling": "mean"},
        ["readouts.last-token means two things: pooling is mean in the study 'second', but last in 'first', " + FOLDER],
    ),
    "an encoder": (
        {"encoders.controlled.delays": [1]},
        [
            "encoders.controlled means two things: delays is [1] in the study 'second', but [1, 2, 3, 4] in 'first', "
            + FOLDER
        ],
    ),
    "a collection, which stands in the tables": (
        {"datasets.simulated-passages.collection": "other"},
        [
            "datasets.simulated-passages means two things: collection is other in the study 'second', "
            "but None in 'first', " + FOLDER
        ],
    ),
    "a loss": (
        {"losses.world-loss.window": 64},
        ["losses.world-loss means two things: window is 64 in the study 'second', but 256 in 'first', " + FOLDER],
    ),
    "a text": (
        {"texts.world-training.seed": 7},
        ["texts.world-training means two things: seed is 7 in the study 'second', but 101 in 'first', " + FOLDER],
    ),
    "a null's settings": (
        {"features.autocorrelation.sigmas": [2]},
        [
            "features.autocorrelation means two things: sigmas is [2.0] in the study 'second', "
            "but [0.5, 1.0, 2.0] in 'first', " + FOLDER
        ],
    ),
    "another set of nulls": (
        {"features.length": ...},
        [
            "features: the nulls are autocorrelation, position in the study 'second', but autocorrelation, length, "
            "position in 'first', which shares the data set 'simulated-passages' and the encoder 'as-published'; "
            "give both the same nulls, or one of them other names."
        ],
    ),
    "other twins": (
        {"models.tiny-16.untrained": {"seeds": [0, 1]}},
        [
            "models.tiny-16: the seeds of its untrained twins are 0, 1 in the study 'second', but 0 in 'first', which "
            "shares the data set 'simulated-passages' and the encoder 'as-published'; give both the same, or one of "
            "them other names."
        ],
    ),
    "another readout of random tokens": (
        {"readouts.random": {"context": "group", "pooling": "last", "overflow": "restart", "tokens": "random"}},
        [
            "readouts.last-token: the readouts of random tokens that are like it are random in the study 'second', but "
            "none in 'first', which shares the data set 'simulated-passages' and the encoder 'as-published'; give both "
            "the same, or one of them other names."
        ],
    ),
    "no nulls": (
        {"features": {}},
        [
            "features: the nulls are none in the study 'second', but autocorrelation, length, position in 'first', "
            "which shares the data set 'simulated-passages' and the encoder 'as-published'; "
            "give both the same nulls, or one of them other names."
        ],
    ),
}


@pytest.mark.parametrize("case", CLASHES)
def test_a_shared_name_with_another_meaning_is_told(case, compare):
    changes, sentences = CLASHES[case]
    assert compare({}, changes) == sentences


def test_a_text_and_a_data_set_of_one_name_would_write_the_same_files(compare):
    text = {"texts.corpus": {"loader": "simulated", "kind": "documents", "seed": 1, "count": 3}}
    dataset = {"datasets.corpus": {"loader": "simulated", "kind": "passages", "seed": 1}}
    end = f"in 'first', {FOLDER}"
    assert compare(text, dataset) == [
        f"datasets.corpus means two things: it is a data set in the study 'second', but a text {end}"
    ]
    assert compare(dataset, text) == [
        f"texts.corpus means two things: it is a text in the study 'second', but a data set {end}"
    ]


def test_other_nulls_do_not_matter_where_no_cell_is_shared(compare, config):
    passages = config["datasets"]["simulated-passages"]
    assert compare({}, {"features": {}, "datasets": {"other": passages | {"seed": 5}}}) == []


def test_other_twins_do_not_matter_where_no_cell_is_shared(compare, config):
    passages = config["datasets"]["simulated-passages"]
    twins = {"models.tiny-16.untrained": {"seeds": [0, 1]}}
    assert compare({}, twins | {"datasets": {"other": passages | {"seed": 5}}}) == []


def test_all_studies_of_the_folder_are_asked(changed, tmp_path):
    for name in ("a", "b"):
        record(read_study(changed({"study": name})), tmp_path)
    found = conflicts(read_study(changed({"study": "c", "losses.world-loss.window": 64})), tmp_path)
    assert [sentence.partition(" but ")[2].partition(",")[0] for sentence in found] == ["256 in 'a'", "256 in 'b'"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b'{"models": 3}'])
def test_a_record_that_cannot_be_read_claims_nothing(content, changed, tmp_path):
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "config.json").write_bytes(content)
    assert conflicts(read_study(changed({"study": "second"})), tmp_path) == []


def test_a_record_holds_the_whole_study_with_its_defaults(changed, tmp_path):
    record(read_study(changed({})), tmp_path)
    kept = json.loads((tmp_path / "first" / "config.json").read_text(encoding="utf-8"))
    assert set(kept) == set(Study.model_fields)
    assert kept["readouts"]["last-token"]["special_tokens"] == "none"
    assert kept["encoders"]["as-published"]["grid"] == {
        "log10_min": -4.0,
        "log10_max": 8.0,
        "count": 13,
        "scale": "relative",
    }
    assert kept["datasets"]["simulated-stories"]["ceilings"] == {
        "known": {},
        "given": None,
        "repeats": None,
        "split-half": None,
        "leave-one-subject-out": None,
        "subject-pool": {
            "design": "balanced",
            "pools": 2,
            "held_out": None,
            "seed": 0,
            "bootstraps": 100,
            "fit": "neuroid",
            "shifts": 19,
        },
        "normalise": "aggregate",
    }


def test_the_studies_that_are_shipped_agree(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    for path in (ROOT / "config.yaml", *sorted((ROOT / "studies").glob("*.yaml"))):
        study = read_study(yaml.safe_load(path.read_text(encoding="utf-8")))
        assert conflicts(study, tmp_path) == []
        record(study, tmp_path)
