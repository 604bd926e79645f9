"""Stages as commands: what they take, and how they fail."""

import errno
import json
import logging
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from brainalign import command
from brainalign.errors import InputError, UnreadableFileError
from brainalign.provenance import Provenance, code_param

PACKAGES = Path(__file__).parents[1] / "workflow_scripts"
CODE = code_param(PACKAGES, "brainalign.errors", "brainalign.checksums")


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """Write to no descriptor of this process, and give warnings back their own way after `run` logged them."""
    monkeypatch.setattr(command, "_TERMINAL", -1)
    yield
    logging.captureWarnings(False)


def ended(stage: Any, *arguments: str, code: str = CODE) -> str | int | None:
    """Run a stage and return what it exits with: a status, or the sentence on standard error (status 1)."""
    with pytest.raises(SystemExit) as caught:
        command.run(stage, ["--code", code, *arguments])
    return caught.value.code


# --- arguments ------------------------------------------------------------------------------------------------------


def test_arguments_come_from_the_signature():
    seen: dict[str, Any] = {}

    def fit(spec: dict[str, Any], provenance: Provenance, in_file: Path, others: list[Path], out: Path) -> None:
        seen.update(spec=spec, provenance=provenance, in_file=in_file, others=others, out=out)

    given = ["--in-file", "a b.csv", "--others", "x", "y z", "--out", "o.h5", "--spec", '{"b": [1, null], "a": 0.1}']
    assert ended(fit, *given) == 0
    assert seen == {
        "spec": {"b": [1, None], "a": 0.1},
        "provenance": Provenance("brainalign.errors", {"b": [1, None], "a": 0.1}, CODE),
        "in_file": Path("a b.csv"),
        "others": [Path("x"), Path("y z")],
        "out": Path("o.h5"),
    }


def test_a_list_may_be_empty_and_a_default_left_out():
    seen: list[Any] = []

    def join(files: list[Path], count: int = 3) -> None:
        seen.append((files, count))

    assert ended(join, "--files") == 0
    assert ended(join, "--count", "4") == 0
    assert seen == [([], 3), ([], 4)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: --out"),
        (["--out", "o", "--ouT", "p"], "unrecognized arguments: --ouT p"),
        (["--o", "o"], "the following arguments are required: --out"),
        (["--out", "o", "--spec", "{"], "argument --spec: invalid loads value: '{'"),
    ],
)
def test_a_wrong_command_line_is_refused_before_the_stage(arguments, said, capsys):
    def fit(out: Path) -> None:
        raise AssertionError("the stage ran")

    assert ended(fit, *arguments) == f"fit: its command line cannot be read: {said}."
    assert capsys.readouterr().err == ""


def test_a_wrong_command_line_is_also_said_on_the_terminal_of_snakemake(monkeypatch):
    def fit(batch_tokens: int) -> None:
        raise AssertionError("the stage ran")

    reading, writing = os.pipe()
    monkeypatch.setattr(command, "_TERMINAL", writing)
    ended(fit, "--batch-tokens", "many")
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        said = "argument --batch-tokens: invalid int value: 'many'"
        assert pipe.read() == f"fit: its command line cannot be read: {said}.\n"


# --- code -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        CODE[:-1] + ("0" if CODE[-1] != "0" else "1"),
        CODE.replace("checksums", "specs"),
        CODE.replace("checksums", "gone"),
        "nonsense",
    ],
)
def test_code_that_changed_since_it_was_planned_is_refused_and_nothing_is_written(code, tmp_path):
    def fit(out: Path) -> None:
        out.write_text("written")

    assert ended(fit, "--out", str(tmp_path / "o"), code=code) == (
        "fit: its code changed after Snakemake planned this job; nothing was written. Start the run again."
    )
    assert list(tmp_path.iterdir()) == []


# --- failures, each one sentence ------------------------------------------------------------------------------------


def failing(error: BaseException) -> Any:
    def fit() -> None:
        raise error

    return fit


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (InputError("a.csv has a header but no rows."), "fit: a.csv has a header but no rows."),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "a/b.h5"),
            "fit: the file a/b.h5 is missing; a new run makes it again if it is one of the run's own.",
        ),
        (MemoryError(), "fit: not enough memory; give the rule more with --set-resources fit:mem_mb=…"),
        (
            MemoryError("Unable to allocate 8 GiB"),
            "fit: not enough memory (Unable to allocate 8 GiB); give the rule more with --set-resources fit:mem_mb=…",
        ),
        (
            OSError(errno.ENOSPC, "No space left on device", "results/a.h5"),
            "fit: no space left on the disk of results/a.h5; free some and run again.",
        ),
        (
            OSError(errno.EDQUOT, "Disk quota exceeded"),
            "fit: no space left on the disk of the results; free some and run again.",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "a.h5"), "fit: [Errno 13] Permission denied: 'a.h5'."),
        (KeyboardInterrupt(), 130),
    ],
)
def test_a_failure_is_one_sentence(error, end):
    assert ended(failing(error)) == end


