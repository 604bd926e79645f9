"""Compute a null from the stimulus table, or read given features."""

from pathlib import Path
from typing import Any

from brainalign.activations.given import read_features
from brainalign.activations.nulls.registry import compute_null
from brainalign.activations.stored import write_activations
from brainalign.command import run
from brainalign.provenance import Provenance
from brainalign.tables import read_table


def compute_features(
    spec: dict[str, Any], provenance: Provenance, stimuli: Path, table: list[Path], out: Path, digest: Path
) -> None:
    """Write features that no language model computes; a null's settings are its layers."""
    stimulus_table = read_table(stimuli)
    if spec["null"] == "table":
        layers = read_features(table[0], stimulus_table, spec["settings"]["on"])
    else:
        layers = compute_null(spec["null"], stimulus_table, spec["settings"])
    write_activations(out, digest, stimulus_table["stimulus_id"].to_numpy(object), layers, provenance.attributes())


if __name__ == "__main__":
    run(compute_features)
