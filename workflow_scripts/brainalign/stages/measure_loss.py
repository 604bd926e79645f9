"""Measure how well a model predicts the words of a text."""

from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.devices import best_device
from brainalign.losses import next_word_loss
from brainalign.models.loading import load
from brainalign.models.manifest import read_verified_manifest
from brainalign.provenance import Provenance
from brainalign.sources.folder import source_file
from brainalign.span_corruption import span_corruption_loss
from brainalign.storage import write_json
from brainalign.tables import write_provenance
from brainalign.texts import read_documents


def measure_loss(spec: dict[str, Any], provenance: Provenance, text: Path, model: Path, out: Path) -> None:
    """Write one model's loss on one text: of the next word, or of an encoder with a decoder, of spans cut out."""
    documents = read_documents(source_file(text, "documents"))
    loaded, tokenizer = load(read_verified_manifest(model), spec["dtype"], best_device(), head=True)
    if loaded.config.is_encoder_decoder:
        found = span_corruption_loss(loaded, tokenizer, documents, spec["window"], spec["seed"])
    else:
        found = next_word_loss(loaded, tokenizer, documents, spec["window"], stride=spec["stride"])
    write_json(out, found)
    write_provenance(out, provenance)


if __name__ == "__main__":
    run(measure_loss)
