"""Finish the scores of one feature space on one data set: intervals, ceiling, nulls."""

import logging
from pathlib import Path
from typing import Any

from brainalign.alignment import alignment_table
from brainalign.command import run
from brainalign.control_regions import not_above_control
from brainalign.provenance import Provenance
from brainalign.responses.unit_names import ALL
from brainalign.scored import CHOSEN, read_null, read_scores
from brainalign.scored_ceilings import read_ceilings, read_neuroids
from brainalign.study import summary_rows
from brainalign.tables import write_table

log = logging.getLogger(__name__)


def score_alignment(
    spec: dict[str, Any],
    provenance: Provenance,
    encoding: Path,
    ceilings: Path,
    nulls: list[Path],
    together: list[Path],
    twins: list[Path],
    random_tokens: list[Path],
    out: Path,
) -> None:
    """Write the table of scores.

    A null's name, and a twin's, is that of the folder in which its encoding lies; that of a readout of random tokens
    is that of the folder above.
    """
    scores = read_scores(encoding)
    beside = {path.parent.name: read_null(path, scores) for path in nulls}
    against = read_ceilings(ceilings, scores)
    neuroids = read_neuroids(encoding, ceilings, scores) if spec.get("normalise") == "neuroid" else None
    joined = [read_null(path, scores) for path in together]
    untrained = {path.parent.name: read_null(path, scores) for path in twins}
    without_text = {path.parents[1].name: read_null(path, scores) for path in random_tokens}
    table = alignment_table(scores, against, beside, spec, neuroids, joined, untrained, without_text)
    for row in summary_rows(table).itertuples():
        if row.alarms:
            log.warning("over all subjects and regions: %s", row.alarms)
    chosen = table[(table["layer"] == CHOSEN) & (table["subject"] == ALL)]
    for row in not_above_control(chosen).itertuples():
        log.warning("region %s, over all subjects: r is not above that of the control region", row.region)
    write_table(out, table, provenance)


if __name__ == "__main__":
    run(score_alignment)
