"""One line of the table of benchmarks, and how seconds are measured."""

import importlib
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Row:
    """What one benchmark found; times in seconds, memory in MiB."""

    name: str
    ours_seconds: float
    peer: str
    peer_seconds: float
    ratio: float
    floor_seconds: float
    floor_ratio: float
    peak_mib: float
    device: str

    def sentence(self) -> str:
        """Return the row as a line for people."""
        return (
            f"{self.name}: {self.ours_seconds:.3g} s, {self.ratio:.1f} times as fast as {self.peer} "
            f"({self.peer_seconds:.3g} s), {self.floor_ratio:.1f} times the floor, peak {self.peak_mib:.0f} MiB"
        )


def row(name: str, ours: float, peer: str, peer_seconds: float, floor: float, device: str = "cpu") -> Row:
    """Return a row with its ratios; the peak memory is filled in by who runs the benchmark."""
    return Row(name, ours, peer, peer_seconds, peer_seconds / ours, floor, ours / floor, 0.0, device)


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """Return the shortest of several runs of some work, after one that is not counted where there are several."""
    if repeats > 1:
        work()
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def measured(module: str) -> Row:
    """Run a benchmark's module in this process and return its row with the peak memory of the process."""
    row: Row = importlib.import_module(module).measure()
    row.peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10))
    return row
