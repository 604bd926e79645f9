"""How things are named where several data sets are joined into one: its parts are told apart by their names."""

from collections.abc import Iterable

import numpy as np

COLUMN = "dataset"  # of the sample table: the part that a sample is of


def prefixed(part: str, ids: Iterable[object]) -> np.ndarray:
    """Return "part/id" of each id (id,) as text: unique among all parts, since no data set's name has a "/".

    >>> prefixed("one", ["1", "2"]).tolist()
    ['one/1', 'one/2']
    """
    return np.array([f"{part}/{id_}" for id_ in ids], dtype=object)
