"""Readouts, nulls, given and joint features in prose."""

from collections.abc import Mapping
from typing import Any

from brainalign.report import wording

_CONTROLS = {
    "position": "{name}, the index of a part in its group",
    "length": "{name}, the numbers of characters, words and punctuation marks of a part",
    "word-rate": "{name}, words per part and, where onsets are known, per second",
    "autocorrelation": "{name}, an identity smoothed within each group (widths of {sigmas} parts), which holds what "
    "neighbours share and no text",
    "embeddings": "{name}, the {pooling} of static vectors of a part's words, from {file}",
    "random-embeddings": "{name}, the mean of {width} fixed random numbers per word, which holds the words and nothing "
    "of what they mean",
    "random": "{name}, {width} random numbers per part",
}


def readout_paragraph(name: str, entry: Mapping[str, Any]) -> str:
    """Return how a part of a text becomes one vector per layer."""
    if entry.get("preset"):
        return f"Readout {name}: as published ({entry['preset']}), with the settings that the config adds."
    context, pooling = entry["context"], entry["pooling"]
    read = {"none": "by itself", "group": "after all earlier parts of its group"}
    where = read[context] if isinstance(context, str) else f"after the {context['window']} {context['unit']} before it"
    state = (
        "state of the part's last token" if pooling == "last" else f"{pooling} of the states of the part's own tokens"
    )
    parts = [
        f"Readout {name}: each part of a text (a sentence, or the words of a time point) is read {where}; a layer's "
        f"vector is the {state}"
    ]
    if context != "none":
        past = (
            "reading begins again with its last half" if entry["overflow"] == "restart" else "it is cut from the left"
        )
        parts.append(f". Where a text is longer than the model can read, {past}")
    if entry.get("limit"):
        parts.append(f". No model reads more than {entry['limit']} tokens at once")
    prompt = entry.get("prompt")
    if prompt:
        parts.append(f". It is preceded by {prompt!r}" if isinstance(prompt, str) else ". A chat template frames it")
    if entry["tokens"] == "random":
        parts.append(". Each token is replaced by a random one of the vocabulary, so that no text is left")
    if entry.get("match"):
        match = entry["match"]
        kind = next(key for key in ("components", "projection", "localizer") if match.get(key))
        what = {"components": "principal components", "projection": "random projections", "localizer": "language units"}
        parts.append(f". Every layer is matched in width to {match[kind]} {what[kind]}")
    return wording.sentence(*parts).replace(" .", ".")


def features_paragraphs(config: Mapping[str, Any]) -> list[str]:
    """Return what the nulls, given and joint features of a study are; nothing where it has none."""
    nulls = [_described(*item) for item in config["features"].items() if _kind(item[1]) == "nulls"]
    given = [name for name, entry in config["features"].items() if _kind(entry) == "given"]
    beside = (
        "Every score of a model stands beside nulls, feature spaces that no language model computes, fitted and scored "
        f"in the same way: {'; '.join(nulls)}. The best null of a score is the one with the highest r."
    )
    tables = f"Fitted and scored like the models are given tables of numbers: {wording.listing(given)}."
    return [beside] * bool(nulls) + [tables] * bool(given) + _joint(config)


def features_heading(config: Mapping[str, Any]) -> str:
    """Return which kinds of `features` a study has, such as "Nulls and given features"; empty where it has none."""
    held = {_kind(entry) for entry in config["features"].values()}
    others = wording.listing(kind for kind in ("given", "joint") if kind in held)
    if not others:
        return "Nulls" if held else ""
    if "nulls" not in held:
        return wording.capital(f"{others} features")
    return f"Nulls{',' if ' and ' in others else ' and'} {others} features"


def _kind(entry: Mapping[str, Any]) -> str:
    return "nulls" if entry["is_null"] else "joint" if "joint" in entry else "given"


def _described(name: str, entry: Mapping[str, Any]) -> str:
    if "table" in entry:
        return f"{name}, a given table of numbers"
    values = dict(entry) | {"name": name, "sigmas": ", ".join(f"{s:g}" for s in entry.get("sigmas", []))}
    return _CONTROLS[entry["control"]].format(**values)


def _joint(config: Mapping[str, Any]) -> list[str]:
    """Return which feature spaces are fitted together, and how."""
    entries = {name: entry["joint"] for name, entry in config["features"].items() if "joint" in entry}
    if not entries:
        return []
    said = [f"{name} ({wording.listing(members)})" for name, members in entries.items()]
    fewest = 1 + max(map(len, entries.values()))  # each alone, and one mixture
    tried = [
        f"{max(entry['mixtures'], fewest)} (encoder {name})"
        for name, entry in config["encoders"].items()
        if entry["intercept"] and (entry["regression"], entry["kernel"]) == ("ridge", "linear")
    ]
    return [
        f"Feature spaces that are joined: {wording.listing(said)}. They predict together by banded ridge regression: "
        "the Gram matrices of the members, each at the layer chosen in the fold by its own encoding and divided by its "
        "trace, are summed with weights that are chosen with the penalty from at most "
        f"{wording.listing(tried)} weightings, among them each member alone."
    ]
