"""Describe a model from a folder, or download one from the Hub."""

from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.models.fetching import fetch
from brainalign.models.manifest import describe_folder, write_manifest
from brainalign.provenance import Provenance
from brainalign.tables import write_provenance


def fetch_model(spec: dict[str, Any], provenance: Provenance, out: Path) -> None:
    """Write the manifest of a model, or of a delta to one: where its files lie, their checksums, its sizes."""
    weights, remote_code = spec.get("weights", "safetensors"), spec.get("remote_code", False)
    found = fetch(spec, weights, remote_code)
    manifest = describe_folder(found.folder, found.source, found.repository, found.commit, weights, remote_code)
    write_manifest(out, manifest)
    write_provenance(out, provenance)


if __name__ == "__main__":
    run(fetch_model)
