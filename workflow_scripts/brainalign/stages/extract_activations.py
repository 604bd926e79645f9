"""Keep every layer's state for every stimulus."""

import json
import logging
from pathlib import Path
from typing import Any

import pandas as pd

from brainalign.activations.extraction import extract
from brainalign.activations.localizer import read_localizer
from brainalign.activations.matched import Match, match_layers
from brainalign.activations.partial import PartialStates
from brainalign.activations.placed import find_place, load_at
from brainalign.activations.readout import Readout
from brainalign.activations.stored import write_activations
from brainalign.command import run
from brainalign.models.manifest import read_verified_manifest
from brainalign.provenance import Provenance
from brainalign.storage import file_digest
from brainalign.tables import read_table

log = logging.getLogger(__name__)


def extract_activations(
    spec: dict[str, Any],
    provenance: Provenance,
    stimuli: Path,
    model: Path,
    localizer: list[Path],
    out: Path,
    digest: Path,
    placement: str,
    batch_tokens: int,
) -> None:
    """Run one model over one data set's stimuli and write its layers; interrupted work is taken up again."""
    table, manifest = read_table(stimuli), read_verified_manifest(model)
    match = Match(**spec["match"]) if "match" in spec else None
    if match is not None:
        match.check(len(table), manifest.width)
    texts = read_localizer(localizer[0], **spec["localizer"]["columns"]) if localizer else None
    read = table if texts is None else pd.concat([table, texts.stimuli], ignore_index=True)
    folder = out.with_name(f"{out.name}.partial")
    key = {"code": provenance.code, "stimuli": file_digest(stimuli), "model": manifest.files}
    place = find_place(manifest, spec["dtype"], placement, batch_tokens, PartialStates.key_of(folder), key)
    record = {**provenance.attributes(), "dtype": spec["dtype"], "placement": place.placement, "device": place.device}
    store = PartialStates.open(folder, {**key, **record}, len(read))
    loaded, tokenizer = load_at(place, manifest, spec["dtype"], store.scratch())
    found = extract(loaded, tokenizer, read, Readout.from_mapping(spec["readout"]), batch_tokens, store)
    log.info("%d stimuli: %s", len(read), found.summary)
    layers, attributes = found.layers, {**record, "summary": json.dumps(found.summary)}
    if match is not None:
        is_language = None if texts is None else texts.is_language
        layers, done = match_layers(layers, len(table), match, store.scratch() / "matched", is_language)
        attributes["match"] = json.dumps(done)
    write_activations(out, digest, table["stimulus_id"].to_numpy(object), layers, attributes)
    store.remove()


if __name__ == "__main__":
    run(extract_activations)
