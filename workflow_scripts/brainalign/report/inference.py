"""The statistics of a study in prose: what is resampled, how often, and what that leaves out."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from brainalign.report import wording
from brainalign.study import summary_rows

_DEPENDENCE = {
    "counted": "count that folds train each other, by deviations that hold the covariance of every pair of groups",
    "widened": "are widened by √2 for the most that folds can depend on each other by training each other",
    "not counted": "do not count that folds share training samples, and are too narrow",
}


def statistics_paragraphs(alignment: pd.DataFrame, pairs: pd.DataFrame, config: Mapping[str, Any]) -> list[str]:
    """Return the paragraphs about intervals, tests, pairs and correlations, of what was computed."""
    return [
        text
        for text in (
            _intervals(alignment, config),
            _tests(alignment),
            _nulls(alignment),
            _pairs(pairs, config["analyses"]),
            _correlations(alignment, config["analyses"]),
        )
        if text
    ]


def _intervals(alignment: pd.DataFrame, config: Mapping[str, Any]) -> str:
    rows = summary_rows(alignment)
    draws = {
        (entry["bootstrap"]["draws"], entry["bootstrap"]["seed"]): [
            name for name, other in config["encoders"].items() if other["bootstrap"] == entry["bootstrap"]
        ]
        for entry in config["encoders"].values()
    }
    if not draws:
        return "The scores have no intervals, since a publication gives no replicates." if len(rows) else ""
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
    for kind, what in _DEPENDENCE.items():
        names = list(dict.fromkeys(rows.loc[rows["dependence"] == kind, "encoder"]))
        if names:
            parts.append(f"Intervals of {wording.listing(names)} {what}.")
    return " ".join(parts)


def _tests(alignment: pd.DataFrame) -> str:
    rows = summary_rows(alignment)
    smallest = rows["smallest_p"].dropna()
    if smallest.empty:
        return ""
    return (
        "One-sided p of r above 0, and of r above that of the best null, are from flipping the signs of what groups of "
        "stimuli contribute to r, the null distribution widened by √2 since folds train each other (smallest possible "
        f"p {wording.listing(f'{p:.2g}' for p in sorted(set(smallest)))}); p for layers are corrected for the family "
        "of layers by the maximum statistic."
    )


def _nulls(alignment: pd.DataFrame) -> str:
    if not summary_rows(alignment)["over_null"].notna().any():
        return ""
    return (
        "The difference from the best null is paired, draw by draw; that the best of several nulls was taken is not "
        "part of its interval, nor is the choice of the best model part of any interval in this report."
    )


def _pairs(pairs: pd.DataFrame, analyses: Mapping[str, Any]) -> str:
    if pairs.empty:
        return ""
    drawn = pairs["difference_low"].notna().any()
    over_stimuli = ", with an interval over stimuli from the same draws" if drawn else ""
    return (
        "Each instruction-tuned model is compared with its base by the paired difference in r"
        f"{over_stimuli}. The mean of the pairs has an interval over bases, from "
        f"{analyses['draws']} bootstrap samples of bases with all models tuned from them (seed {analyses['seed']}), "
        "and Wilcoxon's exact signed-rank test over the bases' mean differences. Averages over data sets are means "
        "over collections of the mean over their data sets."
    )


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
        "models of one base are not independent, p is given besides for exchanging whole bases (all orders up to 7 "
        f"bases, {analyses['orders']} random orders beyond)."
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
