"""The memory that is free is the least that the machine, a container or a cluster's job leaves."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from brainalign import free_memory
from brainalign.free_memory import free_memory_of_host, within_free_memory

GIB = 1 << 30


def test_the_limits_of_a_container_or_a_job_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 50 * GIB}))
    own, job, step = tmp_path / "own", tmp_path / "slurm" / "job", tmp_path / "slurm" / "job" / "step"
    step.mkdir(parents=True)
    assert free_memory_of_host(tmp_path, own) == 50 * GIB
    own.write_text("0::/slurm/job/step\n")
    assert free_memory_of_host(tmp_path, own) == 50 * GIB
    for group, limit in ((job, str(3 * GIB)), (step, "max")):
        (group / "memory.max").write_text(f"{limit}\n")
        (group / "memory.current").write_text(f"{GIB}\n")
    assert free_memory_of_host(tmp_path, own) == 2 * GIB


@pytest.mark.parametrize("version", [1, 2])
def test_pages_of_files_that_were_read_are_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"available": 50 * GIB}))
    group = tmp_path / "job" if version == 2 else tmp_path / "memory" / "job"
    group.mkdir(parents=True)
    (tmp_path / "own").write_text("9:name=systemd:/other\n0::/job\n" if version == 2 else "4:memory:/job\n0::/\n")
    limit, used = (("memory.limit_in_bytes", "memory.usage_in_bytes"), ("memory.max", "memory.current"))[version - 1]
    (group / limit).write_text(f"{3 * GIB}\n")
    (group / used).write_text(f"{2 * GIB}\n")
    assert free_memory_of_host(tmp_path, tmp_path / "own") == GIB
    name = "total_inactive_file" if version == 1 else "inactive_file"
    (group / "memory.stat").write_text(f"cache {GIB}\n{name} {GIB}\n")
    assert free_memory_of_host(tmp_path, tmp_path / "own") == 2 * GIB


@pytest.fixture
def _measured_anew() -> Iterator[None]:
    free_memory._free_at_first.cache_clear()
    yield
    free_memory._free_at_first.cache_clear()


@pytest.mark.usefixtures("_measured_anew")
def test_batches_take_a_share_of_what_was_free_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_memory, "free_memory_of_host", lambda: 8 * 1000)
    assert (within_free_memory(5000), within_free_memory(999)) == (1000, 999)
    monkeypatch.setattr(free_memory, "free_memory_of_host", lambda: 8 * 10)
    assert within_free_memory(5000) == 1000, "one plan for all of a run"
