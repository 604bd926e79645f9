"""Properties, evaluations, losses and texts: each mistake as one sentence, and what is accepted."""

import json
from pathlib import Path

import pytest

from brainalign import model_specs, source_specs, study_specs
from brainalign.config.properties import evaluated_models
from brainalign.config.study import read_study
from brainalign.errors import InputError
from brainalign.report.citations import data_citations

FILES = {"tiny-16": "a.json"}
LM_EVAL = {"task": "mmlu", "metric": "acc", "shots": 5, "files": FILES}
EVALUATION = {"tasks": ["mmlu"], "shots": 5}
MODELS = ["tiny-16", "tiny-32", "tiny-48", "tiny-80"]
TUNED = [f"{model}-instruct" for model in MODELS]
BOTH = "; leave one out, or say which counts: "

MISTAKES = {
    "no source": (
        {"properties.mmlu": {"source": "a paper"}},
        "properties.mmlu: values (model → number), table or lm_eval is needed.",
    ),
    "no files": (
        {"properties.mmlu": {"lm_eval": {"task": "mmlu", "metric": "acc"}}},
        "properties.mmlu.lm_eval: files (model → results_….json) or evaluation (an entry of `evaluations`) is needed.",
    ),
    "an unknown model": (
        {"properties.mmlu": {"lm_eval": LM_EVAL | {"files": {"tiny-17": "a.json"}}}},
        "properties.mmlu.lm_eval.files: holds 'tiny-17', which is the name of no model; did you mean 'tiny-16'?",
    ),
    "a lost file": (
        {"properties.mmlu": {"lm_eval": LM_EVAL | {"files": {"tiny-16": "no.json"}}}},
        "properties.mmlu.lm_eval.files.tiny-16: holds 'no.json', which is no file, seen from",
    ),
    "an unknown category": (
        {"properties.mmlu": {"lm_eval": LM_EVAL | {"category": "mmlu-stm"}}},
        "properties.mmlu.lm_eval.category: holds 'mmlu-stm'; one of 'mmlu-stem', ",
    ),
    "an unknown evaluation": (
        {"properties.mmlu": {"lm_eval": {"task": "mmlu", "metric": "acc", "evaluation": "five"}}},
        "properties.mmlu.lm_eval.evaluation: holds 'five', which is the name of no evaluation; there is none.",
    ),
    "a percentage": (
        {"properties.mmlu": {"values": {"tiny-16": 35.2}, "units": "fraction"}},
        "properties.mmlu: the value of 'tiny-16' is 35.2; a fraction lies between 0 and 1; a percentage has to be "
        "divided by 100.",
    ),
    "a percentage beside files": (
        {"properties.mmlu": {"values": {"tiny-32": 35.2}, "lm_eval": LM_EVAL}},
        "properties.mmlu: the value of 'tiny-32' is 35.2; a fraction lies between 0 and 1",
    ),
    "no number": (
        {"properties.mmlu": {"values": {"tiny-16": float("nan")}}},
        "properties.mmlu.values.tiny-16: holds nan; a finite number is needed.",
    ),
    "two sources": (
        {"properties.mmlu": {"values": {"tiny-16": 0.3}, "lm_eval": LM_EVAL}},
        "properties.mmlu: the model 'tiny-16' has two sources, values and files" + BOTH + "`prefer: values` or "
        "`prefer: files`.",
    ),
    "two sources, one run here": (
        {
            "evaluations.five": EVALUATION,
            "properties.mmlu": {"lm_eval": LM_EVAL | {"evaluation": "five"}},
        },
        "properties.mmlu: the model 'tiny-16' has two sources, files and evaluation" + BOTH + "`prefer: files` or "
        "`prefer: evaluation`.",
    ),
    "a preference for nothing": (
        {"properties.mmlu": {"values": {"tiny-16": 0.3}, "prefer": "table"}},
        "properties.mmlu.prefer: holds 'table', but there are no such numbers; there are values.",
    ),
    "other shots than those run": (
        {
            "evaluations.none": {"tasks": ["mmlu"], "shots": 0},
            "properties.mmlu": {"lm_eval": {"task": "mmlu", "metric": "acc", "evaluation": "none", "shots": 5}},
        },
        "properties.mmlu.lm_eval.shots: holds 5, but evaluations.none.shots has 0; make them the same.",
    ),
    "no tasks": (
        {"evaluations.five": {"tasks": []}},
        "evaluations.five.tasks: holds []; at least 1 entry is needed.",
    ),
    "no folder": (
        {"evaluations.five": EVALUATION | {"include": "a.json"}},
        "evaluations.five.include: holds 'a.json', which is no folder, seen from",
    ),
    "a model that is not there": (
        {"evaluations.five": EVALUATION | {"models": ["tiny-17"]}},
        "evaluations.five.models: holds 'tiny-17', which is the name of no model with weights; did you mean",
    ),
    "a model with Python of its own": (
        {
            "models.own": {
                "source": "owner/name",
                "revision": "0" * 40,
                "remote_code": True,
                "family": "o",
                "kind": "vanilla",
            },
            "evaluations.five": EVALUATION,
        },
        "evaluations.five: the model 'own' runs Python of its own (remote_code), which lm_eval is not allowed to; name "
        "the other models in evaluations.five.models.",
    ),
    "a stride as long as the window": (
        {"losses.world-loss": {"text": "world-held-out", "window": 64, "stride": 64}},
        "losses.world-loss: stride 64 must be below the window, which is 64.",
    ),
    "no WikiText": (
        {"losses.wikitext2": {}},
        "losses.wikitext2.text: holds 'wikitext2', which is the name of no text with kind: documents. Allowed: ",
    ),
    "tokens without a source": (
        {"models.tiny-16.training_tokens": {"tokens": 1e9}},
        "models.tiny-16.training_tokens: the key 'source' is missing.",
    ),
    "a property that is measured": (
        {"properties.world-loss_nats_per_byte": {"values": {}}},
        "properties.world-loss_nats_per_byte: 'world-loss_nats_per_byte' is measured or named by the workflow itself; "
        "choose another name.",
    ),
    "a property that is the loss of spans": (
        {"properties.world-loss_span_nats_per_byte": {"values": {}}},
        "properties.world-loss_span_nats_per_byte: 'world-loss_span_nats_per_byte' is measured or named by the",
    ),
    "a loss that is called as one of spans": (
        {"losses.world-loss_span": {"text": "world-held-out", "window": 64}},
        "losses.world-loss_span: this is how the loss of spans of 'world-loss' is called; choose another name.",
    ),
}


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.json", "t.csv", "wiki.test.txt", "own/mmlu.yaml", "own/data/items.jsonl", "own/.hidden"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told(case, changed):
    changes, sentence = MISTAKES[case]
    with pytest.raises(InputError) as caught:
        read_study(changed(changes))
    said = str(caught.value)
    assert said.startswith(sentence)
    assert "\n" not in said


