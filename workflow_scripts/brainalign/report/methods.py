"""The methods of a study in prose, generated from its config as it was run: what could stand in a paper."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from brainalign.report import wording
from brainalign.report.encoders import encoder_paragraph
from brainalign.report.features import features_heading, features_paragraphs, readout_paragraph
from brainalign.report.headline import encoders_in_order, subjects, trained
from brainalign.report.inference import statistics_paragraphs
from brainalign.row_labels import UNTRAINED
from brainalign.study import summary_rows

Settings = Mapping[str, Any]

_CEILINGS = {
    "known": "the r of the noise-free response with the simulated one",
    "given": "ceilings that came with the data, one per neuroid",
    "repeats": "the root of the share of variance of the mean over repetitions that is signal, by analysis of variance",
    "split-half": "random halves of the repetitions ({splits}), corrected by Spearman–Brown",
    "leave-one-subject-out": "the same encoder with the responses of all other subjects as features, without delays",
    "subject-pool": "the same encoder with growing pools of other subjects as features, without delays, extrapolated "
    "to infinitely many subjects by v0 (1 − exp(−n/τ))",
}


@dataclass(frozen=True)
class Section:
    """A heading and its paragraphs, plain text."""

    heading: str
    paragraphs: list[str]


def methods(alignment: pd.DataFrame, properties: pd.DataFrame, pairs: pd.DataFrame, config: Settings) -> list[Section]:
    """Return the methods as sections; those that the study does not need are left out.

    Parameters
    ----------
    alignment, properties, pairs : the joined tables, for numbers of subjects, samples and models.
    config : the study's settings, as the report's spec has them, defaults filled in.
    """
    config = _in_order(config, alignment, properties)
    sections = [
        Section("Data", [*_datasets(alignment, config), *_published(alignment, config)]),
        Section(
            "Models", [*_models(properties, config), *(readout_paragraph(*item) for item in config["readouts"].items())]
        ),
        Section(features_heading(config), features_paragraphs(config)),
        Section("Encoding models", _encoders(alignment, config)),
        Section("Noise ceilings", _ceilings(alignment, config)),
        Section("Representational similarity", [_similarity(*item) for item in config["similarities"].items()]),
        Section("Statistics", statistics_paragraphs(alignment, pairs, config)),
    ]
    return [section for section in sections if section.paragraphs]


def _in_order(config: Settings, alignment: pd.DataFrame, properties: pd.DataFrame) -> dict[str, Any]:
    """Put the sections of a config, whose keys a spec has sorted, into the order of the tables."""
    rows = summary_rows(alignment)
    orders: dict[str, Iterable[str]] = {
        "datasets": rows["dataset"],
        "published": rows["dataset"],
        "encoders": encoders_in_order(alignment, config),
        "models": properties["model"],
        "features": rows["features"],
    }
    result = dict(config)
    for key, names in orders.items():
        known = [name for name in dict.fromkeys(names) if name in config[key]]
        result[key] = {name: config[key][name] for name in dict.fromkeys([*known, *config[key]])}
    return result


def as_text(sections: list[Section]) -> str:
    """Return the sections as plain text, a blank line between paragraphs."""
    return "\n\n".join(f"{section.heading}\n\n" + "\n\n".join(section.paragraphs) for section in sections) + "\n"


def _datasets(alignment: pd.DataFrame, config: Settings) -> list[str]:
    sizes = summary_rows(alignment).groupby("dataset", sort=False)[["samples", "neuroids"]].max()
    people = subjects(alignment)
    found = []
    for name, entry in config["datasets"].items():
        parts = [f"{name}:", _responses(entry)]
        if name in sizes.index:
            counted = [wording.count(people.get(name, 0), "subject")] if people.get(name) else []
            counted += [f"{sizes.loc[name, 'neuroids']} neuroids", f"{sizes.loc[name, 'samples']} samples"]
            parts.append(f"({wording.listing(counted)})")
        if entry.get("collection", name) != name:
            parts.append(f", in the collection {entry['collection']}")
        found.append(wording.sentence(*parts).replace(" ,", ","))
        if entry.get("citation"):
            found[-1] += f" Source: {entry['citation'].rstrip('.')}."
    return found


def _responses(entry: Settings) -> str:
    if entry["loader"] == "joined":
        return f"the data sets {wording.listing(entry['datasets'])} joined"
    if entry["loader"] != "simulated":
        return "measured responses"
    kind = (
        f"{entry['passages']} passages of {wording.count(entry['sentences'], 'sentence')}"
        if entry["kind"] == "passages"
        else f"{entry['stories']} stories of {entry['time_points']} time points of 2 s"
    )
    return (
        f"SIMULATED responses to {kind}, generated from features of an invented world (world {entry['world']}, seed "
        f"{entry['seed']}) and never from a language model"
    )


def _published(alignment: pd.DataFrame, config: Settings) -> list[str]:
    rows = summary_rows(alignment)
    found = []
    for name, entry in config["published"].items():
        n = rows.loc[(rows["dataset"] == name) & rows["r"].notna(), "features"].nunique()
        units = "r over the ceiling, multiplied by it" if entry["units"] == "normalised" else "r"
        ceiling = f"; the published ceiling is {entry['ceiling']:g}" if entry.get("ceiling") else ""
        source = f" Source: {entry['citation'].rstrip('.')}." if entry.get("citation") else ""
        found.append(
            f"{name}: published scores of {wording.count(n, 'model')}, {units}, not computed here{ceiling}.{source}"
        )
    return found


def _models(properties: pd.DataFrame, config: Settings) -> list[str]:
    entries = config["models"]
    if not entries:
        return []
    twins = properties[properties["kind"] == UNTRAINED]
    families = list(dict.fromkeys(entry["family"] for entry in entries.values()))
    kinds = [
        wording.count(sum(entry["kind"] == kind for entry in entries.values()), f"{kind} model")
        for kind in dict.fromkeys(entry["kind"] for entry in entries.values())
    ]
    several = "ies" if len(families) > 1 else "y"
    found = [wording.capital(f"{wording.listing(kinds)} of the famil{several} {wording.listing(families)}.")]
    ways = {
        "published": "known by their published scores only",
        "source": "read from the Hugging Face Hub or a folder",
        "train": "trained here",
        "tune": "tuned here from their base on questions and answers",
    }
    for key, words in ways.items():
        n = sum(bool(entry.get(key)) or (key == "published" and key in entry) for entry in entries.values())
        if n:
            found.append(wording.capital(f"{wording.count(n, 'model is', 'models are')} {words}."))
    for name, entry in config["losses"].items():
        found.append(
            f"Next-word loss ({name}) is measured on {entry['text']}, each token predicted from a window of at most "
            f"{entry['window']} tokens (encoder–decoders predict spans cut out of it)."
        )
    found += [_property(name, entry) for name, entry in config["properties"].items()]
    for name, entry in config.get("evaluations", {}).items():
        limit = f", {entry['limit']:g} items of each task at most" if entry.get("limit") else ""
        found.append(
            f"The evaluation {name} ran {wording.listing(entry['tasks'])} here by lm-evaluation-harness{limit}."
        )
    if len(twins):
        number = wording.capital(wording.count(len(twins), "untrained twin"))
        found.append(
            f"{number} with the same architecture and random weights are scored beside them, and are part of no "
            "correlation."
        )
    return [" ".join(found)]


def _property(name: str, entry: Settings) -> str:
    about = [entry[key] for key in ("source", "task_version", "date") if entry.get(key)]
    about += [f"{entry['shots']}-shot"] if entry.get("shots") is not None else []
    told = f" ({'; '.join(about)})" if about else ""
    if not entry.get("lm_eval"):
        return f"The property {name} is given{told or ', without a source'}."
    scores = entry["lm_eval"]
    shots = f", {scores['shots']}-shot" if scores.get("shots") is not None else ""
    task = f"{scores['category']} of {scores['task']}" if scores.get("category") else scores["task"]
    return (
        f"The property {name} is {task} from lm-evaluation-harness ({scores['metric']}, filter {scores['filter']}"
        f"{shots}){told}."
    )


def _encoders(alignment: pd.DataFrame, config: Settings) -> list[str]:
    rows = summary_rows(alignment)
    joined = set(rows.loc[rows["unique_r2"].notna(), "encoder"])
    return [encoder_paragraph(name, entry, name in joined) for name, entry in config["encoders"].items()]


def _ceilings(alignment: pd.DataFrame, config: Settings) -> list[str]:
    rows = trained(alignment, pd.DataFrame({"model": [], "kind": []}))
    found = []
    for name, entry in config["datasets"].items():
        asked = {kind: settings for kind, settings in entry.get("ceilings", {}).items() if kind in _CEILINGS}
        used = [kind for kind in dict.fromkeys(rows.loc[rows["dataset"] == name, "ceiling_kind"]) if kind]
        if not asked:
            continue
        kinds = [f"{kind} ({_CEILINGS[kind].format(**(settings or {}))})" for kind, settings in asked.items()]
        by = f" Scores are divided by the ceiling {used[0]}, not clipped" if used else ""
        how = (
            ", neuroid by neuroid where the ceiling lies above 0" if entry["ceilings"]["normalise"] == "neuroid" else ""
        )
        found.append(f"{name}: {'; '.join(kinds)}.{by}{how}{'.' if used else ''}")
    return found


def _similarity(name: str, entry: Settings) -> str:
    metric = (
        f"the {entry['compare']} correlation of dissimilarities ({entry['distance']}) of pairs of samples"
        if entry["metric"] == "rsa"
        else "linear centred kernel alignment"
    )
    way = (
        "pairs within a group left out" + (" and debiased" if entry["metric"] == "cka" else "")
        if entry["kind"] == "controlled"
        else "as published, on the test samples of shuffled splits, with its bias"
    )
    return wording.sentence(
        f"Similarity {name}: {metric}, {way}; intervals from {entry['bootstrap']['draws']} draws over groups of "
        f"stimuli (seed {entry['bootstrap']['seed']})"
    )
