"""Put the stimuli of several data sets after one another."""

from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.provenance import Provenance
from brainalign.responses.joined import join_stimuli as join
from brainalign.tables import read_table, write_table


def join_stimuli(spec: dict[str, Any], provenance: Provenance, stimuli: list[Path], out: Path) -> None:
    """Write one table of all stimuli, whose ids and groups begin with the name of their data set."""
    tables = {name: read_table(path) for name, path in zip(spec["datasets"], stimuli, strict=True)}
    write_table(out, join(tables), provenance)


if __name__ == "__main__":
    run(join_stimuli)
