"""Select what one figure shows, and draw it."""

import importlib
from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.figures.needs import drawn_by
from brainalign.figures.style import save, styled
from brainalign.figures.tables import StudyTables
from brainalign.provenance import Provenance
from brainalign.tables import write_table

# How many parts at the end of a path name the thing that a file is of.
_NAMES = {"cells": 4, "encodings": 4, "activations": 3, "ceilings": 2, "responses": 1, "manifests": 2, "losses": 2}


def draw_figure(
    spec: dict[str, Any],
    provenance: Provenance,
    alignment: list[Path],
    properties: list[Path],
    correlations: list[Path],
    controlled_correlations: list[Path],
    pairs: list[Path],
    replicates: list[Path],
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
    """Write the selected rows, and the picture of them twice. Kinds of files that the figure does not need are empty.

    A cell, an encoding and a file of activations are named by the folders in which they lie and their own name, a
    file of ceilings by its encoder and data set, a loss by its text and model.
    """
    given = {
        "alignment": alignment,
        "properties": properties,
        "correlations": correlations,
        "controlled_correlations": controlled_correlations,
        "pairs": pairs,
        "replicates": replicates,
        "ceilings": ceilings,
        "responses": responses,
        "cells": cells,
        "encodings": encodings,
        "activations": activations,
        "manifests": manifests,
        "losses": losses,
    }
    files = {kind: {_name(path, _NAMES.get(kind, 1)): path for path in paths} for kind, paths in given.items()}
    figure = importlib.import_module(f"brainalign.figures.{drawn_by(spec['figure'])[0]}")
    selected = figure.select(StudyTables(files, spec))
    with styled():
        drawn = figure.draw(selected)
    save(drawn, pdf, png)
    write_table(table, selected, provenance)


def _name(path: Path, parts: int) -> tuple[str, ...]:
    return path.with_suffix("").parts[-parts:]


if __name__ == "__main__":
    run(draw_figure)
