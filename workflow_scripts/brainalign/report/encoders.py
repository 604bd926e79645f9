"""An encoder's settings as a paragraph."""

from collections.abc import Mapping
from typing import Any

from brainalign.report import wording

_AGGREGATES = {
    "mean": "{r}{over_folds}, then averaged over a subject's neuroids, then over subjects.",
    "schrimpf": "{r}{over_folds}; then the median over a subject's neuroids, and over subjects.",
    "brain-score": "{r}, the median over neuroids of all subjects in each fold, averaged over folds.",
}
_STANDARDS = {
    "training": "features and responses are standardised by the mean and SD of the training samples",
    "fold": "training and test samples are standardised each by their own mean and SD",
}
_AS_LOOKED_UP = (
    ", looked up as in the published code (one sample beside them), and a sample without words leaves the columns that "
    "it reaches at 0 in its run, as there"
)
_POOLED_AGGREGATES = _AGGREGATES | {"brain-score": "{r}, the median over neuroids of all subjects."}


def encoder_paragraph(name: str, entry: Mapping[str, Any], beyond_nulls: bool = False) -> str:
    """Return what an encoder does, from features to a score.

    Parameters
    ----------
    beyond_nulls : whether features were fitted together with nulls, as no study without nulls has it.
    """
    parts = [
        f"Encoder {name}: {_regression(entry)}.",
        _preparation(entry),
        _penalties(entry),
        f"{_split(entry['split'])}.",
        _layer(entry["layer"]),
        _aggregate(entry),
        _beyond_nulls(entry) if beyond_nulls else "",
        f"It is for {wording.listing(entry['datasets'])}." if entry.get("datasets") else "",
    ]
    return " ".join(part for part in parts if part)


def _regression(entry: Mapping[str, Any]) -> str:
    if entry["regression"] == "ols":
        return "responses are predicted from a layer's features by ordinary least squares"
    if entry["regression"] == "pca-ridge":
        return (
            f"responses are predicted from {entry['components']} principal components of a layer's features, fitted to "
            "the training samples, by ridge regression"
        )
    kernels = {
        "linear": "ridge regression",
        "rbf": f"kernel ridge regression with Gaussian kernels of {_numbers(entry['bandwidths'])} times the median "
        "distance",
        "polynomial": f"kernel ridge regression with polynomial kernels of degree {_numbers(entry['degrees'])}",
    }
    return f"responses are predicted from a layer's features by {kernels[entry['kernel']]}"


def _preparation(entry: Mapping[str, Any]) -> str:
    steps = []
    if entry.get("word_components"):
        steps.append(
            f"the features of words are reduced to {entry['word_components']} principal components of the training "
            f"samples{_AS_LOOKED_UP if entry['word_rule'] == 'published' else ''}"
        )
    if entry["zscore"]:
        steps.append("features are z-scored within runs")
    if entry["delays"]:
        steps.append(f"features of a series are repeated at delays of {_numbers(entry['delays'])} samples")
    if entry["trim"] != [0, 0]:
        steps.append(f"{entry['trim'][0]} samples at the start and {entry['trim'][1]} at the end of a run are left out")
    if entry["zscore_delayed"]:
        steps.append("delayed features are z-scored within runs")
    if entry["standardize"] != "none":
        steps.append(_STANDARDS[entry["standardize"]])
    if not entry["intercept"]:
        steps.append("no intercept is fitted")
    return wording.capital(wording.sentence("; ".join(steps))) if steps else ""


def _penalties(entry: Mapping[str, Any]) -> str:
    if entry["regression"] == "ols":
        return ""
    grid, penalties = entry["grid"], entry["penalties"]
    unit = " times trace(K)/n of the Gram matrix K of the features" if grid["scale"] == "relative" else ""
    if not isinstance(penalties, str):
        return f"The penalty is {penalties:g}{unit}."
    whose = "each neuroid" if penalties == "per-neuroid" else "all neuroids together"
    inner = "rows left out one by one" if entry["inner"] == "leave-one-out" else "inner folds of the training samples"
    by = "summed squared error" if entry["criterion"] == "squared-error" else "R²"
    return (
        f"The penalty is chosen for {whose} by {by} on {inner}, from {grid['count']} values between "
        f"10^{grid['log10_min']:g} and 10^{grid['log10_max']:g}{unit}."
    )


def _split(split: Mapping[str, Any]) -> str:
    kind = split["kind"]
    folds = f"{split['folds']} folds" if "folds" in split else ""
    if kind == "shuffle":
        text = (
            f"Samples are shuffled {split['folds']} times, {100 * split['test']:g} % of them held out each time (seed "
            f"{split['seed']}), whatever passage or story they belong to"
        )
    elif kind == "kfold":
        text = (
            f"Single samples are held out in {folds}, shuffled (seed {split['seed']})"
            if split.get("seed") is not None
            else f"Blocks of consecutive samples, in the table's order, are held out in {folds}, without a gap"
        )
    elif kind == "grouped":
        order = "" if split.get("seed") is None else f" of shuffled groups (seed {split['seed']})"
        text = f"Groups of samples (the column {split['by']}) are held out whole, in {folds}{order}"
    elif kind == "leave-one-group-out":
        text = f"Groups of samples (the column {split['by']}) are held out whole, one at a time"
    elif kind == "contiguous":
        text = (
            f"Blocks of neighbouring samples are held out, in {folds}, with a gap of {split['gap']:g} {split['unit']}"
        )
        text += ", counted as published" if split["at"] == "published" else " that is in no training set"
    else:
        text = (
            f"The encoder is fitted to samples with {split['column']} of {_labels(split['train'])} and scored on those "
            f"of {_labels(split['test'])}"
        )
    return text


def _layer(layer: str | Mapping[str, Any]) -> str:
    if layer == "best":
        return "A model's layer is the one with the highest test score, as published, which raises the score."
    if layer == "nested":
        return "A model's layer is chosen in each fold by inner folds of the training samples, before any test sample."
    assert not isinstance(layer, str)
    if layer.get("fixed"):
        return f"The layer is {layer['fixed']} in every model."
    if layer.get("nested"):
        return f"A layer is chosen for each {layer['nested']} by inner folds of the training samples."
    return f"A model's layer is the one that is best inside the training folds of {layer['dataset']}."


def _aggregate(entry: Mapping[str, Any]) -> str:
    if entry["split"].get("small_folds") == "pool":
        r = (
            "Scores are Pearson's r of the held-out predictions of all folds together (each less the mean of the "
            "samples that trained it, and divided by the length of its fold's weights) with the responses"
        )
        return _POOLED_AGGREGATES[entry["aggregate"]].format(r=r, over_folds="")
    r = "Scores are Pearson's r on held-out samples"
    return _AGGREGATES[entry["aggregate"]].format(r=r, over_folds=", averaged over folds")


def _beyond_nulls(entry: Mapping[str, Any]) -> str:
    return (
        "What features explain beyond the nulls is the R² of both together less that of the nulls, by banded ridge "
        "regression: the weights of the features and of each null are chosen with the penalty, from at most "
        f"{entry['mixtures']} weightings (or twice the number of nulls and 3, where that is more) that hold all those "
        "of the nulls by themselves."
    )


def _numbers(values: list[float]) -> str:
    return wording.listing(f"{value:g}" for value in values)


def _labels(values: object) -> str:
    return wording.listing(values) if isinstance(values, list) else str(values)
