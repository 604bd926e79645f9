"""One run at a time in a folder, without a lock that outlives a killed run.

Snakemake's own lock is a file that stays behind when a run is killed, and somebody has to remove it by hand. This one
is held by the process: the system lets go of it however the process ends.
"""

import fcntl
import os
from pathlib import Path
from typing import TextIO

from brainalign.errors import InputError


def hold_folder(path: Path) -> TextIO:
    """Take the lock `path` and return the open file that holds it; closing it, or ending in any way, gives it back.

    Raises
    ------
    InputError : another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise InputError(
            f"another run (process {holder}) is at work on {path.parent.resolve()}; wait for it or stop it."
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file
