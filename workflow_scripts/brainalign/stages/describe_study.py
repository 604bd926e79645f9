"""Describe a study's folder as an RO-Crate."""

import datetime
import json
from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.errors import InputError
from brainalign.export.crate import config_digest, describe, read_citation
from brainalign.provenance import Provenance
from brainalign.storage import write_text
from brainalign.tables import write_provenance


def describe_study(
    spec: dict[str, Any], provenance: Provenance, files: list[Path], config: Path, citation: Path, out: Path
) -> None:
    """Write the description of the files, of the config as the run recorded it, and of what made them.

    The config is no input that a job makes: the run writes it before the first job. Its digest is in the spec.
    """
    recorded = json.loads(config.read_text(encoding="utf-8"))
    if config_digest(recorded) != spec["config"]:
        raise InputError(f"{config} is not the config of this run; start the run again, which writes it.")
    software = read_citation(citation.read_text(encoding="utf-8"))
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    write_provenance(out, provenance)
    write_text(out, describe(out.parent, [*files, config], recorded, software, today, spec["license"]))


if __name__ == "__main__":
    run(describe_study)
