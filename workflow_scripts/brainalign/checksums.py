"""SHA-256 of the user's files, remembered by size and modification time so that large ones are read once."""

import json
from pathlib import Path

from brainalign.storage import file_digest, write_json

_WORTH_REMEMBERING = 1 << 22  # bytes; smaller files are read again each time


class Checksums:
    """Checksums of files, with a memory on disk.

    Parameters
    ----------
    memory : JSON file that is read at first use and written when it has grown; it may be deleted at any time.
    """

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._known: dict[str, list[object]] | None = None

    def __call__(self, path: str) -> str:
        """Return the SHA-256 of a file. Raises FileNotFoundError."""
        file = Path(path).expanduser().resolve()
        status = file.stat()
        if status.st_size < _WORTH_REMEMBERING:
            return file_digest(file)
        known = self._read()
        stamp: list[object] = [status.st_size, status.st_mtime_ns]
        entry = known.get(str(file))
        if entry is None or entry[:2] != stamp:
            entry = [*stamp, file_digest(file)]
            known[str(file)] = entry
            write_json(self._memory, known)
        return str(entry[2])

    def _read(self) -> dict[str, list[object]]:
        if self._known is None:
            try:
                self._known = json.loads(self._memory.read_text(encoding="utf-8"))
            except (FileNotFoundError, json.JSONDecodeError):
                self._known = {}
        assert self._known is not None
        return self._known
