"""Evaluate a model on benchmarks with lm-evaluation-harness."""

from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.devices import best_device
from brainalign.models.bin_files import load_bin
from brainalign.models.manifest import read_verified_manifest, weight_files
from brainalign.properties.running import check_version, run_harness
from brainalign.properties.unchanged import check_unchanged
from brainalign.provenance import Provenance
from brainalign.storage import write_json
from brainalign.tables import write_provenance


def evaluate_model(
    spec: dict[str, Any], provenance: Provenance, model: Path, task_files: list[Path], interpreter: Path, out: Path
) -> None:
    """Write the result file of one model."""
    check_version(interpreter, spec["harness"])
    manifest = read_verified_manifest(model)
    check_unchanged(spec["files"], dict(zip(sorted(spec["files"]), task_files, strict=True)))
    if manifest.weights == "bin":
        for path in weight_files(Path(manifest.folder), "bin"):
            load_bin(path)  # refuses a file that holds more than tensors before the harness opens it
    folder = Path(spec["include"]) if spec["include"] else None
    write_json(out, run_harness(interpreter, Path(manifest.folder), spec["settings"], best_device(), folder))
    write_provenance(out, provenance)


if __name__ == "__main__":
    run(evaluate_model)
