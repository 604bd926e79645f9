"""Correlate alignment with size, loss and other properties over models."""

from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.correlation.properties import correlations
from brainalign.correlation.scores import model_scores, read_replicates
from brainalign.provenance import Provenance
from brainalign.tables import read_table, write_table


def correlate_properties(
    spec: dict[str, Any], provenance: Provenance, alignment: Path, properties: Path, replicates: Path, out: Path
) -> None:
    """Write the table of correlations."""
    groups = model_scores(read_table(alignment), read_replicates(replicates))
    table = correlations(groups, read_table(properties), spec["correlate"], spec["draws"], spec["seed"])
    write_table(out, table, provenance)


if __name__ == "__main__":
    run(correlate_properties)
