"""The answer of a study: its best models, pairs and correlations, taken from the joined tables as they are.

Nothing is computed here but which row is the highest and how many rows there are.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from brainalign.report import wording
from brainalign.row_labels import AVERAGE, GIVEN, MODEL, UNTRAINED
from brainalign.study import summary_rows

SUMMARY = "mean of the pairs"
_KEPT = (
    "encoder dataset simulated readout r r_low r_high ceiling_kind normalised normalised_low normalised_high best_null "
    "over_null over_null_low over_null_high over_null_p over_twin over_twin_low over_twin_high over_random_tokens "
    "over_random_tokens_low over_random_tokens_high samples layer_choice"
).split()
COLUMNS = [*_KEPT[:4], "model", *_KEPT[4:], "models", "above_null", "subjects"]


def how_cut(split: Mapping[str, Any]) -> str:
    """Return what a split holds out: "whole groups", "blocks with a gap", "bare blocks", "single samples", "given"."""
    kind = split.get("kind")
    if kind in ("grouped", "leave-one-group-out"):
        return "whole groups"
    if kind == "contiguous":
        return "blocks with a gap" if split.get("gap", 0) > 0 else "bare blocks"
    if kind == "kfold" and split.get("seed") is None:
        return "bare blocks"
    return "single samples" if kind in ("kfold", "shuffle") else "given"


def is_controlled(encoder: Mapping[str, Any]) -> bool:
    """Tell whether an encoder's settings hold out groups, or blocks with a gap, and keep test scores from choosing."""
    apart = how_cut(encoder.get("split", {})) in ("whole groups", "blocks with a gap")
    return apart and encoder.get("layer") != "best"


def encoders_in_order(alignment: pd.DataFrame, config: Mapping[str, Any]) -> list[str]:
    """Return the encoders of the table: controlled ones first, then others, then published scores."""
    settings = config.get("encoders", {})
    names = list(dict.fromkeys(alignment["encoder"]))
    order = {name: 2 if name not in settings else 0 if is_controlled(settings[name]) else 1 for name in names}
    return sorted(names, key=order.__getitem__)


def trained(alignment: pd.DataFrame, properties: pd.DataFrame) -> pd.DataFrame:
    """Return the chosen-layer rows over all subjects and regions of models that are not untrained twins."""
    rows = summary_rows(alignment)
    twins = properties.loc[properties["kind"] == UNTRAINED, "model"]
    return rows[(rows["features_kind"] == MODEL) & ~rows["features"].isin(twins)]


def subjects(alignment: pd.DataFrame) -> dict[str, int]:
    """Return data set → how many subjects have scores of their own; 0 where none has."""
    own = alignment[alignment["subject"] != "all"].groupby("dataset")["subject"].nunique()
    return {dataset: int(own.get(dataset, 0)) for dataset in dict.fromkeys(alignment["dataset"])}


def headline_table(alignment: pd.DataFrame, properties: pd.DataFrame, config: Mapping[str, Any]) -> pd.DataFrame:
    """Return the best trained model of each encoder, data set and readout, controlled encoders first.

    Where a study has no models, the given features are looked at. `models` says among how many the best was taken,
    `above_null` how many of them have an interval of `over_null` above 0, missing where there is none. Empty where
    nothing was scored.
    """
    rows = trained(alignment, properties)
    if rows.empty:
        every = summary_rows(alignment)
        rows = every[every["features_kind"] == GIVEN]
    rows = rows[rows["r"].notna()]
    order = {name: number for number, name in enumerate(encoders_in_order(alignment, config))}
    datasets = {name: number for number, name in enumerate(dict.fromkeys(alignment["dataset"]))}
    own_subjects = subjects(alignment)
    found = []
    for _, group in rows.groupby(["encoder", "dataset", "readout"], sort=False):
        best = group.iloc[int(group["r"].to_numpy().argmax())]
        encoder, dataset, readout = (str(best[name]) for name in ("encoder", "dataset", "readout"))
        lows = group["over_null_low"].dropna()
        found.append(
            {name: best[name] for name in _KEPT}
            | {"model": best["features"], "models": len(group), "subjects": own_subjects[dataset]}
            | {"above_null": int((lows > 0).sum()) if len(lows) else pd.NA}
            | {"order": (order[encoder], datasets[dataset], readout)}
        )
    found.sort(key=lambda row: row["order"])
    table = pd.DataFrame(found, columns=COLUMNS)
    return table.astype({"samples": "Int64", "above_null": "Int64"})


