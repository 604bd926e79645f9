"""Correlate alignment with size, loss and other properties over models, each data set's and the average."""

from pathlib import Path
from typing import Any

from brainalign.command import run
from brainalign.correlation.controlled import controlled_correlations
from brainalign.correlation.observations import by_name
from brainalign.correlation.properties import correlations
from brainalign.correlation.scores import averages_table, model_scores, read_replicates
from brainalign.provenance import Provenance
from brainalign.tables import read_table, write_table


def correlate_properties(
    spec: dict[str, Any],
    provenance: Provenance,
    alignment: Path,
    properties: Path,
    replicates: Path,
    out: Path,
    controlled: Path,
    averages: Path,
) -> None:
    """Write the table of correlations, of those that hold other properties or the family fixed, and of averages.

    The averages over data sets are those that are correlated.
    """
    groups = list(model_scores(read_table(alignment), read_replicates(replicates)))
    table, names, draws, seed = read_table(properties), spec["correlate"], spec["draws"], spec["seed"]
    shared = {"over": by_name(spec.get("over", [{"name": "all"}])), "corrections": spec.get("corrections", {})}
    plain = correlations(groups, table, names, draws, seed, **shared, orders=spec.get("orders", 9999))
    beyond = controlled_correlations(
        groups,
        table,
        names,
        spec.get("partial", []),
        spec.get("mixed", []),
        spec.get("given", {}),
        draws=draws,
        seed=seed,
        **shared,
    )
    write_table(averages, averages_table(groups), provenance)
    write_table(controlled, beyond, provenance)
    write_table(out, plain, provenance)


if __name__ == "__main__":
    run(correlate_properties)
