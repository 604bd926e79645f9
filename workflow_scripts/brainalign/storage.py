"""Arrays on disk: HDF5 that h5py and xarray open without this project.

Every variable has named dimensions, written as HDF5 dimension scales (the netCDF-4 convention), so that
`xarray.open_dataset(path, engine="h5netcdf")` shows a labelled data set. A dimension with a variable of its own
name has that variable as its coordinate; any other dimension gets a bare scale that counts from 0.

A file is written under a temporary name and renamed when it is whole: a reader never sees half a file.
Equal input gives equal bytes.
"""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from brainalign.errors import UnreadableFileError

Attributes = Mapping[str, str | int | float]


@dataclass(frozen=True)
class Variable:
    """An array with the names of its dimensions, one per axis."""

    dims: tuple[str, ...]
    values: np.ndarray


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
    with replacing(path) as temporary, _errors_of_closing(path), h5py.File(temporary, "w") as file:
        for name, variable in variables.items():
            _create(file, name, variable.values)
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
    UnreadableFileError : not HDF5, truncated, or without a variable that was asked for.
    OSError : the file cannot be reached (missing, not permitted, locked by a writer).
    """
    with open_arrays(path) as file:
        wanted = list(file) if names is None else list(names)
        missing = [name for name in wanted if not isinstance(file.get(name), h5py.Dataset)]
        if missing:
            raise UnreadableFileError(path, f"it has no variable {missing[0]!r}")
        return {name: _read(file[name]) for name in wanted}


def read_attributes(path: Path) -> dict[str, Any]:
    """Read the root attributes as plain Python values. Raises UnreadableFileError."""
    with open_arrays(path) as file:
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


@contextmanager
def _errors_of_closing(path: Path) -> Iterator[None]:
    """Turn the RuntimeError with which h5py reports a failed last write into the OSError that it is."""
    try:
        yield
    except RuntimeError as error:
        number = re.search(r"errno = (\d+)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error


def content_digest(variables: Mapping[str, Variable]) -> dict[str, str]:
    """Return the SHA-256 of each variable's dimensions, type, shape and values, by name."""
    return {name: _digest(variable) for name, variable in variables.items()}


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(variable: Variable) -> str:
    values = variable.values
    digest = hashlib.sha256(repr((variable.dims, _kind(values), values.shape)).encode())
    if values.dtype.kind in "OU":
        digest.update(json.dumps(values.tolist(), ensure_ascii=False).encode())
    else:
        digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


def _kind(values: np.ndarray) -> str:
    return "text" if values.dtype.kind in "OU" else values.dtype.str


def _create(file: h5py.File, name: str, values: np.ndarray) -> None:
    if values.dtype.kind in "OU":
        file.create_dataset(name, data=values.astype(object), dtype=h5py.string_dtype("utf-8"))
    else:
        file.create_dataset(name, data=values)


def _read(dataset: h5py.Dataset) -> np.ndarray:
    if h5py.check_string_dtype(dataset.dtype) is not None:
        return np.asarray(dataset.asstr()[()], dtype=object)
    return np.asarray(dataset[()])


def _sizes(variables: Mapping[str, Variable]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    dims = {dim for variable in variables.values() for dim in variable.dims}
    for name, variable in variables.items():
        if name in dims and variable.dims != (name,):
            raise ValueError(f"variable {name!r} is a dimension's coordinate, but has dimensions {variable.dims}")
        shape = np.shape(variable.values)
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
