"""Keep every layer's state for every stimulus."""

import json
import logging
from pathlib import Path
from typing import Any

from brainalign.activations.extraction import extract
from brainalign.activations.readout import Readout
from brainalign.activations.stored import write_activations
from brainalign.command import run
from brainalign.devices import best_device
from brainalign.models.loading import load
from brainalign.models.manifest import read_verified_manifest
from brainalign.provenance import Provenance
from brainalign.tables import read_table

log = logging.getLogger(__name__)


def extract_activations(
    spec: dict[str, Any], provenance: Provenance, stimuli: Path, model: Path, out: Path, digest: Path
) -> None:
    """Run one model over one data set's stimuli and write its layers."""
    table = read_table(stimuli)
    loaded, tokenizer = load(read_verified_manifest(model), spec["dtype"], best_device())
    found = extract(loaded, tokenizer, table, Readout.from_mapping(spec["readout"]))
    log.info("%d stimuli: %s", len(table), found.summary)
    facts = {"summary": json.dumps(found.summary), "dtype": spec["dtype"]}
    ids = table["stimulus_id"].to_numpy(object)
    write_activations(out, digest, ids, found.layers, {**provenance.attributes(), **facts})


if __name__ == "__main__":
    run(extract_activations)
