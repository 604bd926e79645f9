"""A study: the whole config as one validated object."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticKnownError

from brainalign.config.analyses import Analyses, references
from brainalign.config.base import NOTHING, RESERVED_READOUT, Name, Section, refers
from brainalign.config.control_regions import impossible_control_regions
from brainalign.config.data import Dataset, SimulatedDataset, TableDataset
from brainalign.config.encoder_settings import impossible_settings
from brainalign.config.encoders import Encoder, Split
from brainalign.config.features import Features, FeatureTable
from brainalign.config.figures import Figure, figure_references
from brainalign.config.joined import impossible_joins, impossible_layer_choices, tables_of
from brainalign.config.joint_features import impossible_joint_features
from brainalign.config.models import Loss, Model, Text
from brainalign.config.predictions import Prediction, impossible_predictions, prediction_references
from brainalign.config.properties import Evaluation, Property, impossible_properties
from brainalign.config.published import PublishedScores
from brainalign.config.readouts import Readout
from brainalign.config.runs import Run, run_references
from brainalign.config.sentences import sentences
from brainalign.config.similarities import Similarity
from brainalign.config.twins import with_twins
from brainalign.errors import InputError, nearest
from brainalign.joined_ids import COLUMN
from brainalign.row_labels import LOSS_UNITS, SPAN_UNITS


class Study(Section):
    """The config file."""

    study: Name
    texts: dict[Name, Text] = {}
    models: dict[Name, Model] = {}
    losses: dict[Name, Loss] = {}
    features: dict[Name, Features] = {}
    published: dict[Name, PublishedScores] = {}
    datasets: dict[Name, Dataset]
    readouts: dict[Name, Readout] = {}
    encoders: dict[Name, Encoder]
    similarities: dict[Name, Similarity] = {}
    predictions: dict[Name, Prediction] = {}
    evaluations: dict[Name, Evaluation] = {}
    properties: dict[Name, Property] = {}
    runs: dict[Name, Run] = {}
    analyses: Analyses = Analyses()
    figures: list[Figure] = ["alignment", "layers", "scaling", "losses", "pairs"]
    license: str | None = Field(None, description="licence of the results, for their description when exported")

    @field_validator("datasets", "encoders")
    @classmethod
    def _something_to_do(cls, entries: dict[str, Any], information: ValidationInfo) -> dict[str, Any]:
        computed = bool(information.data.get("datasets"))  # known when the encoders are looked at, not before
        if not entries and (computed or not information.data.get("published")):
            details = {"field_type": "Dictionary", "min_length": 1, "actual_length": 0}
            raise PydanticKnownError("too_short", details)
        return entries


BUILT_IN_PROPERTIES = ("log10_parameters", "parameters", "width", "depth", "vocabulary", "training_tokens")


def loss_columns(study: Study) -> list[str]:
    """Return the names of the losses per token, per word and per byte, and of those of encoders with a decoder."""
    return [f"{loss}_{unit}" for units in (LOSS_UNITS, SPAN_UNITS) for loss in study.losses for unit in units]


def read_study(config: Mapping[str, Any], without_values: Iterable[Sequence[str]] = ()) -> Study:
    """Validate a config and return it as a Study.

    Parameters
    ----------
    config : as YAML or JSON gives it.
    without_values : where keys were written without a value, see `yaml_files.keys_without_values`; those that hold one
        by now, since another file gave it, are passed over.

    Raises
    ------
    InputError : one sentence for each mistake, each naming the key, what it holds and what it may hold.
    """
    for keys in without_values:
        config = _marked(config, keys)
    try:
        study = Study.model_validate(dict(config))
    except ValidationError as error:
        raise InputError("\n".join(sentences(error, Study, config))) from None
    mistakes = list(dict.fromkeys(_mistakes(study)))
    if mistakes:
        raise InputError("\n".join(mistakes))
    return study


def _marked(config: Mapping[str, Any], keys: Sequence[str]) -> Mapping[str, Any]:
    """Return a config in which NOTHING stands where `null` was read for a key without a value."""
    key, *inner = keys
    held = config.get(key, NOTHING)
    if held is None and not inner:
        return {**config, key: NOTHING}
    return {**config, key: _marked(held, inner)} if inner and isinstance(held, Mapping) else config


def _mistakes(study: Study) -> Iterable[str]:
    yield from _missing_references(study)
    yield from _name_clashes(study)
    yield from impossible_joins(study)
    yield from impossible_layer_choices(study)
    yield from impossible_settings(study)
    yield from impossible_control_regions(study)
    yield from impossible_joint_features(study)
    yield from _impossible_encoders(study)
    yield from impossible_predictions(study)
    yield from impossible_properties(study)


def _missing_references(study: Study) -> Iterable[str]:
    documents = [name for name, text in study.texts.items() if text.kind == "documents"]
    questions = [name for name, text in study.texts.items() if text.kind == "questions"]
    for name, model in study.models.items():
        if model.train:
            yield from refers(f"models.{name}.train.text", model.train.text, documents, "text with kind: documents")
            for text in model.train.vocabulary:
                yield from refers(f"models.{name}.train.vocabulary", text, list(study.texts), "text")
        if model.tune:
            yield from refers(f"models.{name}.tune.text", model.tune.text, questions, "text with kind: questions")
        if model.base:
            yield from refers(f"models.{name}.base", model.base, [m for m in study.models if m != name], "other model")
            base = study.models.get(model.base)
            if base is not None and model.base != name and base.kind != "vanilla":
                yield f"models.{name}.base: holds {model.base!r}, which is {base.kind}; a vanilla model is needed."
            if base is not None and model.tune and base.remote_code:
                yield (
                    f"models.{name}.tune: {name!r} cannot be tuned from {model.base!r}, which runs Python of its own "
                    "(remote_code); a base without it is needed."
                )
            if base is not None and model.tune and base.published:
                yield f"models.{name}.tune: {model.base!r} has published scores only; a base with weights is needed."
        if model.published and not study.published:
            yield f"models.{name}.published: there is no table of scores in `published` that it could be in."
        yield from _impossible_deltas(name, study)
    for name, loss in study.losses.items():
        yield from refers(f"losses.{name}.text", loss.text, documents, "text with kind: documents")
        yield from _too_wide(name, loss, study)
    for name, features in study.features.items():
        for dataset in (features.datasets or []) if isinstance(features, FeatureTable) else []:
            yield from refers(f"features.{name}.datasets", dataset, list(study.datasets), "data set")
    known = list(dict.fromkeys([*BUILT_IN_PROPERTIES, *study.losses, *loss_columns(study), *study.properties]))
    families = list(dict.fromkeys(model.family for model in study.models.values()))
    for reference in references(study.analyses, known, families, list(study.models)):
        yield from refers(*reference)
    for reference in prediction_references(study):
        yield from refers(*reference)
    for reference in run_references(study.runs, list(with_twins(study.models))):
        yield from refers(*reference)
    with_weights = [name for name, model in with_twins(study.models).items() if not model.published]
    for reference in figure_references(study.figures, with_weights):
        yield from refers(*reference)


def _impossible_deltas(name: str, study: Study) -> Iterable[str]:
    delta_of = study.models[name].delta_of
    if delta_of is None:
        return
    key, fetched = f"models.{name}.delta_of", [other for other in study.models if study.models[other].source]
    yield from refers(key, delta_of, [other for other in fetched if other != name], "other model with a source")
    chain = [name]
    while delta_of in study.models and delta_of not in chain:
        chain.append(delta_of)
        delta_of = study.models[delta_of].delta_of
    if delta_of == name == min(chain) and len(chain) > 1:
        circle = ", ".join(map(repr, [*chain, name]))
        yield f"{key}: these deltas go round in a circle, {circle}; the last model of a chain needs weights of its own."


def _too_wide(name: str, loss: Loss, study: Study) -> Iterable[str]:
    contexts = {model: entry.train.context for model, entry in study.models.items() if entry.train}
    model = min(contexts, key=contexts.__getitem__, default=None)
    if model is not None and contexts[model] < loss.window:
        yield (
            f"losses.{name}.window: holds {loss.window}, but the model {model!r} sees only "
            f"{contexts[model]} tokens (context)."
        )


def _name_clashes(study: Study) -> Iterable[str]:
    models = with_twins(study.models)
    expected = len(study.models) + sum(len(m.untrained.seeds) for m in study.models.values() if m.untrained)
    if len(models) != expected:
        yield "models: the name of an untrained twin (model-untrained-seed) is also the name of another model."
    for name in sorted(set(models) & set(study.features)):
        yield f"features.{name}: {name!r} is also the name of a model; both would write the same files."
    for name in sorted(set(study.texts) & set(study.datasets)):
        yield f"texts.{name}: {name!r} is also the name of a data set; both would write the same files."
    for name in sorted(set(study.losses) & {*study.properties, *BUILT_IN_PROPERTIES}):
        yield f"losses.{name}: {name!r} is also the name of a property."
    for name in study.losses:
        if f"{name}_span" in study.losses:
            yield f"losses.{name}_span: this is how the loss of spans of {name!r} is called; choose another name."
    kept = {"model", "family", "kind", "base", *BUILT_IN_PROPERTIES, *loss_columns(study)}
    for name in sorted(set(study.properties) & kept):
        yield f"properties.{name}: {name!r} is measured or named by the workflow itself; choose another name."
    if RESERVED_READOUT in study.readouts:
        yield f"readouts.{RESERVED_READOUT}: this name is kept for features that no model computes; choose another."
    with_weights = [name for name, model in study.models.items() if not model.published]
    if with_weights and study.datasets and not study.readouts:
        yield "readouts: there are models but no readout; give one, as last-token: {context: group, pooling: last}."
    if not study.models and not study.features:
        yield "models: there is neither a model nor an entry of `features`; nothing could be compared with responses."


def _impossible_encoders(study: Study) -> Iterable[str]:
    for name, encoder in study.encoders.items():
        key = f"encoders.{name}.split"
        for dataset_name, dataset, is_part in tables_of(study, name):
            for setting, column in _columns_of_split(encoder.split):
                if is_part and column == COLUMN:
                    continue
                yield from _lacks_column(f"{key}.{setting}", column, dataset_name, dataset)
            if getattr(encoder.split, "unit", None) == "seconds" and not _may_have_onsets(dataset):
                yield f"{key}.unit: holds 'seconds', but the data set {dataset_name!r} has no onsets."


def _columns_of_split(split: Split) -> Iterable[tuple[str, str]]:
    """Yield the settings of a split that name a column of the sample table, and the column."""
    for setting in ("by", "column"):
        if hasattr(split, setting):
            yield setting, getattr(split, setting)
    if split.inner and split.inner.by:
        yield "inner.by", split.inner.by


def _lacks_column(key: str, column: str, name: str, dataset: SimulatedDataset | TableDataset) -> Iterable[str]:
    if column == "run":
        if not _has_runs(dataset):
            yield f"{key}: holds 'run', but the data set {name!r} has no runs."
    elif column == "split_group":
        if not _has_groups(dataset):
            yield (
                f"{key}: holds 'split_group', but the data set {name!r} has no groups; "
                f"name its column as datasets.{name}.split or .group, or use a split of kind kfold."
            )
    elif column == COLUMN:
        yield (
            f"{key}: holds {column!r}, but {name!r} is one data set, not several joined; say which the encoder is for "
            f"in {'.'.join(key.split('.')[:2])}.datasets."
        )
    elif isinstance(dataset, SimulatedDataset):
        yield (
            f"{key}: holds {column!r}, but the data set {name!r} is simulated and has only "
            f"{'split_group and run' if _has_runs(dataset) else 'split_group'}."
        )
    elif column not in dataset.columns:
        hint = nearest(column, ["split_group", "run", *dataset.columns])
        yield (
            f"{key}: holds {column!r}, but the samples of the data set {name!r} have no such column{hint or ';'} "
            f"{'Name' if hint else 'name'} a column of its table in datasets.{name}.columns."
        )


def _has_runs(dataset: SimulatedDataset | TableDataset) -> bool:
    if isinstance(dataset, SimulatedDataset):
        return dataset.kind == "stories"
    return bool(dataset.run or dataset.samples)


def _has_groups(dataset: SimulatedDataset | TableDataset) -> bool:
    return isinstance(dataset, SimulatedDataset) or bool(dataset.split or dataset.group)


def _may_have_onsets(dataset: SimulatedDataset | TableDataset) -> bool:
    """Tell whether a data set may be a series; what the columns of a given `samples` are is seen when it is read."""
    if isinstance(dataset, SimulatedDataset):
        return dataset.kind == "stories"
    return bool(dataset.onset_s or dataset.samples)
