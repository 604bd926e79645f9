"""r of held-out inner predictions, gathered while folds pass by.

r of several inner folds together is of the predictions' deviations from the mean of the rows that trained each fold,
d_i = p_i - mean, with the responses as they are (see `trial.Trial.score`): with that mean, which is the lower, the
higher a fold's own rows lie, features that predict nothing would have r < 0.
"""

import numpy as np

from brainalign.encoding.places import Array, brought_back, dot
from brainalign.encoding.scores import correlation, pearson

WEAK = 0.03  # SD of a prediction, as a share of the response's, below which residuals in float32 do not tell its r


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
        truth: Array,
        predicted: Array,
        own: np.ndarray | slice,
        taken: np.ndarray | bool = True,
    ) -> None:
        """Take the predictions of one inner fold (row, neuroid), for the neuroids `own` that are `taken`.

        Parameters
        ----------
        predicted : as deviations from the mean of the rows that trained the fold; where folds are not pooled it does
            not matter what they deviate from.
        """
        if self.pooled:
            of_both = [predicted.sum(axis=0), truth.sum(axis=0), dot(predicted, predicted), dot(truth, truth)]
            of_both = [brought_back(values) for values in (*of_both, dot(predicted, truth))]
            sums = np.stack([np.full(truth.shape[1], float(len(truth))), *of_both])
            self.values[outer][:, own] += np.where(taken, sums, 0.0)
            return
        place = inner if inner < outer else inner - 1
        r = pearson(predicted, truth)[0]
        self.values[outer, place, own] = np.where(taken, r, self.values[outer, place, own])

    def add_residuals(
        self,
        outer: int,
        inner: int,
        truth: Array,
        length: np.ndarray,
        left_out: Array,
        own: np.ndarray,
        taken: np.ndarray,
    ) -> np.ndarray:
        """The same from residuals, for folds that are not pooled; return where r is too uncertain, (neuroid,) bool.

        It is where a prediction in float32 varies so little that the rounding of its residuals matters.

        Parameters
        ----------
        truth : (row, neuroid), centred.
        length : (neuroid,), its squared length.
        left_out : (row, neuroid), residuals; overwritten.
        """
        left_out -= truth
        left_out -= left_out.mean(axis=0)
        variance = brought_back(dot(left_out, left_out))  # of the prediction, whose sign is turned
        r = correlation(-brought_back(dot(left_out, truth)), variance, length)
        place = inner if inner < outer else inner - 1
        self.values[outer, place, own] = np.where(taken, r, self.values[outer, place, own])
        if length.dtype == np.float64:
            return np.zeros(len(own), dtype=bool)
        return np.asarray(taken & (variance < WEAK**2 * length))

    def r(self) -> np.ndarray:
        """Return r (fold, inner fold, neuroid)."""
        if not self.pooled:
            return self.values
        n, p, y, pp, yy, py = np.moveaxis(self.values, 1, 0)
        return correlation(py - p * y / n, pp - p**2 / n, yy - y**2 / n)[:, None]
