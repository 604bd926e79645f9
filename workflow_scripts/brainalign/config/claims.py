"""What names mean in the studies whose results lie in one folder.

Studies share the files of the stages on which they agree, and file names hold the config's names. So a name must
mean one thing in all of them. Each study's resolved config is kept as `{study}/config.json`.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from brainalign.config.own_nulls import random_readouts_of
from brainalign.config.study import Study
from brainalign.config.twins import twin_name
from brainalign.storage import write_json

# What does not reach a file named after the entry.
_FREE = {
    "texts": frozenset({"citation"}),
    "models": frozenset({"family", "kind", "base", "untrained", "training_tokens"}),
    "evaluations": frozenset({"models"}),
    "datasets": frozenset({"citation", "coordinates"}),
    "published": frozenset({"citation"}),
    "features": frozenset({"datasets"}),
    "encoders": frozenset({"datasets"}),
}
_SECTIONS = (
    "texts",
    "models",
    "losses",
    "evaluations",
    "features",
    "datasets",
    "readouts",
    "encoders",
    "similarities",
    "predictions",
    "published",
)


def record(study: Study, studies: Path) -> None:
    """Write the study's resolved config under the folder of all studies."""
    write_json(studies / study.study / "config.json", study.model_dump(mode="json", by_alias=True))


def conflicts(study: Study, studies: Path) -> list[str]:
    """Return one sentence for each name that means something else in another study of the folder.

    Files that cannot be read are passed over: they claim nothing.
    """
    own = _with_twins_named(study.model_dump(mode="json", by_alias=True))
    found: list[str] = []
    for path in sorted(studies.glob("*/config.json")):
        if path.parent.name == study.study:
            continue
        try:
            other = _with_twins_named(_sections(_with_defaults(json.loads(path.read_text(encoding="utf-8")))))
        except (OSError, ValueError):
            continue
        found.extend(_other_nulls(own, other, (study.study, path.parent.name)))
        found.extend(_other_own_nulls(own, other, (study.study, path.parent.name)))
        found.extend(_other_sources(own, other, (study.study, path.parent.name)))
        for section in _SECTIONS:
            found.extend(_clashes(section, own, other, (study.study, path.parent.name)))
    return found


def _with_twins_named(config: dict[str, Any]) -> dict[str, Any]:
    """Add each untrained twin to the models, under its own name: it writes files like any other."""
    models = dict(config.get("models", {}))
    for name, model in config.get("models", {}).items():
        twins = model.get("untrained") if isinstance(model, dict) else None
        for seed in (twins or {}).get("seeds", []):
            models.setdefault(twin_name(name, seed), {**model, "twin of": name, "twin seed": seed})
    return {**config, "models": models}


def _with_defaults(config: Any) -> Any:
    """Fill in keys that came after a config was recorded; one that is no longer valid stays as it is."""
    try:
        return Study.model_validate(config).model_dump(mode="json", by_alias=True)
    except ValidationError:
        return config


def _sections(config: Any) -> dict[str, dict[str, Any]]:
    """Return the sections of a recorded config that map names to entries. Raises ValueError where there are none."""
    if not isinstance(config, dict):
        raise ValueError("not a recorded config")
    return {name: section for name, section in config.items() if isinstance(section, dict)}


def _other_sources(own: Mapping[str, Any], other: Mapping[str, Any], studies: tuple[str, str]) -> Iterator[str]:
    """The files of texts and of data sets lie in one folder, by name."""
    kinds = {"texts": "a text", "datasets": "a data set"}
    for mine, theirs in (("texts", "datasets"), ("datasets", "texts")):
        for name in sorted(set(own[mine]) & set(other.get(theirs, {}))):
            yield (
                f"{mine}.{name} means two things: it is {kinds[mine]} in the study {studies[0]!r}, but {kinds[theirs]} "
                f"in {studies[1]!r}, whose results lie in the same folder; rename it in one of them, or, if "
                f"{studies[1]!r} is to change too or is no longer wanted, delete its config.json there."
            )


