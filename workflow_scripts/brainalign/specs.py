"""What each stage is allowed to know, cut out of a study.

Every function returns plain values that become a stage's `--spec`: all that it may read of the config, and so all
of the config whose change reruns it. Names of things are not in a spec unless the stage writes them into a table.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from brainalign.activations.presets import PRESETS
from brainalign.activations.readout import Readout
from brainalign.config import data as config_data
from brainalign.config.base import RESERVED_READOUT
from brainalign.config.data import FeatureTable, SimulatedDataset, TableDataset
from brainalign.config.encoders import Encoder, FixedLayer
from brainalign.config.models import FileText, Model, SimulatedText, Weights
from brainalign.config.study import Study
from brainalign.config.twins import ResolvedModel, with_twins
from brainalign.models.manifest import model_files

Spec = dict[str, Any]
Digest = Callable[[str], str]


def source(study: Study, source: str, digest: Digest) -> Spec:
    """A data set's or text's files: how they are made, or the SHA-256 of each that is copied."""
    entry = study.datasets.get(source) or study.texts[source]
    if isinstance(entry, SimulatedDataset):
        sizes = {"passages": ["passages", "sentences"], "stories": ["stories", "time_points"]}[entry.kind]
        names = ["world", "seed", "subjects", "neuroids", *sizes]
        return {
            "loader": "simulated",
            "settings": {"kind": entry.kind} | {name: getattr(entry, name) for name in names},
        }
    if isinstance(entry, SimulatedText):
        names = ["kind", "world", "seed", "count"]
        return {"loader": "simulated", "settings": {name: getattr(entry, name) for name in names}}
    files = {role: digest(path) for role, path in source_files(study, source).items()}
    return {"loader": "table", "settings": {"files": files}}


def source_files(study: Study, source: str) -> dict[str, str]:
    """Return role → path of the user's files behind a data set or text; nothing for what is simulated."""
    entry = study.datasets.get(source) or study.texts[source]
    if isinstance(entry, FileText):
        return {"documents": entry.file}
    if not isinstance(entry, TableDataset):
        return {}
    found = {
        "stimuli": entry.stimuli,
        "responses": entry.responses,
        "neuroids": entry.neuroid_table,
        "samples": entry.samples,
        "map": entry.map,
        "ceilings": entry.ceilings.given.table if entry.ceilings.given else None,
    }
    return {role: path for role, path in found.items() if path is not None}


def stimuli(study: Study, dataset: str) -> Spec:
    """Columns of the stimulus table."""
    entry = study.datasets[dataset]
    if isinstance(entry, SimulatedDataset):
        names = ["stimulus_id", "text", "context_group", "split_group"]
        names += ["run", "onset_s"] if entry.kind == "stories" else []
        return {"loader": "table", "settings": {"columns": {name: name for name in names}, "order": None}}
    columns = {
        "stimulus_id": entry.id,
        "text": entry.text,
        "context_group": entry.group,
        "split_group": entry.split,
        "run": entry.run,
        "onset_s": entry.onset_s,
    }
    given = {name: column for name, column in columns.items() if column is not None}
    return {"loader": "table", "settings": {"columns": given, "order": entry.order}}


def responses(study: Study, dataset: str) -> Spec:
    """Columns and keys of the response matrix and its tables."""
    entry = study.datasets[dataset]
    if isinstance(entry, SimulatedDataset):
        return {"loader": "table", "simulated": True, "settings": {}}
    given = entry.ceilings.given
    settings = {
        "responses_id": entry.responses_id or entry.id,
        "responses_key": entry.responses_key,
        "neuroids": entry.neuroids,
        "neuroid_columns": {"neuroid_id": entry.neuroid, "subject": entry.subject, "region": entry.region},
        "region_per_neuroid": entry.region_per_neuroid,
        "ceilings": given.model_dump(include={"neuroid", "value", "units"}) if given else None,
    }
    return {"loader": "table", "simulated": False, "settings": settings}


