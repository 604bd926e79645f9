"""r of held-out inner predictions, gathered while folds pass by."""

import numpy as np

from brainalign.encoding.scores import correlation, pearson


class InnerScores:
    """r of held-out inner predictions, of each inner fold or of all of an outer fold together.

    Inner folds are the other outer folds in their order.

    Parameters
    ----------
    n_folds : outer folds.
    n_neuroids, dtype : of the responses.
    pooled : whether an outer fold has one r, of all its inner folds' predictions together.
    """

    def __init__(self, n_folds: int, n_neuroids: int, dtype: np.dtype, pooled: bool) -> None:
        self.pooled = pooled
        shape = (n_folds, 6, n_neuroids) if pooled else (n_folds, n_folds - 1, n_neuroids)
        self.values = np.zeros(shape, dtype=np.float64 if pooled else dtype)

    def add(
        self,
        outer: int,
        inner: int,
        truth: np.ndarray,
        predicted: np.ndarray,
        own: np.ndarray | slice,
        taken: np.ndarray | bool = True,
    ) -> None:
        """Take the predictions of one inner fold (row, neuroid), for the neuroids `own` that are `taken`."""
        if self.pooled:
            sums = np.stack(
                [
                    np.full(truth.shape[1], float(len(truth))),
                    predicted.sum(axis=0),
                    truth.sum(axis=0),
                    np.einsum("ij,ij->j", predicted, predicted),
                    np.einsum("ij,ij->j", truth, truth),
                    np.einsum("ij,ij->j", predicted, truth),
                ]
            )
            self.values[outer][:, own] += np.where(taken, sums, 0.0)
            return
        place = inner if inner < outer else inner - 1
        r = pearson(predicted, truth)[0]
        self.values[outer, place, own] = np.where(taken, r, self.values[outer, place, own])

    def r(self) -> np.ndarray:
        """Return r (fold, inner fold, neuroid)."""
        if not self.pooled:
            return self.values
        n, p, y, pp, yy, py = np.moveaxis(self.values, 1, 0)
        return correlation(py - p * y / n, pp - p**2 / n, yy - y**2 / n)[:, None]
