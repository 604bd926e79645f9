"""The statistics of a study in prose: what is resampled, how often, and what that leaves out."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from brainalign.correlation.bases import EXACT_UP_TO
from brainalign.inference.p_values import COUNTED, NOT_COUNTED, ONE_FOLD, WIDENED
from brainalign.report import wording
from brainalign.report.headline import SUMMARY
from brainalign.row_labels import AVERAGE, BEST
from brainalign.study import summary_rows

DEPENDENCE = {
    COUNTED: "count that folds train each other, by deviations that hold the covariance of every pair of groups",
    WIDENED: "are widened by √2, the most that can be missing, for folds that train each other, since these do not "
    "tell how much is (their groups are few, leave samples untested or are fitted without an intercept)",
    ONE_FOLD: "are of one fold, which depends on no other",
    NOT_COUNTED: "do not count that folds share training samples, and are too narrow",
}


def statistics_paragraphs(alignment: pd.DataFrame, pairs: pd.DataFrame, config: Mapping[str, Any]) -> list[str]:
    """Return the paragraphs about intervals, tests, pairs and correlations, of what was computed."""
    return [
        text
        for text in (
            _intervals(alignment, config),
            _tests(alignment),
            _shifts(alignment),
            _nulls(alignment),
            _own_nulls(alignment),
            _control_regions(alignment),
            _subjects(alignment),
            _pairs(pairs, config["analyses"]),
            _correlations(alignment, config["analyses"]),
        )
        if text
    ]


def _intervals(alignment: pd.DataFrame, config: Mapping[str, Any]) -> str:
    rows = summary_rows(alignment)
    rows = rows[rows["r"].notna()]
    if not config["encoders"]:
        return "The scores have no intervals, since a publication gives no replicates." if len(rows) else ""
    drawn = rows[rows["r_low"].notna()]
    missing = rows[rows["r_low"].isna() & rows["encoder"].isin(list(config["encoders"]))]
    few = [
        f"of {encoder} on {wording.listing(dict.fromkeys(group['dataset']))}"
        for encoder, group in missing.groupby("encoder", sort=False)
    ]
    parts = [] if drawn.empty else _bootstraps(drawn, config)
    if few:
        parts.append(
            f"Scores {wording.listing(few)} have no interval, since too few groups of stimuli are tested to be "
            "resampled."
        )
    return " ".join(parts)


def _bootstraps(drawn: pd.DataFrame, config: Mapping[str, Any]) -> list[str]:
    """Return sentences on the intervals of rows that have one."""
    encoders = {name: entry for name, entry in config["encoders"].items() if name in set(drawn["encoder"])}
    draws = {
        (entry["bootstrap"]["draws"], entry["bootstrap"]["seed"]): [
            name for name, other in encoders.items() if other["bootstrap"] == entry["bootstrap"]
        ]
        for entry in encoders.values()
    }
    bootstraps = wording.listing(
        f"{n} draws (seed {seed}{f', {wording.listing(names)}' if len(draws) > 1 else ''})"
        for (n, seed), names in draws.items()
    )
    parts = [
        f"Intervals are 95 % percentile intervals of a bootstrap with {bootstraps} over groups of stimuli, such as "
        "passages and stories, in held-out samples (over folds where a fold has few groups), with the same draws for "
        "all feature spaces of a data set. The encoders are not fitted again, so that intervals are conditional on "
        "the fit, the subjects and the models."
    ]
    kinds = drawn.groupby("encoder", sort=False)["dependence"].unique()
    for kind, what in DEPENDENCE.items():
        alone = [str(name) for name, held in kinds.items() if list(held) == [kind]]
        among = [str(name) for name, held in kinds.items() if kind in held and len(held) > 1]
        for names, how_many in ((alone, "Intervals"), (among, "Some intervals")):
            parts += [f"{how_many} of {wording.listing(names)} {what}."] if names else []
    best = wording.listing(dict.fromkeys(drawn.loc[drawn["layer_choice"] == BEST, "encoder"]))
    if best:
        parts.append(f"No interval of {best} counts that the layer was taken by its test score, which raises r.")
    nested = wording.listing(
        dict.fromkeys(drawn.loc[drawn["layer_choice"].astype(str).str.startswith("nested"), "encoder"])
    )
    if nested:
        parts.append(
            f"Intervals and p of {nested} are widened by what choosing the layer again in every draw adds (where each "
            "neuroid has a layer of its own, as told by some neuroids of every subject and region)."
        )
    return parts


def _tests(alignment: pd.DataFrame) -> str:
    rows = summary_rows(alignment)
    rows = rows[rows["smallest_p"].notna()]
    if rows.empty:
        return ""
    over_null = ", and of r above that of the best null," if rows["over_null_p"].notna().any() else ""
    single = rows["dependence"] == ONE_FOLD
    names = wording.listing(dict.fromkeys(rows.loc[single, "encoder"]))
    spread = (
        ""
        if single.all()
        else ", the null distribution widened by what groups share by training each other (by √2 where that is not "
        "known)" + (f" (not where {names} has one fold)" if single.any() else "")
    )
    smallest = list(dict.fromkeys(f"{p:.2g}" for p in sorted(rows["smallest_p"])))
    least = f"{smallest[0]} to {smallest[-1]}" if len(smallest) > 1 else smallest[0]
    best = wording.listing(dict.fromkeys(rows.loc[rows["layer_choice"] == BEST, "encoder"]))
    corrected = "p for layers are corrected for the family of layers by the maximum statistic" + (
        f", and so are those of {best}, where the layer was taken by its test score" if best else ""
    )
    return (
        f"One-sided p of r above 0{over_null} are from flipping the signs of what groups of stimuli contribute to r"
        f"{spread} (where all groups contribute alike, p is {least}); {corrected}."
        + (
            f" r_q{' and over_null_q are' if over_null else ' is a'} false discovery rate{'s' if over_null else ''} "
            "(Benjamini & Hochberg) of the chosen layers of all feature spaces of one kind on one data set with one "
            "encoder and readout: over everybody, over regions, over subjects, and over both, each a family of its own."
            if "r_q" in rows and rows["r_q"].notna().any()
            else ""
        )
    )


def _shifts(alignment: pd.DataFrame) -> str:
    rows = summary_rows(alignment)
    if "r_p_shift" not in rows or not rows["r_p_shift"].notna().any():
        return ""
    return (
        "For series, p of r above 0 is given besides (r_p_shift) for shifting predictions round inside each run by "
        "random offsets, all neuroids together, which keeps what neighbouring samples share."
    )


def _nulls(alignment: pd.DataFrame) -> str:
    if not summary_rows(alignment)["over_null"].notna().any():
        return ""
    return (
        "The difference from the best null is paired, draw by draw; that the best of several nulls was taken is not "
        "part of its interval, nor is the choice of the best model part of any interval in this report."
    )


def _own_nulls(alignment: pd.DataFrame) -> str:
    """Say how scores are set beside untrained twins and random tokens, where the study has them."""
    rows = summary_rows(alignment)
    kinds = {
        "over_twin": "of untrained twins (the model's architecture with random weights)",
        "over_random_tokens": "of the same model reading random tokens",
    }
    names = [what for column, what in kinds.items() if rows[column].notna().any()]
    if not names:
        return ""
    return (
        f"Scores are set beside those {wording.listing(names)}: the difference from the mean over seeds is paired, "
        "draw by draw. Its interval is of the seeds that were taken; how far these lie apart is no part of it, and is "
        "shown by the lowest and the highest of them."
    )


def _control_regions(alignment: pd.DataFrame) -> str:
    if "over_control" not in alignment or not alignment["over_control"].notna().any():
        return ""
    known = alignment[alignment["over_control"].notna()]
    names = wording.listing(
        f"{region} of {dataset}"
        for region, dataset in dict.fromkeys(zip(known["control_region"], known["dataset"], strict=True))
    )
    return (
        f"Scores of regions are set against those of the control region ({names}), of the same features, layer and "
        "subject: the difference is paired, draw by draw. The ceilings of two regions may differ, which is no part "
        "of it."
    )


def _subjects(alignment: pd.DataFrame) -> str:
    if not summary_rows(alignment)["r_subject_mad"].notna().any():
        return ""
    return (
        "How far subjects differ is given as the median absolute deviation of their own r from its median over "
        "subjects (r_subject_mad, unscaled), which is neither an interval nor a standard error."
    )


def _pairs(pairs: pd.DataFrame, analyses: Mapping[str, Any]) -> str:
    if pairs.empty:
        return ""
    drawn = pairs["difference_low"].notna().any()
    over_stimuli = ", with an interval over stimuli and a two-sided p from the same draws" if drawn else ""
    parts = [f"Each instruction-tuned model is compared with its base by the paired difference in r{over_stimuli}."]
    means = pairs[pairs["row"] == SUMMARY]
    if means["over_bases_low"].notna().any():
        parts.append(
            f"The mean of the pairs has an interval over bases, from {analyses['draws']} bootstrap samples of bases "
            f"with all models tuned from them (seed {analyses['seed']}), and Wilcoxon's exact signed-rank test over "
            "the bases' mean differences."
        )
    elif len(means):
        parts.append("The mean of the pairs has no interval over bases, and so says nothing of other models.")
    if (pairs["dataset"] == AVERAGE).any():
        parts.append("Averages over data sets are means over collections of the mean over their data sets.")
    return " ".join(parts)


def _correlations(alignment: pd.DataFrame, analyses: Mapping[str, Any]) -> str:
    if not analyses["correlate"]:
        return ""
    drawn = summary_rows(alignment)["r_low"].notna().any()
    held = " and from the replicates of the scores with the models held fixed" if drawn else ""
    sets = list(analyses["over"])
    parts = [
        f"Alignment is correlated with {wording.listing(analyses['correlate'])} over trained models"
        + (f", in the sets {wording.listing(sets)}" if sets != ["all"] else "")
        + ": Pearson's r with Fisher's interval, and with intervals from "
        f"{analyses['draws']} bootstrap samples of models (seed {analyses['seed']}){held}; and Spearman's rho. As "
        "models of one base are not independent, p is given besides for exchanging whole bases (all orders up to "
        f"{EXACT_UP_TO} bases, {analyses['orders']} random orders beyond)."
    ]
    for entry in analyses["partial"]:
        parts.append(f"{entry['property']} is partialled for {wording.listing(entry['given'])}.")
    if analyses["mixed"]:
        parts.append(
            f"Slopes of {wording.listing(analyses['mixed'])} beyond families are from linear models with a constant "
            "for each family and a random intercept for each base, by restricted maximum likelihood."
        )
    tests = [*analyses["corrections"], *analyses["given"]]
    if tests:
        parts.append(f"p is corrected by Benjamini–Hochberg over the declared tests of {wording.listing(tests)}.")
    return " ".join(parts)
