"""Arrays on disk: HDF5 that h5py and xarray open without this project.

Every variable has named dimensions, written as HDF5 dimension scales (the netCDF-4 convention), so that
`xarray.open_dataset(path, engine="h5netcdf")` shows a labelled data set. A dimension with a variable of its own
name has that variable as its coordinate; any other dimension gets a bare scale that counts from 0.

Numbers of 64 KiB and more lie in chunks with a checksum each, so that a damaged byte is found when it is read, and
a part of a variable is read without the rest. They are not compressed: that would save a tenth to a quarter of float32
states and up to two thirds of those of a bfloat16 model, but reading would take four to six times as long.

A file is written under a temporary name and renamed when it is whole: a reader never sees half a file.
Equal input gives equal bytes.
"""

import hashlib
import io
import json
import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np

from brainalign.errors import UnreadableFileError

Attributes = Mapping[str, str | int | float]
_CHUNKED_FROM = 1 << 16  # bytes; smaller variables are stored in one piece, without a checksum
_CHUNK = 1 << 20  # bytes of a chunk, at most
_PIECE = 1 << 23  # bytes in memory at a time, where a variable is larger


class Values(Protocol):
    """What a variable holds: a NumPy array, or one that is read when it is sliced along its first axis."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype: ...

    def __getitem__(self, rows: slice, /) -> np.ndarray: ...


@dataclass(frozen=True)
class Variable:
    """An array with the names of its dimensions, one per axis.

    Text is held in memory; numbers may be larger, as long as a piece of 8 MiB of them is not.
    """

    dims: tuple[str, ...]
    values: Values


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed to `path` if the block ends without an exception.

    Raises whatever the block raises; then the temporary file is removed and `path` is as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _make_durable(temporary)
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file (UTF-8) whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value: Any) -> None:
    """Write canonical, indented JSON; NaN and infinity are refused by `json`."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n")


def write_arrays(path: Path, variables: Mapping[str, Variable], attributes: Attributes) -> None:
    """Write variables and attributes to one HDF5 file.

    Parameters
    ----------
    variables : name to Variable; every dimension name must have one length throughout.
    attributes : root attributes (strings and numbers).

    Raises
    ------
    ValueError : a variable whose dimensions do not fit its shape or another variable's.
    OSError : the file cannot be written, as when the disk is full.
    """
    sizes = _sizes(variables)
    with replacing(path) as temporary, _Sink(temporary, path) as sink, h5py.File(sink, "w") as file:
        for name, variable in variables.items():
            _create(file, name, variable.values)
            sink.check()
        for dim, size in sizes.items():
            if dim not in variables:
                file.create_dataset(dim, data=np.arange(size, dtype=np.int64))
            file[dim].make_scale(dim)
        for name, variable in variables.items():
            if variable.dims != (name,):
                for axis, dim in enumerate(variable.dims):
                    file[name].dims[axis].attach_scale(file[dim])
        for key in sorted(attributes):
            file.attrs[key] = attributes[key]


