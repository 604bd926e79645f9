"""A study like the project's own, to be changed by tests one key at a time."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml


@pytest.fixture(scope="session")
def config() -> dict[str, Any]:
    """A valid study as YAML gives it."""
    return yaml.safe_load(Path(__file__).with_name("study.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def changed(config: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return a function that copies the study with changes, given as key.key → value.

    A value that is `...` takes the key away. Dots in names are written as they are: keys here have none.
    """

    def change(changes: dict[str, Any]) -> dict[str, Any]:
        result = deepcopy(config)
        for where, value in changes.items():
            *path, last = where.split(".")
            section = result
            for key in path:
                section = section.setdefault(key, {})
            if value is ...:
                del section[last]
            else:
                section[last] = deepcopy(value)
        return result

    return change
