"""Which layer speaks for a model, decided while layers pass by one at a time."""

from collections.abc import Sequence

import numpy as np

from brainalign.errors import unknown


class LayerChoice:
    """The layer in front, for each outer fold.

    "nested": the layer with the highest inner score of the fold's training rows;
    "best": the layer with the highest test score, one for all folds, as published (its score is biased upwards);
    "fixed": the layer of a given name.
    Of equal layers the first is kept.

    Parameters
    ----------
    how : "nested", "best" or "fixed".
    n_folds : outer folds.
    fixed_layer : the name where `how` is "fixed".
    """

    def __init__(self, how: str, n_folds: int, fixed_layer: str | None = None) -> None:
        self.how = how
        self.fixed_layer = fixed_layer
        self.index = np.full(n_folds, -1)
        self._best = np.full(n_folds, -np.inf)

    def update(self, index: int, name: str, inner_scores: np.ndarray, test_score: float) -> np.ndarray:
        """Compare the next layer; return the folds (fold,) bool in which it now leads.

        Parameters
        ----------
        index, name : of the layer.
        inner_scores : (fold,), read where the choice is nested.
        test_score : read where the choice is "best".
        """
        if self.how == "fixed":
            leads = np.full(len(self.index), name == self.fixed_layer)
        else:
            scores = inner_scores if self.how == "nested" else np.full(len(self.index), test_score)
            leads = scores > self._best
            self._best = np.where(leads, scores, self._best)
        self.index = np.where(leads, index, self.index)
        return leads

    def chosen(self, layers: Sequence[str]) -> np.ndarray:
        """Return the index of the chosen layer of each fold (fold,).

        Raises
        ------
        InputError : the fixed layer was not among the layers.
        """
        if (self.index < 0).any():
            raise unknown("layer", str(self.fixed_layer), layers)
        return self.index


def frequencies(chosen: np.ndarray, n_layers: int) -> np.ndarray:
    """Return the share of folds in which each layer was chosen (layer,)."""
    return np.bincount(chosen, minlength=n_layers) / len(chosen)
