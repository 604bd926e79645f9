"""Join a study's cells into one table of scores, one of the models' properties, and one of where these are from."""

from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.false_discoveries import with_false_discoveries
from brainalign.properties.gathering import joined_properties
from brainalign.properties.unchanged import check_unchanged
from brainalign.provenance import Provenance
from brainalign.published import take_models
from brainalign.storage import write_arrays
from brainalign.study import join_alignments, read_cell, read_losses, read_sizes, replicate_variables, stated_sizes
from brainalign.tables import read_table, write_table


def join_study(
    spec: dict[str, Any],
    provenance: Provenance,
    alignments: list[Path],
    encodings: list[Path],
    manifests: list[Path],
    losses: list[Path],
    published: list[Path],
    alignment: Path,
    properties: Path,
    replicates: Path,
    property_sources: Path,
    property_files: list[Path],
    evaluations: list[Path],
) -> None:
    """Write the joined tables, with the false discovery rates that no cell can know, and the chosen layers' replicates.

    Encodings are in the order of the alignments. A manifest's folder is its model; a loss or evaluation file is its
    model, and the folder in which it lies is the loss or evaluation. Published scores have no encoding; their models'
    sizes are in the spec. Property files are in the alphabetical order of their names in the spec.
    """
    models = spec["models"]
    files = dict(zip(sorted(spec["files"]), property_files, strict=True))
    check_unchanged(spec["files"], files)
    tables = [read_table(path) for path in alignments]
    cells = [read_cell(path, table) for path, table in zip(encodings, tables, strict=True)]
    tables += take_models([read_table(path) for path in published], models, list(stated_sizes(models)))
    known, sources = joined_properties(
        models, spec["properties"], read_sizes(models, manifests), read_losses(losses), files, evaluations
    )
    write_arrays(replicates, replicate_variables(cells), provenance.attributes())
    write_table(property_sources, sources, provenance)
    write_table(properties, known, provenance)
    write_table(alignment, with_false_discoveries(join_alignments(tables, cells)), provenance)


if __name__ == "__main__":
    run(join_study)
