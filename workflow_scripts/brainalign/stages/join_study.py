"""Join a study's cells into one table of scores and one of the models' properties."""

from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.provenance import Provenance
from brainalign.published import take_models
from brainalign.storage import write_arrays
from brainalign.study import join_alignments, properties_table, read_cell, read_record, replicate_variables
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
) -> None:
    """Write the joined tables and the replicates of the chosen layers.

    Encodings are in the order of the alignments. A manifest's folder is its model; a loss file is its model, and the
    folder in which it lies is the loss. Published scores have no encoding; their models' sizes are in the spec.
    """
    models = spec["models"]
    tables = [read_table(path) for path in alignments]
    cells = [read_cell(path, table) for path, table in zip(encodings, tables, strict=True)]
    stated = {name: entry["sizes"] for name, entry in models.items() if "sizes" in entry}
    tables += take_models([read_table(path) for path in published], models, list(stated))
    measured_sizes = {path.parent.name: read_record(path, ["parameters", "width", "depth"]) for path in manifests}
    measured: dict[str, dict[str, Any]] = {}
    for path in losses:
        measured.setdefault(path.parent.name, {})[path.stem] = read_record(path, ["nats_per_token"])
    write_arrays(replicates, replicate_variables(cells), provenance.attributes())
    write_table(properties, properties_table(models, spec["properties"], stated | measured_sizes, measured), provenance)
    write_table(alignment, join_alignments(tables, cells), provenance)


if __name__ == "__main__":
    run(join_study)
