"""Write one data set's stimuli in the common form."""

import importlib
from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.provenance import Provenance
from brainalign.sources.folder import source_file
from brainalign.tables import write_table


def prepare_stimuli(spec: dict[str, Any], provenance: Provenance, source: Path, out: Path) -> None:
    """Read a source's stimuli and write them in presentation order."""
    loader = importlib.import_module(f"brainalign.stimuli.{spec['loader']}")
    stimuli = loader.read_stimuli(source_file(source, "stimuli"), **spec["settings"])
    write_table(out, stimuli, provenance)


if __name__ == "__main__":
    run(prepare_stimuli)
