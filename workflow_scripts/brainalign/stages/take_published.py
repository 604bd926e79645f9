"""Bring published scores into the form of the study's own."""

from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.errors import InputError
from brainalign.provenance import Provenance
from brainalign.published import published_table, read_published
from brainalign.storage import file_digest
from brainalign.tables import write_table


def take_published(spec: dict[str, Any], provenance: Provenance, table: Path, out: Path) -> None:
    """Write the rows of one data set."""
    if file_digest(table) != spec["sha256"]:
        raise InputError(f"the file {table} changed after the run was planned; start the run again.")
    scores = read_published(table, spec["model"], spec["score"], spec["units"], spec["ceiling"])
    write_table(out, published_table(scores, spec["ceiling"], spec["names"], spec["ceiling_basis"]), provenance)


if __name__ == "__main__":
    run(take_published)
