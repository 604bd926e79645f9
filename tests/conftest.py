"""What tests of several stages share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invented_study import WrittenStudy, invent


@pytest.fixture
def invent_study(tmp_path: Path) -> Callable[..., WrittenStudy]:
    """Return a function that writes the cells of an invented study, see `invented_study.invent`."""

    def write(*arguments: Any, **options: Any) -> WrittenStudy:
        return invent(tmp_path / "results", *arguments, **options)

    return write