def model(study: Study, model: str, digest: Digest) -> Spec:
    """How a model is made: where it is fetched from, a training, a tuning, or a twin's seed; a sum has no settings."""
    entry = with_twins(study.models)[model]
    if entry.train:
        settings = entry.train.model_dump(exclude={"text", "vocabulary"})
        return {"settings": settings, "texts": [entry.train.text, *entry.train.vocabulary]}
    if entry.tune:
        return {"settings": entry.tune.model_dump(exclude={"text"})}
    if entry.twin_seed is not None:
        return {"seed": entry.twin_seed}
    return {} if entry.delta_of else fetched(study, model, digest)


def fetched(study: Study, model: str, digest: Digest) -> Spec:
    """A model's or a delta's origin: Hub repository and revision, or the files of a folder; and what is read of it."""
    entry = study.models[model]
    weights: Spec = {"weights": "bin"} if entry.weights == "bin" else {}
    return _origin(entry, files_of_model(entry), digest) | weights


def architecture(study: Study, model: str, digest: Digest) -> Spec:
    """The origin of a model's config and tokenizer."""
    entry = study.models[model]
    return _origin(entry, files_of_architecture(entry), digest)


def is_folder(source: str) -> bool:
    """Tell whether a model's source is a folder of this machine rather than a Hub repository."""
    return Path(source).expanduser().is_dir()


def files_of_model(entry: Model) -> list[str]:
    """Return the files of a model's folder that describe or hold the model, by name; none of one on the Hub."""
    return _files(entry, entry.weights)


def files_of_architecture(entry: Model) -> list[str]:
    """Return the files of a model's folder that describe it, without weights; none of one on the Hub."""
    return _files(entry, None)


def model_origin(entry: ResolvedModel) -> str:
    """Return "trained", "tuned", "untrained" (twin of a fetched model), "summed" (of base and delta) or "fetched"."""
    if entry.train:
        return "trained"
    if entry.tune:
        return "tuned"
    if entry.twin_seed is not None:
        return "untrained"
    return "summed" if entry.delta_of else "fetched"


def activations(study: Study, readout: str, features: str) -> Spec:
    """Readout and number format."""
    return {"readout": _readout_settings(study.readouts[readout]), "dtype": with_twins(study.models)[features].dtype}


def features(study: Study, features: str, digest: Digest) -> Spec:
    """A null's name and settings, or the checksum of a given table."""
    entry = study.features[features]
    if isinstance(entry, FeatureTable):
        return {"null": "table", "settings": {"on": entry.match, "sha256": digest(entry.table)}}
    return {"null": entry.control, "settings": entry.model_dump(exclude={"control"})}


def encoder(study: Study, encoder: str, readout: str) -> Spec:
    """Everything of an encoder; a layer named for models is chosen, nested, where there are only a null's settings."""
    return _encoder_settings(study.encoders[encoder]) | _layer_of(study.encoders[encoder], readout)


def ceilings(study: Study, encoder: str, dataset: str) -> Spec:
    """The encoder, and the ceilings asked for."""
    asked = study.datasets[dataset].ceilings.model_dump(by_alias=True, exclude_none=True)
    kinds: Spec = {name: settings for name, settings in asked.items() if name != "given"}
    if "given" in asked:
        kinds["given"] = {}
    return {"encoder": _encoder_settings(study.encoders[encoder]), "kinds": kinds}


def alignment(study: Study, encoder: str, readout: str, features: str, dataset: str) -> Spec:
    """The names that stand in the table, and how the layer was chosen."""
    layer = _layer_of(study.encoders[encoder], readout)["layer"]
    choice = layer if isinstance(layer, str) else f"fixed:{layer['fixed']}"
    names = {"encoder": encoder, "readout": readout, "features": features, "dataset": dataset}
    of_model = features in with_twins(study.models)
    kind = "model" if of_model else "null" if features in nulls(study) else "given"
    collection = study.datasets[dataset].collection or dataset
    return names | {"collection": collection, "features_kind": kind, "layer_choice": choice}


