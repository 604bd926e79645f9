"""What make says before it does anything: one sentence for each thing that a machine lacks."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A bare checkout, without an environment, in a folder with a space in its name."""
    folder = tmp_path / "a checkout"
    folder.mkdir()
    for name in ("Makefile", "requirements.lock", "config.yaml"):
        shutil.copy2(ROOT / name, folder / name)
    return folder


def _make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def _interpreter(folder: Path, fails_on: str, version: str = "Python 3.13.0") -> str:
    """A stand-in for python3 that fails where its code holds some text, and does nothing otherwise."""
    path = folder / "python-stand-in"
    path.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *-V*) echo "{version}"; exit 0;; *"{fails_on}"*) exit 1;; *"-m venv"*) exit 7;; esac\n'
    )
    path.chmod(0o755)
    return str(path)


def test_no_python(checkout: Path) -> None:
    done = _make(checkout, "demo", "PYTHON=python-that-is-not")
    assert done.returncode != 0
    assert (
        "There is no python-that-is-not; install Python 3.11 or newer, or name yours: make PYTHON=python3.12"
        in done.stdout
    )


def test_an_old_python(checkout: Path) -> None:
    python = _interpreter(checkout, "version_info", "Python 3.9.18")
    done = _make(checkout, "test", f"PYTHON={python}")
    assert done.returncode != 0
    assert f"{python} is Python 3.9.18, but 3.11 or newer is needed; name one: make PYTHON=python3.12" in done.stdout


def test_no_venv(checkout: Path) -> None:
    python = _interpreter(checkout, "ensurepip")
    done = _make(checkout, "demo", f"PYTHON={python}")
    assert done.returncode != 0
    assert f"{python} cannot make virtual environments; install its venv package" in done.stdout


def test_no_room(checkout: Path) -> None:
    done = _make(checkout, "demo", f"PYTHON={_interpreter(checkout, 'nothing')}", "FREE_GB_NEEDED=1000000")
    assert done.returncode != 0
    assert "GB of disk are free here, but 1000000 are needed for the environment." in done.stdout


def test_a_machine_with_everything_gets_its_environment(checkout: Path) -> None:
    done = _make(checkout, "demo", f"PYTHON={_interpreter(checkout, 'nothing')}", "FREE_GB_NEEDED=0")
    assert "Making .venv from requirements.lock" in done.stdout


def test_lm_eval_has_an_environment_of_its_own(checkout: Path) -> None:
    (checkout / "envs").mkdir()
    shutil.copy2(ROOT / "envs" / "lm-eval.lock", checkout / "envs")
    done = _make(checkout, "lm-eval-environment", f"PYTHON={_interpreter(checkout, 'nothing')}", "FREE_GB_NEEDED=0")
    assert "Making .venv-lm-eval from envs/lm-eval.lock" in done.stdout
    assert not (checkout / ".venv-lm-eval" / ".ready").exists()  # the stand-in made nothing


def test_its_libraries_are_the_workflow_s_where_it_allows_them() -> None:
    """Both load the same models: where they share a package, its version is the same."""

    def versions(name: str) -> dict[str, str]:
        lines = [line for line in (ROOT / name).read_text().splitlines() if "==" in line and line[0] != "#"]
        return {line.partition("==")[0].lower().replace("_", "-"): line.partition("==")[2] for line in lines}

    own, workflow = versions("envs/lm-eval.lock"), versions("requirements.lock")
    differing = {name for name in own.keys() & workflow.keys() if own[name] != workflow[name]}
    assert differing == {"python-dateutil"}
    assert own["torch"] == workflow["torch"]
    assert own["transformers"] == workflow["transformers"]
    assert "lm-eval" in own


def test_clean_deletes_nothing_unless_sure(checkout: Path) -> None:
    (checkout / "results").mkdir()
    (checkout / "results" / "precious.h5").write_text("x")
    assert "Nothing was deleted" in _make(checkout, "clean").stdout
    assert (checkout / "results" / "precious.h5").exists()
    _make(checkout, "clean", "SURE=yes")
    assert not (checkout / "results").exists()


def test_help_names_every_command() -> None:
    said = _make(ROOT, "help").stdout
    for command in ("demo", "study", "plan", "test", "check", "bench", "export", "compare", "accept", "clean"):
        assert f"make {command}" in said
