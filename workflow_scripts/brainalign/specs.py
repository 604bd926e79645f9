"""What each stage is allowed to know, cut out of a study.

Every function returns plain values that become a stage's `--spec`: all that it may read of the config, and so all
of the config whose change reruns it. Names of things are not in a spec unless the stage writes them into a table.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from brainalign.activations.presets import PRESETS
from brainalign.activations.readout import Readout
from brainalign.config import readouts as config_readouts
from brainalign.config.base import RESERVED_READOUT
from brainalign.config.data import JoinedDataset, SimulatedDataset, StimuliDataset, TableDataset
from brainalign.config.encoders import Encoder
from brainalign.config.features import TEXT_FREE, EmbeddingsNull, FeatureTable, JointFeatures
from brainalign.config.models import FileText, SimulatedText, WikiText
from brainalign.config.study import Study
from brainalign.config.twins import with_twins

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
    if isinstance(entry, WikiText):
        return {"loader": "wikitext", "settings": {"sha256": digest(entry.file), "detokenise": entry.detokenise}}
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
    if isinstance(entry, WikiText):
        return {"original": entry.file}
    if isinstance(entry, StimuliDataset):
        return {"stimuli": entry.stimuli}
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
    assert isinstance(entry, TableDataset | StimuliDataset)
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
    assert isinstance(entry, TableDataset)
    given = entry.ceilings.given
    settings = {
        "responses_id": entry.responses_id or entry.id,
        "responses_key": entry.responses_key,
        "neuroids": entry.neuroids,
        "neuroid_columns": {"neuroid_id": entry.neuroid, "subject": entry.subject, "region": entry.region},
        "region_per_neuroid": entry.region_per_neuroid,
        "columns": entry.columns,
        "bad_neuroids": entry.bad_neuroids,
        "ceilings": given.model_dump(include={"neuroid", "value", "units"}) if given else None,
    }
    return {"loader": "table", "simulated": False, "settings": settings}


def joined(study: Study, dataset: str) -> Spec:
    """The names of the data sets that are joined, which stand in front of ids, in their order."""
    entry = study.datasets[dataset]
    assert isinstance(entry, JoinedDataset)
    return {"datasets": entry.datasets}


def follow_from_stimuli(study: Study, readout: str) -> bool:
    """Tell whether a readout's states of a stimulus are the same whatever other data sets are read with its own.

    Not where tokens are random, by the groups' names, which two data sets may share; nor where components are fitted to
    a data set's stimuli, or units chosen by states that depend in their last digits on what is read in one batch.
    """
    entry = study.readouts[readout]
    matched = entry.match and not entry.match.projection
    return _readout_settings(entry)["tokens"] == "text" and not matched


def activations(study: Study, readout: str, features: str, digest: Digest) -> Spec:
    """Readout and number format; to what width layers are matched, and the checksum of a localizer's texts."""
    entry = study.readouts[readout]
    matching = _matching(entry.match, digest) if entry.match else {}
    return {"readout": _readout_settings(entry), "dtype": with_twins(study.models)[features].dtype} | matching


def features(study: Study, features: str, digest: Digest) -> Spec:
    """A null's name and settings, and the checksum of a given table or file."""
    entry = study.features[features]
    assert not isinstance(entry, JointFeatures)  # made of what others compute
    if isinstance(entry, FeatureTable):
        return {"null": "table", "settings": {"on": entry.match, "sha256": digest(entry.table)}}
    if isinstance(entry, EmbeddingsNull):
        settings = {"pooling": entry.pooling, "lower": entry.lower, "sha256": digest(entry.file)}
        return {"null": entry.control, "settings": settings}
    return {"null": entry.control, "settings": entry.model_dump(exclude={"control"})}


def encoder(study: Study, encoder: str, readout: str, dataset: str) -> Spec:
    """Everything of an encoder; a layer named for models is chosen, nested, where there are only a null's settings."""
    return _encoder_settings(study.encoders[encoder]) | _layer_of(study.encoders[encoder], readout, dataset)


def joint_encoder(study: Study, encoder: str) -> Spec:
    """The encoder of joint spaces, whose layers are chosen before."""
    entry = study.encoders[encoder]
    return {"encoder": _encoder_settings(entry), "mixtures": entry.mixtures}


def nulls_together(study: Study, encoder: str) -> Spec:
    """The encoder of all nulls together, and that their weights leave room for those beside features."""
    return joint_encoder(study, encoder) | {"weights": "nulls"}


def beside_nulls(study: Study, encoder: str) -> Spec:
    """The encoder of features and nulls together, and that the weights of the nulls are those without the features."""
    return joint_encoder(study, encoder) | {"weights": "beside-nulls"}


def joint_features(study: Study, encoder: str, features: str) -> Spec:
    """The encoder of joint spaces, and their names in the order of their weights."""
    entry = study.features[features]
    assert isinstance(entry, JointFeatures)
    return joint_encoder(study, encoder) | {"weights": "joint", "members": entry.joint}


def ceilings(study: Study, encoder: str, dataset: str) -> Spec:
    """The encoder, and the ceilings asked for."""
    asked = study.datasets[dataset].ceilings.model_dump(by_alias=True, exclude_none=True, exclude={"normalise"})
    kinds: Spec = {name: settings for name, settings in asked.items() if name != "given"}
    if "given" in asked:
        kinds["given"] = {}
    return {"encoder": _encoder_settings(study.encoders[encoder]), "kinds": kinds}


