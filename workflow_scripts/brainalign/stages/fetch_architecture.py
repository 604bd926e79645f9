"""Describe a model's config and tokenizer, without its weights."""

from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.models.architecture_files import describe_architecture, write_architecture
from brainalign.models.fetching import fetch
from brainalign.provenance import Provenance
from brainalign.tables import write_provenance


def fetch_architecture(spec: dict[str, Any], provenance: Provenance, out: Path) -> None:
    """Write where a model's config and tokenizer lie, with their checksums; its weights are not downloaded."""
    remote_code = spec.get("remote_code", False)
    found = fetch(spec, None, remote_code)
    write_architecture(
        out, describe_architecture(found.folder, found.source, found.repository, found.commit, remote_code)
    )
    write_provenance(out, provenance)


if __name__ == "__main__":
    run(fetch_architecture)
