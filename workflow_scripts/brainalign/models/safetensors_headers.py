"""Sizes of weights from the headers of safetensors files.

The format: 8 bytes with the header's length (little-endian), a JSON header name → {dtype, shape, data_offsets},
then the numbers. https://huggingface.co/docs/safetensors
"""

import hashlib
import json
import math
import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from brainalign.errors import InputError

_DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
_BUFFERS = (".masked_bias", ".inv_freq", ".position_ids")  # constants that old checkpoints keep beside the weights
_EMBEDDINGS = ("embed", "wte", "shared.weight", "lm_head.weight")  # what a model may tie to each other
_CHUNK = 1 << 22  # bytes
_LARGEST_HEADER = 100_000_000  # bytes, the format's own limit


@dataclass(frozen=True)
class Tensor:
    """One entry of a header; start and stop are positions in the file, in bytes."""

    file: Path
    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int

    @property
    def size(self) -> int:
        return math.prod(self.shape)


def count_parameters(files: Iterable[Path], tied: bool | None = None) -> int:
    """Count the trainable numbers in weight files.

    Parameters
    ----------
    files : safetensors files that together hold one model.
    tied : what the config says about input and output embeddings; unless False, embedding matrices of one shape
        with the same bytes are counted once (only their bytes are read).

    Raises
    ------
    InputError : a file that is not safetensors.
    """
    tensors = [tensor for tensor in read_headers(files) if not _is_buffer(tensor)]
    total = sum(tensor.size for tensor in tensors)
    return total if tied is False else total - _repeated(tensors)


def main_dtype(files: Iterable[Path]) -> str:
    """Return the number format that holds most of the weights, such as "float32"."""
    sizes: Counter[str] = Counter()
    for tensor in read_headers(files):
        sizes[tensor.dtype] += tensor.size
    dtype = sizes.most_common(1)[0][0]
    return _DTYPES.get(dtype, dtype.lower())


def read_headers(files: Iterable[Path]) -> Iterator[Tensor]:
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
                yield Tensor(path, name, entry["dtype"], tuple(entry["shape"]), start, stop)


def _is_buffer(tensor: Tensor) -> bool:
    mask = tensor.name.endswith(".bias") and len(tensor.shape) == 4  # the causal mask of GPT-2 and GPT-NeoX
    return mask or tensor.name.endswith(_BUFFERS) or tensor.dtype in ("BOOL", "I64")


def _repeated(tensors: list[Tensor]) -> int:
    """Return how many numbers stand in a second or later copy of an embedding matrix."""
    embeddings = [
        tensor for tensor in tensors if len(tensor.shape) == 2 and any(part in tensor.name for part in _EMBEDDINGS)
    ]
    shapes = Counter((tensor.shape, tensor.dtype) for tensor in embeddings)
    seen: set[str] = set()
    repeated = 0
    for tensor in embeddings:
        if shapes[tensor.shape, tensor.dtype] > 1:
            digest = _digest(tensor)
            repeated += tensor.size if digest in seen else 0
            seen.add(digest)
    return repeated


def _digest(tensor: Tensor) -> str:
    digest = hashlib.sha256()
    with tensor.file.open("rb") as file:
        file.seek(tensor.start)
        left = tensor.stop - tensor.start
        while left > 0:
            chunk = file.read(min(left, _CHUNK))
            digest.update(chunk)
            left -= len(chunk)
    return digest.hexdigest()
