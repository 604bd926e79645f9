"""One line of the table of benchmarks, and how seconds are measured."""

import importlib
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

Result = TypeVar("Result")


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
    note: str = ""

    def sentence(self) -> str:
        """Return the row as a line for people."""
        return (
            f"{self.name}: {self.ours_seconds:.3g} s, {self.ratio:.3g} times as fast as {self.peer} "
            f"({self.peer_seconds:.3g} s), {self.floor_ratio:.3g} times the floor, peak {self.peak_mib:.0f} MiB"
            f"{'; ' if self.note else ''}{self.note}"
        )


class LeftOutError(Exception):
    """A benchmark needs what this machine does not have."""


def row(
    name: str, ours: float, peer: str, peer_seconds: float, floor: float, device: str = "cpu", note: str = ""
) -> Row:
    """Return a row with its ratios; the peak memory is filled in by who runs the benchmark."""
    return Row(name, ours, peer, peer_seconds, peer_seconds / ours, floor, ours / floor, 0.0, device, note)


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


def in_own_process(work: Callable[..., Result], *arguments: object) -> Result:
    """Call a function in a fresh process, whose peak memory is its own, and return what it returns."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def peak_mib() -> float:
    """Return the peak memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10))


def measured(module: str) -> list[Row] | str:
    """Run a benchmark's module in this process; return its rows with the peak memory, or why it is left out."""
    try:
        found = importlib.import_module(module).measure()
    except LeftOutError as reason:
        return str(reason)
    rows: list[Row] = found if isinstance(found, list) else [found]
    for entry in rows:
        entry.peak_mib = entry.peak_mib or peak_mib()
    return rows
