"""States of an extraction under way, on disk, so that one that was killed goes on where it was.

A folder holds one file of raw rows per layer, a header (`partial-states.json`: the key and the number of rows) and a
journal with one line per finished step: the step, the rows that it wrote of each layer and a CRC-32 of each of them.
A step counts when its line is whole and every row that no later step wrote again still has its CRC. So a killed
process loses its unfinished step only, and what a power loss tore is found when the work is taken up again: from the
first step that does not hold on, the work is done again.
"""

import errno
import json
import logging
import shutil
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from brainalign.activations.journal import Entry, Journal, Written, runs
from brainalign.activations.rows import STATE, Rows, named
from brainalign.errors import InputError
from brainalign.storage import write_json

_HEADER = "partial-states.json"
_JOURNAL = "journal"
_SCRATCH = "scratch"
_FORMAT = 1
_PIECE = 1 << 23  # bytes read at a time when rows are checked
_logger = logging.getLogger(__name__)


class PartialStates:
    """States of an extraction under way, on disk; what was finished survives a kill at any moment.

    steps : what was finished, in order, before this run and in it; as JSON gives it back.
    """

    def __init__(self, folder: Path, rows: int) -> None:
        """Take up what a folder with a fitting header holds; `open` also looks at the header, and begins anew."""
        self._folder, self._rows = folder, rows
        self._layers: dict[str, Rows] = {}
        self._written: dict[str, dict[int, int]] = {}  # since the last step: CRC-32 of each row
        self._journal = Journal(folder / _JOURNAL)
        begun = len(self._journal.entries)
        self._journal.keep(_count_sound(folder, rows, self._journal.entries))
        for layer, width in _widths(self._journal.entries).items():
            self._layers[layer] = Rows(_file_of(folder, len(self._layers)), (rows, width), is_new=False)
        self.steps: list[Mapping[str, Any]] = [entry.step for entry in self._journal.entries]
        if begun:
            lost = begun - len(self.steps)
            again = f"; {lost} more are done again, since their rows are not as they were written" if lost else ""
            _logger.info("going on from %d finished steps in %s%s", len(self.steps), folder, again)

    @classmethod
    def open(cls, folder: Path, key: Mapping[str, Any], rows: int) -> Self:
        """Go on from what lies in a folder if it is of the same key and rows; otherwise delete it and begin anew.

        Parameters
        ----------
        folder : is made where there is none.
        key : all that the states depend on, in values that JSON has.
        rows : of every layer.

        Raises
        ------
        InputError : the folder holds something else, which is left as it is.
        OSError : the folder cannot be written.
        """
        folder = Path(folder)
        header = {"format": _FORMAT, "key": json.loads(json.dumps(key, allow_nan=False)), "rows": rows}
        if not _is_of_this_kind(folder):
            folder.mkdir(parents=True, exist_ok=True)
            write_json(folder / _HEADER, header)
        elif (reason := _difference(folder / _HEADER, header)) is not None:
            _logger.warning("beginning anew in %s: %s", folder, reason)
            _clear(folder)
            write_json(folder / _HEADER, header)
        return cls(folder, rows)

    @staticmethod
    def key_of(folder: Path) -> dict[str, Any]:
        """Return the key of the work that lies in a folder; nothing where there is none that can be read."""
        try:
            found = json.loads((Path(folder) / _HEADER).read_text(encoding="utf-8"))["key"]
        except (OSError, ValueError, TypeError, KeyError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def layers(self) -> list[str]:
        """The layers in the order of their first write."""
        return list(self._layers)

    def write(self, layer: str, rows: np.ndarray, states: np.ndarray) -> None:
        """Write states (row × width) float32 of one layer as these rows (row,); of equal rows the last counts.

        The first write of a layer takes the disk space for all of its rows.

        Raises
        ------
        ValueError : shapes that do not fit each other or the layer, or a row that is none.
        OSError : with the file's name; ENOSPC where the disk is full.
        """
        if not (rows.ndim == 1 and rows.dtype.kind in "iu" and states.ndim == 2 and len(rows) == len(states)):
            raise ValueError(f"states {states.shape} of layer {layer!r} do not fit rows {rows.shape} {rows.dtype}")
        if len(rows) and not 0 <= rows.min() <= rows.max() < self._rows:
            raise ValueError(f"layer {layer!r} has rows 0 to {self._rows - 1}, not {rows.min()} to {rows.max()}")
        width = states.shape[1]
        if layer not in self._layers:
            self._layers[layer] = Rows(_file_of(self._folder, len(self._layers)), (self._rows, width), is_new=True)
        if self._layers[layer].shape[1] != width:
            raise ValueError(f"layer {layer!r} is {self._layers[layer].shape[1]} wide, not {width}")
        order = np.argsort(rows, kind="stable")  # of equal rows the last is written last
        ascending = rows[order].astype(np.int64)
        sorted_states = np.ascontiguousarray(states[order], dtype=STATE)
        for first, after in runs(ascending):
            self._layers[layer].put(int(ascending[first]), sorted_states[first:after])
        checks = map(zlib.crc32, sorted_states)
        self._written.setdefault(layer, {}).update(zip(ascending.tolist(), checks, strict=True))

    def finish(self, step: Mapping[str, Any]) -> None:
        """Note a step: everything written since the last one now counts.

        Raises
        ------
        TypeError, ValueError : the step has no form in JSON.
        OSError : with the journal's name; the step then does not count.
        """
        written = {layer: self._note(layer, checks) for layer, checks in self._written.items()}
        entry = Entry(json.loads(json.dumps(step, allow_nan=False)), written)
        with named(self._folder / _JOURNAL):
            self._journal.append(entry)
        self.steps.append(entry.step)
        self._written = {}

    def layer(self, name: str) -> Rows:
        """Return the rows of a layer that was written. Raises KeyError for any other."""
        return self._layers[name]

    def scratch(self) -> Path:
        """Return a folder for further files; they go with the rest."""
        path = self._folder / _SCRATCH
        path.mkdir(exist_ok=True)
        return path

    def remove(self) -> None:
        """Delete all of it; nothing can be written or read any more."""
        for rows in self._layers.values():
            rows.close()
        self._journal.close()
        _clear(self._folder)
        self._folder.rmdir()

    def _note(self, layer: str, checks: Mapping[int, int]) -> Written:
        rows = np.array(sorted(checks), dtype=np.int64)
        return Written(self._layers[layer].shape[1], rows, np.array([checks[row] for row in rows], dtype=np.uint32))


def _is_of_this_kind(folder: Path) -> bool:
    """Tell whether partial states lie in a folder; False for an empty one or none. Raises InputError for any other."""
    if (folder / _HEADER).is_file():
        return True
    if folder.is_dir():
        others = sorted(path.name for path in folder.iterdir() if not _is_unwritten_header(path))
        if not others:
            return False
        holds = f"the folder {folder} holds {others[0]!r}, which no extraction left there"
    elif folder.exists():
        holds = f"{folder} is a file"
    else:
        return False
    raise InputError(f"{holds}; move it away, since states of an extraction under way are to be kept under this name.")


def _is_unwritten_header(path: Path) -> bool:
    return path.name.startswith(f".{_HEADER}.") and path.name.endswith(".tmp")


def _difference(path: Path, header: Mapping[str, Any]) -> str | None:
    """Say in what the header on disk differs from the one that is wanted, if it does."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["format"] != header["format"]:
            return f"it is of format {found['format']}, not {header['format']}"
        if found["rows"] != header["rows"]:
            return f"it is of {found['rows']} rows, not {header['rows']}"
        names = sorted({*found["key"], *header["key"]})
        others = [name for name in names if _canonical(found["key"], name) != _canonical(header["key"], name)]
    except (ValueError, TypeError, KeyError):
        return "its header cannot be read"
    return f"it is of another {', '.join(others)}" if others else None


def _canonical(key: Mapping[str, Any], name: str) -> str | None:
    return json.dumps(key[name], sort_keys=True) if name in key else None


def _clear(folder: Path) -> None:
    """Empty a folder: the journal first and the header last, so that a killed clearing leaves no step and a header."""
    last = {_JOURNAL: 0, _HEADER: 2}
    for path in sorted(folder.iterdir(), key=lambda path: last.get(path.name, 1)):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _file_of(folder: Path, place: int) -> Path:
    """Return the file of a layer; not by its name, which may hold what no file's name may."""
    return folder / f"layer_{place:04d}.float32"


def _widths(entries: list[Entry]) -> dict[str, int]:
    """Return the width of each layer, in the order of their first write."""
    widths: dict[str, int] = {}
    for entry in entries:
        for layer, written in entry.written.items():
            widths.setdefault(layer, written.width)
    return widths


def _count_sound(folder: Path, rows: int, entries: list[Entry]) -> int:
    """Return how many of the first entries hold: each of their rows that none of them wrote later is as written."""
    found: dict[str, np.ndarray] = {}
    for place, (layer, width) in enumerate(_widths(entries).items()):
        written = np.unique(np.concatenate([entry.written[layer].rows for entry in entries if layer in entry.written]))
        found[layer] = _checks(_file_of(folder, place), (rows, width), written)
    count = len(entries)
    while True:
        torn = count
        for layer, checks in found.items():
            expected, writer = np.full(rows, -1, dtype=np.int64), np.full(rows, count)
            for index, entry in enumerate(entries[:count]):
                if layer in entry.written:
                    expected[entry.written[layer].rows] = entry.written[layer].checks
                    writer[entry.written[layer].rows] = index
            torn = min(torn, int(writer[(expected != checks) & (expected >= 0)].min(initial=count)))
        if torn == count:
            return count
        count = torn


def _checks(path: Path, shape: tuple[int, int], written: np.ndarray) -> np.ndarray:
    """Return the CRC-32 of these rows of a file (row,) as they are now, and -1 for all that cannot be read."""
    checks = np.full(shape[0], -1, dtype=np.int64)
    step = max(1, _PIECE // max(1, shape[1] * STATE.itemsize))
    try:
        states = Rows(path, shape, is_new=False)
        for first, after in runs(written):
            for start in range(int(written[first]), int(written[after - 1]) + 1, step):
                stop = min(start + step, int(written[after - 1]) + 1)
                checks[start:stop] = [zlib.crc32(state) for state in states[start:stop]]
        states.close()
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.EIO):
            raise
    return checks
