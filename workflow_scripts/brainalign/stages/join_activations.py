"""Put the activations of several data sets after one another."""

from pathlib import Path
from typing import Any

from brainalign.activations.joined import join_activations as join
from brainalign.activations.stored import write_activations
from brainalign.command import run
from brainalign.provenance import Provenance


def join_activations(
    spec: dict[str, Any], provenance: Provenance, activations: list[Path], out: Path, digest: Path
) -> None:
    """Write one file of all rows, layer by layer; no model runs."""
    files = dict(zip(spec["datasets"], activations, strict=True))
    stimulus_ids, layers, attributes = join(files)
    write_activations(out, digest, stimulus_ids, layers, {**attributes, **provenance.attributes()})


if __name__ == "__main__":
    run(join_activations)
