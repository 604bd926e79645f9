"""Compare each instruction-tuned model with its base."""

from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.correlation import pairs
from brainalign.correlation.observations import by_name, members
from brainalign.correlation.scores import model_scores, read_replicates
from brainalign.provenance import Provenance
from brainalign.tables import read_table, write_table


def compare_pairs(
    spec: dict[str, Any], provenance: Provenance, alignment: Path, properties: Path, replicates: Path, out: Path
) -> None:
    """Write the table of pairs; the order of the models is that of the properties."""
    models = read_table(properties)
    order = models["model"].tolist()
    wanted = dict(sorted(spec["pairs"].items(), key=lambda pair: order.index(pair[0])))
    groups = model_scores(read_table(alignment), read_replicates(replicates))
    over = {name: members(chosen, models) for name, chosen in by_name(spec["over"]).items()} if "over" in spec else None
    few = spec.get("few_subjects", "show")
    table = pairs.compare_pairs(groups, wanted, spec["draws"], spec["seed"], over, few)
    write_table(out, table, provenance)


if __name__ == "__main__":
    run(compare_pairs)
