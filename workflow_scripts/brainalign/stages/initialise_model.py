"""Make an untrained twin of a model from a folder or the Hub."""

from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.models.hub import download, resolve_revision
from brainalign.models.manifest import describe_folder, write_manifest
from brainalign.models.untrained import initialise
from brainalign.provenance import Provenance
from brainalign.tables import write_provenance


def initialise_model(spec: dict[str, Any], provenance: Provenance, out: Path) -> None:
    """Write random weights of a model's architecture; its trained weights are never read."""
    folder = Path(spec["source"])
    if "files" not in spec:
        folder = download(spec["source"], resolve_revision(spec["source"], spec["revision"]), weights=False)
    initialise(folder.expanduser(), spec["seed"], out.parent)
    write_manifest(out, describe_folder(out.parent, "made"))
    write_provenance(out, provenance)


if __name__ == "__main__":
    run(initialise_model)