def nulls(study: Study) -> list[str]:
    """Return the names of the features beside which every score stands: they know nothing of a text's meaning."""
    return [name for name, entry in study.features.items() if not isinstance(entry, FeatureTable) or entry.as_null]


def loss(study: Study, loss: str, model: str) -> Spec:
    """Window and number format."""
    return {"window": study.losses[loss].window, "dtype": with_twins(study.models)[model].dtype}


def properties(study: Study) -> Spec:
    """What the config says of each model: family, kind, base and given numbers."""
    models = {
        name: {
            "family": entry.family,
            "kind": entry.kind,
            "base": entry.base,
            **{key: given.values.get(name) for key, given in study.properties.items()},
        }
        for name, entry in with_twins(study.models).items()
    }
    return {"models": models, "properties": sorted(study.properties)}


def correlation(study: Study) -> Spec:
    """The properties to correlate, and the bootstrap."""
    return study.analyses.model_dump()


def pairs(study: Study) -> Spec:
    """Instruction-tuned model → its base, and the bootstrap."""
    tuned = {name: entry.base for name, entry in study.models.items() if entry.kind == "instruction-tuned"}
    return {"pairs": tuned, "draws": study.analyses.draws, "seed": study.analyses.seed}


def figure(study: Study, figure: str) -> Spec:
    """The figure's name."""
    assert figure in study.figures
    return {"figure": figure}


def _readout_settings(entry: config_data.Readout) -> Spec:
    """All settings of a readout: those given, then those of its preset, then the defaults."""
    given = entry.model_dump(include=entry.model_fields_set - {"preset"})
    if "context" in given:
        window = entry.context if isinstance(entry.context, config_data.Window) else None
        given |= {"context": "window", **window.model_dump()} if window else {"window": None, "unit": "words"}
    if isinstance(entry.prompt, config_data.ChatPrompt):
        given |= {"prompt": None, "chat": entry.prompt.chat}
    return asdict(Readout(**{**PRESETS.get(entry.preset or "", {}), **given}))


def _encoder_settings(entry: Encoder) -> Spec:
    """An encoder's settings without its choice of layer and what its regression does not read."""
    if entry.regression == "ols":
        return entry.model_dump(exclude={"layer", "penalties", "grid", "inner"})
    grid: Spec = {"scale": entry.grid.scale}
    if isinstance(entry.penalties, str):
        exponents = np.linspace(entry.grid.log10_min, entry.grid.log10_max, entry.grid.count)
        grid["values"] = np.power(10.0, exponents).tolist()
    return entry.model_dump(exclude={"layer", "grid"}) | {"grid": grid}


def _layer_of(entry: Encoder, readout: str) -> Spec:
    if not isinstance(entry.layer, FixedLayer):
        return {"layer": entry.layer}
    return {"layer": "nested" if readout == RESERVED_READOUT else {"fixed": entry.layer.fixed}}


def _origin(entry: Model, files: list[str], digest: Digest) -> Spec:
    assert entry.source is not None
    origin: Spec = {"source": entry.source}
    if is_folder(entry.source):
        origin["files"] = {Path(path).name: digest(path) for path in files}
    else:
        origin["revision"] = entry.revision
    return origin | ({"remote_code": True} if entry.remote_code else {})


def _files(entry: Model, weights: Weights | None) -> list[str]:
    if not entry.source or not is_folder(entry.source):
        return []
    return [str(path) for path in model_files(Path(entry.source).expanduser(), weights, entry.remote_code)]


def resolved(study: Study) -> Mapping[str, Any]:
    """Return the whole study as plain values, defaults filled in."""
    return study.model_dump(mode="json", by_alias=True)
