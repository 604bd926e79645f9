"""Write all scores of a study as one long table."""

from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.export.scores import long_table, write_parquet
from brainalign.provenance import Provenance
from brainalign.tables import read_table, write_provenance, write_table


def export_scores(spec: dict[str, Any], provenance: Provenance, tables: list[Path], out: Path, parquet: Path) -> None:
    """Write the long table as CSV and as Parquet; a table's name is that of its file."""
    long = long_table(spec["study"], {path.stem: read_table(path) for path in tables})
    write_parquet(parquet, long)
    write_provenance(parquet, provenance)
    write_table(out, long, provenance)


if __name__ == "__main__":
    run(export_scores)