def alignment(study: Study, encoder: str, readout: str, features: str, dataset: str) -> Spec:
    """The names that stand in the table, the region that others are set against, and how the layer was chosen."""
    layer = _layer_of(study.encoders[encoder], readout, dataset)["layer"]
    choice = layer if isinstance(layer, str) else ":".join(*layer.items())
    names = {"encoder": encoder, "readout": readout, "features": features, "dataset": dataset}
    entry = study.datasets[dataset]
    names |= {"normalise": "neuroid"} if entry.ceilings.normalise == "neuroid" else {}
    names |= {"control_region": entry.control_region} if entry.control_region else {}
    collection = entry.collection or dataset
    labels = {"collection": collection, "features_kind": _kind(study, features), "layer_choice": choice}
    return names | labels | {"text_free": sorted(null for null in nulls(study) if is_text_free(study, null))}


def similarity(study: Study, similarity: str, readout: str, features: str, dataset: str) -> Spec:
    """A similarity's settings, those that its metric and kind read, and the names that stand in the table."""
    entry = study.similarities[similarity]
    unread = {"split"} if entry.kind == "controlled" else set()
    unread |= {"distance", "compare"} if entry.metric == "cka" else set()
    names = {"similarity": similarity, "readout": readout, "features": features, "dataset": dataset}
    names |= {"collection": study.datasets[dataset].collection or dataset, "features_kind": _kind(study, features)}
    return {"settings": entry.model_dump(exclude=unread), "names": names}


def kept_encoder(study: Study, encoder: str, layer: str) -> Spec:
    """An encoder without its scores' settings, and the layer to which it is fitted, or "chosen"."""
    settings = _encoder_settings(study.encoders[encoder])
    read = {name: value for name, value in settings.items() if name not in ("aggregate", "bootstrap")}
    return {"encoder": read, "layer": layer}


def prediction(study: Study, prediction: str) -> Spec:
    """The names that stand in the file of predictions."""
    entry = study.predictions[prediction]
    return entry.model_dump() | {"readout": entry.readout_folder}


def nulls(study: Study) -> list[str]:
    """Return the names of the features beside which every score stands: they know no more of a text than its words."""
    return [
        name
        for name, entry in study.features.items()
        if not isinstance(entry, JointFeatures) and (not isinstance(entry, FeatureTable) or entry.as_null)
    ]


def is_text_free(study: Study, features: str) -> bool:
    """Tell whether an entry of `features` is a null that is computed without the text."""
    return getattr(study.features[features], "control", "") in TEXT_FREE


def from_files(study: Study) -> list[str]:
    """Return the names of the features that the user's files hold, of each stimulus by itself."""
    return [name for name, entry in study.features.items() if isinstance(entry, FeatureTable | EmbeddingsNull)]


def _readout_settings(entry: config_readouts.Readout) -> Spec:
    """All settings of a readout: those given, then those of its preset, then the defaults."""
    given = entry.model_dump(include=entry.model_fields_set - {"preset", "match"}, exclude_none=True)
    if "context" in given:
        window = entry.context if isinstance(entry.context, config_readouts.Window) else None
        given |= {"context": "window", **window.model_dump()} if window else {"window": None, "unit": "words"}
    if isinstance(entry.prompt, config_readouts.ChatPrompt):
        given |= {"prompt": None, "chat": entry.prompt.chat}
    return asdict(Readout(**{**PRESETS.get(entry.preset or "", {}), **given}))


def _matching(entry: config_readouts.Match, digest: Digest) -> Spec:
    if entry.components:
        return {"match": {"kind": "components", "count": entry.components}}
    if entry.projection:
        return {"match": {"kind": "projection", "count": entry.projection, "seed": entry.seed or 0}}
    assert entry.sentences is not None
    columns = entry.model_dump(include={"text", "condition", "conditions"})
    return {
        "match": {"kind": "localizer", "count": entry.localizer, "rank": entry.rank, "over": entry.over},
        "localizer": {"columns": columns, "sha256": digest(entry.sentences)},
    }


def _encoder_settings(entry: Encoder) -> Spec:
    """An encoder's settings without its choice of layer, what its regression does not read and what only joins read."""
    unread = {"preset", "layer", "grid", "beyond_nulls", "mixtures", "datasets"}
    unread |= {name for name, kernel in (("bandwidths", "rbf"), ("degrees", "polynomial")) if entry.kernel != kernel}
    unread |= {"components"} if entry.components is None else set()
    if entry.regression == "ols":
        return entry.model_dump(exclude=unread | {"penalties", "inner", "criterion", "kernel"}, exclude_none=True)
    grid: Spec = {"scale": entry.grid.scale}
    if isinstance(entry.penalties, str):
        exponents = np.linspace(entry.grid.log10_min, entry.grid.log10_max, entry.grid.count)
        grid["values"] = np.power(10.0, exponents).tolist()
    return entry.model_dump(exclude=unread) | {"grid": grid}


def _kind(study: Study, features: str) -> str:
    """Return "model", "joint", "null" or "given"."""
    if features in with_twins(study.models):
        return "model"
    if isinstance(study.features[features], JointFeatures):
        return "joint"
    return "null" if features in nulls(study) else "given"


def _layer_of(entry: Encoder, readout: str, dataset: str) -> Spec:
    """The choice of layer; a null's settings, and the layers of the data set that others go by, are chosen nested."""
    if isinstance(entry.layer, str):
        return {"layer": entry.layer}
    layer = entry.layer.model_dump(exclude_none=True)
    named = "fixed" in layer or "dataset" in layer
    if layer.get("dataset") == dataset or (named and readout == RESERVED_READOUT):
        return {"layer": "nested"}
    return {"layer": layer}