def answers(
    alignment: pd.DataFrame,
    properties: pd.DataFrame,
    correlations: pd.DataFrame,
    pairs: pd.DataFrame,
    config: Mapping[str, Any],
) -> list[str]:
    """Return the study's answer in a few sentences, under the first (controlled) encoder."""
    table = headline_table(alignment, properties, config)
    if table.empty:
        return ["No model was scored on a data set with responses."]
    encoder = str(table["encoder"].iloc[0])
    best = [_best(row) for row in table[table["encoder"] == encoder].to_dict("records")]
    return [*best, *pair_sentences(pairs, encoder), *correlation_sentences(correlations, encoder)]


def _best(row: Mapping[Any, Any]) -> str:
    among = f"is the best of {wording.count(row['models'], 'model')}" if row["models"] > 1 else "is the only model"
    parts = [f"{row['dataset']}: {row['model']} {among},"]
    share = wording.percent_with_interval(row["normalised"], row["normalised_low"], row["normalised_high"])
    if wording.is_known(row["r_low"]):
        parts.append(f"r = {_three(row, 'r')}")
    else:
        parts.append(f"r = {wording.number(row['r'])}, without an interval")
        share = share.removesuffix(f" ({wording.NO_INTERVAL})")
    parts += [f"({share} of the ceiling)"] if wording.is_known(row["normalised"]) else []
    if wording.is_known(row["over_null"]):
        p = wording.probability(row["over_null_p"])
        parts.append(f"and {_against_null(row)} the best null, {row['best_null']}: {_three(row, 'over_null')}")
        parts[-1] += f", {p}" if p else ""
    if not pd.isna(row["above_null"]):
        parts[-1] += f"; the intervals of {row['above_null']} of {row['models']} models lie above it"
    return wording.sentence(*parts)


def _against_null(row: Mapping[Any, Any]) -> str:
    """Return on which side of the best null a score is, by the paired interval."""
    if not wording.is_known(row["over_null_low"], row["over_null_high"]):
        return "compared with"
    return "above" if row["over_null_low"] > 0 else "below" if row["over_null_high"] < 0 else "not clearly above"


def pair_sentences(pairs: pd.DataFrame, encoder: str) -> list[str]:
    """Return one sentence for each readout about the mean of the pairs of the first set of models."""
    rows = _of_first_set(pairs[(pairs["row"] == SUMMARY) & (pairs["encoder"] == encoder)])
    single = rows[rows["dataset"] != AVERAGE]
    return [
        _mean_of_pairs(row, single[single["readout"] == row["readout"]])
        for row in _with_place(_average_rows(rows)).to_dict("records")
    ]


def _mean_of_pairs(row: Mapping[Any, Any], single: pd.DataFrame) -> str:
    if not wording.is_known(row["difference"]):
        return wording.sentence(f"Instruction-tuning: {row['reason'] or 'no pair has both scores'}")
    pairs, bases = int(row["pairs"]), int(row["bases"])
    over_stimuli = f"{wording.interval(row['difference_low'], row['difference_high'])} over stimuli"
    text = (
        f"Instruction-tuning ({row['place']}): the mean difference in r of {wording.count(pairs, 'pair')} from "
        f"{wording.count(bases, 'base')} is {wording.number(row['difference'])}"
    )
    if wording.is_known(row["over_bases_low"]):
        text += f", {wording.interval(row['over_bases_low'], row['over_bases_high'])} over bases and {over_stimuli}"
    else:
        text += f", {over_stimuli}; {row['reason'] or 'no interval over bases'}"
    p = wording.probability(row["wilcoxon_p_bases"]) if bases > 1 else ""
    if p:
        text += f"; Wilcoxon over bases {p}{_smallest(row, 'wilcoxon_p_bases', 'wilcoxon_smallest_p_bases')}"
    return wording.sentence(text + _gain(row, single))


