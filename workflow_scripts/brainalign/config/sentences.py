"""Mistakes in a config, each as one sentence that names the key, what it holds and what it may hold."""

import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Discriminator, Tag, ValidationError
from pydantic.fields import FieldInfo

from brainalign.errors import nearest

_MAY_HOLD = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "dict_type": "a mapping of names to entries",
    "float_parsing": "a number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "list_type": "a list",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "string_type": "text",
}
# Tags of entries of `features` that are no word in the config, and a key that only these have.
_TAGS_OF_FEATURES = {"given features": "as_null", "joint features": "joint"}


def sentences(error: ValidationError, root: type[BaseModel], config: Mapping[str, Any]) -> list[str]:
    """Return one sentence for each mistake.

    Where a value may have several forms (a name or a mapping), only the form that it resembles is spoken of.

    Parameters
    ----------
    error : what pydantic found.
    root : the model that the config was to be.
    config : the config as it was read.
    """
    result: list[str] = []
    by_key = _by_key(error, config)
    misspelt = set(_meant(by_key))
    for key, found in by_key.items():
        best = max(found, key=_relevance)
        if best["type"] == "missing" and key in misspelt:
            continue
        sentence = _sentence(key, best, found, root)
        if sentence not in result:
            result.append(sentence)
    return result


