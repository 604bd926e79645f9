"""What each stage is allowed to know, cut out of a study.

Every function returns plain values that become a stage's `--spec`: all that it may read of the config, and so all
of the config whose change reruns it. Names of things are not in a spec unless the stage writes them into a table.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from brainalign.activations.presets import PRESETS
from brainalign.activations.readout import Readout
from brainalign.config import readouts as config_readouts
from brainalign.config.data import JoinedDataset, SimulatedDataset, StimuliDataset, TableDataset
from brainalign.config.encoder_settings import told_layer, told_settings
from brainalign.config.features import TEXT_FREE, EmbeddingsNull, FeatureTable, JointFeatures
from brainalign.config.study import Study
from brainalign.config.twins import with_twins

Spec = dict[str, Any]
Digest = Callable[[str], str]


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
    settings = {
        "responses_id": entry.responses_id or entry.id,
        "responses_key": entry.responses_key,
        "neuroids": entry.neuroids,
        "neuroid_columns": {"neuroid_id": entry.neuroid, "subject": entry.subject, "region": entry.region},
        "region_per_neuroid": entry.region_per_neuroid,
        "columns": entry.columns,
        "bad_neuroids": entry.bad_neuroids,
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
    return told_settings(study.encoders[encoder]) | told_layer(study.encoders[encoder], readout, dataset)


def joint_encoder(study: Study, encoder: str) -> Spec:
    """The encoder of joint spaces, whose layers are chosen before."""
    entry = study.encoders[encoder]
    return {"encoder": told_settings(entry), "mixtures": entry.mixtures}


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
    """The encoder, the ceilings asked for, and the columns and units of a table of given ones."""
    entry = study.datasets[dataset].ceilings
    kinds = entry.model_dump(by_alias=True, exclude_none=True, exclude={"normalise", "given"})
    spec: Spec = {"encoder": told_settings(study.encoders[encoder]), "kinds": kinds}
    if entry.given:
        kinds["given"] = entry.given.model_dump(include={"basis"})
        spec["given"] = entry.given.model_dump(include={"neuroid", "value", "units"})
    return spec


def alignment(study: Study, encoder: str, readout: str, features: str, dataset: str) -> Spec:
    """The names that stand in the table, the region that others are set against, and how the layer was chosen."""
    layer = told_layer(study.encoders[encoder], readout, dataset)["layer"]
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


def kept_encoder(study: Study, encoder: str, readout: str, features: str, dataset: str, layer: str) -> Spec:
    """An encoder without its scores' settings, the layer to which it is fitted, or "chosen", and names for its file."""
    settings = told_settings(study.encoders[encoder])
    read = {name: value for name, value in settings.items() if name not in ("aggregate", "bootstrap")}
    names = {"encoder": encoder, "readout": readout, "features": features, "dataset": dataset}
    return {"encoder": read, "layer": layer, "names": names}


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


def _kind(study: Study, features: str) -> str:
    """Return "model", "joint", "null" or "given"."""
    if features in with_twins(study.models):
        return "model"
    if isinstance(study.features[features], JointFeatures):
        return "joint"
    return "null" if features in nulls(study) else "given"
