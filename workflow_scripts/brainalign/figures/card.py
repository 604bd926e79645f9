"""One page about one model: what it is, what was read of it, how its fits went and what it scored.

Not in Aw et al. 2023. What stands here is what reviewers ask for: tokens and truncations, penalties at the edge of
their grid, every layer, and the nulls beside every score.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from brainalign import number_texts
from brainalign.errors import UnreadableFileError
from brainalign.figures import layers, layout, style
from brainalign.figures.tables import StudyTables, loss_in_words, method_name
from brainalign.responses.unit_names import ALL
from brainalign.scored import CHOSEN, layer_of_neuroids
from brainalign.storage import read_arrays, read_attributes
from brainalign.study import read_record
from brainalign.tables import read_table

TITLE = "Model card"
NEEDS = ("cells", "encodings", "activations", "manifests", "losses")
COLUMNS = (
    "section model encoder readout dataset simulated item position value low high band_low band_high share text"
).split()
FACT, TOKENS, LOSS, SCORE, LAYER, PENALTY = "fact", "tokens", "loss", "score", "layer", "penalty"
_FACTS = "source repository commit architecture parameters width depth vocabulary context_limit dtype".split()
_SCORES = {"r": "", "ceiling": "ceiling_kind", "normalised": "normalised_by", "over_null": "best_null", "unique_r2": ""}
_READ = {
    "parts": "parts", "tokens": "tokens", "parts_past_limit": "past limit", "parts_truncated": "truncated",
    "tokens_truncated": "tokens lost",
}  # fmt: skip


def select(tables: StudyTables) -> pd.DataFrame:
    """Return everything that stands on the page, a row for each number or word."""
    names = {"model": tables.settings["model"]}
    rows = [
        {"section": FACT, "item": name, "text": tables.settings.get(name) or ""} for name in ("family", "kind", "base")
    ]
    for path in tables.files["manifests"].values():
        record = read_record(path, ["parameters"])
        rows += [_fact(name, record[name]) for name in _FACTS if record.get(name) is not None]
    for (_, readout, _, dataset), attributes in _attributes(tables.files["activations"]):
        summary = json.loads(attributes.get("summary", "{}"))
        for number, (item, _) in enumerate(_READ.items()):
            if item in summary:
                place = {"readout": readout, "dataset": dataset, "position": number}
                rows.append({"section": TOKENS, **place, "item": item, "value": summary[item]})
    for (loss, _), path in tables.files["losses"].items():
        record = read_record(path, [])
        units = [name for name in record if "nats_per_" in name]
        rows += [{"section": LOSS, "dataset": loss, "item": unit, "value": record[unit]} for unit in units]
    for path in tables.files["cells"].values():
        rows += _scores(read_table(path))
    for (encoder, readout, _, dataset), path in tables.files["encodings"].items():
        place = {"encoder": encoder, "readout": readout, "dataset": dataset}
        rows += [{"section": PENALTY, **place, **row} for row in _penalties(path)]
    return pd.DataFrame([names | row for row in rows], columns=COLUMNS)


def draw(table: pd.DataFrame) -> Figure:
    """Return the page: facts, scores and tokens as text, then layers and penalties."""
    model = str(table["model"].iloc[0])
    scores, curves, penalties = (table[table["section"] == name] for name in (SCORE, LAYER, PENALTY))
    head = [*_facts(table), "", *_tokens(table), "", *_score_lines(scores)]
    if curves.empty:
        return layout.page_of_text(f"{TITLE}: {model}", [*head, "", "No layer of this model was scored."])
    looks = style.looks(dict.fromkeys(method_name(*of) for of in curves[["encoder", "readout"]].values))
    datasets = sorted(curves["dataset"].unique())
    shares = [name for name in datasets if (penalties["dataset"] == name).any()]
    rows = [
        layout.Row([_title(curves, name) for name in datasets], 1.6, "layer", "Pearson r over layers, 95 % intervals"),
    ]
    if shares:
        titles = [_edge_title(penalties, name) for name in shares]
        rows.append(layout.Row(titles, 1.1, "penalty, power of ten", "Penalties chosen, share of neuroids and folds"))
    handles = [style.legend_mark(name, look, linestyle="-") for name, look in looks.items()]
    handles.append(style.legend_mark("layer never chosen", style.PLAIN, markerfacecolor="white"))
    suffix = style.simulated_suffix(table["simulated"].dropna())
    figure, grid = layout.arrange(
        f"{TITLE}: {model}{suffix}", rows, 2.6, head=head, handles=handles, note=_alarms(scores)
    )
    for axes, dataset in zip(grid[0], datasets, strict=True):
        _draw_layers(axes, curves[curves["dataset"] == dataset], looks)
    for axes, dataset in zip(grid[1] if shares else [], shares, strict=True):
        _draw_penalties(axes, penalties[penalties["dataset"] == dataset], looks)
    grid[0][0].set_ylabel("Pearson r")
    return figure


def _fact(name: str, value: Any) -> dict[str, Any]:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return {"section": FACT, "item": name, "value": value if number else None, "text": "" if number else str(value)}


def _attributes(paths: Mapping[tuple[str, ...], Path]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    for name, path in paths.items():
        yield ("", *name), read_attributes(path)


def _scores(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    whole = table[(table["subject"] == ALL) & (table["region"] == ALL)]
    for _, row in whole.iterrows():
        place = {name: row[name] for name in ("encoder", "readout", "dataset", "simulated")}
        if row["layer"] != CHOSEN:
            yield place | {
                "section": LAYER, "item": row["layer"], "position": row["layer_index"], "value": row["r"],
                "low": row["r_low"], "high": row["r_high"], "band_low": row["r_band_low"],
                "band_high": row["r_band_high"], "share": row["layer_share"], "text": row["alarms"],
            }  # fmt: skip
            continue
        for number, (item, text) in enumerate(_SCORES.items()):
            yield place | {
                "section": SCORE, "item": item, "position": number, "value": row[item], "low": row.get(f"{item}_low"),
                "high": row.get(f"{item}_high"), "text": row[text] if text else "",
            }  # fmt: skip
        yield place | {"section": SCORE, "item": "alarms", "text": row["alarms"]}
        yield place | {"section": SCORE, "item": "layer", "text": row["layer_choice"]}


def _penalties(path: Path) -> Iterator[dict[str, Any]]:
    """Yield how often penalties of each decade were chosen, at the layers that were; nothing where none is chosen.

    A neuroid's penalty counts at the layer that was chosen for it. The share at the edge of the grid is known of all
    neuroids in a layer's fit alone; where neuroids have different layers it is the mean of their layers' shares.
    """
    arrays = read_arrays(path, ["penalty", "chosen_layer", "edge_share", "subject"])
    try:
        layer = layer_of_neuroids(arrays["chosen_layer"], arrays["subject"])  # (fold, neuroid)
    except ValueError as error:
        raise UnreadableFileError(path, str(error)) from None
    own = np.take_along_axis(arrays["penalty"], layer[None], axis=0).ravel()
    own = own[np.isfinite(own) & (own > 0)]
    decades, counts = np.unique(np.floor(np.log10(own.astype(float))), return_counts=True)
    for decade, count in zip(decades, counts, strict=True):
        yield {"item": "decade", "position": float(decade), "value": int(count), "share": count / len(own)}
    edge = arrays["edge_share"][layer, np.arange(len(layer))[:, None]]  # (fold, neuroid), of each one's layer
    if len(own):
        yield {"item": "at the edge of the grid", "share": float(edge.mean())}


def _facts(table: pd.DataFrame) -> list[str]:
    own = table[table["section"] == FACT]
    said = [
        f"{row['item'].replace('_', ' ')}: {row['text'] or _count(row['value'])}"
        for _, row in own.iterrows()
        if row["text"] or pd.notna(row["value"])
    ]
    for loss, part in table[table["section"] == LOSS].groupby("dataset", sort=False):
        measured = [(*loss_in_words(f"{loss}_{row['item']}"), row["value"]) for _, row in part.iterrows()]
        each = ", ".join(f"{value:.3f} {unit.removeprefix('nats ')}" for *_, unit, value in measured)
        said.append(f"{measured[0][0]}, {loss}, in nats: {each}")
    lines = [""]
    for fact in said:
        joined = f"{lines[-1]}   {fact}" if lines[-1] else fact
        if len(joined) > _CHARACTERS and lines[-1]:
            lines.append(fact)
        else:
            lines[-1] = joined
    return lines


_CHARACTERS = 112


def _tokens(table: pd.DataFrame) -> list[str]:
    own = table[table["section"] == TOKENS]
    if own.empty:
        return ["No text was read by this model."]
    rows = [["text read", "readout", *_READ.values()]]
    for (dataset, readout), part in own.groupby(["dataset", "readout"], sort=False):
        counts = part.set_index("item")["value"]
        rows.append([str(dataset), str(readout), *(_count(counts.get(item, np.nan)) for item in _READ)])
    return _aligned(rows, 2)


def _score_lines(scores: pd.DataFrame) -> list[str]:
    rows = [["score", "method (layer)", "r", "ceiling", "r / ceiling", "over best null", "R² beyond nulls", ""]]
    for (dataset, encoder, readout), part in scores.groupby(["dataset", "encoder", "readout"], sort=False):
        own = {str(row["item"]): row for _, row in part.iterrows()}
        cells = [_cell(own[item]) for item in _SCORES]
        layer = own["layer"]["text"]
        alarm = "!" if own["alarms"]["text"] else ""
        rows.append([str(dataset), f"{method_name(str(encoder), str(readout))} ({layer})", *cells, alarm])
    return _aligned(rows, 2) if len(rows) > 1 else ["No data set was scored."]


def _cell(row: pd.Series) -> str:
    value, low, high = (float(row[name]) if pd.notna(row[name]) else np.nan for name in ("value", "low", "high"))
    return number_texts.with_interval(value, low, high, unknown="")


def _count(value: Any) -> str:
    if pd.isna(value):
        return "–"
    return f"{int(value):,}" if float(value).is_integer() else f"{float(value):.4g}"


def _aligned(rows: list[list[str]], left: int) -> list[str]:
    """Return rows as lines of text whose columns stand under one another, the first `left` ones at their left."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            text.ljust(width) if number < left else text.rjust(width)
            for number, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _title(curves: pd.DataFrame, dataset: str) -> str:
    return dataset + style.simulated_suffix(curves.loc[curves["dataset"] == dataset, "simulated"])


