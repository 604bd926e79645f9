"""The command `brainalign`, which works on finished studies; the workflow itself is run by Snakemake.

brainalign compare first-study second-study
python -m brainalign compare results/studies/mine /archive/2025/mine --out difference
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from brainalign.comparison.said import say
from brainalign.comparison.studies import compare_studies, find_study, read_study_folder
from brainalign.comparison.tables import DIFFERING, TOLERANCE
from brainalign.errors import InputError, UnreadableFileError
from brainalign.storage import replacing

SAME, DIFFERENT, TROUBLE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status: 0, 1 where studies differ, 2 after bad input."""
    parser = argparse.ArgumentParser(prog="brainalign", description="Works on finished studies.", allow_abbrev=False)
    commands = parser.add_subparsers(required=True, metavar="command")
    compare = commands.add_parser(
        "compare",
        help="say what differs between two studies beyond its interval",
        description="Compare the chosen layers' scores and the models' properties of two finished studies. The exit "
        "status is that of diff: 0 where nothing differs beyond its interval and no row is in one study only, "
        "1 where something does, 2 where they cannot be compared. Settings that differ do not change it.",
    )
    compare.add_argument("a", help="a study's name, or the path of the folder that holds its alignment.csv (./mine)")
    compare.add_argument("b", help="the same of another study")
    compare.add_argument("--out", type=Path, help="folder for scores.csv, with every row, and settings.csv")
    compare.add_argument("--studies", type=Path, default=Path("results/studies"), help="where named studies lie")
    compare.add_argument(
        "--tolerance", type=float, default=TOLERANCE, help=f"difference that is rounding (default: {TOLERANCE:g})"
    )
    given = parser.parse_args(arguments)
    try:
        return _compare(given.a, given.b, given.studies, given.out, given.tolerance)
    except (InputError, OSError) as error:
        print(f"brainalign compare: {error}", file=sys.stderr)
    except UnreadableFileError as error:
        print(f"brainalign compare: {error.path} cannot be used: {error.reason}.", file=sys.stderr)
    return TROUBLE


def _compare(a: str, b: str, studies: Path, out: Path | None, tolerance: float) -> int:
    folders = [find_study(name, studies) for name in (a, b)]
    one, other = (read_study_folder(folder) for folder in folders)
    comparison = compare_studies(one, other, tolerance)
    print(say(comparison, *map(str, folders)))
    if out is not None:
        for name, table in (("scores", comparison.scores), ("settings", comparison.settings)):
            with replacing(out / f"{name}.csv") as temporary:
                table.to_csv(temporary, index=False, lineterminator="\n")
        print(f"\nAll {len(comparison.scores)} rows: {out / 'scores.csv'}; settings: {out / 'settings.csv'}")
    return DIFFERENT if comparison.scores["verdict"].isin(DIFFERING).any() else SAME


if __name__ == "__main__":
    sys.exit(main())
