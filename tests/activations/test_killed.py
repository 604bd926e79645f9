"""The stage, killed at any moment: the next run goes on and writes the very bytes of one that was left alone."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from brainalign.models.manifest import describe_folder, write_manifest
from brainalign.provenance import Provenance, canonical, code_param
from brainalign.tables import write_table

PACKAGES = Path(__file__).parents[2] / "workflow_scripts"
SPEC = {"readout": {"context": "group", "pooling": "mean"}, "dtype": "float32"}
BUDGET = 40

# Runs the stage several times, each in a process forked from this one, which has imported everything already. A run is
# killed right before its n-th write of rows or line of the journal, if n is not 0.
RUNNER = """
import json, os, signal, sys
import accelerate.hooks, accelerate.utils, torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaModel
torch.set_num_threads(1)
from brainalign.activations import resident
from brainalign.command import run
from brainalign.stages.extract_activations import extract_activations

def counted(call, left):
    def dying(*arguments):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments)
    return dying

def one(arguments, kill, log):
    os.dup2(os.open(log, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), 2)
    left = [kill]
    os.pwrite, os.write = counted(os.pwrite, left), counted(os.write, left)
    forward = resident._forward
    def noted(blocks, batch):
        print("pass", file=sys.stderr, flush=True)
        return forward(blocks, batch)
    resident._forward = noted
    run(extract_activations, arguments)

for arguments, kill, log in json.loads(sys.stdin.read()):
    child = os.fork()
    if child == 0:
        one(arguments, kill, log)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@dataclass(frozen=True)
class Run:
    """What one run of the stage left behind."""

    status: int
    log: str
    out: Path

    @property
    def passes(self) -> int:
        return self.log.splitlines().count("pass")


class Stage:
    """The stage on a tiny model and a few texts."""

    def __init__(self, folder: Path, model: Any, tokenizer: Any, stimuli: pd.DataFrame) -> None:
        self.folder = folder
        weights = folder / "weights"
        model.save_pretrained(weights)
        tokenizer.save_pretrained(weights)
        (folder / "models").mkdir()
        write_manifest(folder / "models" / "manifest.json", describe_folder(weights))
        table = stimuli.assign(text=stimuli["text"].str.strip())
        write_table(folder / "stimuli.csv", table, Provenance("stimuli", {}, "none"))

    def run(self, placement: str, *runs: tuple[str, int]) -> list[Run]:
        """Run it several times: the name of the file, and before which write it is killed, 0 for none."""
        jobs = []
        for index, (name, kill) in enumerate(runs):
            arguments: dict[str, Any] = {
                "spec": canonical(SPEC), "code": code_param(PACKAGES, "brainalign.stages.extract_activations"),
                "stimuli": self.folder / "stimuli.csv", "model": self.folder / "models" / "manifest.json",
                "out": self.folder / name, "digest": (self.folder / name).with_suffix(".json"),
                "placement": placement, "batch-tokens": BUDGET,
            }  # fmt: skip
            given = [part for key, value in arguments.items() for part in (f"--{key}", str(value))]
            jobs.append((given, kill, str(self.folder / f"log-{index}")))
        environment = {**os.environ, "PYTHONPATH": str(PACKAGES), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-c", RUNNER], env=environment, input=json.dumps(jobs), capture_output=True, text=True,
            timeout=300, check=True,
        )  # fmt: skip
        logs = [Path(log).read_text(encoding="utf-8") for _, _, log in jobs]
        return [
            Run(int(status), log, self.folder / name)
            for status, log, (name, _) in zip(done.stdout.split(), logs, runs, strict=True)
        ]


@pytest.fixture(scope="module")
def stage(
    tmp_path_factory: pytest.TempPathFactory,
    make_model: Callable[[str], Any],
    byte_tokenizer: Any,
    stimuli: pd.DataFrame,
) -> Stage:
    return Stage(tmp_path_factory.mktemp("stage"), make_model("llama"), byte_tokenizer, stimuli)


@pytest.mark.parametrize(("placement", "kills"), [("resident", (2, 7, 8, 11, 19)), ("streamed", (3, 13, 14, 25, 40))])
def test_killed_at_any_moment(stage: Stage, placement: str, kills: tuple[int, ...]) -> None:
    names = [f"{placement}-{kill}.h5" for kill in kills]
    runs = [(name, moment) for name, kill in zip(names, kills, strict=True) for moment in (kill, 0)]
    whole, *found = stage.run(placement, (f"{placement}.h5", 0), *runs)
    assert whole.status == 0, whole.log
    for killed, again in zip(found[::2], found[1::2], strict=True):
        assert killed.status == -signal.SIGKILL, killed.log
        assert again.status == 0, again.log
        assert again.out.read_bytes() == whole.out.read_bytes()
        assert again.out.with_suffix(".json").read_bytes() == whole.out.with_suffix(".json").read_bytes()
        assert not again.out.with_name(f"{again.out.name}.partial").exists()
        if placement == "resident":  # at most the batch that was cut off is read again
            assert whole.passes <= killed.passes + again.passes <= whole.passes + 1
    assert any("going on from" in again.log for again in found[1::2])


def test_a_killed_run_leaves_its_work_and_no_file(stage: Stage) -> None:
    (killed,) = stage.run("resident", ("left.h5", 11))
    assert killed.status == -signal.SIGKILL
    assert not killed.out.exists()
    assert killed.out.with_name("left.h5.partial").is_dir()


def test_work_of_other_settings_is_not_taken_up(stage: Stage) -> None:
    stage.run("resident", ("changed.h5", 11))
    header = stage.folder / "changed.h5.partial" / "partial-states.json"
    written = json.loads(header.read_text(encoding="utf-8"))
    written["key"]["stimuli"] = "others"
    header.write_text(json.dumps(written), encoding="utf-8")
    again, afresh = stage.run("resident", ("changed.h5", 0), ("afresh.h5", 0))
    assert again.status == 0, again.log
    assert "beginning anew" in again.log
    assert again.passes == afresh.passes
    assert again.out.read_bytes() == afresh.out.read_bytes()


def test_what_was_streamed_goes_on_streaming(stage: Stage) -> None:
    """There is room for the model by now, but the work is half done."""
    stage.run("streamed", ("auto.h5", 25))
    (again,) = stage.run("auto", ("auto.h5", 0))
    assert again.status == 0, again.log
    assert "streamed on cpu, as the work that was begun" in again.log
    assert "going on from" in again.log
    (whole,) = stage.run("streamed", ("whole.h5", 0))
    assert again.out.read_bytes() == whole.out.read_bytes()
