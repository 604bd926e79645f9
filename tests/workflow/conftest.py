"""Build a small study once; hand each test its own finished copy."""

import shutil
from pathlib import Path

import pytest

from workflow.project import Project, checkout


@pytest.fixture(scope="session")
def _built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small study, run from beginning to end, in a folder with a space in its name."""
    path = tmp_path_factory.mktemp("built") / "a project"
    checkout(path).run()
    return path


@pytest.fixture
def project(_built: Path, tmp_path: Path) -> Project:
    """A finished run, free to be changed."""
    path = tmp_path / "a project"
    shutil.copytree(_built, path, symlinks=True)
    return Project(path)
