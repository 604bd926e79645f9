"""What a reader has to know before believing a study's numbers: every sentence follows from the joined tables."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from brainalign.intervals import FEWEST_SUBJECTS
from brainalign.report import wording
from brainalign.report.caveat import Caveat, Weight, is_text, names, way
from brainalign.report.caveats_of_regions import caveats_of_regions
from brainalign.report.caveats_of_scores import FEW_GROUPS, caveats_of_scores
from brainalign.report.headline import subjects
from brainalign.row_labels import MODEL
from brainalign.study import summary_rows


def caveats(
    alignment: pd.DataFrame,
    properties: pd.DataFrame,
    correlations: pd.DataFrame,
    pairs: pd.DataFrame,
    config: Mapping[str, Any],
) -> list[Caveat]:
    """Return what is to be said, alarms first.

    Parameters
    ----------
    alignment, properties, correlations, pairs : the joined tables.
    config : the study's settings, as the report's spec has them.
    """
    found = [
        *_provenance_of_data(alignment),
        *caveats_of_scores(alignment, properties, config),
        *caveats_of_regions(alignment, properties, config),
        *_missing_scores(alignment, properties, config),
        *_few(alignment),
        *_missing_properties(correlations, pairs),
        *_versions(alignment, config),
    ]
    order: tuple[Weight, ...] = ("alarm", "warning", "note")
    return sorted(found, key=lambda caveat: order.index(caveat.weight))


def _provenance_of_data(alignment: pd.DataFrame) -> Iterator[Caveat]:
    rows = summary_rows(alignment)
    simulated = names(rows[rows["simulated"] == 1], "dataset")
    if simulated:
        yield Caveat(
            "alarm",
            f"Simulated data: the responses of {wording.listing(simulated)} were generated from features of an "
            "invented world, never measured. They show whether the method finds what was put in, and nothing about "
            "brains.",
        )
    published = names(rows[rows["layer_choice"] == "published"], "dataset")
    if published:
        yield Caveat(
            "warning",
            f"Published numbers: the scores on {wording.listing(published)} are taken from a publication and not "
            "computed here. They come without replicates, so there are no intervals over stimuli, and no nulls, splits "
            "or layers can be checked.",
        )


def _missing_scores(alignment: pd.DataFrame, properties: pd.DataFrame, config: Mapping[str, Any]) -> Iterator[Caveat]:
    rows = summary_rows(alignment)
    of_models = rows[rows["features_kind"] == MODEL]
    published = {name for name, entry in config.get("models", {}).items() if "published" in entry}
    for _, group in of_models.groupby(["encoder", "dataset"], sort=False):
        encoder, dataset = str(group["encoder"].iloc[0]), str(group["dataset"].iloc[0])
        scored = set(group.loc[group["r"].notna(), "features"])
        here = encoder in config.get("encoders", {})
        missing = [name for name in properties["model"] if (name in published) != here and name not in scored]
        if missing:
            yield Caveat(
                "warning", f"{way(encoder, config)}, {dataset}: there is no score of {wording.some_of(missing)}."
            )


def _few(alignment: pd.DataFrame) -> Iterator[Caveat]:
    for dataset, n in subjects(alignment).items():
        if 0 < n < FEWEST_SUBJECTS:
            yield Caveat(
                "warning",
                f"{dataset} has {wording.count(n, 'subject')}: with fewer than {FEWEST_SUBJECTS} there is no interval "
                "over subjects, and nothing is said about other people.",
            )
    for name, rows in summary_rows(alignment).groupby("dataset", sort=False):
        few = sorted({int(n) for text in rows["alarms"] if isinstance(text, str) for n in FEW_GROUPS.findall(text)})
        if few:
            yield Caveat("alarm", f"{name} has only {few[0]} groups of samples, so its intervals mean little.")


def _missing_properties(correlations: pd.DataFrame, pairs: pd.DataFrame) -> Iterator[Caveat]:
    if not correlations.empty:
        without: dict[str, list[str]] = {}
        for name, rows in correlations.groupby("property", sort=False):
            left = dict.fromkeys(model for text in rows["left_out"] if is_text(text) for model in text.split())
            without.setdefault(wording.some_of(list(left)), []).append(str(name))
            reasons = [text for text in dict.fromkeys(rows["reason"]) if is_text(text)]
            if reasons:
                yield Caveat("note", f"{name}: not everything could be tested ({wording.listing(reasons)}).")
        for models, properties in without.items():
            if models:
                yield Caveat("warning", f"Without a value of {wording.listing(properties)}, or a score: {models}.")
    if "row" in pairs and not pairs.empty:
        single = pairs[(pairs["row"] == "pair") & ~pairs["difference"].notna()]
        tuned = list(dict.fromkeys(single["tuned"]))
        if tuned:
            yield Caveat("warning", f"Pairs without both scores: {wording.some_of(tuned)}.")


def _versions(alignment: pd.DataFrame, config: Mapping[str, Any]) -> Iterator[Caveat]:
    if "versions" in alignment:
        found = [text for text in dict.fromkeys(alignment["versions"]) if is_text(text)]
        yield Caveat("warning", f"Cells were computed with different versions of a library: {wording.listing(found)}.")
    loose = [
        name
        for name, entry in config.get("models", {}).items()
        if entry.get("source") and not entry.get("revision") and not entry.get("folder")
    ]
    if loose:
        yield Caveat(
            "note",
            f"No revision is given of {wording.some_of(loose)}: taken as found when first fetched, and recorded below.",
        )
