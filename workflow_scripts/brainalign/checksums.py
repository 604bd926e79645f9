"""SHA-256 of the user's files, remembered by size and times of change so that large ones are read once."""

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
        # A file put in another's place can keep size and modification time (cp -p), but not the time of its inode.
        stamp: list[object] = [status.st_size, status.st_mtime_ns, status.st_ctime_ns]
        entry = known.get(str(file))
        if entry is None or entry[:-1] != stamp:
            entry = [*stamp, file_digest(file)]
            known[str(file)] = entry
            write_json(self._memory, known)
        return str(entry[-1])

    def _read(self) -> dict[str, list[object]]:
        if self._known is None:
            try:
                known = json.loads(self._memory.read_text(encoding="utf-8"))
            except (FileNotFoundError, ValueError):
                known = {}
            entries = known.items() if isinstance(known, dict) else ()
            self._known = {name: entry for name, entry in entries if isinstance(entry, list) and len(entry) == 4}
        return self._known
