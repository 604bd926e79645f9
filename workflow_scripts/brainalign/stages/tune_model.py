"""Tune a model on questions and answers."""

from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.models.manifest import describe_folder, read_verified_manifest, write_manifest
from brainalign.models.settings import Tuning
from brainalign.models.training import tune
from brainalign.provenance import Provenance
from brainalign.sources.folder import source_file
from brainalign.tables import write_provenance
from brainalign.texts import read_questions


def tune_model(spec: dict[str, Any], provenance: Provenance, text: Path, base: Path, out: Path) -> None:
    """Write the weights and the manifest of a model tuned from another one."""
    questions = read_questions(source_file(text, "questions"))
    tune(read_verified_manifest(base), questions, Tuning.from_mapping(spec["settings"]), out.parent)
    write_manifest(out, describe_folder(out.parent, "made"))
    write_provenance(out, provenance)


if __name__ == "__main__":
    run(tune_model)
