"""A checkout of the workflow in a folder of its own, planned and run as a user would."""

import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from snakemake.api import SnakemakeApi
from snakemake.logging import logger
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings
from snakemake_interface_logger_plugins.common import LogEvent

ROOT = Path(__file__).parents[2]
SOURCES = ("Snakefile", "CITATION.cff", "rules", "envs", "profiles", "workflow_scripts")
STUDY = Path(__file__).with_name("study.yaml")

Job = tuple[str, ...]


class _JobRecorder(logging.Handler):
    """Collects the jobs that Snakemake announces."""

    def __init__(self) -> None:
        super().__init__()
        self.jobs: list[Job] = []

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "event", None) == LogEvent.JOB_INFO:
            wildcards: Any = record.wildcards or {}  # type: ignore[attr-defined]
            self.jobs.append((record.rule_name, *(wildcards[name] for name in _ORDER if name in wildcards.keys())))  # type: ignore[attr-defined] # noqa: SIM118


# The order in which a job's wildcards stand in its tuple.
_ORDER = (
    "source",
    "model",
    "loss",
    "evaluation",
    "encoder",
    "readout",
    "features",
    "dataset",
    "prediction",
    "study",
    "figure",
)
_TARGETS = {"all", "activations", "encodings", "export"}


@contextmanager
def _fresh_package() -> Iterator[None]:
    """Let a Snakefile import its own checkout's package, and put everything back after it."""
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "brainalign"}
    for name in before:
        del sys.modules[name]
    path, folder = list(sys.path), Path.cwd()
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "brainalign"]:
            del sys.modules[name]
        sys.modules.update(before)
        sys.path[:] = path
        os.chdir(folder)


class Project:
    """A checkout of the workflow, with its results, in a folder of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace the only occurrence of a text in a file; the empty text stands for the file's end."""
        path = self.path / file
        text = path.read_text(encoding="utf-8")
        if not old:
            path.write_text(text + new, encoding="utf-8")
            return
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def plan(self, config: str | None = None, target: str | None = None) -> set[Job]:
        """Return the jobs that Snakemake would run, for everything or for a target."""
        return self._snakemake("dryrun", config, target)

    def accept(self, config: str | None = None) -> None:
        """Take the files as they are for the results of the present code and config, as `make accept` does."""
        self._snakemake("touch", config)

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run Snakemake as a user would."""
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
        done = subprocess.run(command, cwd=self.path, capture_output=True, text=True, timeout=300, check=False)
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    def _snakemake(self, executor: str, config: str | None, target: str | None = None) -> set[Job]:
        recorder = _JobRecorder()
        quiet = OutputSettings(dryrun=executor == "dryrun", quiet={Quietness.ALL})
        files = ConfigSettings(configfiles=[self.path / config]) if config else ConfigSettings()
        try:
            with _fresh_package(), SnakemakeApi(quiet) as api:
                dag = api.workflow(
                    resource_settings=ResourceSettings(cores=2),
                    config_settings=files,
                    snakefile=self.path / "Snakefile",
                    workdir=self.path,
                ).dag(
                    dag_settings=DAGSettings(
                        targets={target} if target else set(), force_incomplete=True, forceall=executor == "touch"
                    )
                )
                logger.addHandler(recorder)
                dag.execute_workflow(executor=executor)
        finally:
            logger.removeHandler(recorder)
        return {job for job in recorder.jobs if job[0] not in _TARGETS}


def _write_user_files(folder: Path) -> None:
    """A user's own data set: 15 passages of 4 sentences, 2 subjects of 3 neuroids with ceilings, a feature table."""
    random = np.random.default_rng(0)
    words = np.array("the a red blue cat dog fox house runs sleeps near under big small it she".split())
    passages = np.repeat(np.arange(15), 4)
    ids = [f"s{index:02d}" for index in range(60)]
    text = [" ".join(random.choice(words, size=5 + index % 3)) + " ." for index in range(60)]
    stimuli = pd.DataFrame({"id": ids, "sentence": text, "passage": [f"p{index}" for index in passages]})
    stimuli.to_csv(folder / "stimuli.csv", index=False)
    np.save(folder / "responses.npy", random.standard_normal((60, 6)).astype(np.float32))
    neuroids = pd.DataFrame(
        {
            "neuroid_id": [f"n{index}" for index in range(6)],
            "subject": ["A"] * 3 + ["B"] * 3,
            "region": ["x", "y", "y"] * 2,
        }
    )
    neuroids.to_csv(folder / "neuroids.csv", index=False)
    ceilings = pd.DataFrame({"neuroid_id": neuroids["neuroid_id"], "nc": [0.5, 0.6, 0.7, 0.8, 0.9, 1.0]})
    ceilings.to_csv(folder / "ceilings.csv", index=False)
    features = pd.DataFrame(random.standard_normal((60, 3)), columns=["f1", "f2", "f3"]).assign(stimulus_id=ids)
    features.to_csv(folder / "features.csv", index=False)


def _write_model(folder: Path) -> None:
    """A folder with a tiny random model, as a user might have one."""
    from brainalign.models.architectures import make_config, make_model, make_tokenizer, save

    tokenizer = make_tokenizer(["the a red blue cat dog fox house runs sleeps near under big small it she ."])
    settings = {"architecture": "gpt2", "width": 8, "layers": 1, "heads": 2, "context": 64}
    save(make_model(make_config(settings, len(tokenizer)), seed=0), tokenizer, folder)


def checkout(path: Path) -> Project:
    """Make a checkout with the small study as its default, and the user's files beside it."""
    path.mkdir(parents=True)
    for name in SOURCES:
        source = ROOT / name
        ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
        (shutil.copytree(source, path / name, ignore=ignore) if source.is_dir() else shutil.copy2(source, path / name))
    shutil.copy2(STUDY, path / "config.yaml")
    (path / "mine").mkdir()
    _write_user_files(path / "mine")
    _write_model(path / "mine" / "model")
    return Project(path)
