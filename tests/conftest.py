"""What tests of several stages share."""

import copy
import gc
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invented_study import WrittenStudy, invent


def pytest_collection_finish() -> None:
    """Look no more for garbage in what is imported and collected, which all stays: tests take a seventh less time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def _invented() -> dict[str, WrittenStudy]:
    """Studies that were written before, by what was asked for."""
    return {}


@pytest.fixture
def invent_study(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, _invented: dict[str, WrittenStudy]
) -> Callable[..., WrittenStudy]:
    """Return a function that writes the cells of an invented study, see `invented_study.invent`: copies, free to be
    changed.
    """

    def write(*arguments: Any, **options: Any) -> WrittenStudy:
        asked = repr((arguments, sorted(options.items())))
        if asked not in _invented:
            _invented[asked] = invent(tmp_path_factory.mktemp("invented") / "results", *arguments, **options)
        study = copy.deepcopy(_invented[asked])
        made, study.root = study.root, tmp_path / "results"
        shutil.copytree(made, study.root)
        for paths in (study.encodings, study.alignments):
            paths[:] = [study.root / path.relative_to(made) for path in paths]
        return study

    return write
