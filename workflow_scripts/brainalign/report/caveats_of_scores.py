"""What the joined tables say against scores: nulls, twins, random tokens, ceilings, fits, and ways of splitting."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from brainalign.report import wording
from brainalign.report.caveat import Caveat, is_text, names, three, way
from brainalign.report.headline import encoders_in_order, how_cut, trained
from brainalign.row_labels import UNTRAINED
from brainalign.study import summary_rows

# What `alarms` says of nulls, by what it means.
AGAINST_NULLS = {
    "leak": re.compile(r"the null (\S+) scores higher, which has no text: the split leaks"),
    "higher": re.compile(r"the null (\S+) scores higher"),
    "no higher": re.compile(r"r is no higher than that of the null (\S+)"),
}
# What they say of a model's own nulls; the columns that this stands in, and what a difference from each would show.
AGAINST_OWN_NULLS = re.compile(
    r"r is (below|not clearly above) that of (its untrained twins?|the model reading random tokens)"
)
_OWN_NULLS = {
    "over_twin": ("its untrained twins", "what training adds"),
    "over_random_tokens": ("the same model reading random tokens", "what the text adds"),
}
_SHARE = re.compile(r"(?P<share>\d+)% of neuroids (?P<what>.+)")
_PEAK = re.compile(r"least squares is least stable here.*")
_NEIGHBOURS = {
    "single samples": "single samples are held out, so that neighbours of one passage stand on both sides of a split",
    "bare blocks": "blocks of consecutive samples are held out without a gap, so that neighbours stand on both sides "
    "of their borders",
}
FEW_GROUPS = re.compile(r"there are only (\d+) groups of samples")


def caveats_of_scores(alignment: pd.DataFrame, properties: pd.DataFrame, config: Mapping[str, Any]) -> Iterator[Caveat]:
    """Yield what is to be said of each encoder's scores."""
    for find in (_leaks, _own_nulls, _ceilings, _fits, _whatever_else):
        yield from find(alignment, properties, config)
    yield from _ways(alignment, config)


def _leaks(alignment: pd.DataFrame, properties: pd.DataFrame, config: Mapping[str, Any]) -> Iterator[Caveat]:
    """Nulls above models, and nulls without text that score at all; sentences for each encoder."""
    models, rows = trained(alignment, properties), summary_rows(alignment)
    features = config.get("features", {})
    for encoder in encoders_in_order(alignment, config):
        where = way(encoder, config)
        told: dict[str, list[str]] = {meaning: [] for meaning in AGAINST_NULLS}
        without_text: list[str] = []
        for dataset in names(rows[rows["encoder"] == encoder], "dataset"):
            here = models[(models["encoder"] == encoder) & (models["dataset"] == dataset)]
            others = rows[(rows["encoder"] == encoder) & (rows["dataset"] == dataset)]
            nulls: dict[str, Any] = {str(row["features"]): row for row in others.to_dict("records")}
            beaten = list(_beaten(here))
            for meaning, null, models_below in beaten:
                scored = f"{null} (r = {three(nulls[null], 'r')})" if null in nulls else null
                share = _share_of(models_below, here)
                told[meaning].append(
                    f"{share} than {scored} on {dataset}"
                    if meaning == "no higher"
                    else f"{scored} beats {share} on {dataset}"
                )
            if any(meaning == "leak" for meaning, _, _ in beaten):
                continue
            for null, row in nulls.items():
                if features.get(null, {}).get("text_free") and row["r_low"] > 0:
                    without_text.append(f"{null} reaches r = {three(row, 'r')} on {dataset}")
        if told["leak"]:
            yield Caveat(
                "alarm",
                f"{where} leaks. Nulls that have no text score higher than trained models: {'; '.join(told['leak'])}. "
                "Its scores on these data do not measure alignment with language.",
            )
        if told["higher"]:
            yield Caveat("warning", f"{where}: nulls score higher than trained models: {'; '.join(told['higher'])}.")
        if told["no higher"]:
            yield Caveat(
                "warning", f"{where}: trained models score no higher than nulls: {'; '.join(told['no higher'])}."
            )
        if without_text:
            yield Caveat(
                "warning",
                f"{where}: nulls that have no text score above 0: {'; '.join(without_text)}. So much of every "
                "score there needs no language; read the difference from the best null.",
            )


def _own_nulls(alignment: pd.DataFrame, properties: pd.DataFrame, config: Mapping[str, Any]) -> Iterator[Caveat]:
    """Models that do not lie above their untrained twins, or themselves reading random tokens, beyond the interval."""
    models = trained(alignment, properties)
    several = models["readout"].nunique() > 1
    for encoder in encoders_in_order(alignment, config):
        for column, (what, shown) in _OWN_NULLS.items():
            known = models[(models["encoder"] == encoder) & models[column].notna()]
            told = []
            for (dataset, readout), group in known.groupby(["dataset", "readout"], sort=False):
                low = group[f"{column}_low"]
                beaten = low.where(low.notna(), group[column]) > 0
                each = [f"{row['features']} {three(row, column)}" for _, row in group[~beaten].iterrows()]
                place = f"{dataset}, {readout}" if several else str(dataset)
                share = f"{len(each)} of {wording.count(len(group), 'model')}"
                told += [f"for {share} on {place} ({wording.some_of(each)})"] if each else []
            if told:
                yield Caveat(
                    "warning",
                    f"{way(encoder, config)}: r is not clearly above that of {what} {'; '.join(told)}. Beside each "
                    f"name stands the difference with its paired interval. These scores do not show {shown}.",
                )


def _share_of(chosen: list[str], models: pd.DataFrame) -> str:
    of = models["features"].nunique()
    named = f" ({wording.some_of(chosen)})" if len(chosen) < of else ""
    return f"{len(chosen)} of {wording.count(of, 'model')}{named}"


