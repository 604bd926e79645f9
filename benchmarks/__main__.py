"""`make bench`: run the benchmarks, or those named, and write results/benchmarks/summary.csv.

Each benchmark is a module of this folder with a function `measure() -> Row`; it runs in a process of its own, so that
its peak memory is its own. Timings are for reading, never for asserting: machines are noisy. A ratio is the peer's
seconds over ours, both measured in one run; a floor ratio is ours over the work that cannot be avoided.
"""

import argparse
import csv
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, fields
from pathlib import Path

from benchmarks.row import Row, measured

NAMES = ("encoding_ridge", "activations_prefix_loop")
SUMMARY = Path("results/benchmarks/summary.csv")


def main() -> None:
    """Measure, print a line for each benchmark, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=NAMES, help="measure this one (may be repeated)")
    rows = []
    for name in parser.parse_args().only or NAMES:
        rows.append(_in_own_process(name))
        sys.stdout.write(f"{rows[-1].sentence()}\n")
        sys.stdout.flush()
    SUMMARY.parent.mkdir(parents=True, exist_ok=True)
    with SUMMARY.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
    sys.stdout.write(f"wrote {SUMMARY}\n")


def _in_own_process(name: str) -> Row:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(measured, f"benchmarks.{name}").result()


if __name__ == "__main__":
    main()
