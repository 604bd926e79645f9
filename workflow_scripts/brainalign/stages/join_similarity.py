"""Join a study's tables of representational similarity."""

from pathlib import Path

from brainalign.command import run
from brainalign.provenance import Provenance
from brainalign.similarity.joined import join_similarities, read_versions
from brainalign.tables import read_table, write_table


def join_similarity(provenance: Provenance, similarities: list[Path], out: Path) -> None:
    """Write the tables under one another."""
    tables = [read_table(path) for path in similarities]
    write_table(out, join_similarities(tables, [read_versions(path) for path in similarities]), provenance)


if __name__ == "__main__":
    run(join_similarity)
