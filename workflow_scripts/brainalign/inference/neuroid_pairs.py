"""How groups are scored by way of one another, for each of a few neuroids."""

from collections.abc import Iterable

import numpy as np

from brainalign.encoding.splits import Fold
from brainalign.inference.shared_training import scaled_by_prediction


def pairs_of_neuroids(
    hats: Iterable[tuple[np.ndarray, np.ndarray]],
    responses: np.ndarray,
    fold: Fold,
    prediction: np.ndarray,
    centre: np.ndarray,
    group: np.ndarray,
    groups: int,
    norm: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return Q_gh of `shared_training.pair_contributions` for each neuroid by itself.

    It costs as many operations as predicting once: what every training group adds to the predictions of all test rows.

    Parameters
    ----------
    As there.

    Returns
    -------
    tested : (tested group,), their numbers, rising; pairs : (tested group, group, neuroid).
    """
    z = scaled_by_prediction(responses[fold.test], prediction, centre, norm)
    order = np.argsort(group[fold.test], kind="stable")
    tested, starts = np.unique(group[fold.test][order], return_index=True)
    training = responses[fold.train] - responses[fold.train].mean(axis=0)
    rows_of = [(number, np.flatnonzero(group[fold.train] == number)) for number in range(groups)]
    pairs = np.zeros((len(tested), groups, responses.shape[1]))
    for hat, neuroids in hats:
        centred = (hat - hat.mean(axis=0) if norm is None else hat).astype(z.dtype)[order]
        scaled = z[order[:, None], neuroids]
        for number, rows in rows_of:
            if len(rows):
                added = centred[:, rows] @ training[rows[:, None], neuroids]  # to the predictions, (test, neuroid)
                pairs[:, number, neuroids] = np.add.reduceat(scaled * added, starts, axis=0)
    return tested, pairs