def test_every_source_is_accepted_and_known_to_the_join_alone(changed):
    study = read_study(
        changed(
            {
                "evaluations.five": EVALUATION | {"include": "own", "limit": 20},
                "properties.mmlu": {
                    "values": {"tiny-16": 0.3},
                    "table": {"file": "t.csv", "value": "mmlu"},
                    "lm_eval": LM_EVAL | {"evaluation": "five", "limit": 20},
                    "prefer": "evaluation",
                    "date": "2024-01-31",
                },
                "models.tiny-16.training_tokens": {"tokens": "1.4e12", "source": "a paper"},
                "analyses.correlate": ["mmlu", "log10_training_tokens", "world-loss_span_nats_per_byte", "vocabulary"],
            }
        )
    )
    assert evaluated_models(study, "five") == [*MODELS, *TUNED]
    known = study_specs.properties(study, lambda path: f"digest of {path}")
    assert known["files"] == {"a.json": "digest of a.json", "t.csv": "digest of t.csv"}
    assert known["properties"]["mmlu"] == {
        "values": {"tiny-16": 0.3},
        "table": {"file": "t.csv", "model": "model", "value": "mmlu"},
        "lm_eval": {
            "task": "mmlu",
            "metric": "acc",
            "filter": "none",
            "shots": 5,
            "limit": 20.0,
            "files": FILES,
            "evaluation": "five",
        },
        "prefer": "evaluation",
        "date": "2024-01-31",
        "units": "fraction",
    }
    assert known["models"]["tiny-16"]["training_tokens"] == {"tokens": 1.4e12, "source": "a paper"}
    assert "training_tokens" not in known["models"]["tiny-16-untrained-0"]
    json.dumps(known)


def test_an_evaluation_knows_its_tasks_files_and_the_model_s_number_format(changed):
    study = read_study(
        changed({"evaluations.five": EVALUATION | {"include": "own"}, "models.tiny-16.dtype": "bfloat16"})
    )
    assert model_specs.evaluation(study, "0.4.13", "five", "tiny-16", lambda path: "sha") == {
        "settings": {
            "tasks": ["mmlu"],
            "shots": 5,
            "limit": None,
            "batch_size": 8,
            "chat_template": False,
            "dtype": "bfloat16",
        },
        "include": "own",
        "files": {"own/data/items.jsonl": "sha", "own/mmlu.yaml": "sha"},
        "harness": "0.4.13",
    }


def test_numbers_that_may_be_of_any_size_are_known_to_the_join(changed):
    study = read_study(changed({"properties.ratio": {"values": {"tiny-16": 0.5}, "units": "number"}}))
    assert study_specs.properties(study, str)["properties"]["ratio"]["units"] == "number"


def test_conditions_of_an_evaluation_are_those_of_its_scores(changed):
    scores = {"task": "mmlu", "metric": "acc", "evaluation": "five"}
    study = read_study(
        changed({"evaluations.five": EVALUATION | {"limit": 10}, "properties.mmlu": {"lm_eval": scores}})
    )
    asked = study_specs.properties(study, str)["properties"]["mmlu"]["lm_eval"]
    assert (asked["shots"], asked["limit"]) == (5, 10)


def test_the_citation_of_a_text_is_known_to_the_report_alone(changed):
    text = {"loader": "wikitext", "file": "wiki.test.txt"}
    plain, cited = (
        read_study(changed({"texts.wikitext2": text | more})) for more in ({}, {"citation": "Merity et al. 2017"})
    )
    assert source_specs.source(plain, "wikitext2", str) == source_specs.source(cited, "wikitext2", str)
    shown = study_specs.report(cited, {})["config"]["texts"]
    assert shown["wikitext2"] == {"loader": "wikitext", "citation": "Merity et al. 2017"}
    assert shown["world-training"] == {"loader": "simulated"}
    assert "wikitext2: Merity et al. 2017" in data_citations(study_specs.report(cited, {})["config"])


def test_wikitext_is_a_source_of_its_own(changed):
    text = {"loader": "wikitext", "file": "wiki.test.txt", "detokenise": True}
    study = read_study(changed({"texts.wikitext2": text, "losses.wikitext2": {"window": 128}}))
    assert study.losses["wikitext2"].text == "wikitext2"
    assert source_specs.source(study, "wikitext2", lambda path: "sha") == {
        "loader": "wikitext",
        "settings": {"sha256": "sha", "detokenise": True},
    }
    assert source_specs.files(study, "wikitext2") == {"original": "wiki.test.txt"}
