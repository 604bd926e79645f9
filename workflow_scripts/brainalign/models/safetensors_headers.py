"""Tensors of safetensors files from the files' headers.

The format: 8 bytes with the header's length (little-endian), a JSON header name → {dtype, shape, data_offsets},
then the numbers. https://huggingface.co/docs/safetensors
"""

import json
import math
import struct
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from brainalign.errors import InputError
from brainalign.models.stored_tensors import StoredTensor

# The format's names of number formats, and torch's.
DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}
_BYTES = {"float64": 8, "int64": 8, "float32": 4, "int32": 4, "float16": 2, "bfloat16": 2, "int16": 2} | dict.fromkeys(
    ("float8_e4m3fn", "float8_e5m2", "int8", "uint8", "bool"), 1
)
_CHUNK = 1 << 22  # bytes
_LARGEST_HEADER = 100_000_000  # bytes, the format's own limit


def read_headers(files: Iterable[Path]) -> Iterator[StoredTensor]:
    """Yield the tensors that safetensors files hold. Raises InputError where a file is not whole safetensors."""
    for path in files:
        with path.open("rb") as file:
            prefix = file.read(8)
            length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else 0
            header = file.read(length) if length <= _LARGEST_HEADER else b""
        try:
            entries = json.loads(header)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path} is not a safetensors file.") from error
        if not isinstance(entries, dict):
            raise InputError(f"{path} is not a safetensors file.")
        entries.pop("__metadata__", None)
        if not entries:
            raise InputError(f"{path} holds no tensors.")
        for name, entry in entries.items():
            yield _tensor(path, name, entry, 8 + length)


def _tensor(path: Path, name: str, entry: Any, offset: int) -> StoredTensor:
    """Return the tensor of one entry of a header; its bytes are counted from `offset`."""
    if not _is_whole(entry):
        raise InputError(f"{path} is damaged: its header does not say where {name} lies.")
    start, stop = (offset + place for place in entry["data_offsets"])
    if stop > path.stat().st_size:
        raise InputError(f"{path} is cut off: it should hold {name} up to byte {stop}.")
    dtype, shape = DTYPES.get(entry["dtype"], entry["dtype"].lower()), tuple(entry["shape"])
    if dtype in _BYTES and stop - start != math.prod(shape) * _BYTES[dtype]:
        size = " × ".join(map(str, shape)) or "one number"
        raise InputError(f"{path} is damaged: {stop - start} bytes are not those of {name}, {size} of {dtype}.")
    return StoredTensor(path, name, dtype, shape, partial(_content, path, start, stop))


def _is_whole(entry: Any) -> bool:
    """Tell whether a header's entry has a number format, a shape and two offsets in order."""
    if not isinstance(entry, dict) or not isinstance(entry.get("dtype"), str):
        return False
    shape, offsets = entry.get("shape"), entry.get("data_offsets")
    if not isinstance(shape, list) or not isinstance(offsets, list) or len(offsets) != 2:
        return False
    counts = all(type(number) is int and number >= 0 for number in (*shape, *offsets))
    return counts and offsets[0] <= offsets[1]


def _content(path: Path, start: int, stop: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        left = stop - start
        while left > 0:
            chunk = file.read(min(left, _CHUNK))
            yield chunk
            left -= len(chunk)
