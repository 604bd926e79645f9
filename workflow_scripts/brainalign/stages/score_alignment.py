"""Finish the scores of one feature space on one data set: intervals, ceiling, nulls."""

from pathlib import Path
from typing import Any

from brainalign.alignment import alignment_table, read_ceilings, read_null, read_scores
from brainalign.command import run
from brainalign.provenance import Provenance
from brainalign.tables import write_table


def score_alignment(
    spec: dict[str, Any], provenance: Provenance, encoding: Path, ceilings: Path, nulls: list[Path], out: Path
) -> None:
    """Write the table of scores; a null's name is that of the folder in which its encoding lies."""
    scores = read_scores(encoding)
    beside = {path.parent.name: read_null(path, scores) for path in nulls}
    write_table(out, alignment_table(scores, read_ceilings(ceilings, scores), beside, spec), provenance)


if __name__ == "__main__":
    run(score_alignment)