def _gain(row: Mapping[Any, Any], single: pd.DataFrame) -> str:
    """Return the mean gain in per cent and of how many pairs it is; nothing where data sets have different pairs.

    Parameters
    ----------
    single : the means of pairs of each data set alone, of the same encoder, readout and set of models.
    """
    if not wording.is_known(row["percent_mean_over_datasets"]) or (single["pairs"] != row["pairs"]).any():
        return ""
    pairs = int(row["pairs"])
    of = dict(zip(single["dataset"], single["percent_pairs"].astype(int), strict=True))
    where = "pairs and data sets" if len(of) > 1 else "pairs"
    counts = list(dict.fromkeys(of.values()))
    if len(counts) == 1:
        whose = f"{counts[0]} of {pairs}" if counts[0] < pairs else f"all {pairs}"
    else:
        whose = wording.listing(f"{n} of {pairs} on {dataset}" for dataset, n in of.items())
    gain = wording.number(row["percent_mean_over_datasets"], 1)
    return f"; the mean gain over {where} ({whose}) is {gain} %, a number without an interval"


def _smallest(row: Mapping[Any, Any], p: str, smallest: str) -> str:
    """Return what is to be said where p could not have been smaller."""
    least = row[smallest]
    reached = wording.is_known(row[p], least) and row[p] <= least * (1 + 1e-9)
    return ", the smallest that so few can give" if reached else ""


def correlation_sentences(correlations: pd.DataFrame, encoder: str) -> list[str]:
    """Return a sentence for each readout and property, of the first set of models."""
    rows = _of_first_set(correlations[correlations["encoder"] == encoder])
    return [_correlation(row) for row in _with_place(_average_rows(rows)).to_dict("records")]


def _correlation(row: Mapping[Any, Any]) -> str:
    n = wording.count(int(row["n"]), "model")
    if not wording.is_known(row["pearson_r"]):
        return wording.sentence(
            f"{row['property']} and alignment ({row['place']}): no correlation ({row['reason']}), {n}"
        )
    parts = [
        f"{row['property']} and alignment ({row['place']}): r = "
        f"{wording.with_interval(row['pearson_r'], row['fisher_low'], row['fisher_high'], 2)} over {n}"
    ]
    p, moved = wording.probability(row["pearson_p"]), wording.probability(row["permutation_p"])
    tests = [f"{p} if models were independent"] if p else []
    if moved:
        least = _smallest(row, "permutation_p", "permutation_smallest_p")
        tests.append(f"{moved} when whole bases are exchanged{least}")
    corrected = wording.probability(row["corrected_p"])
    tests += [f"{corrected} corrected over {int(row['corrected_tests'])} tests"] if corrected else []
    return wording.sentence(parts[0] + "".join(f", {test}" for test in tests))


def _average_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of the average over data sets, where there are any."""
    average = rows[rows["dataset"] == AVERAGE]
    return rows if average.empty else average


def _of_first_set(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of the first set of models, which is the one that figures show."""
    return rows[rows["over"] == rows["over"].iloc[0]] if len(rows) else rows


def _with_place(rows: pd.DataFrame) -> pd.DataFrame:
    """Add what a row is about: the data sets, and where there are several the readout and the set of models."""
    several = rows["readout"].nunique() > 1
    places = [
        ("average of the data sets" if dataset == AVERAGE else dataset)
        + (f", {readout}" if several else "")
        + (f", models of the set {over}" if over not in ("", "all") else "")
        for dataset, readout, over in zip(rows["dataset"], rows["readout"], rows["over"], strict=True)
    ]
    return rows.assign(place=places)


def _three(row: Mapping[Any, Any], name: str) -> str:
    return wording.with_interval(row[name], row[f"{name}_low"], row[f"{name}_high"])
