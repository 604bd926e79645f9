"""Write a study's front page, its methods and its tables as pages."""

from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.provenance import Provenance
from brainalign.report.citations import installed_versions
from brainalign.report.methods import as_text
from brainalign.report.pages import PAGES
from brainalign.report.summary import ReportTables, as_html, summarise
from brainalign.report.tables import table_page
from brainalign.storage import write_text
from brainalign.study import read_record
from brainalign.tables import read_table, write_provenance


def write_report(
    spec: dict[str, Any],
    provenance: Provenance,
    tables: list[Path],
    manifests: list[Path],
    figures: list[Path],
    summary: Path,
    methods: Path,
    pages: list[Path],
) -> None:
    """Write what the report of Snakemake shows. A table's name is its file's, a page's name is its own."""
    paths = {path.stem: path for path in tables}
    read = {name: read_table(path) for name, path in paths.items()}
    four = ReportTables(*(read[name] for name in ("alignment", "properties", "correlations", "pairs")))
    known = {path.parent.name: read_record(path, ["parameters"]) for path in manifests}
    found = summarise(four, spec["config"], known, spec["tool"], installed_versions())
    write_text(summary, as_html(found, figures))
    write_text(methods, as_text(found.methods))
    for page in pages:
        table = PAGES[page.stem].table
        write_text(page, table_page(page.stem, read[table], str(paths[table])))
    write_provenance(summary, provenance)


if __name__ == "__main__":
    run(write_report)
