"""Published scores, models without weights and sets of models: what is accepted, and each mistake as one sentence."""

from pathlib import Path

import pytest

from brainalign import model_specs, study_specs
from brainalign.config.claims import conflicts, record
from brainalign.config.study import read_study
from brainalign.config.twins import with_twins
from brainalign.errors import InputError

SCORES = {"table": "scores.csv", "score": "r"}
MODEL = {"published": {"parameters": 7000}, "family": "far", "kind": "vanilla"}
ALONE = {
    "published": {"brain": SCORES},
    "models": {"far": MODEL},
    "datasets": {},
    "encoders": {},
    "readouts": {},
    "features": {},
    "losses": {},
    "analyses": {},
}

MISTAKES = {
    "a percentage": (
        {"published.brain": SCORES | {"ceiling": 35.9}},
        "published.brain.ceiling: holds 35.9; a number of at most 1 is needed; a percentage has to be divided by 100.",
    ),
    "normalised by nothing": (
        {"published.brain": SCORES | {"units": "normalised"}},
        "published.brain: units: normalised needs `ceiling`, by which the scores were divided.",
    ),
    "no score": ({"published.brain": {"table": "scores.csv"}}, "published.brain: the key 'score' is missing."),
    "a lost table": (
        {"published.brain": SCORES | {"table": "no.csv"}},
        "published.brain.table: holds 'no.csv', which is no file, seen from {here}.",
    ),
    "twins without weights": (
        {"published.brain": SCORES, "models.far": MODEL | {"untrained": {"seeds": [0]}}},
        "models.far: a published model has no weights here, and so neither untrained twins nor a dtype.",
    ),
    "weights and none": (
        {"published.brain": SCORES, "models.far": MODEL | {"source": "a/b"}},
        "models.far: exactly one of source, train, tune, published must be given, but there is source and published.",
    ),
    "no table that it could be in": (
        {"models.far": MODEL},
        "models.far.published: there is no table of scores in `published` that it could be in.",
    ),
    "tuned from a model without weights": (
        {"published.brain": SCORES, "models.far": MODEL, "models.tiny-16-instruct.base": "far"},
        "models.tiny-16-instruct.tune: 'far' has published scores only; a base with weights is needed.",
    ),
    "data that no encoder predicts": (
        {"published.brain": SCORES, "encoders": {}},
        "encoders: holds {}; at least 1 entry is needed.",
    ),
    "a family": (
        {"analyses.over": {"small": {"families": ["tinny"]}}},
        "analyses.over.small.families: holds 'tinny', which is the name of no family; did you mean 'tiny'? "
        "Allowed: tiny.",
    ),
    "an untrained set": (
        {"analyses.over": {"small": {"kinds": ["untrained"]}}},
        "analyses.over.small.kinds.0: holds 'untrained'; one of 'vanilla', 'instruction-tuned' is needed.",
    ),
    "no set": ({"analyses.over": {}}, "analyses.over: holds {}; at least 1 entry is needed."),
    "the same given": (
        {"analyses.partial": [{"property": "width", "given": ["width"]}]},
        "analyses.partial.0: property and given must be different, but there are ['width', 'width'].",
    ),
    "a covariate": (
        {"analyses.partial": [{"property": "width", "given": ["deepth"]}]},
        "analyses.partial.0.given: holds 'deepth', which is the name of no property or loss; did you mean 'depth'? "
        "Allowed: log10_parameters, parameters, width, depth, vocabulary, training_tokens, world-loss, "
        "world-loss_nats_per_token, world-loss_nats_per_word, world-loss_nats_per_byte, "
        "world-loss_span_nats_per_token, world-loss_span_nats_per_word, world-loss_span_nats_per_byte.",
    ),
    "a logarithm": (
        {"analyses.correlate": ["log10_with"]},
        "analyses.correlate: holds 'log10_with', which is the name of no property or loss. "
        "Allowed: log10_parameters, parameters, width, depth, vocabulary, training_tokens, world-loss, "
        "world-loss_nats_per_token, world-loss_nats_per_word, world-loss_nats_per_byte, "
        "world-loss_span_nats_per_token, world-loss_span_nats_per_word, world-loss_span_nats_per_byte.",
    ),
    "a set of a correction": (
        {"analyses.corrections": {"t": {"over": ["al"]}}},
        "analyses.corrections.t.over: holds 'al', which is the name of no set of models; did you mean 'all'? "
        "Allowed: all.",
    ),
    "a percentage for r": (
        {"analyses.given": {"t": {"n": 17, "r": {"mmlu": 80.9}}}},
        "analyses.given.t.r.mmlu: holds 80.9; a number of at most 1 is needed; a percentage has to be divided by 100.",
    ),
    "three models": (
        {"analyses.given": {"t": {"n": 3, "r": {"mmlu": 0.8}}}},
        "analyses.given.t.n: holds 3; a number of at least 4 is needed.",
    ),
    "one name twice": (
        {"analyses.given": {"t": {"n": 9, "r": {"mmlu": 0.8}}}, "analyses.corrections": {"t": {}}},
        "analyses: 't' is the name of an entry of `corrections` and of one of `given`; rename one.",
    ),
}


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "scores.csv").write_text("model,r\nfar,0.2\n")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told(case, changed):
    changes, sentence = MISTAKES[case]
    with pytest.raises(InputError) as caught:
        read_study(changed(changes))
    assert str(caught.value) == sentence.replace("{here}", str(Path.cwd()))


def test_a_study_of_published_scores_alone_is_valid(changed):
    study = read_study(changed(ALONE))
    assert model_specs.model_origin(with_twins(study.models)["far"]) == "published"
    sizes = {"parameters": 7000, "width": None, "depth": None, "vocabulary": None}
    assert study_specs.properties(study, str)["models"]["far"]["sizes"] == sizes
    spec = study_specs.published(study, "brain", lambda path: f"sha256 of {path}")
    names = {"dataset": "brain", "collection": "brain", "encoder": "published"}
    settings = {"model": "model", "score": "r", "units": "r", "ceiling": None, "ceiling_basis": "responses"}
    assert spec == settings | {"sha256": "sha256 of scores.csv", "names": names}


def test_without_published_scores_data_and_encoders_are_needed(changed):
    with pytest.raises(InputError, match=r"datasets: holds \{\}; at least 1 entry is needed\."):
        read_study(changed({"datasets": {}, "encoders": {}}))


def test_logarithms_of_any_property_may_be_asked_for(changed):
    study = read_study(changed({"analyses.correlate": ["log10_width", "log10_parameters", "world-loss"]}))
    assert study.analyses.correlate[0] == "log10_width"


def test_a_published_model_claims_no_name_but_a_published_table_does(changed, tmp_path):
    record(read_study(changed({"study": "other"})), tmp_path)
    mine = {"models": {"tiny-16": MODEL}}
    assert conflicts(read_study(changed(ALONE | mine)), tmp_path) == []
    record(read_study(changed(ALONE | {"study": "third"})), tmp_path)
    (sentence,) = conflicts(read_study(changed(ALONE | {"published": {"brain": SCORES | {"ceiling": 0.5}}})), tmp_path)
    assert sentence.startswith(
        "published.brain means two things: ceiling is 0.5 in the study 'first', but None in 'third'"
    )
    cited = {"published": {"brain": SCORES | {"citation": "us"}}}
    assert conflicts(read_study(changed(ALONE | cited)), tmp_path) == []
