"""Set published figures beside the study's own."""

from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.correlation.reproduction import read_claims, reproduced
from brainalign.errors import InputError
from brainalign.provenance import Provenance
from brainalign.storage import file_digest
from brainalign.tables import read_table, write_table


def reproduce_published(
    spec: dict[str, Any],
    provenance: Provenance,
    claims: Path,
    correlations: Path,
    controlled: Path,
    pairs: Path,
    out: Path,
) -> None:
    """Write the table of what was published and what is here."""
    if file_digest(claims) != spec["sha256"]:
        raise InputError(f"the file {claims} changed after the run was planned; start the run again.")
    paths = {"correlations": correlations, "controlled": controlled, "pairs": pairs}
    tables = {name: read_table(path) for name, path in paths.items()}
    write_table(out, reproduced(read_claims(claims), tables), provenance)


if __name__ == "__main__":
    run(reproduce_published)
