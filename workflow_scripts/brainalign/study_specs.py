"""What the stages that join a study are allowed to know, cut out of it (see `specs`)."""

from collections.abc import Mapping
from typing import Any

from brainalign import model_specs
from brainalign.config.encoders import Split
from brainalign.config.properties import property_spec
from brainalign.config.study import Study
from brainalign.config.twins import with_twins
from brainalign.export.crate import config_digest
from brainalign.figures.needs import drawn_by, needs
from brainalign.specs import Digest, Spec, is_text_free, nulls


def properties(study: Study, digest: Digest) -> Spec:
    """What the config says of each model: family, kind, base, sizes where no manifest has them; and of properties."""
    models = {
        name: {
            "family": entry.family,
            "kind": entry.kind,
            "base": entry.base,
            **({"sizes": entry.published.model_dump()} if entry.published else {}),
            **_training_tokens(study, name),
        }
        for name, entry in with_twins(study.models).items()
    }
    return {"models": models} | property_spec(study, digest)


def correlation(study: Study) -> Spec:
    """The properties to correlate, over which models, given what, with which corrections; and the bootstrap."""
    return study.analyses.model_dump(exclude={"reproduce", "over", "few_subjects"}) | {"over": _model_sets(study)}


def published(study: Study, published: str, digest: Digest) -> Spec:
    """The columns, units and checksum of a table of published scores, and the names that stand beside them."""
    entry = study.published[published]
    settings = entry.model_dump(include={"model", "score", "units", "ceiling", "ceiling_basis"})
    names = {"dataset": published, "collection": entry.collection or published, "encoder": entry.encoder}
    return settings | {"sha256": digest(entry.table), "names": names}


def reproduction(study: Study, digest: Digest) -> Spec:
    """The checksum of the published figures."""
    assert study.analyses.reproduce is not None
    return {"sha256": digest(study.analyses.reproduce)}


def pairs(study: Study) -> Spec:
    """Instruction-tuned model → its base, the sets of models, the bootstrap, and whether it takes few subjects."""
    tuned = {name: entry.base for name, entry in study.models.items() if entry.kind == "instruction-tuned"}
    settings: Spec = {"draws": study.analyses.draws, "seed": study.analyses.seed, "over": _model_sets(study)}
    return {"pairs": tuned, "few_subjects": study.analyses.few_subjects} | settings


def _model_sets(study: Study) -> list[Spec]:
    """Return the sets of models in their order, which the keys of a spec do not keep."""
    return [{"name": name} | entry.model_dump(exclude_none=True) for name, entry in study.analyses.over.items()]


def exported(study: Study) -> Spec:
    """The study's name, which stands in every row."""
    return {"study": study.study}


def description(study: Study, citation: str, digest: Digest) -> Spec:
    """The digest of the resolved config, which the description holds, that of CITATION.cff, and the licence."""
    return {"config": config_digest(resolved(study)), "citation": digest(citation), "license": study.license}


def figure(study: Study, figure: str) -> Spec:
    """The figure's name, and what it shows of the config: splits, runs, the model that it is of, spaces."""
    module, model = drawn_by(figure)
    shown: Spec = {"figure": figure}
    if module == "split_policies":
        shown["splits"] = {name: _split_name(entry.split) for name, entry in study.encoders.items()}
    if module == "training_runs":
        shown["runs"] = {name: run.model_dump() for name, run in study.runs.items()}
    if "pairs" in needs(figure):
        shown["over"] = _model_sets(study)[0]
    if model is not None:
        entry = with_twins(study.models)[model]
        shown |= {"model": model, "family": entry.family, "kind": entry.kind, "base": entry.base}
    if module == "brain":
        shown["coordinates"] = {name: entry.coordinates for name, entry in study.datasets.items()}
    return shown


def _split_name(split: Split) -> str:
    """Return a split in words: its kind, what it goes by, and the number of folds.

    The kind is the first word, by which figures tell shuffled splits from others.
    """
    by = [getattr(split, name) for name in ("by", "column") if getattr(split, name, None)]
    folds = getattr(split, "folds", None)
    counted = [f"{folds} folds"] if folds else []
    return ", ".join([" ".join([split.kind, *(f"by {name}" for name in by)]), *counted])


def report(study: Study, tool: Spec) -> Spec:
    """All settings that the methods are told from, defaults filled in, and how to cite texts and tool; no figures."""
    unread = {"models", "texts", "features", "properties", "predictions", "runs", "figures", "license"}
    config = study.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=unread)
    return {
        "tool": tool,
        "config": config
        | {
            "models": {
                name: entry.model_dump(mode="json", exclude_none=True, exclude={"weights", "remote_code", "dtype"})
                | ({"folder": True} if entry.source and model_specs.is_folder(entry.source) else {})
                for name, entry in study.models.items()
            },
            "features": {
                name: entry.model_dump(mode="json")
                | {"is_null": name in nulls(study), "text_free": is_text_free(study, name)}
                for name, entry in study.features.items()
            },
            "datasets": {name: held for name, held in config["datasets"].items() if held["loader"] != "stimuli-only"},
            "texts": {
                name: entry.model_dump(mode="json", exclude_none=True, include={"loader", "citation"})
                for name, entry in study.texts.items()
            },
            "properties": {
                name: entry.model_dump(mode="json", exclude_none=True, exclude={"values": True, "lm_eval": {"files"}})
                for name, entry in study.properties.items()
            },
        },
    }


def _training_tokens(study: Study, model: str) -> Spec:
    """Return what is stated; an untrained twin is no entry of the config, and saw none."""
    entry = study.models.get(model)
    stated = entry.training_tokens if entry else None
    return {"training_tokens": stated.model_dump()} if stated else {}


def resolved(study: Study) -> Mapping[str, Any]:
    """Return the whole study as plain values, defaults filled in."""
    return study.model_dump(mode="json", by_alias=True)