def read_arrays(path: Path, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
    """Read variables (all of them unless named) as NumPy arrays; text comes back as `str` objects.

    Raises
    ------
    UnreadableFileError : not HDF5, truncated, without a variable that was asked for, or damaged in one.
    OSError : the file cannot be reached (missing, not permitted, locked by a writer).
    """
    with open_arrays(path) as file, _damage_told(path, "HDF5 cannot read it"):
        wanted = list(file) if names is None else list(names)
        missing = [name for name in wanted if not isinstance(file.get(name), h5py.Dataset)]
        if missing:
            raise UnreadableFileError(path, f"it has no variable {missing[0]!r}")
        return {name: _read(path, name, file[name]) for name in wanted}


def read_attributes(path: Path) -> dict[str, Any]:
    """Read the root attributes as plain Python values. Raises UnreadableFileError."""
    with open_arrays(path) as file, _damage_told(path, "HDF5 cannot read its attributes"):
        return {key: value.item() if isinstance(value, np.generic) else value for key, value in file.attrs.items()}


@contextmanager
def open_arrays(path: Path) -> Iterator[h5py.File]:
    """Open a file for reading.

    Raises
    ------
    UnreadableFileError : it is not whole HDF5, found when it is opened or, inside the block, read.
    OSError : it cannot be reached. That says nothing of what it holds, so it is not to be set aside.
    """
    try:
        with h5py.File(path, "r") as file:
            yield file
    except OSError as error:
        if error.errno is not None:  # the system's own; HDF5's verdict on content has no number
            if error.filename is not None:
                raise
            raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
        raise UnreadableFileError(path, f"HDF5 cannot read it ({error})") from error


class _Sink(io.FileIO):
    """A file for HDF5 to write to, that keeps a failed write to itself until HDF5 is done with the file.

    After a failed write (a full disk) HDF5 cannot let go of chunked variables, and ends the process by a crash.
    """

    def __init__(self, temporary: Path, path: Path) -> None:
        super().__init__(temporary, "w+")
        self._path = path
        self._error: BaseException | None = None

    def write(self, data: Any, /) -> int:
        rest = memoryview(data).cast("B")
        size = len(rest)
        try:
            while self._error is None and rest:
                rest = rest[super().write(rest) :]
        except BaseException as error:  # an interruption too
            self._error = error
        return size

    def check(self) -> None:
        """Raise what made a write fail, an OSError with the file's name."""
        if isinstance(self._error, OSError) and self._error.errno is not None:
            raise OSError(self._error.errno, os.strerror(self._error.errno), str(self._path)) from self._error
        if self._error is not None:
            raise self._error

    def __exit__(self, *raised: object) -> None:
        self.close()
        self.check()


@contextmanager
def _damage_told(path: Path, what: str) -> Iterator[None]:
    """Raise UnreadableFileError for whatever h5py raises over damaged bytes, by what they happen to stand for."""
    try:
        yield
    except (OSError, RuntimeError, ValueError, TypeError, KeyError) as error:
        if getattr(error, "errno", None) is not None:
            raise
        raise UnreadableFileError(path, f"{what} ({error})") from error


def content_digest(variables: Mapping[str, Variable]) -> dict[str, str]:
    """Return the SHA-256 of each variable's dimensions, type, shape and values, by name."""
    return {name: _digest(variable) for name, variable in variables.items()}


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(variable: Variable) -> str:
    values = variable.values
    digest = hashlib.sha256(repr((variable.dims, _kind(values), tuple(values.shape))).encode())
    if _is_text(values):
        digest.update(json.dumps(_whole(values).tolist(), ensure_ascii=False).encode())
    elif not values.shape:
        digest.update(_whole(values).tobytes())
    else:
        for rows in _pieces(values):
            digest.update(np.ascontiguousarray(values[rows]).data)
    return digest.hexdigest()


def _kind(values: Values) -> str:
    return "text" if _is_text(values) else values.dtype.str


def _is_text(values: Values) -> bool:
    return values.dtype.kind in "OU"


def _whole(values: Values) -> np.ndarray:
    return np.asarray(values[:] if values.shape else values)


def _pieces(values: Values, multiple: int = 1) -> Iterator[slice]:
    """Yield the rows of pieces of about 8 MiB, all but the last a multiple of so many rows."""
    count, *others = values.shape
    fitting = _PIECE // max(1, math.prod(others) * values.dtype.itemsize)
    rows = max(1, fitting // multiple) * multiple
    for start in range(0, count, rows):
        yield slice(start, min(start + rows, count))


def _create(file: h5py.File, name: str, values: Values) -> None:
    if _is_text(values):
        file.create_dataset(name, data=_whole(values).astype(object), dtype=h5py.string_dtype("utf-8"))
    elif not values.shape or math.prod(values.shape) * values.dtype.itemsize < _CHUNKED_FROM:
        file.create_dataset(name, data=_whole(values))
    else:
        chunk = _chunk(tuple(values.shape), values.dtype.itemsize)
        dataset = file.create_dataset(name, values.shape, values.dtype, chunks=chunk, fletcher32=True)
        for rows in _pieces(values, chunk[0]):  # whole chunks: none is written twice
            dataset[rows] = values[rows]


def _chunk(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Return the shape of chunks of about 1 MiB: as many whole rows as fit, or a part of one row.

    The rows are shared out evenly, since the last chunk takes as much disk as the others.
    """
    chunk: list[int] = []
    room = _CHUNK // itemsize
    for size in reversed(shape):
        parts = math.ceil(size / max(1, room))
        chunk.insert(0, math.ceil(size / parts))
        room = room // chunk[0] if parts == 1 else 1
    return tuple(chunk)


def _read(path: Path, name: str, dataset: h5py.Dataset) -> np.ndarray:
    with _damage_told(path, f"the values of its variable {name!r} are damaged"):
        if h5py.check_string_dtype(dataset.dtype) is not None:
            return np.asarray(dataset.asstr()[()], dtype=object)
        return np.asarray(dataset[()])


def _sizes(variables: Mapping[str, Variable]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    dims = {dim for variable in variables.values() for dim in variable.dims}
    for name, variable in variables.items():
        if name in dims and variable.dims != (name,):
            raise ValueError(f"variable {name!r} is a dimension's coordinate, but has dimensions {variable.dims}")
        shape = tuple(variable.values.shape)
        if len(shape) != len(variable.dims):
            raise ValueError(f"variable {name!r} has shape {shape} but dimensions {variable.dims}")
        for dim, size in zip(variable.dims, shape, strict=True):
            if sizes.setdefault(dim, size) != size:
                raise ValueError(f"dimension {dim!r} is {sizes[dim]} long, but {size} in variable {name!r}")
    return sizes


def _make_durable(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
