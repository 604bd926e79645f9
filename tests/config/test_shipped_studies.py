"""Every study that is shipped is valid, and no two give one name two meanings."""

from pathlib import Path

import pytest
import yaml

from brainalign.config.claims import conflicts, record
from brainalign.config.study import Study, read_study
from brainalign.config.yaml_files import refuse_repeated_keys

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "config.yaml", *sorted((ROOT / "studies").glob("*.yaml"))]


def _read(path: Path) -> Study:
    refuse_repeated_keys(path)
    return read_study(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_there_are_studies() -> None:
    assert len(FILES) >= 2
    assert len({_read(path).study for path in FILES}) == len(FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_can_run_beside_all_others(path: Path, tmp_path: Path) -> None:
    for other in FILES:
        record(_read(other), tmp_path)
    assert conflicts(_read(path), tmp_path) == []
