"""Weights written as safetensors, one tensor in memory at a time.

The format is told in `safetensors_headers`. Equal tensors give equal bytes.
"""

import json
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainalign.models.safetensors_headers import DTYPES
from brainalign.storage import replacing, write_json

LARGEST_SHARD = 5_000_000_000  # bytes
_CODES = {name: code for code, name in DTYPES.items()}
_BYTES = {"float64": 8, "int64": 8, "float32": 4, "int32": 4, "float16": 2, "bfloat16": 2, "int16": 2}  # others 1


@dataclass(frozen=True)
class Planned:
    """A tensor to be written: its number format as torch names it, and its shape."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * _BYTES.get(self.dtype, 1)


def write_weights(
    folder: Path, plan: Mapping[str, Planned], make: Callable[[str], Any], largest: int = LARGEST_SHARD
) -> list[Path]:
    """Write model.safetensors, or shards with their index where the tensors exceed one file.

    Parameters
    ----------
    folder : for the files.
    plan : name → what will be written under it, in the order in which shards are filled.
    make : gives the torch tensor of a name, as planned; it is called once for each and may be costly.
    largest : bytes of one file; a tensor that exceeds it has a file of its own.

    Returns
    -------
    the weight files.
    """
    shards = _shards(plan, largest)
    names = (
        ["model.safetensors"]
        if len(shards) == 1
        else [f"model-{number:05d}-of-{len(shards):05d}.safetensors" for number in range(1, len(shards) + 1)]
    )
    for file, shard in zip(names, shards, strict=True):
        _write(folder / file, {name: plan[name] for name in shard}, make)
    if len(shards) > 1:
        where = {name: file for file, shard in zip(names, shards, strict=True) for name in shard}
        total = sum(planned.bytes for planned in plan.values())
        write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": where})
    return [folder / file for file in names]


def _shards(plan: Mapping[str, Planned], largest: int) -> list[list[str]]:
    shards: list[list[str]] = [[]]
    filled = 0
    for name, planned in plan.items():
        if shards[-1] and filled + planned.bytes > largest:
            shards.append([])
            filled = 0
        shards[-1].append(name)
        filled += planned.bytes
    return shards


def _write(path: Path, plan: Mapping[str, Planned], make: Callable[[str], Any]) -> None:
    import torch

    # The widest formats first, so that every tensor starts at a multiple of its numbers' bytes.
    order: Sequence[str] = sorted(plan, key=lambda name: (-_BYTES.get(plan[name].dtype, 1), name))
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    start = 0
    for name in order:
        stop = start + plan[name].bytes
        header[name] = {
            "dtype": _CODES[plan[name].dtype],
            "shape": list(plan[name].shape),
            "data_offsets": [start, stop],
        }
        start = stop
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in order:
            tensor = make(name)
            assert str(tensor.dtype) == f"torch.{plan[name].dtype}", name
            assert tuple(tensor.shape) == plan[name].shape, name
            file.write(memoryview(tensor.contiguous().flatten().view(torch.uint8).numpy()))
