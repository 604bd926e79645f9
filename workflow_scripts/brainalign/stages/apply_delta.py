"""Add the weights of a delta to those of the model that it is a difference to."""

from pathlib import Path

from brainalign.command import run
from brainalign.models.deltas import apply_delta as add
from brainalign.models.manifest import describe_folder, read_verified_manifest, write_manifest
from brainalign.provenance import Provenance
from brainalign.tables import write_provenance


def apply_delta(provenance: Provenance, base: Path, delta: Path, out: Path) -> None:
    """Write the weights and the manifest of the sum."""
    difference = read_verified_manifest(delta)
    add(read_verified_manifest(base), difference, out.parent)
    write_manifest(out, describe_folder(out.parent, "made", remote_code=difference.remote_code))
    write_provenance(out, provenance)


if __name__ == "__main__":
    run(apply_delta)
