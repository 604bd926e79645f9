"""A comparison of two studies as text: what differs first, then how much there is of everything else."""

from collections.abc import Iterable

import pandas as pd

from brainalign.comparison.studies import ROW, Comparison
from brainalign.comparison.tables import BEYOND, DIFFERENT, IDENTICAL, ONLY_A, ONLY_B, PAIRED, VERDICTS
from brainalign.responses.unit_names import ALL
from brainalign.study import CELL

_CELL = (*CELL, "model")
MOST = 30  # rows of a kind; the rest is counted, and stands in the table
_WIDEST = 60  # characters of a setting


def say(comparison: Comparison, a: str, b: str) -> str:
    """Return the report of a comparison, a and b being what the studies are called."""
    scores, settings = comparison.scores, comparison.settings
    lines = [f"a: {a}", f"b: {b}"]
    for study, missing in comparison.missing.items():
        lines += [f"{study} has no {name}." for name in missing]
    lines += _settings(settings)
    counts = scores["verdict"].value_counts()
    lines += ["", "Scores and properties:"]
    lines += [f"  {counts[verdict]:6d}  {verdict}" for verdict in VERDICTS if verdict in counts]
    paired = int((scores["interval"] == PAIRED).sum())
    lines.append(f"  Of the intervals of differences {paired} are paired (draw by draw); independent ones are too wide")
    lines.append("  where the studies share stimuli. Each is of 95 %: of rows that do not differ, 1 in 20 lies beyond.")
    if len(scores) and (scores["verdict"] == IDENTICAL).all():
        lines.append("  All numbers are identical.")
    for verdict in (BEYOND, DIFFERENT):
        lines += _rows(scores[scores["verdict"] == verdict], verdict)
    for verdict in (ONLY_A, ONLY_B):
        alone = scores[scores["verdict"] == verdict]
        cells = alone.groupby(["table", *_CELL], sort=False).size() if len(alone) else pd.Series(dtype=int)
        keys = [" / ".join(str(name) for name in key if name) for key in cells.index]
        said = [f"  {key}: {count} numbers" for key, count in zip(keys, cells, strict=True)]
        lines += _listed(f"{verdict.capitalize()}:", said)
    return "\n".join(lines)


def _settings(settings: pd.DataFrame) -> list[str]:
    if settings.empty:
        return ["", "Settings, code, versions and files: no difference found."]
    texts = settings.astype(str).map(lambda text: text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…")
    return _listed(
        "Settings, code, versions and files that differ (a | b):",
        [f"  {row.kind:7s} {row.name}: {row.a} | {row.b}" for row in texts.itertuples(index=False)],
    )


def _rows(rows: pd.DataFrame, verdict: str) -> list[str]:
    parts = (rows["subject"] != ALL) | (rows["region"] != ALL)  # after the scores over everything
    order = pd.DataFrame({"part": parts, "size": -rows["difference"].abs().round(9)})
    rows = rows.loc[order.sort_values(["part", "size"], kind="stable").index]
    return _listed(f"{verdict.capitalize()} (a → b, difference):", [f"  {_row(row)}" for _, row in rows.iterrows()])


def _row(row: pd.Series) -> str:
    ends = (
        f" [{row['difference_low']:+.4g}, {row['difference_high']:+.4g}], {row['interval']}" if row["interval"] else ""
    )
    because = f"  ({row['settings']})" if row["settings"] else ""
    values = f"{row['a']:.4g} → {row['b']:.4g}, {row['difference']:+.4g}{ends}"
    return f"{_name(row)} {row['measure']}: {values}{because}"


def _name(row: pd.Series) -> str:
    return " / ".join(str(row[name]) for name in ROW if row[name] and not (name == "layer" and row[name] == "chosen"))


def _listed(heading: str, lines: Iterable[str]) -> list[str]:
    lines = list(lines)
    if not lines:
        return []
    more = [f"  … and {len(lines) - MOST} more"] if len(lines) > MOST else []
    return ["", heading, *lines[:MOST], *more]