def _edge_title(penalties: pd.DataFrame, dataset: str) -> str:
    own = penalties[(penalties["dataset"] == dataset) & (penalties["item"] != "decade")]
    shares = [f"{row['encoder']}, {row['readout']} {row['share']:.0%}" for _, row in own.iterrows()]
    return f"{dataset}\nat the edge of the grid: {'; '.join(shares)}"


def _alarms(scores: pd.DataFrame) -> str:
    lines = []
    for _, row in scores[scores["item"] == "alarms"].iterrows():
        if row["text"]:
            lines.append(f"! {row['dataset']}, {method_name(row['encoder'], row['readout'])}: {row['text']}")
    return "\n".join(lines) or "No alarm at the chosen layers."


def _draw_layers(axes: Any, part: pd.DataFrame, looks: dict[str, style.Look]) -> None:
    axes.axhline(0, color="0.6", linewidth=0.6, zorder=0)
    renamed = {
        "position": "layer_index", "value": "r", "low": "r_low", "high": "r_high", "band_low": "r_band_low",
        "band_high": "r_band_high", "share": "layer_share",
    }  # fmt: skip
    for of, own in part.groupby(["encoder", "readout"], sort=False):
        curve = own.rename(columns=renamed).sort_values("layer_index")
        layers.draw_curve(axes, curve, looks[method_name(*map(str, of))], False)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _draw_penalties(axes: Any, part: pd.DataFrame, looks: dict[str, style.Look]) -> None:
    for of, own in part.groupby(["encoder", "readout"], sort=False):
        look, own = looks[method_name(*map(str, of))], own[own["item"] == "decade"].sort_values("position")
        axes.plot(
            own["position"], own["share"], color=look.colour, linestyle=look.dash, marker=look.marker, markersize=3.5,
            linewidth=1,
        )  # fmt: skip
    axes.set_ylim(bottom=0)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
