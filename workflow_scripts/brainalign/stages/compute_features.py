"""Compute a null from the stimulus table, or read given features or static embeddings."""

from pathlib import Path
from typing import Any

from brainalign.activations.given import read_features
from brainalign.activations.nulls.embeddings import embed_texts
from brainalign.activations.nulls.registry import compute_null
from brainalign.activations.stored import write_activations
from brainalign.command import run
from brainalign.provenance import Provenance
from brainalign.tables import read_table


def compute_features(
    spec: dict[str, Any], provenance: Provenance, stimuli: Path, table: list[Path], out: Path, digest: Path
) -> None:
    """Write features that no language model computes; a null's settings are its layers."""
    stimulus_table, settings = read_table(stimuli), spec["settings"]
    attributes: dict[str, Any] = provenance.attributes()
    if spec["null"] == "table":
        layers = read_features(table[0], stimulus_table, settings["on"])
    elif spec["null"] == "embeddings":
        texts = stimulus_table["text"].tolist()
        layers, counts = embed_texts(table[0], texts, settings["pooling"], settings["lower"])
        attributes |= counts
    else:
        layers = compute_null(spec["null"], stimulus_table, settings)
    write_activations(out, digest, stimulus_table["stimulus_id"].to_numpy(object), layers, attributes)


if __name__ == "__main__":
    run(compute_features)
