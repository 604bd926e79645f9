"""Describe a model from a folder, or download one from the Hub."""

import logging
from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.models.hub import download, resolve_revision
from brainalign.models.manifest import describe_folder, write_manifest
from brainalign.provenance import Provenance
from brainalign.tables import write_provenance

log = logging.getLogger(__name__)


def fetch_model(spec: dict[str, Any], provenance: Provenance, out: Path) -> None:
    """Write the manifest of a model: where its files lie, their checksums, its sizes."""
    if "files" in spec:
        manifest = describe_folder(Path(spec["source"]))
    else:
        commit = resolve_revision(spec["source"], spec["revision"])
        if spec["revision"] is None:
            log.warning("%s has no revision in the config; it is taken at %s from now on", spec["source"], commit)
        manifest = describe_folder(download(spec["source"], commit), "hub", spec["source"], commit)
    write_manifest(out, manifest)
    write_provenance(out, provenance)


if __name__ == "__main__":
    run(fetch_model)
