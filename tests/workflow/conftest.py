"""Build a small study once; hand each test its own finished copy."""

import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from workflow.project import Project, checkout


@pytest.fixture(scope="session")
def _built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small study, run from beginning to end, in a folder with a space in its name; of all processes of a run of
    tests the first makes it.
    """
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "built"
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)  # what a process left whose run failed
            checkout(folder / "a project").run()
            (folder / "done").touch()
    return folder / "a project"


@pytest.fixture
def project(_built: Path, tmp_path: Path) -> Project:
    """A finished run, free to be changed."""
    path = tmp_path / "a project"
    shutil.copytree(_built, path, symlinks=True)
    return Project(path)
