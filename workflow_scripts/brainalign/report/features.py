"""Readouts, nulls and given features in prose."""

from collections.abc import Mapping
from typing import Any

from brainalign.report import wording

_CONTROLS = {
    "position": "{name}, the index of a part in its group",
    "length": "{name}, the numbers of characters and words of a part",
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
    """Return what the nulls and given features of a study are; nothing where it has none."""
    described = []
    for name, entry in config["features"].items():
        if "control" in entry:
            values = dict(entry) | {"name": name, "sigmas": ", ".join(f"{s:g}" for s in entry.get("sigmas", []))}
            described.append(_CONTROLS[entry["control"]].format(**values))
        elif "table" in entry:
            role = "as a null" if entry.get("as_null") else "as a feature space of its own"
            described.append(f"{name}, a given table of numbers, {role}")
    if not described:
        return []
    return [
        "Every score stands beside feature spaces that no language model computes, fitted and scored in the same way: "
        + "; ".join(described)
        + ". The best null of a score is the one with the highest r."
    ]
