"""Select what one figure shows, and draw it."""

import importlib
from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.figures.needs import drawn_by
from brainalign.figures.style import save, styled
from brainalign.figures.tables import StudyTables, by_name
from brainalign.provenance import Provenance
from brainalign.tables import write_table


def draw_figure(
    spec: dict[str, Any],
    provenance: Provenance,
    alignment: list[Path],
    properties: list[Path],
    correlations: list[Path],
    controlled_correlations: list[Path],
    pairs: list[Path],
    averages: list[Path],
    ceilings: list[Path],
    responses: list[Path],
    cells: list[Path],
    encodings: list[Path],
    activations: list[Path],
    manifests: list[Path],
    losses: list[Path],
    table: Path,
    pdf: Path,
    png: Path,
) -> None:
    """Write the selected rows, and the picture of them twice.

    Kinds of files that the figure does not need are empty; see `figures.tables.by_name` for how the others are named.
    """
    given = {
        "alignment": alignment,
        "properties": properties,
        "correlations": correlations,
        "controlled_correlations": controlled_correlations,
        "pairs": pairs,
        "averages": averages,
        "ceilings": ceilings,
        "responses": responses,
        "cells": cells,
        "encodings": encodings,
        "activations": activations,
        "manifests": manifests,
        "losses": losses,
    }
    figure = importlib.import_module(f"brainalign.figures.{drawn_by(spec['figure'])[0]}")
    selected = figure.select(StudyTables(by_name(given), spec))
    with styled():
        drawn = figure.draw(selected)
    save(drawn, pdf, png)
    write_table(table, selected, provenance)


if __name__ == "__main__":
    run(draw_figure)
