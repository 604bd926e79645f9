"""What each stage may know: all of it, nothing else, and in one form."""

import json
import math
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from brainalign import model_specs, source_specs, specs, study_specs
from brainalign.activations.matched import Match
from brainalign.activations.readout import Readout
from brainalign.ceilings.ceiling import KINDS
from brainalign.config.study import Study, read_study
from brainalign.config.twins import with_twins
from brainalign.provenance import canonical

CONFIG = yaml.safe_load((Path(__file__).parent / "config" / "study.yaml").read_text(encoding="utf-8"))
FILES = {
    "s.csv": "item,sentence\n1,a\n",
    "r.csv": "item,v\n1,2\n",
    "c.csv": "n,r\nv,0.5\n",
    "t.txt": "text",
    "glove.csv": "stimulus_id,x\n1,2\n",
    "weights/config.json": "{}",
    "weights/model.safetensors": "weights",
    "weights/notes.md": "no part of a model",
}
MINE = {
    "datasets.mine": {
        "loader": "table",
        "stimuli": "s.csv",
        "id": "item",
        "text": "sentence",
        "split": "topic",
        "responses": "r.csv",
        "ceilings": {
            "given": {"table": "c.csv", "neuroid": "n", "value": "r", "units": "r2", "basis": "encoder"},
            "subject-pool": {},
        },
    },
    "texts.own": {"loader": "file", "file": "t.txt"},
    "features.glove": {"table": "glove.csv", "datasets": ["mine"]},
    "features.noise": {"control": "random", "width": 8, "seed": 1},
    "models.hub": {
        "source": "openai-community/gpt2",
        "revision": "607a30d783dfa663caf39e06633721c8d4cfcd7e",
        "family": "gpt2",
        "kind": "vanilla",
        "untrained": {"seeds": [4]},
    },
    "models.folder": {"source": "weights", "family": "f", "kind": "vanilla", "untrained": {"seeds": [0]}},
    "properties": {"mmlu": {"values": {"hub": 0.26}}},
}


def digest(path: str) -> str:
    return f"sha256 of {path}"


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    monkeypatch.chdir(tmp_path)


def study_with(changes: dict[str, Any]) -> Study:
    config = deepcopy(CONFIG)
    for where, value in (MINE | changes).items():
        *path, last = where.split(".")
        section = config
        for key in path:
            section = section.setdefault(key, {})
        section[last] = deepcopy(value)
    return read_study(config)


