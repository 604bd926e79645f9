"""Checksums of the user's files: always those of the content as it is now."""

import hashlib
import json
import os
from pathlib import Path

import pytest

from brainalign import checksums
from brainalign.checksums import Checksums


@pytest.fixture(autouse=True)
def reads(monkeypatch) -> list[str]:
    """Remember every file, and count how often one is read."""
    read: list[str] = []

    def counting(path: Path) -> str:
        read.append(path.name)
        return hashlib.sha256(path.read_bytes()).hexdigest()

    monkeypatch.setattr(checksums, "file_digest", counting)
    monkeypatch.setattr(checksums, "_WORTH_REMEMBERING", 0)
    return read


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_large_file_is_read_once_also_by_later_runs(tmp_path, reads):
    file, memory = tmp_path / "a.npy", tmp_path / "hidden" / "memory.json"
    file.write_bytes(b"abc")
    digest = Checksums(memory)
    assert digest(str(file)) == digest(str(file)) == Checksums(memory)(str(file)) == sha256(b"abc")
    assert reads == ["a.npy"]


def test_a_small_file_is_always_read(tmp_path, reads, monkeypatch):
    monkeypatch.setattr(checksums, "_WORTH_REMEMBERING", 10)
    (tmp_path / "a.csv").write_bytes(b"abc")
    digest = Checksums(tmp_path / "memory.json")
    assert digest(str(tmp_path / "a.csv")) == digest(str(tmp_path / "a.csv")) == sha256(b"abc")
    assert reads == ["a.csv", "a.csv"]
    assert not (tmp_path / "memory.json").exists()


def test_an_edit_is_seen(tmp_path):
    file, digest = tmp_path / "a", Checksums(tmp_path / "memory.json")
    file.write_bytes(b"abc")
    digest(str(file))
    file.write_bytes(b"abcd")
    assert digest(str(file)) == sha256(b"abcd")


def test_another_file_of_the_same_size_and_modification_time_is_seen(tmp_path):
    file, digest = tmp_path / "a", Checksums(tmp_path / "memory.json")
    file.write_bytes(b"abc")
    os.utime(file, ns=(1, 1))
    assert digest(str(file)) == sha256(b"abc")
    (tmp_path / "b").write_bytes(b"xyz")
    os.utime(tmp_path / "b", ns=(1, 1))
    (tmp_path / "b").replace(file)
    assert digest(str(file)) == sha256(b"xyz")


def test_a_fresh_modification_time_gives_the_same_checksum(tmp_path):
    file, digest = tmp_path / "a", Checksums(tmp_path / "memory.json")
    file.write_bytes(b"abc")
    before = digest(str(file))
    os.utime(file, (0, 0))
    assert digest(str(file)) == before


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"a": 1}', b"null"])
def test_a_spoilt_memory_is_forgotten(content, tmp_path):
    file, memory = tmp_path / "a", tmp_path / "memory.json"
    file.write_bytes(b"abc")
    memory.write_bytes(content)
    assert Checksums(memory)(str(file)) == sha256(b"abc")
    assert list(json.loads(memory.read_text())) == [str(file)]


def test_home_and_relative_paths_are_one_file(tmp_path, reads, monkeypatch):
    (tmp_path / "a").write_bytes(b"abc")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    digest = Checksums(tmp_path / "memory.json")
    assert digest("~/a") == digest("a") == digest(str(tmp_path / "a"))
    assert reads == ["a"]


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        Checksums(tmp_path / "memory.json")(str(tmp_path / "a"))
