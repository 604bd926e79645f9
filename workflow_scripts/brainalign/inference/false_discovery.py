"""The false discovery rate over columns, some of which may have no p value."""

import numpy as np

from brainalign.errors import unknown

METHODS = ("bh", "by")


def false_discovery_p(p: np.ndarray, method: str = "bh") -> np.ndarray:
    """Return adjusted p values of the shape of p; NaN stays NaN and is not counted as a test.

    "bh" (Benjamini & Hochberg 1995) for tests that are independent or positively dependent, as are voxels; "by"
    (Benjamini & Yekutieli 2001) for any dependence.

    Raises
    ------
    InputError : another method.
    """
    from scipy.stats import false_discovery_control

    if method not in METHODS:
        raise unknown("method of false discovery control", method, METHODS)
    values = np.asarray(p, dtype=np.float64)
    tested = ~np.isnan(values)
    adjusted = np.full(values.shape, np.nan)
    if tested.any():
        adjusted[tested] = false_discovery_control(values[tested], method=method)
    return adjusted
