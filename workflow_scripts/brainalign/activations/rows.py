"""Rows of numbers in a file: written and read in place, never in memory as a whole."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

STATE = np.dtype("<f4")
_NO_RESERVATION = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)  # of file systems that cannot reserve space


class Rows:
    """One layer's states (row × width) float32, read from disk when they are sliced.

    Rows that nobody wrote are zeros, or left from an unfinished step.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, path: Path, shape: tuple[int, int], is_new: bool) -> None:
        """Open the file of a layer; a new one takes its space on the disk. Raises OSError where there is none."""
        self.shape = shape
        self._path = path
        with named(path):
            self._file = path.open("w+b" if is_new else "r+b", buffering=0)
            if is_new:
                _reserve(self._file.fileno(), shape[0] * self._row_bytes)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice, /) -> np.ndarray:
        """Return a slice of rows (row × width); the slice has no step.

        Raises
        ------
        TypeError : anything but a slice of neighbouring rows.
        OSError : the file cannot be read, or has lost its end.
        """
        if not isinstance(rows, slice) or rows.step not in (None, 1):
            raise TypeError(f"rows on disk are read by slices of neighbouring ones, not by {rows!r}")
        start, stop, _ = rows.indices(self.shape[0])
        states = np.empty((max(0, stop - start), self.shape[1]), dtype=STATE)
        rest, place = states.reshape(-1).view(np.uint8).data, start * self._row_bytes
        with named(self._path):
            while rest:
                count = os.preadv(self._file.fileno(), [rest], place)
                if count == 0:
                    raise OSError(errno.EIO, f"it ends at {place} bytes, before its rows do")
                rest, place = rest[count:], place + count
        return states

    def put(self, first: int, states: np.ndarray) -> None:
        """Write states (row × width), contiguous float32, as the rows from `first` on. Raises OSError."""
        rest, place = states.reshape(-1).view(np.uint8).data, first * self._row_bytes
        with named(self._path):
            while rest:
                count = os.pwrite(self._file.fileno(), rest, place)
                rest, place = rest[count:], place + count

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    @property
    def _row_bytes(self) -> int:
        return self.shape[1] * STATE.itemsize


def _reserve(descriptor: int, size: int) -> None:
    """Give a new file its size and, where the file system can, its space on the disk."""
    try:
        if size and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
            return
    except OSError as error:
        if error.errno not in _NO_RESERVATION:
            os.ftruncate(descriptor, 0)
            raise
    os.ftruncate(descriptor, size)


@contextmanager
def named(path: Path) -> Iterator[None]:
    """Give an OSError of a bare descriptor the file's name."""
    try:
        yield
    except OSError as error:
        if error.filename is not None or error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
