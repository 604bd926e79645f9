"""What the stages that make and measure models are allowed to know, cut out of a study (see `specs`)."""

from pathlib import Path

from brainalign.config.models import Model, Weights
from brainalign.config.properties import files_of_evaluation
from brainalign.config.study import Study
from brainalign.config.twins import ResolvedModel, with_twins
from brainalign.models.manifest import model_files
from brainalign.specs import Digest, Spec


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
    """Return how a model is made.

    "trained", "tuned", "untrained" (twin of a fetched model), "summed" (of base and delta), "fetched", or "published",
    which is not made at all.
    """
    if entry.published:
        return "published"
    if entry.train:
        return "trained"
    if entry.tune:
        return "tuned"
    if entry.twin_seed is not None:
        return "untrained"
    return "summed" if entry.delta_of else "fetched"


def loss(study: Study, loss: str, model: str) -> Spec:
    """Windows, the seed of spans cut out, and number format."""
    settings = study.losses[loss].model_dump(include={"window", "stride", "seed"})
    return settings | {"dtype": with_twins(study.models)[model].dtype}


def evaluation(study: Study, harness: str, evaluation: str, model: str, digest: Digest) -> Spec:
    """What lm_eval is asked for, its version, the model's number format, and the checksums of the user's task files."""
    entry = study.evaluations[evaluation]
    settings = entry.model_dump(exclude={"include", "models"}) | {"dtype": with_twins(study.models)[model].dtype}
    files = {path: digest(path) for path in files_of_evaluation(study, evaluation)}
    return {"settings": settings, "include": entry.include, "files": files, "harness": harness}


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
