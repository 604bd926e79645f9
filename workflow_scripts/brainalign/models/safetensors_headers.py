"""Tensors of safetensors files from the files' headers.

The format: 8 bytes with the header's length (little-endian), a JSON header name → {dtype, shape, data_offsets},
then the numbers. https://huggingface.co/docs/safetensors
"""

import json
import struct
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

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
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise InputError(f"{path} is not a safetensors file.") from error
        for name, entry in entries.items():
            if name != "__metadata__":
                start, stop = (8 + length + offset for offset in entry["data_offsets"])
                if stop > path.stat().st_size:
                    raise InputError(f"{path} is cut off: it should hold {name} up to byte {stop}.")
                dtype = DTYPES.get(entry["dtype"], entry["dtype"].lower())
                yield StoredTensor(path, name, dtype, tuple(entry["shape"]), partial(_content, path, start, stop))


def _content(path: Path, start: int, stop: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        left = stop - start
        while left > 0:
            chunk = file.read(min(left, _CHUNK))
            yield chunk
            left -= len(chunk)
