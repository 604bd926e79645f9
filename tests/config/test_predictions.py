"""The section `predictions`, data sets of stimuli alone, and what the stages may know of them."""

from pathlib import Path
from typing import Any

import pytest

from brainalign import source_specs, specs
from brainalign.config.study import read_study
from brainalign.errors import InputError

NEW = {"loader": "stimuli-only", "stimuli": "new.csv", "text": "sentence", "group": "passage"}
PREDICTION = {
    "encoder": "controlled",
    "readout": "last-token",
    "features": "tiny-16",
    "dataset": "simulated-passages",
    "stimuli_of": "new",
}
CHANGES = {"datasets.new": NEW, "predictions.p": PREDICTION}


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "new.csv").write_text("sentence,passage\na b,p\n")
    (tmp_path / "f.csv").write_text("stimulus_id,f\n0001,1\n")
    monkeypatch.chdir(tmp_path)


def test_a_prediction_reads_what_it_needs(changed) -> None:
    study = read_study(changed(CHANGES))
    assert study.predictions["p"].layer == "chosen"
    assert source_specs.files(study, "new/stimuli") == {"stimuli": "new.csv"}
    assert specs.stimuli(study, "new")["settings"]["columns"] == {"text": "sentence", "context_group": "passage"}
    assert specs.prediction(study, "p") == PREDICTION | {"layer": "chosen"}
    given = ("controlled", "last-token", "tiny-16", "simulated-passages", "block_01")
    kept = specs.kept_encoder(study, *given)
    assert kept["layer"] == "block_01"
    assert kept["names"] == {name: PREDICTION[name] for name in ("encoder", "readout", "features", "dataset")}
    for change in ({"bootstrap": {"draws": 33}}, {"aggregate": "schrimpf"}, {"layer": "best"}):
        other = read_study(changed(CHANGES | {f"encoders.controlled.{key}": value for key, value in change.items()}))
        assert specs.kept_encoder(other, *given) == kept
    other = read_study(changed(CHANGES | {"encoders.controlled.zscore": True, "predictions": {}}))
    assert specs.kept_encoder(other, *given) != kept


def test_a_null_has_no_readout(changed) -> None:
    entry = {name: value for name, value in PREDICTION.items() if name != "readout"} | {"features": "length"}
    study = read_study(changed(CHANGES | {"predictions.p": entry}))
    assert specs.prediction(study, "p")["readout"] == "none"


MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "encoder": ({"encoder": "controled"}, "predictions.p.encoder: holds 'controled', which is the name of no encoder"),
    "readout": ({"readout": "last"}, "predictions.p.readout: holds 'last', which is the name of no readout"),
    "no readout": ({"readout": None}, "predictions.p: the key 'readout' is missing; the model 'tiny-16' needs one."),
    "features": (
        {"features": "tiny-17"},
        "predictions.p.features: holds 'tiny-17', which is the name of no model with weights or of `features`",
    ),
    "a readout of a null": (
        {"features": "length"},
        "predictions.p.readout: holds 'last-token', but 'length' is an entry of `features` and has none.",
    ),
    "a null of one data set": (
        {"features": "autocorrelation", "readout": None},
        "predictions.p.features: holds 'autocorrelation', but the null 'autocorrelation' is made of one data set's "
        "stimuli and says nothing of another's.",
    ),
    "stimuli alone are fitted to": (
        {"dataset": "new", "stimuli_of": "simulated-passages"},
        "predictions.p.dataset: holds 'new', which is the name of no data set with responses",
    ),
    "its own stimuli": (
        {"stimuli_of": "simulated-passages"},
        "predictions.p.stimuli_of: holds 'simulated-passages', which is the name of no other data set",
    ),
    "a series from sentences": (
        {"dataset": "simulated-stories"},
        "predictions.p.stimuli_of: the encoder 'controlled' delays the features of 'simulated-stories', but the data "
        "set 'new' has no runs with onsets.",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told(changed, mistake: str) -> None:
    change, sentence = MISTAKES[mistake]
    with pytest.raises(InputError) as told:
        read_study(changed(CHANGES | {"predictions.p": PREDICTION | change}))
    assert sentence in str(told.value)


FURTHER: dict[str, tuple[dict[str, Any], str]] = {
    "components": (
        {"readouts.last-token.match": {"components": 4}},
        "predictions.p.readout: holds 'last-token', whose components are fitted to the stimuli of each data set by "
        "itself, so that they are others in another; match by projection or localizer.",
    ),
    "an encoder that cannot be kept": (
        {"encoders.controlled": {"preset": "wehbe2014", "split": {"kind": "grouped"}}},
        "predictions.p.encoder: holds 'controlled', but an encoder with word_components: 10 cannot be kept, since "
        "components are fitted to the stimuli of each training set by itself.",
    ),
    "a layer for each subject": (
        {"encoders.controlled.layer": {"nested": "subject"}},
        "predictions.p.layer: holds 'chosen', but the encoder 'controlled' chooses a layer for each subject; name one "
        "layer.",
    ),
    "z-scores without runs": (
        {"encoders.controlled.zscore": True},
        "predictions.p.stimuli_of: the encoder 'controlled' z-scores features within runs, but the data set 'new' has "
        "no runs.",
    ),
    "a table that does not cover them": (
        {
            "features.own": {"table": "f.csv", "datasets": ["simulated-passages"]},
            "predictions.p": {k: v for k, v in PREDICTION.items() if k != "readout"} | {"features": "own"},
        },
        "predictions.p.features: the table 'own' does not cover the data set 'new'.",
    ),
    "ceilings of stimuli": (
        {"datasets.new": NEW | {"ceilings": {"subject-pool": {}}}},
        "datasets.new: ceilings belongs to responses, which a data set of stimuli has not; leave it out.",
    ),
    "a layer by a data set without responses": (
        {"encoders.controlled.layer": {"dataset": "new"}},
        "encoders.controlled.layer.dataset: holds 'new', which is the name of no data set",
    ),
}


@pytest.mark.parametrize("mistake", FURTHER)
def test_what_cannot_be_predicted_is_told(changed, mistake: str) -> None:
    changes, sentence = FURTHER[mistake]
    with pytest.raises(InputError) as told:
        read_study(changed(CHANGES | changes))
    assert sentence in str(told.value)
