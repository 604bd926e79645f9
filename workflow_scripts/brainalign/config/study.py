"""A study: the whole config as one validated object."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticKnownError

from brainalign.config.analyses import Analyses, references
from brainalign.config.base import RESERVED_READOUT, Name, Section
from brainalign.config.data import Dataset, SimulatedDataset, StimuliDataset, TableDataset
from brainalign.config.encoders import Encoder, Split
from brainalign.config.features import Features, FeatureTable
from brainalign.config.models import Loss, Model, Text
from brainalign.config.predictions import Prediction, impossible_predictions, prediction_references
from brainalign.config.published import PublishedScores
from brainalign.config.readouts import Readout
from brainalign.config.sentences import sentences
from brainalign.config.similarities import Similarity
from brainalign.config.twins import with_twins
from brainalign.errors import InputError, nearest

Figure = Literal["alignment", "layers", "scaling", "losses", "pairs"]


class Property(Section):
    """A number for each model, such as a benchmark score."""

    values: dict[Name, Annotated[float, Field()]] = Field(description="model → number")
    source: str | None = Field(None, description="where the numbers are from")


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
    properties: dict[Name, Property] = {}
    analyses: Analyses = Analyses()
    figures: list[Figure] = ["alignment", "layers", "scaling", "losses", "pairs"]

    @field_validator("datasets", "encoders")
    @classmethod
    def _something_to_do(cls, entries: dict[str, Any], information: ValidationInfo) -> dict[str, Any]:
        computed = bool(information.data.get("datasets"))  # known when the encoders are looked at, not before
        if not entries and (computed or not information.data.get("published")):
            details = {"field_type": "Dictionary", "min_length": 1, "actual_length": 0}
            raise PydanticKnownError("too_short", details)
        return entries


BUILT_IN_PROPERTIES = ("log10_parameters", "parameters", "width", "depth")


def read_study(config: Mapping[str, Any]) -> Study:
    """Validate a config and return it as a Study.

    Raises
    ------
    InputError : one sentence for each mistake, each naming the key, what it holds and what it may hold.
    """
    try:
        study = Study.model_validate(dict(config))
    except ValidationError as error:
        raise InputError("\n".join(sentences(error, Study, config))) from None
    mistakes = list(_mistakes(study))
    if mistakes:
        raise InputError("\n".join(mistakes))
    return study


def _mistakes(study: Study) -> Iterable[str]:
    yield from _missing_references(study)
    yield from _name_clashes(study)
    yield from _impossible_encoders(study)
    yield from impossible_predictions(study)


def _missing_references(study: Study) -> Iterable[str]:
    documents = [name for name, text in study.texts.items() if text.kind == "documents"]
    questions = [name for name, text in study.texts.items() if text.kind == "questions"]
    for name, model in study.models.items():
        if model.train:
            yield from _refers(f"models.{name}.train.text", model.train.text, documents, "text with kind: documents")
            for text in model.train.vocabulary:
                yield from _refers(f"models.{name}.train.vocabulary", text, list(study.texts), "text")
        if model.tune:
            yield from _refers(f"models.{name}.tune.text", model.tune.text, questions, "text with kind: questions")
        if model.base:
            yield from _refers(f"models.{name}.base", model.base, [m for m in study.models if m != name], "other model")
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
    for name, encoder in study.encoders.items():
        by = None if isinstance(encoder.layer, str) else encoder.layer.dataset
        if by is not None:
            allowed = [key for key, entry in study.datasets.items() if not isinstance(entry, StimuliDataset)]
            yield from _refers(f"encoders.{name}.layer.dataset", by, allowed, "data set")
    for name, loss in study.losses.items():
        yield from _refers(f"losses.{name}.text", loss.text, documents, "text with kind: documents")
        yield from _too_wide(name, loss, study)
    for name, features in study.features.items():
        for dataset in (features.datasets or []) if isinstance(features, FeatureTable) else []:
            yield from _refers(f"features.{name}.datasets", dataset, list(study.datasets), "data set")
    for name, given in study.properties.items():
        for model_name in given.values:
            yield from _refers(f"properties.{name}.values", model_name, list(with_twins(study.models)), "model")
    known = list(dict.fromkeys([*BUILT_IN_PROPERTIES, *study.losses, *study.properties]))
    families = list(dict.fromkeys(model.family for model in study.models.values()))
    for reference in references(study.analyses, known, families, list(study.models)):
        yield from _refers(*reference)
    for reference in prediction_references(study):
        yield from _refers(*reference)


def _impossible_deltas(name: str, study: Study) -> Iterable[str]:
    delta_of = study.models[name].delta_of
    if delta_of is None:
        return
    key, fetched = f"models.{name}.delta_of", [other for other in study.models if study.models[other].source]
    yield from _refers(key, delta_of, [other for other in fetched if other != name], "other model with a source")
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


def _refers(key: str, name: str, allowed: list[str], what: str) -> Iterable[str]:
    if name not in allowed:
        rest = f"{nearest(name, allowed) or '.'} Allowed: {', '.join(allowed)}." if allowed else "; there is none."
        yield f"{key}: holds {name!r}, which is the name of no {what}{rest}"


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
    losses = [f"{loss}_nats_per_token" for loss in study.losses]
    kept = {"model", "family", "kind", "base", *BUILT_IN_PROPERTIES, *losses}
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
        for dataset_name, dataset in study.datasets.items():
            if isinstance(dataset, StimuliDataset):
                continue
            for setting, column in _columns_of_split(encoder.split):
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
