"""`make bench`: run the benchmarks, or those named, and write results/benchmarks/summary.csv.

Each benchmark is a module of this folder with a function `measure()` that returns one row or several; it runs in a
process of its own, so that its peak memory is its own. Timings are for reading, never for asserting: machines are
noisy. A ratio is the peer's seconds over ours, both measured in one run; a floor ratio is ours over the work that
cannot be avoided.
"""

import argparse
import csv
import sys
from dataclasses import asdict, fields
from pathlib import Path

from benchmarks.row import Row, in_own_process, measured

NAMES = (
    "encoding_ols_sklearn",
    "encoding_ridge_sklearn",
    "encoding_ridge_himalaya",
    "encoding_products",
    "encoding_40_layers",
    "encoding_gpu",
    "encoding_blank",
    "encoding_wehbe",
    "bootstrap_12155",
    "ceiling_pereira",
    "activations_prefix_loop",
    "activations_bare_forward",
    "activations_memory",
    "activations_one_by_one",
    "activations_streamed",
    "activations_gpu",
)
SUMMARY = Path("results/benchmarks/summary.csv")


def main() -> None:
    """Measure, print a line for each benchmark, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=NAMES, help="measure this one (may be repeated)")
    rows: list[Row] = []
    for name in parser.parse_args().only or NAMES:
        found = in_own_process(measured, f"benchmarks.{name}")
        lines = [f"{name} is left out: {found}"] if isinstance(found, str) else [entry.sentence() for entry in found]
        rows += [] if isinstance(found, str) else found
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
    SUMMARY.parent.mkdir(parents=True, exist_ok=True)
    with SUMMARY.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)
    sys.stdout.write(f"wrote {SUMMARY}\n")


if __name__ == "__main__":
    main()