def test_advice_on_resources_names_the_rule_that_ran_the_stage():
    said = ended(failing(MemoryError()), "--rule", "fit_beside_nulls")
    assert said == "fit: not enough memory; give the rule more with --set-resources fit_beside_nulls:mem_mb=…"


def test_every_rule_that_has_not_its_stages_name_says_so():
    texts = [path.read_text(encoding="utf-8") for path in sorted((PACKAGES.parent / "rules").glob("*.smk"))]
    rules = [rule for text in texts for rule in re.split(r"^rule ", text, flags=re.MULTILINE)[1:]]
    others = set()
    for rule in rules:
        name, stage = rule.partition(":")[0], re.search(r"brainalign\.stages\.(\w+)", rule)
        assert stage is not None
        if stage[1] != name:
            others.add(name)
        assert (stage[1] != name) == (f'" --rule {name}"' in rule), name
    assert "fit_beside_nulls" in others


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyError("a bug"), RuntimeError("a bug")])
def test_a_fault_of_ours_is_told_from_bad_input_and_logged_with_its_traceback(error, caplog):
    said = f"fit: {type(error).__name__}: {error} (unexpected; the job's log holds the traceback)."
    assert ended(failing(error)) == said
    assert caplog.messages == ["this is a fault of brainalign or of a library, not of its input"]
    assert caplog.records[0].exc_info is not None
    assert caplog.records[0].exc_info[1] is error


def test_an_unreadable_file_is_set_aside_with_its_reason(tmp_path):
    path = tmp_path / "a.h5"
    path.write_bytes(b"half")
    (tmp_path / "a.h5.unreadable").write_bytes(b"an older one")
    assert ended(failing(UnreadableFileError(path, "HDF5 cannot open it"))) == (
        f"fit: {path} cannot be used: HDF5 cannot open it. It is now a.h5.unreadable, and the next run makes it again."
    )
    assert {item.name: item.read_bytes() for item in tmp_path.iterdir()} == {"a.h5.unreadable": b"half"}


def test_an_unreadable_file_that_is_gone_is_told_too(tmp_path):
    assert ended(failing(UnreadableFileError(tmp_path / "a", "it is empty"))) == (
        f"fit: {tmp_path / 'a'} cannot be used: it is empty. The next run makes it again."
    )


def test_a_failure_is_also_said_on_the_terminal_of_snakemake(monkeypatch):
    reading, writing = os.pipe()
    monkeypatch.setattr(command, "_TERMINAL", writing)
    ended(failing(InputError("the table é is empty.")))
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        assert pipe.read() == "fit: the table é is empty.\n"


def test_without_that_terminal_no_file_of_the_stage_is_written_to_in_its_place(tmp_path, monkeypatch):
    reading, writing = os.pipe()
    os.close(reading)
    os.close(writing)
    monkeypatch.setattr(command, "_TERMINAL", reading)

    def fit() -> None:
        assert os.open(tmp_path / "a.h5", os.O_CREAT | os.O_WRONLY) == reading
        raise InputError("no.")

    ended(fit)
    os.close(reading)
    assert (tmp_path / "a.h5").read_bytes() == b""


# --- as a process ---------------------------------------------------------------------------------------------------


def process(body: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    script = textwrap.dedent("""
        import os, signal, sys
        from pathlib import Path
        from brainalign.command import run
        from brainalign.errors import InputError
        from brainalign.storage import write_text

        def fit(spec: dict, out: Path) -> None:
            {body}

        run(fit)
    """).format(body=body)
    environment = os.environ | {"PYTHONPATH": str(PACKAGES)}
    return subprocess.run(
        [sys.executable, "-c", script, "--code", CODE, "--out", "o.txt", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_success_exits_with_0_and_its_output(tmp_path):
    done = process("write_text(out, str(spec['a']))", tmp_path, "--spec", json.dumps({"a": "é"}))
    assert (done.returncode, done.stderr, (tmp_path / "o.txt").read_text(encoding="utf-8")) == (0, "", "é")


def test_bad_input_exits_with_1_and_only_its_sentence(tmp_path):
    done = process("raise InputError('the table is empty.')", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "fit: the table is empty.\n")


def test_an_interrupt_exits_with_130_and_without_a_traceback(tmp_path):
    # A process started in the background has its interrupts ignored; here they are as on a terminal.
    body = "signal.signal(signal.SIGINT, signal.default_int_handler); os.kill(os.getpid(), signal.SIGINT)"
    done = process(body, tmp_path)
    assert (done.returncode, done.stderr) == (130, "")


def test_warnings_go_to_the_log(tmp_path):
    done = process("import warnings; warnings.warn('mind this')", tmp_path)
    assert done.returncode == 0
    assert "UserWarning: mind this" in done.stderr
