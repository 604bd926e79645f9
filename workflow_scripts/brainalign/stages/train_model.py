"""Train a small language model from scratch."""

from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.models.manifest import describe_folder, write_manifest
from brainalign.models.settings import Training
from brainalign.models.training import train
from brainalign.provenance import Provenance
from brainalign.sources.folder import source_file
from brainalign.sources.words import words_of_source
from brainalign.tables import write_provenance
from brainalign.texts import read_documents


def train_model(spec: dict[str, Any], provenance: Provenance, text: Path, vocabulary: list[Path], out: Path) -> None:
    """Write the weights and the manifest of a model trained on one text."""
    documents = read_documents(source_file(text, "documents"))
    further = [words for source in vocabulary for words in words_of_source(source)]
    train(documents, Training.from_mapping(spec["settings"]), out.parent, further)
    write_manifest(out, describe_folder(out.parent, "made"))
    write_provenance(out, provenance)


if __name__ == "__main__":
    run(train_model)
