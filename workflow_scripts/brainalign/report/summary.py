"""A report's front page: the answer, what to know before believing it, the numbers behind it and the methods.

It is a piece of HTML that Snakemake's report shows when it is opened, and is complete by itself.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from brainalign.report import wording
from brainalign.report.caveat import Caveat
from brainalign.report.caveats import caveats
from brainalign.report.citations import data_citations, models_table, tool_citation
from brainalign.report.headline import answers, headline_table
from brainalign.report.methods import Section, methods
from brainalign.row_labels import UNTRAINED

SIMULATED = "Simulated data"  # how the caveat begins that is shown first
NAMES_OF_WEIGHTS = {"alarm": "Alarm", "warning": "Warning", "note": "Note"}
# Snakemake puts the page into a narrow column, beside the graph of rules and centred from top to bottom, so that the
# beginning of a long page could not be reached; the first rules undo that.
_STYLE = """
.prose:has(#study-summary) { max-width: 78rem }
.h-screen.items-center:has(#study-summary) { align-items: flex-start }
.flex:has(> div > .prose #study-summary) { flex-direction: column; min-width: 0 }
.grow:has(#study-summary), .flex > div:has(#study-summary) { min-width: 0; max-width: 100% }
#study-summary h1 { margin: 0 0 .2rem; font-size: 1.7rem }
#study-summary h2 { margin: 1.6rem 0 .4rem; font-size: 1.2rem }
#study-summary h3 { margin: 1rem 0 .2rem; font-size: 1rem }
#study-summary p, #study-summary li { max-width: 62rem; margin-top: .25rem; margin-bottom: .25rem }
#study-summary .answer li { font-size: 1rem }
#study-summary .caveats { list-style: none; padding: 0 }
#study-summary .caveats li { border-left: .3rem solid #94a3b8; background: #f1f5f9; padding: .3rem .7rem }
#study-summary .caveats li.alarm { border-color: #b91c1c; background: #fef2f2 }
#study-summary .caveats li.warning { border-color: #b45309; background: #fffbeb }
#study-summary table { width: auto; font-size: .8rem; border-collapse: collapse }
#study-summary th { text-align: left; vertical-align: bottom; border-bottom: 1px solid #64748b }
#study-summary th, #study-summary td { padding: .25rem .7rem .25rem 0; white-space: nowrap }
#study-summary td { border-bottom: 1px solid #e2e8f0; font-variant-numeric: tabular-nums }
#study-summary .wide { overflow-x: auto }
#study-summary img { max-width: min(100%, 60rem); max-height: 52rem; margin: .5rem 0; border: 1px solid #e2e8f0 }
#study-summary summary { cursor: pointer; font-weight: 600 }
"""


@dataclass(frozen=True)
class ReportTables:
    """The joined tables of a study that its summary is made of."""

    alignment: pd.DataFrame
    properties: pd.DataFrame
    correlations: pd.DataFrame
    pairs: pd.DataFrame


@dataclass(frozen=True)
class Summary:
    """What stands on the front page. answers : sentences; headline : see `headline.headline_table`."""

    study: str
    size: str
    answers: list[str]
    caveats: list[Caveat]
    headline: pd.DataFrame
    methods: list[Section]
    data: list[str]
    models: pd.DataFrame
    tool: list[str]
    versions: Mapping[str, str] = field(default_factory=dict)


def summarise(
    tables: ReportTables,
    config: Mapping[str, Any],
    manifests: Mapping[str, Mapping[str, Any]],
    tool: Mapping[str, Any],
    versions: Mapping[str, str],
) -> Summary:
    """Put a study's summary together.

    Parameters
    ----------
    tables : as the joins wrote them.
    config : the settings of the study, defaults filled in, `study` among them.
    manifests : model → its manifest, of the models that have weights.
    tool : the content of CITATION.cff.
    versions : library → version, of the environment that writes the report.
    """
    four = (tables.alignment, tables.properties, tables.correlations, tables.pairs)
    return Summary(
        study=config["study"],
        size=_size(tables, config),
        answers=answers(*four, config),
        caveats=caveats(*four, config),
        headline=headline_table(tables.alignment, tables.properties, config),
        methods=methods(tables.alignment, tables.properties, tables.pairs, config),
        data=data_citations(config),
        models=models_table(tables.properties, manifests, config),
        tool=tool_citation(tool),
        versions=versions,
    )


def _size(tables: ReportTables, config: Mapping[str, Any]) -> str:
    twins = int((tables.properties["kind"] == UNTRAINED).sum())
    parts = [wording.count(len(tables.properties) - twins, "trained model")]
    parts += [wording.count(twins, "untrained twin")] if twins else []
    nulls = sum(entry["is_null"] for entry in config["features"].values())
    others = len(config["features"]) - nulls
    parts += [wording.count(nulls, "null")] if nulls else []
    parts += [wording.count(others, "other feature space")] if others else []
    parts.append(wording.count(tables.alignment["dataset"].nunique(), "data set"))
    parts.append(wording.count(tables.alignment["encoder"].nunique(), "way", "ways") + " of scoring")
    return wording.capital(wording.listing(parts)) + "."


def as_html(summary: Summary, figures: Sequence[Path] = ()) -> str:
    """Return the front page. `figures` are PNG files that it shows, under the numbers and after all warnings."""
    simulated = [caveat for caveat in summary.caveats if caveat.text.startswith(SIMULATED)]
    serious = [caveat for caveat in summary.caveats if caveat.weight != "note" and caveat not in simulated]
    notes = [caveat for caveat in summary.caveats if caveat.weight == "note"]
    encoder = summary.headline["encoder"].iloc[0] if len(summary.headline) else ""
    computed = bool(len(summary.headline)) and wording.is_known(summary.headline["r_low"].iloc[0])
    way = "encoder" if computed else "method"
    under = f"Under the {way} <em>{escape(encoder)}</em>, with 95 % intervals in brackets:" if encoder else ""
    pieces = [
        f'<div id="study-summary"><style>{_STYLE}</style>',
        f"<h1>Study {escape(summary.study)}</h1><p>{escape(summary.size)}</p>",
        _caveat_list(simulated) if simulated else "",
        f'<h2>The answer</h2><p>{under}</p><ul class="answer">{_answers(summary.answers)}</ul>',
        f"<h2>Before you believe it</h2>{_caveat_list(serious, 'further ' if simulated else '')}",
        _folded(f"{wording.capital(wording.count(len(notes), 'further note'))}", _caveat_list(notes)) if notes else "",
        f"<h2>The best model of every data set</h2>{_headline(summary.headline)}",
        *(_picture(path) for path in figures),
        "<h2>Methods</h2><p>Generated from the settings as they were run.</p>",
        *(_section(section) for section in summary.methods),
        f"<h2>To cite</h2><h3>Data</h3><ul>{_items(summary.data)}</ul>",
        f"<h3>Models</h3>{_models(summary.models)}",
        f"<h3>This workflow</h3><ul>{_items(summary.tool)}</ul>" if summary.tool else "",
        "<h2>Versions</h2><p>Of the environment in which this report was written: "
        f"{escape(', '.join(f'{name} {version}' for name, version in summary.versions.items()))}. Every result names "
        "its own.</p>",
        "</div>",
    ]
    return "\n".join(piece for piece in pieces if piece) + "\n"


def _caveat_list(found: Sequence[Caveat], further: str = "") -> str:
    if not found:
        return f"<p>No {further}alarm was raised by the tables.</p>"
    items = "".join(
        f'<li class="{caveat.weight}"><strong>{NAMES_OF_WEIGHTS[caveat.weight]}.</strong> {_unbroken(caveat.text)}</li>'
        for caveat in found
    )
    return f'<ul class="caveats">{items}</ul>'


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{content}</details>"


def _headline(table: pd.DataFrame) -> str:
    if table.empty:
        return "<p>Nothing was scored.</p>"
    some_simulated = table["simulated"].nunique() > 1
    columns = {
        "data set": [
            name + (" (simulated)" if some_simulated and simulated == 1 else "")
            for name, simulated in zip(table["dataset"], table["simulated"], strict=True)
        ],
        "encoder": list(table["encoder"]),
        "readout": list(table["readout"]),
        "best model": list(table["model"]),
    }
    rows = table.to_dict("records")
    columns |= {
        "r": [_three(row, "r") for row in rows],
        "share of ceiling": [_share(row) for row in rows],
        "over the best null": [
            f"{_three(row, 'over_null')} {row['best_null']}" if _has(row, "over_null") else "–" for row in rows
        ],
        "p": [wording.probability(row["over_null_p"]).removeprefix("p = ").removeprefix("p ") or "–" for row in rows],
        "over its untrained twins": [_three(row, "over_twin") if _has(row, "over_twin") else "–" for row in rows],
        "over random tokens": [
            _three(row, "over_random_tokens") if _has(row, "over_random_tokens") else "–" for row in rows
        ],
        "models": [str(row["models"]) for row in rows],
        "samples": ["–" if pd.isna(row["samples"]) else str(row["samples"]) for row in rows],
        "subjects": [str(row["subjects"] or "–") for row in rows],
    }
    if table["readout"].nunique() == 1:
        del columns["readout"]
    said = {name: cells for name, cells in columns.items() if any(cell != "–" for cell in cells)}
    note = (
        "r is over all subjects and regions, with its 95 % interval where there is one. The best of so many models was "
        "taken, which is not part of the intervals."
    )
    note += " p is of the difference from the best null, one-sided." if "p" in said else ""
    return f"{_table(list(said), zip(*said.values(), strict=True))}<p>{note}</p>"


def _has(row: Mapping[Any, Any], column: str) -> bool:
    return wording.is_known(row[column])


def _share(row: Mapping[Any, Any]) -> str:
    return _bare(wording.percent_with_interval(row["normalised"], row["normalised_low"], row["normalised_high"]))


def _models(table: pd.DataFrame) -> str:
    rows = [tuple(map(str, row)) for row in table.itertuples(index=False)]
    return _table(tuple(table.columns), rows) if rows else "<p>There are none.</p>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _picture(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'<p><img alt="figure {escape(path.stem)}" src="data:image/png;base64,{data}"></p>'


def _section(section: Section) -> str:
    return f"<h3>{escape(section.heading)}</h3>" + "".join(f"<p>{escape(text)}</p>" for text in section.paragraphs)


def _answers(texts: Iterable[str]) -> str:
    """What a sentence is about stands before its first colon."""
    parts = [text.partition(": ") for text in texts]
    return "".join(f"<li><strong>{escape(about)}</strong>{colon}{_unbroken(rest)}</li>" for about, colon, rest in parts)


def _items(texts: Iterable[str]) -> str:
    return "".join(f"<li>{escape(text)}</li>" for text in texts)


def _unbroken(text: str) -> str:
    """Keep "r = 0.2" on one line."""
    return escape(text).replace(" = ", "&nbsp;=&nbsp;").replace(" &lt; ", "&nbsp;&lt;&nbsp;")


def _three(row: Mapping[Any, Any], name: str) -> str:
    return _bare(wording.with_interval(row[name], row[f"{name}_low"], row[f"{name}_high"]))


def _bare(text: str) -> str:
    """Leave out, in a table, that there is no interval; the line below it says so."""
    return text.removesuffix(f" ({wording.NO_INTERVAL})")
