"""Compare each instruction-tuned model with its base."""

from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.correlation import pairs
from brainalign.correlation.scores import model_scores, read_replicates
from brainalign.provenance import Provenance
from brainalign.tables import read_table, write_table


def compare_pairs(
    spec: dict[str, Any], provenance: Provenance, alignment: Path, properties: Path, replicates: Path, out: Path
) -> None:
    """Write the table of pairs; the order of the models is that of the properties."""
    order = read_table(properties)["model"].tolist()
    wanted = dict(sorted(spec["pairs"].items(), key=lambda pair: order.index(pair[0])))
    groups = model_scores(read_table(alignment), read_replicates(replicates))
    table = pairs.compare_pairs(groups, wanted, spec["draws"], spec["seed"])
    write_table(out, table, provenance)


if __name__ == "__main__":
    run(compare_pairs)
