"""States of batches between two blocks, on disk."""

import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_CHECK = 4  # bytes in front of a file's content: its CRC-32


class Spill:
    """Tensors by name and batch; a file that is not whole counts as missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, batch: int, tensors: Mapping[str, Any]) -> None:
        """Write tensors, whatever their number format."""
        from safetensors.torch import save

        content = save({key: tensor.contiguous().cpu() for key, tensor in tensors.items()})
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._path(name, batch).open("wb") as file:
            file.write(zlib.crc32(content).to_bytes(_CHECK))
            file.write(content)

    def read(self, name: str, batch: int, device: Any) -> dict[str, Any]:
        """Return the tensors on a device. Raises FileNotFoundError where there is no whole file."""
        from safetensors.torch import load

        content = self._content(name, batch)
        if content is None:
            raise FileNotFoundError(2, "no whole file", str(self._path(name, batch)))
        return {key: tensor.to(device) for key, tensor in load(content).items()}

    def has(self, name: str, batches: Iterable[int]) -> bool:
        """Tell whether the files of these batches are whole."""
        return all(self._content(name, batch) is not None for batch in batches)

    def delete(self, name: str, batches: Iterable[int]) -> None:
        """Delete files, where they are."""
        for batch in batches:
            self._path(name, batch).unlink(missing_ok=True)

    def _path(self, name: str, batch: int) -> Path:
        return self._folder / f"{name}-{batch}"

    def _content(self, name: str, batch: int) -> bytes | None:
        path = self._path(name, batch)
        found = path.read_bytes() if path.is_file() else b""
        check, content = found[:_CHECK], found[_CHECK:]
        return content if len(check) == _CHECK and zlib.crc32(content).to_bytes(_CHECK) == check else None
