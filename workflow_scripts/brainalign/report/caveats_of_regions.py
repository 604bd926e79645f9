"""What the joined tables say against scores of regions: those of the control region."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from brainalign.control_regions import not_above_control
from brainalign.report import wording
from brainalign.report.caveat import Caveat, three, way
from brainalign.report.headline import encoders_in_order
from brainalign.responses.unit_names import ALL
from brainalign.row_labels import MODEL, UNTRAINED
from brainalign.scored import CHOSEN


def caveats_of_regions(
    alignment: pd.DataFrame, properties: pd.DataFrame, config: Mapping[str, Any]
) -> Iterator[Caveat]:
    """Yield, for each encoder, in which regions models do not lie above the control region beyond the interval."""
    twins = properties.loc[properties["kind"] == UNTRAINED, "model"]
    rows = alignment[(alignment["layer"] == CHOSEN) & (alignment["subject"] == ALL) & alignment["over_control"].notna()]
    rows = rows[(rows["features_kind"] == MODEL) & ~rows["features"].isin(twins)]
    several = rows["readout"].nunique() > 1
    for encoder in encoders_in_order(alignment, config):
        told = []
        own = rows[rows["encoder"] == encoder]
        for (dataset, readout, region), group in own.groupby(["dataset", "readout", "region"], sort=False):
            each = [f"{row['features']} {three(row, 'over_control')}" for _, row in not_above_control(group).iterrows()]
            place = f"{dataset}, {readout}" if several else str(dataset)
            share = f"{len(each)} of {wording.count(len(group), 'model')}"
            control = group["control_region"].iloc[0]
            told += [f"{region} against {control} for {share} on {place} ({wording.some_of(each)})"] if each else []
        if told:
            yield Caveat(
                "warning",
                f"{way(encoder, config)}: r of a region is not clearly above that of the control region: "
                f"{'; '.join(told)}. Beside each name stands the difference with its paired interval. These scores do "
                "not show anything that the control region does not.",
            )
