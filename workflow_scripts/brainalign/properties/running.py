"""lm-evaluation-harness run on one model, in an environment of its own and without the network."""

import json
import logging
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brainalign.errors import InputError

SEEDS = (0, 1234, 1234, 1234)  # of Python, numpy, torch and the examples: the harness's own defaults
_logger = logging.getLogger(__name__)


def run_harness(
    interpreter: Path, model: Path, settings: Mapping[str, Any], device: str, tasks: Path | None = None
) -> dict[str, Any]:
    """Evaluate a model and return the result file's content.

    Nothing of the model's own Python runs (`trust_remote_code` is never given), and the harness is given no network by
    whoever calls this: data must lie in local files or in the cache of Hugging Face.

    Parameters
    ----------
    interpreter : of the environment that has the harness.
    model : folder of the model.
    settings : tasks, shots, limit, batch_size, chat_template and dtype.
    device : such as "cpu".
    tasks : folder with the user's own task files.

    Raises
    ------
    InputError : no such environment, or what the harness said last when it failed.
    """
    if not interpreter.is_file():
        raise InputError(missing_environment(interpreter))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "run.yaml").write_text(json.dumps(_arguments(model, settings, device, tasks, folder)))  # JSON is YAML
        # -P: not what lies in the working directory, which Snakemake's folder would otherwise shadow modules with.
        command = [str(interpreter.absolute()), "-P", "-m", "lm_eval", "run", "--config", str(folder / "run.yaml")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        _logger.info("%s\n%s", done.stdout, done.stderr)
        written = sorted((folder / "out").rglob("results_*.json"))
        if done.returncode != 0 or not written:
            raise InputError(
                f"lm_eval could not evaluate the model in {model}: {_last_line(done.stderr)} (It runs without the "
                "network: the data of its tasks must lie in local files or in the cache of Hugging Face; the job's log "
                "holds all it said.)"
            )
        # It is kept as it is and read by the joins alone, so that what is made of it never runs an evaluation again.
        found: dict[str, Any] = json.loads(written[-1].read_text(encoding="utf-8"))
        return found


def pinned_version(lock: Path) -> str:
    """Return the version of the harness that a list of exact versions has (a line `lm_eval==…`).

    Raises
    ------
    InputError : there is no such line.
    """
    found = re.search(r"^lm[-_]eval==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise InputError(f"{lock} has no line `lm_eval==…`, which says by which version models are evaluated.")
    return found[1]


def check_version(interpreter: Path, version: str) -> None:
    """Check that an environment has the harness in the version by which all models of a study are evaluated.

    Raises
    ------
    InputError : no such environment, or another version.
    """
    if not interpreter.is_file():
        raise InputError(missing_environment(interpreter))
    asks = "import importlib.metadata; print(importlib.metadata.version('lm_eval'))"
    done = subprocess.run([str(interpreter.absolute()), "-P", "-c", asks], capture_output=True, text=True, check=False)
    if done.stdout.strip() != version:
        has = done.stdout.strip() if done.returncode == 0 else "none"
        raise InputError(
            f"the environment at {interpreter.parent.parent} has lm_eval {has}, but envs/lm-eval.lock names {version}; "
            "renew it with `make lm-eval-environment`, so that all models are evaluated by one version."
        )


def missing_environment(interpreter: Path) -> str:
    """Return the sentence about an environment that is not there."""
    return (
        f"evaluations are run by lm_eval, whose own environment is not at {interpreter.parent.parent}; make it once "
        "with `make lm-eval-environment`."
    )


def _arguments(
    model: Path, settings: Mapping[str, Any], device: str, tasks: Path | None, folder: Path
) -> dict[str, Any]:
    return {
        "model": "hf",
        "model_args": {"pretrained": str(model), "dtype": settings["dtype"]},
        "tasks": list(settings["tasks"]),
        "num_fewshot": settings["shots"],
        "limit": settings["limit"],
        "batch_size": settings["batch_size"],
        "apply_chat_template": settings["chat_template"],
        "device": device,
        "seed": list(SEEDS),
        "include_path": None if tasks is None else str(tasks.expanduser().resolve()),
        "output_path": str(folder / "out"),
    }


def _last_line(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing."