def all_specs(study: Study) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every spec that the rules make of a study, under the name of its file."""
    models = list(with_twins(study.models))
    for source in source_specs.sources(study):
        yield f"sources/{source}", source_specs.source(study, source, digest)
    for model in models:
        yield f"models/{model}", model_specs.model(study, model, digest)
    for model in (name for name, entry in study.models.items() if entry.source):
        yield f"architectures/{model}", model_specs.architecture(study, model, digest)
    for dataset in study.datasets:
        yield f"stimuli/{dataset}", specs.stimuli(study, dataset)
        yield f"responses/{dataset}", specs.responses(study, dataset)
    for readout in study.readouts:
        for model in models:
            yield f"activations/{readout}/{model}", specs.activations(study, readout, model, digest)
    for name in study.features:
        yield f"activations/none/{name}", specs.features(study, name, digest)
    for encoder in study.encoders:
        yield f"encoding/{encoder}", specs.encoder(study, encoder, "last-token", "simulated-stories")
        yield f"joint/{encoder}", specs.joint_encoder(study, encoder)
        for dataset in study.datasets:
            yield f"ceilings/{encoder}/{dataset}", specs.ceilings(study, encoder, dataset)
            for readout, names in [*((r, models) for r in study.readouts), ("none", list(study.features))]:
                for name in names:
                    cell = (encoder, readout, name, dataset)
                    yield f"alignment/{'/'.join(cell)}", specs.alignment(study, *cell)
    for loss in study.losses:
        for model in models:
            yield f"losses/{loss}/{model}", model_specs.loss(study, loss, model)
    yield "study/properties", study_specs.properties(study, digest)
    yield "study/correlations", study_specs.correlation(study)
    yield "study/pairs", study_specs.pairs(study)
    for figure in study.figures:
        yield f"figures/{figure}", study_specs.figure(study, figure)


def strings(study: Study) -> dict[str, str]:
    return {name: canonical(spec) for name, spec in all_specs(study)}


def changed_by(changes: dict[str, Any]) -> set[str]:
    """The files whose specs differ, appear or vanish."""
    before, after = strings(study_with({})), strings(study_with(changes))
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def under(*folders: str) -> Callable[[str], bool]:
    return lambda name: name.startswith(folders)


# --- form -----------------------------------------------------------------------------------------------------------


def numbers_in(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        assert all(type(key) is str for key in value)
        for item in value.values():
            yield from numbers_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from numbers_in(item)
    else:
        assert value is None or type(value) in (bool, int, float, str), f"{value!r} is not plain"
        if type(value) is float:
            yield value


def test_every_spec_is_plain_json_without_nan():
    for name, spec in all_specs(study_with({})):
        assert all(math.isfinite(number) for number in numbers_in(spec)), name
        assert json.loads(canonical(spec)) == spec


def test_the_order_of_keys_and_the_way_numbers_are_written_do_not_matter():
    def reversed_keys(value: Any) -> Any:
        return {key: reversed_keys(value[key]) for key in reversed(value)} if isinstance(value, dict) else value

    config = CONFIG | {"properties": {name: {"values": {"tiny-16": 0.5, "tiny-32": 1}} for name in ("mmlu", "bbh")}}
    other = reversed_keys(config)
    other["encoders"]["controlled"]["grid"] |= {"log10_min": -4.0, "count": 13.0}
    other["features"]["autocorrelation"]["sigmas"] = [0.5, 1, 2]
    assert strings(read_study(config)) == strings(read_study(other))


def test_defaults_that_are_written_out_do_not_matter():
    assert changed_by({"encoders.controlled.zscore": False, "readouts.last-token": {}}) == set()


# --- content: the whole spec of each stage, once --------------------------------------------------------------------


def test_sources():
    study = study_with({})
    assert source_specs.source(study, "simulated-passages", digest) == {
        "loader": "simulated",
        "settings": {
            "kind": "passages",
            "world": 0,
            "seed": 201,
            "subjects": 6,
            "neuroids": 50,
            "passages": 96,
            "sentences": 4,
        },
    }
    assert source_specs.source(study, "world-questions", digest) == {
        "loader": "simulated",
        "settings": {"kind": "questions", "world": 0, "seed": 103, "count": 3000},
    }
    assert source_specs.source(study, "own", digest) == {
        "loader": "table",
        "settings": {"files": {"documents": "sha256 of t.txt"}},
    }
    for role, path in {"stimuli": "s.csv", "responses": "r.csv", "ceilings": "c.csv"}.items():
        source = source_specs.read_by(study, "mine", role)
        assert source_specs.files(study, source) == {role: path}
        assert source_specs.source(study, source, digest) == {
            "loader": "table",
            "settings": {"files": {role: f"sha256 of {path}"}},
        }
    for source in ("simulated-passages", "world-questions"):
        assert source_specs.files(study, source) == {}


def test_what_each_stage_reads_of_a_data_set_is_a_source_of_its_own():
    tables = {"neuroid_table": "n.csv", "samples": "m.csv", "map": "p.csv"}
    for name in tables.values():
        Path(name).write_text("")
    study = study_with({f"datasets.mine.{key}": path for key, path in tables.items()})
    responses = {"responses": "r.csv", "neuroids": "n.csv", "samples": "m.csv", "map": "p.csv"}
    assert source_specs.files(study, "mine/responses") == responses
    names = source_specs.sources(study)
    assert len(names) == len(set(names))
    assert {name for name in names if "mine" in name} == {"mine/stimuli", "mine/responses", "mine/ceilings"}
    simulated = {source_specs.read_by(study, "simulated-stories", stage) for stage in ("stimuli", "responses")}
    assert simulated == {"simulated-stories"} <= set(names)
    assert set(study.texts) <= set(names)


def test_the_names_of_sources_follow_the_ceilings_that_are_given():
    given = {"table": "c.csv", "neuroid": "n", "value": "r"}
    without = source_specs.sources(study_with({"datasets.mine.ceilings": {}}))
    assert "mine/ceilings" not in without
    study = study_with({"datasets.simulated-stories.ceilings": {"given": given}})
    assert set(source_specs.sources(study)) - set(without) == {"mine/ceilings", "simulated-stories/ceilings"}
    assert source_specs.files(study, source_specs.read_by(study, "simulated-stories", "ceilings")) == {
        "ceilings": "c.csv"
    }


def test_stimuli_and_responses():
    study = study_with({})
    names = ["stimulus_id", "text", "context_group", "split_group", "run", "onset_s"]
    assert specs.stimuli(study, "simulated-stories")["settings"] == {
        "columns": {name: name for name in names},
        "order": None,
    }
    assert list(specs.stimuli(study, "simulated-passages")["settings"]["columns"]) == names[:4]
    assert specs.stimuli(study, "mine") == {
        "loader": "table",
        "settings": {
            "columns": {"stimulus_id": "item", "text": "sentence", "split_group": "topic"},
            "order": None,
        },
    }
    assert specs.responses(study, "simulated-stories") == {"loader": "table", "simulated": True, "settings": {}}
    assert specs.responses(study, "mine") == {
        "loader": "table",
        "simulated": False,
        "settings": {
            "responses_id": "item",
            "responses_key": None,
            "neuroids": None,
            "neuroid_columns": {"neuroid_id": "neuroid_id", "subject": "subject", "region": "region"},
            "region_per_neuroid": False,
            "columns": [],
            "bad_neuroids": "refuse",
        },
    }


def test_models():
    study = study_with({})
    training = {
        "architecture": "llama",
        "width": 16,
        "layers": 2,
        "heads": 2,
        "context": 256,
        "steps": 200,
        "batch": 8,
        "learning_rate": 0.003,
        "seed": 0,
    }
    texts = ["world-training", "world-questions"]
    assert model_specs.model(study, "tiny-16", digest) == {"settings": training, "texts": texts}
    twin = training | {"steps": 0, "batch": 16}
    assert model_specs.model(study, "tiny-16-untrained-0", digest) == {"settings": twin, "texts": texts}
    tuning = {"steps": 100, "batch": 16, "learning_rate": 0.001, "seed": 0}
    assert model_specs.model(study, "tiny-16-instruct", digest) == {"settings": tuning}
    hub = {"source": "openai-community/gpt2", "revision": MINE["models.hub"]["revision"]}
    assert model_specs.model(study, "hub", digest) == hub
    assert model_specs.architecture(study, "hub", digest) == hub
    assert model_specs.model(study, "hub-untrained-4", digest) == {"seed": 4}
    files = {"config.json": "sha256 of weights/config.json"}
    weights = {"model.safetensors": "sha256 of weights/model.safetensors"}
    assert model_specs.model(study, "folder", digest) == {"source": "weights", "files": files | weights}
    assert model_specs.architecture(study, "folder", digest) == {"source": "weights", "files": files}
    assert model_specs.model(study, "folder-untrained-0", digest) == {"seed": 0}
    origins = {name: model_specs.model_origin(model) for name, model in with_twins(study.models).items()}
    assert [origins[name] for name in ("tiny-16", "tiny-16-untrained-0", "tiny-16-instruct")] == [
        "trained",
        "trained",
        "tuned",
    ]
    assert [origins[name] for name in ("hub", "hub-untrained-4", "folder", "folder-untrained-0")] == [
        "fetched",
        "untrained",
        "fetched",
        "untrained",
    ]


def test_activations_features_and_losses():
    study = study_with({"readouts.words": {"context": {"window": 5}, "pooling": "mean"}})
    last = specs.activations(study, "last-token", "hub", digest)
    assert last == {"readout": asdict(Readout()), "dtype": "float32"}
    assert specs.activations(study, "words", "hub", digest)["readout"] == asdict(Readout("window", 5, "words", "mean"))
    assert specs.features(study, "position", digest) == {"null": "position", "settings": {}}
    assert specs.features(study, "noise", digest) == {"null": "random", "settings": {"width": 8, "seed": 1}}
    assert specs.features(study, "glove", digest) == {
        "null": "table",
        "settings": {"on": "stimulus_id", "sha256": "sha256 of glove.csv"},
    }
    assert specs.nulls(study) == ["position", "length", "autocorrelation", "noise"]
    assert model_specs.loss(study, "world-loss", "hub") == {
        "window": 256,
        "stride": None,
        "seed": 0,
        "dtype": "float32",
    }


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"context": {"window": 8, "unit": "tokens"}}, Readout("window", 8, "tokens")),
        ({"prompt": "Read:"}, Readout(prompt="Read:")),
        ({"prompt": {"chat": "user"}, "limit": 512}, Readout(chat="user", limit=512)),
        ({"tokens": "random"}, Readout(tokens="random", seed=0)),
        ({"tokens": "random", "seed": 4, "match": {"components": 8}}, Readout(tokens="random", seed=4)),
        ({"preset": "wehbe"}, Readout("window", 19, "words", "mean", "slide")),
        ({"preset": "wehbe", "context": {"window": 39}}, Readout("window", 39, "words", "mean", "slide")),
        ({"preset": "wehbe", "context": "group"}, Readout("group", pooling="mean", overflow="slide")),
        (
            {"preset": "brain-score", "overflow": "restart"},
            Readout(overflow="restart", join="punctuation", special_tokens="part"),
        ),
    ],
)
def test_readouts(given, expected):
    spec = specs.activations(study_with({"readouts.words": given}), "words", "hub", digest)
    assert Readout.from_mapping(spec["readout"]) == expected
    json.dumps(spec)


LOCALIZED = {"rank": "t", "over": "layer"}
COLUMNS = {"text": "text", "condition": "condition", "conditions": ["sentence", "non-word"]}


@pytest.mark.parametrize(
    ("given", "match", "localizer"),
    [
        ({"components": 16}, {"kind": "components", "count": 16}, None),
        ({"projection": 16}, {"kind": "projection", "count": 16, "seed": 0}, None),
        ({"projection": 16, "seed": 3}, {"kind": "projection", "count": 16, "seed": 3}, None),
        (
            {"localizer": 16, "sentences": "s.csv"},
            {"kind": "localizer", "count": 16} | LOCALIZED,
            {"columns": COLUMNS, "sha256": "sha256 of s.csv"},
        ),
        (
            {"localizer": 9, "sentences": "s.csv", "condition": "c", "conditions": ["S", "N"], "over": "model"},
            {"kind": "localizer", "count": 9} | LOCALIZED | {"over": "model"},
            {"columns": COLUMNS | {"condition": "c", "conditions": ["S", "N"]}, "sha256": "sha256 of s.csv"},
        ),
    ],
)
def test_what_a_readout_matches_layers_to(given, match, localizer):
    study = study_with({"readouts.matched": {"match": given}})
    assert Study.model_validate(study_specs.resolved(study)) == study  # as another study reads it
    spec = specs.activations(study, "matched", "hub", digest)
    assert spec.pop("match") == match
    assert spec.pop("localizer", None) == localizer
    assert spec == specs.activations(study_with({}), "last-token", "hub", digest)
    Match(**match)


def test_nulls_from_files_and_their_published_widths():
    study = study_with(
        {
            "features.vectors": {"control": "embeddings", "file": "t.txt", "pooling": "sum"},
            "features.words": {"control": "random-embeddings", "width": 50},
            "features.rate": {"control": "word-rate"},
            "features.oasm": {"control": "autocorrelation", "sigmas": "published"},
        }
    )
    settings = {"pooling": "sum", "lower": True, "sha256": "sha256 of t.txt"}
    assert specs.features(study, "vectors", digest) == {"null": "embeddings", "settings": settings}
    words = {"null": "random-embeddings", "settings": {"width": 50, "seed": 0}}
    assert specs.features(study, "words", digest) == words
    assert specs.features(study, "rate", digest) == {"null": "word-rate", "settings": {}}
    sigmas = specs.features(study, "oasm", digest)["settings"]["sigmas"]
    assert len(sigmas) == 49
    assert [sigmas[0], sigmas[22], sigmas[-1]] == [0.0, 2.2, 4.8]
    assert specs.nulls(study)[-4:] == ["vectors", "words", "rate", "oasm"]


SUBJECT_POOL = {"design": "balanced", "pools": 3, "seed": 0, "bootstraps": 100, "fit": "neuroid", "shifts": 19}


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"leave-one-subject-out": {}}, {"leave-one-subject-out": {}}),
        ({"repeats": {}}, {"repeats": {}}),
        ({"split-half": {"of": "reliability"}}, {"split-half": {"splits": 10, "seed": 0, "of": "reliability"}}),
        (
            {"subject-pool": {"design": "brain-score", "pools": 10, "held_out": 5}},
            {"subject-pool": SUBJECT_POOL | {"design": "brain-score", "pools": 10, "held_out": 5}},
        ),
    ],
)
def test_ceilings_of_every_kind(asked, expected):
    study = study_with({"datasets.mine.ceilings": asked})
    assert specs.ceilings(study, "controlled", "mine")["kinds"] == expected
    assert next(iter(asked)) in KINDS


def test_what_is_normalised_is_known_to_alignment_alone():
    asked = {"leave-one-subject-out": {}}
    before, after = (study_with({"datasets.mine.ceilings": asked | more}) for more in ({}, {"normalise": "neuroid"}))
    assert specs.ceilings(after, "controlled", "mine") == specs.ceilings(before, "controlled", "mine")
    names = ("controlled", "last-token", "hub", "mine")
    assert specs.alignment(after, *names) == specs.alignment(before, *names) | {"normalise": "neuroid"}


def test_encoders_and_ceilings():
    study = study_with({"encoders.controlled.grid": {"log10_min": -1, "log10_max": 1, "count": 3}})
    encoder = specs.encoder(study, "controlled", "last-token", "mine")
    assert encoder == {
        "regression": "ridge",
        "kernel": "linear",
        "penalties": "per-neuroid",
        "grid": {"values": pytest.approx([0.1, 1.0, 10.0], rel=1e-15), "scale": "relative"},
        "inner": "folds",
        "criterion": "squared-error",
        "word_components": None,
        "word_rule": "own",
        "zscore": False,
        "delays": [1, 2, 3, 4],
        "trim": [0, 0],
        "zscore_delayed": False,
        "standardize": "none",
        "intercept": True,
        "split": {
            "inner": None,
            "kind": "grouped",
            "by": "split_group",
            "folds": 8,
            "seed": None,
            "small_folds": "refuse",
        },
        "layer": "nested",
        "aggregate": "mean",
        "bootstrap": {"draws": 500, "seed": 0},
        "precision": "float32",
    }
    plain = {name: value for name, value in encoder.items() if name != "layer"}
    joint = {"encoder": plain, "mixtures": 25}
    assert specs.joint_encoder(study, "controlled") == joint
    assert specs.nulls_together(study, "controlled") == joint | {"weights": "nulls"}
    assert specs.beside_nulls(study, "controlled") == joint | {"weights": "beside-nulls"}
    assert specs.ceilings(study, "controlled", "simulated-stories") == {
        "encoder": {name: value for name, value in encoder.items() if name != "layer"},
        "kinds": {"known": {}, "subject-pool": SUBJECT_POOL | {"pools": 2}},
    }
    assert specs.ceilings(study, "controlled", "mine") == {
        "encoder": plain,
        "kinds": {"subject-pool": SUBJECT_POOL, "given": {"basis": "encoder"}},
        "given": {"neuroid": "n", "value": "r", "units": "r2"},
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"kernel": "rbf"}, {"kernel": "rbf", "bandwidths": [0.25, 0.5, 1.0, 2.0, 4.0]}),
        ({"kernel": "polynomial", "degrees": [3]}, {"kernel": "polynomial", "degrees": [3]}),
        ({"regression": "pca-ridge", "components": 9}, {"regression": "pca-ridge", "components": 9}),
    ],
)
def test_an_encoders_spec_has_what_it_reads(changes, expected):
    spec = specs.encoder(
        study_with({f"encoders.controlled.{key}": value for key, value in changes.items()}),
        "controlled",
        "last-token",
        "mine",
    )
    assert {
        key: spec[key] for key in ("regression", "kernel", "bandwidths", "degrees", "components") if key in spec
    } == {
        "regression": "ridge",
        "kernel": "linear",
    } | expected


def test_a_layer_by_another_data_set_is_chosen_nested_on_that_one():
    study = study_with({"encoders.controlled.layer": {"dataset": "mine"}})
    choices = {
        (readout, dataset): specs.encoder(study, "controlled", readout, dataset)["layer"]
        for readout in ("last-token", "none")
        for dataset in ("mine", "simulated-stories")
    }
    assert choices[("last-token", "simulated-stories")] == {"dataset": "mine"}
    assert {choice for key, choice in choices.items() if key != ("last-token", "simulated-stories")} == {"nested"}
    per_subject = study_with({"encoders.controlled.layer": {"nested": "subject"}})
    assert specs.encoder(per_subject, "controlled", "none", "mine")["layer"] == {"nested": "subject"}


def test_the_names_that_stand_in_tables():
    study = study_with(
        {
            "encoders.as-published.layer": {"fixed": "block_01"},
            "datasets.mine": MINE["datasets.mine"] | {"collection": "c"},
        }
    )
    cell = {"encoder": "as-published", "readout": "none", "features": "glove", "dataset": "mine"}
    assert specs.alignment(study, **cell) == cell | {
        "collection": "c",
        "features_kind": "given",
        "text_free": ["autocorrelation", "noise", "position"],
        "layer_choice": "nested",  # the layers of given features are their own
    }
    of_model = specs.alignment(study, **cell | {"readout": "last-token", "features": "hub"})
    assert of_model["layer_choice"] == "fixed:block_01"
    assert specs.encoder(study, "as-published", "last-token", "mine")["layer"] == {"fixed": "block_01"}
    assert specs.encoder(study, "as-published", "none", "mine")["layer"] == "nested"
    kinds = [specs.alignment(study, **cell | {"features": name})["features_kind"] for name in ("hub", "noise", "glove")]
    assert kinds == ["model", "null", "given"]
    assert specs.alignment(study, **cell | {"dataset": "simulated-stories"})["collection"] == "simulated-stories"


def test_properties_pairs_and_correlations():
    study = study_with({})
    known = study_specs.properties(study, digest)
    assert known["properties"] == {"mmlu": {"values": {"hub": 0.26}}}
    assert known["files"] == {}
    assert known["models"]["hub"] == {"family": "gpt2", "kind": "vanilla", "base": None}
    assert known["models"]["hub-untrained-4"] == {"family": "gpt2", "kind": "untrained", "base": "hub"}
    assert list(known["models"]) == list(with_twins(study.models))
    sizes = (16, 32, 48, 80)
    tuned = {f"tiny-{size}-instruct": f"tiny-{size}" for size in sizes}
    over = {"over": [{"name": "all", "without": []}]}
    assert study_specs.pairs(study) == {"pairs": tuned, "draws": 2000, "seed": 0, "few_subjects": "show"} | over
    nothing = {"partial": [], "mixed": [], "corrections": {}, "given": {}}
    bootstrap = {"draws": 2000, "orders": 9999, "seed": 0}
    asked = {"correlate": ["log10_parameters", "world-loss"]}
    assert study_specs.correlation(study) == asked | over | nothing | bootstrap
    assert study_specs.figure(study, "layers") == {"figure": "layers"}


# --- no leak: a change reaches exactly the specs that may know it ---------------------------------------------------

CELLS = "alignment/"
REACH: dict[str, tuple[dict[str, Any], Callable[[str], bool]]] = {
    "a family": ({"models.hub.family": "other"}, under("study/properties")),
    "a kind": ({"models.tiny-16-instruct.kind": "vanilla"}, under("study/properties", "study/pairs")),
    "a score": ({"properties": {"mmlu": {"values": {"hub": 0.3}}}}, under("study/properties")),
    "a score's source": (
        {"properties": {"mmlu": {"values": {"hub": 0.26}, "source": "a paper"}}},
        under("study/properties"),
    ),
    "a citation": ({"datasets.simulated-stories.citation": "us"}, under("nothing")),
    "a citation of a text": ({"texts.world-held-out.citation": "us"}, under("nothing")),
    "the study's name": ({"study": "other"}, under("nothing")),
    "analyses": ({"analyses.draws": 500}, under("study/correlations", "study/pairs")),
    "few subjects": ({"analyses.few_subjects": "resample"}, under("study/pairs")),
    "a control region": (
        {"datasets.simulated-stories.control_region": "region-a"},
        lambda name: name.startswith("alignment/") and name.endswith("/simulated-stories"),
    ),
    "figures": (
        {"figures": ["layers"]},
        under("figures/alignment", "figures/scaling", "figures/losses", "figures/pairs"),
    ),
    "a revision": (
        {"models.hub.revision": "abc"},
        lambda name: name in ("models/hub", "architectures/hub"),
    ),
    "a format of weights": ({"models.hub.weights": "bin"}, lambda name: name == "models/hub"),
    "own code": ({"models.hub.remote_code": True}, lambda name: name in ("models/hub", "architectures/hub")),
    "a number format": (
        {"models.hub.dtype": "bfloat16"},
        lambda name: "/hub" in name and name.startswith(("activations/", "losses/")),
    ),
    "steps of a training": ({"models.tiny-16.train.steps": 10}, lambda name: name == "models/tiny-16"),
    "the rate of a training": ({"models.tiny-16.train.learning_rate": 0.1}, lambda name: name == "models/tiny-16"),
    "the width of a training": (
        {"models.tiny-16.train.width": 20},
        lambda name: name in ("models/tiny-16", "models/tiny-16-untrained-0"),
    ),
    "a tuning": ({"models.tiny-16-instruct.tune.steps": 3}, lambda name: name == "models/tiny-16-instruct"),
    "a text": ({"texts.world-held-out.count": 9}, under("sources/world-held-out")),
    "a window of losses": ({"losses.world-loss.window": 8}, under("losses/world-loss/")),
    "a readout": ({"readouts.last-token.pooling": "mean"}, under("activations/last-token/")),
    "the size of a simulation": ({"datasets.simulated-stories.subjects": 3}, under("sources/simulated-stories")),
    "a size of the other kind": ({"datasets.simulated-stories.passages": 3}, under("nothing")),
    "a ceiling": (
        {"datasets.simulated-stories.ceilings": {"subject-pool": {"seed": 1, "pools": 2}}},
        lambda name: name.startswith("ceilings/") and name.endswith("/simulated-stories"),
    ),
    "the units of given ceilings": (
        {"datasets.mine.ceilings.given": {"table": "c.csv", "neuroid": "n", "value": "r"}},
        lambda name: name.startswith("ceilings/") and name.endswith("/mine"),
    ),
    "a collection": (
        {"datasets.simulated-stories.collection": "c"},
        lambda name: name.startswith(CELLS) and name.endswith("/simulated-stories"),
    ),
    "a column of text": ({"datasets.mine.text": "words"}, lambda name: name == "stimuli/mine"),
    "a column of subjects": ({"datasets.mine.subject": "who"}, lambda name: name == "responses/mine"),
    "a penalty": (
        {"encoders.controlled.grid.count": 5},
        under("encoding/controlled", "joint/controlled", "ceilings/controlled/"),
    ),
    "a choice of layer": (
        {"encoders.controlled.layer": "best"},
        under("encoding/controlled", "alignment/controlled/"),
    ),
    "settings of a null": ({"features.autocorrelation.sigmas": [3]}, under("activations/none/autocorrelation")),
    "the data sets of given features": ({"features.glove.datasets": ["simulated-stories"]}, under("nothing")),
    "a new model": (
        {"models.new": {"source": "a/b", "family": "f", "kind": "vanilla"}},
        lambda name: "/new" in name or name == "study/properties",
    ),
    "a new data set": (
        {"datasets.new": {"loader": "simulated", "kind": "passages", "seed": 5}},
        lambda name: name.endswith("/new"),
    ),
    "a new encoder": (
        {"encoders.new": {"regression": "ridge", "split": {"kind": "kfold"}}},
        lambda name: name.startswith(("encoding/new", "joint/new", "ceilings/new/", "alignment/new/")),
    ),
}


@pytest.mark.parametrize("case", REACH)
def test_a_change_reaches_exactly(case):
    changes, may_know = REACH[case]
    names = strings(study_with({})).keys() | strings(study_with(changes)).keys()
    assert changed_by(changes) == {name for name in names if may_know(name)}


def test_a_file_of_the_users_that_changes_reaches_its_source_only(monkeypatch):
    before = strings(study_with({}))
    for path, names in {
        "s.csv": {"sources/mine/stimuli"},
        "r.csv": {"sources/mine/responses"},
        "c.csv": {"sources/mine/ceilings"},
        "t.txt": {"sources/own"},
        "glove.csv": {"activations/none/glove"},
        "weights/model.safetensors": {"models/folder"},
        "weights/config.json": {"models/folder", "architectures/folder"},
    }.items():
        edited = path
        monkeypatch.setattr(
            f"{__name__}.digest", lambda name, edited=edited: f"sha256 of {name}{' edited' * (name == edited)}"
        )
        after = strings(study_with({}))
        assert {name for name in before if before[name] != after[name]} == names


def test_names_of_entries_stand_only_where_a_table_shows_them():
    """A model under another name has the same spec in every stage but the tables."""
    config = yaml.safe_dump(CONFIG).replace("last-token", "final-token").replace("tiny-16", "small-16")
    one, other = strings(read_study(CONFIG)), strings(read_study(yaml.safe_load(config)))
    renamed = {
        name.replace("last-token", "final-token").replace("tiny-16", "small-16"): spec for name, spec in one.items()
    }
    assert renamed.keys() == other.keys()
    assert {name.partition("/")[0] for name in other if renamed[name] != other[name]} == {"alignment", "study"}
