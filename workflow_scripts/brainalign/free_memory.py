"""How much memory this process may still take: of the machine, of a container, or of a cluster's job."""

from functools import cache
from pathlib import Path

SHARE = 8  # batches of one kind take at most an eighth of what is free
_GROUPS, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
_VERSION_1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")  # of Linux's control groups
_VERSION_2 = ("memory.max", "memory.current", "inactive_file")


def free_memory_of_host(groups: Path = _GROUPS, own: Path = _OWN) -> int:
    """Return the bytes that are free, limits of a container or a cluster's job included.

    Parameters
    ----------
    groups, own : where Linux keeps control groups (version 2 or 1), and names those of this process.
    """
    import psutil

    free = [int(psutil.virtual_memory().available)]
    lines = own.read_text(encoding="utf-8").splitlines() if own.is_file() else []
    for line in lines:
        _, kinds, path = line.split(":", 2)
        root, names = (groups, _VERSION_2) if not kinds else (groups / "memory", _VERSION_1)
        if not kinds or "memory" in kinds.split(","):
            group = root / path.strip().lstrip("/")
            free += [left for each in (group, *group.parents) if (left := _free_in(each, *names)) is not None]
    return max(0, min(free))


def within_free_memory(size: int) -> int:
    """Return a size of batches (bytes), or a SHARE of the memory that was free when this was first asked, if less.

    It is measured once in a process, so that all batches of a run are of one plan.
    """
    return min(size, _free_at_first() // SHARE)


@cache
def _free_at_first() -> int:
    return free_memory_of_host()


def _free_in(group: Path, limit: str, used: str, reclaimed: str) -> int | None:
    """Return the bytes that a control group has left; None where it has no limit."""
    if not ((group / limit).is_file() and (group / used).is_file()):
        return None
    stated = (group / limit).read_text(encoding="utf-8").strip()
    if not stated.isdigit():
        return None
    entries = (group / "memory.stat").read_text(encoding="utf-8") if (group / "memory.stat").is_file() else ""
    pairs = dict(line.split(maxsplit=1) for line in entries.splitlines() if " " in line)
    # Pages of files that were read count as used until something needs the room: a model's weights, say.
    return int(stated) - int((group / used).read_text(encoding="utf-8")) + int(pairs.get(reclaimed, 0))