def _beaten(models: pd.DataFrame) -> Iterator[tuple[str, str, list[str]]]:
    """Yield what alarms say of a null, a key of AGAINST_NULLS, its name, and the models of which they say it."""
    beaten: dict[tuple[str, str], list[str]] = {}
    for features, text in zip(models["features"], models["alarms"], strict=True):
        for alarm in text.split("; ") if is_text(text) else []:
            for meaning, sentence in AGAINST_NULLS.items():
                if match := sentence.fullmatch(alarm):
                    beaten.setdefault((meaning, match[1]), []).append(str(features))
    for (meaning, null), below in beaten.items():
        yield meaning, null, list(dict.fromkeys(below))


def _ceilings(alignment: pd.DataFrame, properties: pd.DataFrame, config: Mapping[str, Any]) -> Iterator[Caveat]:
    rows = trained(alignment, properties)
    for encoder in encoders_in_order(alignment, config):
        none, noise, above = [], [], []
        for dataset, group in rows[rows["encoder"] == encoder].groupby("dataset", sort=False):
            first = group.iloc[0]
            if not wording.is_known(first["ceiling"]):
                none.append(dataset)
            elif first["ceiling_above_noise"] == 0:
                noise.append(f"{dataset} ({three(first, 'ceiling')})")
            over = group.loc[group["normalised"] > 1, "features"]
            above += [f"{_share_of(list(over), group)} on {dataset}"] if len(over) else []
        where = way(encoder, config)
        if noise:
            yield Caveat(
                "alarm",
                f"{where}: the ceiling does not stand out from what noise gives on {wording.listing(noise)}; shares "
                "of it mean nothing.",
            )
        if above:
            yield Caveat(
                "warning",
                f"{where}: above the ceiling scored {'; '.join(above)}. A ceiling is an estimate, and one from other "
                "subjects is no bound.",
            )
        if none:
            yield Caveat("note", f"{where}: there is no noise ceiling on {wording.listing(none)}, so no share of it.")


def _fits(alignment: pd.DataFrame, properties: pd.DataFrame, config: Mapping[str, Any]) -> Iterator[Caveat]:
    """Penalties at the edge of the grid and the like, of layers that an encoder chose in some fold."""
    everyone = alignment[(alignment["subject"] == "all") & (alignment["region"] == "all")]
    models = properties.loc[properties["kind"] != UNTRAINED, "model"]
    chosen = everyone[(everyone["layer_share"] > 0) & everyone["features"].isin(models)]
    advice = {
        "have a penalty at the edge of the grid": "a wider grid may score higher, and where nothing can be predicted "
        "the largest penalty is right",
        "have a constant prediction": "they score 0",
    }
    for _, group in chosen.groupby(["encoder", "dataset"], sort=False):
        encoder, dataset = str(group["encoder"].iloc[0]), str(group["dataset"].iloc[0])
        shares: dict[str, list[int]] = {}
        told: dict[str, set[str]] = {}
        for features, text in zip(group["features"], group["alarms"], strict=True):
            for alarm in text.split("; ") if isinstance(text, str) and text else []:
                match = _SHARE.fullmatch(alarm)
                what = match["what"] if match else "least squares" if _PEAK.fullmatch(alarm) else ""
                if what:
                    told.setdefault(what, set()).add(str(features))
                    shares.setdefault(what, []).append(int(match["share"]) if match else 0)
        of = group["features"].nunique()
        for what, of_models in told.items():
            share = f"{len(of_models)} of {wording.count(of, 'model')}"
            where = f"{way(encoder, config)}, {dataset}: in chosen layers of {share}"
            if what == "least squares":
                text = f"{where} there are about as many features as training samples, where least squares is unstable."
            else:
                most = f"up to {max(shares[what])} %" if len(shares[what]) > 1 else f"{shares[what][0]} %"
                text = f"{where} {most} of neuroids {what}" + (f"; {advice[what]}." if what in advice else ".")
            yield Caveat("note", text)


def _whatever_else(alignment: pd.DataFrame, properties: pd.DataFrame, config: Mapping[str, Any]) -> Iterator[Caveat]:
    """Alarms of chosen layers that nothing above knows, word for word."""
    told: dict[str, list[str]] = {}
    for row in trained(alignment, properties).to_dict("records"):
        for alarm in row["alarms"].split("; ") if is_text(row["alarms"]) else []:
            known = (*AGAINST_NULLS.values(), AGAINST_OWN_NULLS, _SHARE, _PEAK, FEW_GROUPS)
            if not any(sentence.fullmatch(alarm) for sentence in known):
                told.setdefault(f"{way(row['encoder'], config)}, {row['dataset']}: {alarm}", []).append(row["features"])
    for text, of_models in told.items():
        yield Caveat("warning", f"{text} ({wording.count(len(of_models), 'model')}).")


def _ways(alignment: pd.DataFrame, config: Mapping[str, Any]) -> Iterator[Caveat]:
    """What the way in which an encoder splits and chooses does to its scores; one sentence for each encoder."""
    rows = summary_rows(alignment)
    settings = config.get("encoders", {})
    for name in encoders_in_order(alignment, config):
        of, entry = rows[rows["encoder"] == name], settings.get(name, {})
        said = []
        said += [_NEIGHBOURS[cut]] if (cut := how_cut(entry.get("split", {}))) in _NEIGHBOURS else []
        if (of["layer_choice"] == "best").any():
            said.append("each model's layer is taken by its test score, which raises r, and which no interval counts")
        if (of["dependence"] == "not counted").any():
            said.append("intervals do not count that folds share training samples, and are too narrow")
        if said:
            yield Caveat("warning", f"{way(name, config)}: {'; '.join(said)}.")
