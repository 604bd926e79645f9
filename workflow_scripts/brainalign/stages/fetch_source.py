"""Bring a data set's or text's files together, checksummed."""

import importlib
from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.provenance import Provenance
from brainalign.storage import write_json
from brainalign.tables import write_provenance


def fetch_source(spec: dict[str, Any], provenance: Provenance, inputs: list[Path], out: Path) -> None:
    """Write the files of one source beside its manifest."""
    loader = importlib.import_module(f"brainalign.sources.{spec['loader']}")
    out.parent.mkdir(parents=True, exist_ok=True)
    write_json(out, {"files": loader.fetch(spec["settings"], inputs, out.parent)})
    write_provenance(out, provenance)


if __name__ == "__main__":
    run(fetch_source)
