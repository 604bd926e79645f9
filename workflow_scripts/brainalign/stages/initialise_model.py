"""Make an untrained twin of a model from a folder or the Hub."""

from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.models.architecture_files import read_verified_architecture
from brainalign.models.manifest import describe_folder, write_manifest
from brainalign.models.untrained import initialise
from brainalign.provenance import Provenance
from brainalign.tables import write_provenance


def initialise_model(spec: dict[str, Any], provenance: Provenance, architecture: Path, out: Path) -> None:
    """Write random weights of a model's architecture; its trained weights are never read."""
    found = read_verified_architecture(architecture)
    initialise(Path(found.folder), spec["seed"], out.parent, found.remote_code)
    write_manifest(out, describe_folder(out.parent, "made", remote_code=found.remote_code))
    write_provenance(out, provenance)


if __name__ == "__main__":
    run(initialise_model)
