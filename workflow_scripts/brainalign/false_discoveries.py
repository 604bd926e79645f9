"""The false discovery rate of the scores of a study: alignment tables hold thousands of p."""

import numpy as np
import pandas as pd

from brainalign.inference.false_discovery import false_discovery_p
from brainalign.responses.unit_names import ALL
from brainalign.scored import CHOSEN

# Each q stands beside the p that it is made of.
_Q = {"r_p": "r_q", "over_null_p": "over_null_q"}
_FAMILY = ("dataset", "encoder", "readout", "features_kind")


def with_false_discoveries(alignment: pd.DataFrame) -> pd.DataFrame:
    """Return the table with `r_q` and `over_null_q` beside `r_p` and `over_null_p`, of the chosen layers.

    q is the smallest false discovery rate at which a test is among the discoveries, by Benjamini and Hochberg (1995),
    for tests that are independent or positively dependent. A family is what one looks through to answer one question:
    the chosen layers of all feature spaces of one kind (models with their untrained twins, nulls, given, joint) on one
    data set, with one encoder and readout,

    - over all subjects and regions: a test for each feature space;
    - over all subjects, for each region: a test for each feature space and region;
    - for each subject, over all regions; and for each subject and region: likewise.

    Single layers have no q: `r_p_layers` and `over_null_p_layers` are of the family of layers. A row without a p, as of
    published scores, has none and is not counted.

    Parameters
    ----------
    alignment : joined alignment tables; a table without a column of p gets none of q.
    """
    table = alignment.copy()
    chosen = table["layer"] == CHOSEN
    families = [table.loc[chosen, name].fillna("") for name in _FAMILY]
    families += [table.loc[chosen, name] == ALL for name in ("subject", "region")]
    for p, q in _Q.items():
        if p not in table.columns:
            continue
        found = pd.Series(np.nan, index=table.index)
        for _, own in table.loc[chosen, p].groupby(families, sort=False):
            found.loc[own.index] = false_discovery_p(own.to_numpy(np.float64))
        table.insert(table.columns.tolist().index(p) + 1, q, found)
    return table
