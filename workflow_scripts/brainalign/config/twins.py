"""Untrained twins: a model's architecture with random weights, each a model of its own."""

from collections.abc import Mapping
from dataclasses import dataclass

from brainalign.config.models import DataType, Kind, Model, Training, Tuning, Weights
from brainalign.config.published import PublishedModel


@dataclass(frozen=True)
class ResolvedModel:
    """One model as the workflow knows it: an entry of the config, or a twin of one.

    twin_seed is given for a twin of a model from the Hub or a folder; the twin of a model that is trained here is
    the same training without steps (and so without what only steps read: another learning rate is not another twin).
    """

    name: str
    kind: Kind
    family: str
    base: str | None
    dtype: DataType
    source: str | None = None
    revision: str | None = None
    weights: Weights = "safetensors"
    delta_of: str | None = None
    remote_code: bool = False
    train: Training | None = None
    tune: Tuning | None = None
    twin_seed: int | None = None
    published: PublishedModel | None = None


def twin_name(model: str, seed: int) -> str:
    """Return the name of a model's untrained twin."""
    return f"{model}-untrained-{seed}"


def with_twins(models: Mapping[str, Model]) -> dict[str, ResolvedModel]:
    """Return every model and, after it, its twins, by name and in the config's order."""
    result: dict[str, ResolvedModel] = {}
    for name, model in models.items():
        result[name] = ResolvedModel(
            name,
            model.kind,
            model.family,
            model.base,
            model.dtype,
            model.source,
            model.revision,
            model.weights,
            model.delta_of,
            model.remote_code,
            model.train,
            model.tune,
            published=model.published,
        )
        for seed in model.untrained.seeds if model.untrained else []:
            result[twin_name(name, seed)] = _twin(name, model, seed)
    return result


def _twin(name: str, model: Model, seed: int) -> ResolvedModel:
    own = twin_name(name, seed)
    if model.train:
        unused = {name: Training.model_fields[name].default for name in ("batch", "learning_rate")}
        training = model.train.model_copy(update={"steps": 0, "seed": seed} | unused)
        return ResolvedModel(own, "untrained", model.family, name, model.dtype, train=training)
    return ResolvedModel(
        own,
        "untrained",
        model.family,
        name,
        model.dtype,
        model.source,
        model.revision,
        remote_code=model.remote_code,
        twin_seed=seed,
    )