def _clashes(section: str, own: Mapping[str, Any], other: Mapping[str, Any], studies: tuple[str, str]) -> Iterator[str]:
    mine, theirs = own.get(section, {}), other.get(section, {})
    for name in sorted(set(mine) & set(theirs)):
        if section == "models" and (mine[name].get("published") or theirs[name].get("published")):
            continue  # without weights it writes no file
        if mine[name].get("twin of") and mine[name].get("twin of") == theirs[name].get("twin of"):
            continue  # said of the model that they are twins of
        difference = _difference(section, mine[name], theirs[name])
        if difference is not None:
            key, here, there = difference
            yield (
                f"{section}.{name} means two things: {key} is {here} in the study {studies[0]!r}, but {there} in "
                f"{studies[1]!r}, whose results lie in the same folder; rename it in one of them, or, if "
                f"{studies[1]!r} is to change too or is no longer wanted, delete its config.json there."
            )


def _other_nulls(own: Mapping[str, Any], other: Mapping[str, Any], studies: tuple[str, str]) -> Iterator[str]:
    """Alignment tables hold each score beside the best null, so studies that share them must share the nulls."""
    shared = [set(own[section]) & set(other.get(section, {})) for section in ("datasets", "encoders")]
    shared.append({*own["models"], *own["features"]} & {*other.get("models", {}), *other.get("features", {})})
    mine, theirs = _nulls(own), _nulls(other)
    if all(shared) and mine != theirs:
        yield (
            f"features: the nulls are {', '.join(mine) or 'none'} in the study {studies[0]!r}, but "
            f"{', '.join(theirs) or 'none'} in {studies[1]!r}, which shares the data set {min(shared[0])!r} and the "
            f"encoder {min(shared[1])!r}; give both the same nulls, or one of them other names."
        )


def _other_own_nulls(own: Mapping[str, Any], other: Mapping[str, Any], studies: tuple[str, str]) -> Iterator[str]:
    """Alignment tables hold each model's score beside its untrained twins, and beside itself reading random tokens."""
    sections = ("datasets", "encoders", "readouts", "models")
    shared = {section: sorted(set(own[section]) & set(other.get(section, {}))) for section in sections}
    if not all(shared.values()):
        return
    kinds = {
        "models": ("the seeds of its untrained twins", _seeds),
        "readouts": ("the readouts of random tokens that are like it", _random_readouts),
    }
    for section, (what, find) in kinds.items():
        for name in shared[section]:
            mine, theirs = (", ".join(find(config, name)) or "none" for config in (own, other))
            if mine != theirs:
                yield (
                    f"{section}.{name}: {what} are {mine} in the study {studies[0]!r}, but {theirs} in {studies[1]!r}, "
                    f"which shares the data set {shared['datasets'][0]!r} and the encoder {shared['encoders'][0]!r}; "
                    "give both the same, or one of them other names."
                )


def _seeds(config: Mapping[str, Any], model: str) -> list[str]:
    entry = config["models"][model]
    untrained = entry.get("untrained") if isinstance(entry, dict) and "twin of" not in entry else None
    return [str(seed) for seed in sorted((untrained or {}).get("seeds", []))]


def _random_readouts(config: Mapping[str, Any], readout: str) -> list[str]:
    settings = {name: entry for name, entry in config["readouts"].items() if isinstance(entry, dict)}
    return random_readouts_of(settings, readout)


def _nulls(config: Mapping[str, Any]) -> list[str]:
    return sorted(
        f"{name} (on {', '.join(entry['datasets'])})" if entry.get("datasets") else name
        for name, entry in config.get("features", {}).items()
        if "control" in entry or entry.get("as_null")
    )


def _difference(section: str, mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> tuple[str, Any, Any] | None:
    """Return the first key that tells two entries apart, with what each holds."""
    free = _FREE.get(section, frozenset())
    if mine.get("tune"):
        free = free - {"base"}
    for key in sorted((set(mine) | set(theirs)) - free):
        if mine.get(key) != theirs.get(key):
            return key, mine.get(key), theirs.get(key)
    return None
