"""The project's study is valid, and its schema is the one that editors are given."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from brainalign.config.schema import SCHEMA, schema_text
from brainalign.config.study import read_study
from brainalign.errors import InputError

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def project_config():
    return yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))


def test_the_default_study_is_valid_and_says_that_it_is_simulated(project_config):
    study = read_study(project_config)
    assert study.study == "miniature"
    assert {entry.loader for entry in study.datasets.values()} == {"simulated"}
    assert {model.source for model in study.models.values()} == {None}


def test_numbers_may_be_written_in_any_way_that_yaml_leaves_as_text(changed):
    # YAML 1.1 reads 1e-3 as text, for want of a dot.
    study = read_study(changed({"models.tiny-16.train.learning_rate": "1e-3"}))
    assert study.models["tiny-16"].train.learning_rate == 1e-3


def test_a_study_is_not_changed_once_read(config):
    study = read_study(config)
    with pytest.raises(ValueError, match="frozen"):
        study.models["tiny-16"].family = "other"


def test_the_schema_has_not_drifted():
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), (
        "the schema is not that of the typed config; make it again: "
        "(cd workflow_scripts && ../.venv/bin/python -m brainalign.config.schema)"
    )


def test_the_default_study_names_the_schema_and_keeps_to_it(project_config):
    first = (ROOT / "config.yaml").read_text(encoding="utf-8").splitlines()[0]
    assert first == f"# yaml-language-server: $schema={SCHEMA.relative_to(ROOT)}"
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(project_config, schema)


@pytest.mark.parametrize(
    "changes",
    [
        {"modles": {}},
        {"models.tiny-16.kind": "vanila"},
        {"encoders.controlled.split.folds": 1},
        {"datasets.simulated-passages.loader": ...},
        {"study": "a b"},
        {"features.autocorrelation.sigma": [1]},
    ],
)
def test_the_schema_refuses_what_the_study_refuses(changes, changed):
    config = changed(changes)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(config, json.loads(SCHEMA.read_text(encoding="utf-8")))
    with pytest.raises(InputError):
        read_study(config)


PRESETS_ALONE = {
    "a preset alone": ({"preset": "aw2023"}, True),
    "some keys of its split": ({"preset": "wehbe2014", "split": {"folds": 5}, "grid": {"count": 6}}, True),
    "a split of its own": ({"preset": "aw2023", "split": {"kind": "kfold"}}, True),
    "no preset": ({"layer": "best"}, False),
    "no split": ({"regression": "ols"}, False),
    "some keys of no preset's split": ({"regression": "ols", "split": {"kind": "contiguous", "folds": 5}}, False),
    "a key of no split": ({"preset": "aw2023", "split": {"fold": 5}}, False),
    "an unknown preset": ({"preset": "aw", "regression": "ols", "split": {"kind": "kfold"}}, False),
}


@pytest.mark.parametrize("case", PRESETS_ALONE)
def test_the_schema_asks_of_an_encoder_with_a_preset_what_the_study_asks(case, changed):
    entry, valid = PRESETS_ALONE[case]
    config = changed({"encoders.own": entry})
    if valid:
        jsonschema.validate(config, json.loads(schema_text()))
        read_study(config)
        return
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(config, json.loads(schema_text()))
    with pytest.raises(InputError):
        read_study(config)


def test_the_schema_is_closed_everywhere():
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    sections = {"Study": schema, **schema["$defs"]}
    with_keys = {name: section for name, section in sections.items() if "properties" in section}
    assert {name for name, section in with_keys.items() if section.get("additionalProperties") is not False} == set()
