"""What was finished of a work under way: one line per step, each whole or not there."""

import itertools
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Written:
    """What a step wrote of one layer.

    width : of the layer.
    rows : (row,) ascending, no row twice.
    checks : (row,) CRC-32 of each row's bytes, uint32.
    """

    width: int
    rows: np.ndarray
    checks: np.ndarray


@dataclass(frozen=True)
class Entry:
    """A finished step and what it wrote, by layer."""

    step: Mapping[str, Any]
    written: Mapping[str, Written]


class Journal:
    """Finished steps in a file; a line is the CRC-32 of its JSON, and the JSON."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it, and read the entries in front of the first line that is not whole."""
        self._file = path.open("a+b", buffering=0)
        self._file.seek(0)
        self.entries: list[Entry] = []
        self._ends = [0]  # of the entries, in bytes
        for line in self._file.read().splitlines(keepends=True):
            entry = _decode(line)
            if entry is None:
                break
            self.entries.append(entry)
            self._ends.append(self._ends[-1] + len(line))
        self.keep(len(self.entries))

    def keep(self, count: int) -> None:
        """Drop all but the first entries. Raises OSError."""
        os.ftruncate(self._file.fileno(), self._ends[count])
        del self.entries[count:], self._ends[count + 1 :]

    def append(self, entry: Entry) -> None:
        """Add an entry: whole, or not at all where this raises.

        Raises
        ------
        TypeError, ValueError : the step has no form in JSON.
        OSError : the line cannot be written.
        """
        line = _encode(entry)
        rest = memoryview(line)
        try:
            while rest:
                rest = rest[os.write(self._file.fileno(), rest) :]
        except BaseException:
            os.ftruncate(self._file.fileno(), self._ends[-1])
            raise
        self.entries.append(entry)
        self._ends.append(self._ends[-1] + len(line))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def runs(rows: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield the places (first, after the last) of each run of neighbours in ascending rows; equal rows part runs.

    >>> list(runs(np.array([3, 4, 5, 9])))
    [(0, 3), (3, 4)]
    """
    cuts = np.flatnonzero(np.diff(rows) != 1) + 1
    bounds = [0, *cuts.tolist(), len(rows)] if len(rows) else []
    yield from itertools.pairwise(bounds)


def _encode(entry: Entry) -> bytes:
    written = {
        layer: {
            "width": item.width,
            "rows": [[int(item.rows[first]), int(item.rows[after - 1]) + 1] for first, after in runs(item.rows)],
            "crc32": item.checks.astype(">u4").tobytes().hex(),
        }
        for layer, item in entry.written.items()
    }
    body = json.dumps({"step": entry.step, "written": written}, separators=(",", ":"), allow_nan=False).encode()
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _decode(line: bytes) -> Entry | None:
    """Return the entry of a line, or None if the line is not whole."""
    check, _, body = line.removesuffix(b"\n").partition(b" ")
    if not line.endswith(b"\n") or check != b"%08x" % zlib.crc32(body):
        return None
    found = json.loads(body)
    return Entry(found["step"], {layer: _written(item) for layer, item in found["written"].items()})


def _written(item: Mapping[str, Any]) -> Written:
    pieces = [np.arange(first, after) for first, after in item["rows"]]
    rows = np.concatenate([np.empty(0, dtype=np.int64), *pieces])
    checks = np.frombuffer(bytes.fromhex(item["crc32"]), dtype=">u4").astype(np.uint32)
    return Written(item["width"], rows, checks)