def _meant(by_key: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    """Yield the missing keys that an unknown key beside them is a misspelling of; the unknown one is spoken of."""
    missing = [key for key, found in by_key.items() if max(found, key=_relevance)["type"] == "missing"]
    for key, found in by_key.items():
        if max(found, key=_relevance)["type"] == "extra_forbidden":
            parent, _, last = key.rpartition(".")
            beside = [name.rpartition(".")[2] for name in missing if name.rpartition(".")[0] == parent]
            yield from (f"{parent}.{name}".lstrip(".") for name in beside if nearest(last, [name]))


def _by_key(error: ValidationError, config: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Group the errors by the key of the config that they speak of, without the tags of alternatives."""
    grouped: dict[str, list[Any]] = {}
    found = error.errors()
    # A mapping was not meant to be one of the words allowed beside it; what is wrong inside it is said by others.
    telling = [item for item in found if not (item["type"] == "literal_error" and isinstance(item["input"], Mapping))]
    for item in telling or found:
        path = _in_config(item["loc"], config, item["type"] == "missing")
        grouped.setdefault(".".join(map(str, path)), []).append(item)
    return grouped


def _in_config(loc: Sequence[int | str], config: Any, ends_in_missing: bool) -> Iterator[int | str]:
    """Leave out the parts of a location that are tags of alternatives: they are no keys of the config."""
    here = config
    for position, part in enumerate(loc):
        if _holds(here, part):
            here = here[part]
            yield part
        elif ends_in_missing and position == len(loc) - 1:
            yield part


def _holds(here: Any, part: int | str) -> bool:
    if isinstance(here, list):
        return isinstance(part, int) and part < len(here)
    return isinstance(here, Mapping) and part in here


def _relevance(item: Any) -> tuple[bool, int]:
    kind = item["type"]
    mapping_expected = kind in ("model_type", "model_attributes_type", "dict_type")
    return (not mapping_expected, kind in ("extra_forbidden", "missing"))


def _sentence(key: str, item: Any, alternatives: Sequence[Any], root: type[BaseModel]) -> str:
    kind, held, context = item["type"], item["input"], item.get("ctx", {})
    parent, _, last = key.rpartition(".")
    if kind == "extra_forbidden":
        allowed = _keys_at(item["loc"][:-1], root)
        where = f"{parent}: " if parent else ""
        return f"{where}unknown key {last!r}{nearest(last, allowed) or '.'} Allowed: {', '.join(allowed)}."
    if kind == "missing":
        return f"{parent or 'the config'}: the key {last!r} is missing."
    if kind == "value_error":
        return f"{key}: {context['error']}."
    if kind == "union_tag_not_found":
        return f"{key}: the key {context['discriminator']} is missing."
    if kind == "union_tag_invalid":
        tags = [tag.strip(" '") for tag in context["expected_tags"].split(",")]
        name = str(context["discriminator"]).strip("'").replace("_which_features()", "control")
        tags = [tag for tag in tags if not (name == "control" and tag in _TAGS_OF_FEATURES)]
        hint = nearest(context["tag"], tags)
        return f"{key}.{name}: holds {held.get(name)!r}{hint or '.'} Allowed: {', '.join(tags)}."
    is_key = "[key]" in item["loc"]
    section = ".".join(map(str, item["loc"][:-2]))
    said = f"{section}: the name {held!r}" if is_key else f"{key}: holds {held!r}"
    if kind == "string_pattern_mismatch":
        which = " cannot be a file's name here" if is_key else ", which cannot be a file's name here"
        return f"{said}{which}; letters, digits, '.', '_' and '-' are allowed, the first a letter or digit."
    if is_key and kind == "string_type":
        return f"{said} is not text to YAML; put it in quotes."
    needed, hint = _allowed(alternatives, held)
    verb = "are" if re.search(r"\d entries$", needed) else "is"
    return f"{said}{' cannot be used' if is_key else ''}; {needed} {verb} needed{hint or '.'}"


def _allowed(alternatives: Sequence[Any], held: Any) -> tuple[str, str]:
    """Say what the key may hold, every alternative once, and which word was meant."""
    said: list[str] = []
    hint = ""
    for item in alternatives:
        kind, context = item["type"], item.get("ctx", {})
        if kind == "literal_error":
            choices = context["expected"].replace(" or ", ", ")
            hint = hint or nearest(str(held), [choice.strip(" '") for choice in choices.split(",")])
            text = f"one of {choices}" if "," in choices else choices
        else:
            text = _MAY_HOLD.get(kind) or _bound(kind, context) or str(item["msg"])
        if text not in said:
            said.append(text)
        hint = hint or _percentage(context, held)
    return " or ".join(said), hint


def _percentage(context: Mapping[str, Any], held: Any) -> str:
    """Say that a fraction is needed where a number may be 1 at most and looks like a percentage."""
    most_is_one = 1 in (context.get("le"), context.get("lt"))
    looks_so = isinstance(held, int | float) and 2 < held <= 100
    return "; a percentage has to be divided by 100." if most_is_one and looks_so else ""


def _bound(kind: str, context: Mapping[str, Any]) -> str | None:
    bounds = {
        "greater_than": ("gt", "a number above {}"),
        "greater_than_equal": ("ge", "a number of at least {}"),
        "less_than": ("lt", "a number below {}"),
        "less_than_equal": ("le", "a number of at most {}"),
        "too_short": ("min_length", "at least {} entry" if context.get("min_length") == 1 else "at least {} entries"),
        "too_long": ("max_length", "at most {} entries"),
        "string_too_short": ("min_length", "text of at least {} character"),
        "string_too_long": ("max_length", "text of at most {} characters"),
        "finite_number": ("", "a finite number"),
    }
    if kind not in bounds:
        return None
    name, text = bounds[kind]
    bound = context.get(name)
    return text.format(f"{bound:g}" if isinstance(bound, float) else bound)


def _keys_at(loc: Sequence[int | str], root: type[BaseModel]) -> list[str]:
    """Return the keys that the section at a location may have."""
    models: list[type[BaseModel]] = [root]
    for part in loc:
        found: list[type[BaseModel]] = []
        for model in models:
            fields = {field.alias or name: field for name, field in model.model_fields.items()}
            if _tagged(model, part) and len(models) > 1:
                found.append(model)
            elif part in fields:
                found.extend(_models_in(fields[str(part)]))
        models = found or models
    return [field.alias or name for model in models[:1] for name, field in model.model_fields.items()]


def _tagged(model: type[BaseModel], part: int | str) -> bool:
    """Tell whether a model is the alternative with this tag or class name."""
    if part == model.__name__:
        return True
    for name in ("loader", "kind", "control"):
        field = model.model_fields.get(name)
        if field is not None and part in typing.get_args(field.annotation):
            return True
    return part in _TAGS_OF_FEATURES and _TAGS_OF_FEATURES[str(part)] in model.model_fields


def _models_in(field: FieldInfo | Any) -> Iterator[type[BaseModel]]:
    """Yield the models inside an annotation: in unions, lists, mappings and Annotated."""
    annotation = field.annotation if isinstance(field, FieldInfo) else field
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif typing.get_origin(annotation) is not None or isinstance(annotation, types.UnionType):
        for part in typing.get_args(annotation):
            if not isinstance(part, FieldInfo | Tag | Discriminator):
                yield from _models_in(part)
