from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from brainalign.responses.matrix import Responses
from brainalign.responses.table import read_responses
from responses.given_files import stimuli, write


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Responses]:
    """Return a function that writes files, given as role_ending=content, and reads them as responses.

    Content is an array (NPY), a mapping of arrays (HDF5), or text (anything else).
    """

    def read(settings: dict[str, Any] | None = None, table: pd.DataFrame | None = None, **contents: Any) -> Responses:
        files: dict[str, Path] = {}
        for key, content in contents.items():
            role, ending = key.rsplit("_", 1)
            files[role] = tmp_path / f"{role}.{ending}"
            write(files[role], content)
        return read_responses(files, settings or {}, stimuli() if table is None else table)

    return read
