"""Real data, which lie beside the project where its developers have them and nowhere in it."""

from pathlib import Path

import pytest

from real.data import DATA


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here as `real`, and skip it where the data are not there."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.real)
            if not DATA.is_dir():
                item.add_marker(pytest.mark.skip(reason=f"the real data sets are not at {DATA}"))
