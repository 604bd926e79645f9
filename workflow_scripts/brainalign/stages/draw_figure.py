"""Select what one figure shows, and draw it."""

import importlib
from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.figures.style import save, styled
from brainalign.figures.tables import StudyTables
from brainalign.provenance import Provenance
from brainalign.tables import read_table, write_table


def draw_figure(
    spec: dict[str, Any],
    provenance: Provenance,
    alignment: Path,
    properties: Path,
    correlations: Path,
    pairs: Path,
    table: Path,
    pdf: Path,
    png: Path,
) -> None:
    """Write the selected rows, and the picture of them twice."""
    figure = importlib.import_module(f"brainalign.figures.{spec['figure']}")
    selected = figure.select(StudyTables(*(read_table(path) for path in (alignment, properties, correlations, pairs))))
    with styled():
        drawn = figure.draw(selected)
    save(drawn, pdf, png)
    write_table(table, selected, provenance)


if __name__ == "__main__":
    run(draw_figure)
