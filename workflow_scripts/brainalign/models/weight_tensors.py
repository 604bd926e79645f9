"""The tensors of weight files in either format that models come in."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from brainalign.models.bin_files import load_bin, read_bin
from brainalign.models.safetensors_headers import read_headers
from brainalign.models.stored_tensors import StoredTensor


def list_tensors(files: Iterable[Path]) -> Iterator[StoredTensor]:
    """Yield the tensors of weight files, safetensors or .bin, file after file. Raises InputError for others."""
    for path in files:
        yield from read_headers([path]) if path.suffix == ".safetensors" else read_bin([path])


def read_tensor(stored: StoredTensor) -> Any:
    """Return a tensor as torch's, on the CPU. Raises InputError where its file holds more than tensors."""
    if stored.file.suffix != ".safetensors":
        return load_bin(stored.file)[stored.name]
    from safetensors import safe_open

    with safe_open(stored.file, framework="pt") as file:
        return file.get_tensor(stored.name)
