"""Which layer speaks for a model, decided while layers pass by one at a time."""

from collections.abc import Sequence

import numpy as np

from brainalign.errors import unknown


class LayerChoice:
    """The layer in front, for each outer fold and unit.

    "nested": the layer with the highest inner score of the fold's training rows, for all neuroids together or for each
        unit (subject or neuroid);
    "best": the layer with the highest test score, one for all folds, as published (its score is biased upwards);
    "fixed": the layer of a given name.
    Of equal layers the first is kept.

    Parameters
    ----------
    how : "nested", "best" or "fixed".
    n_folds : outer folds.
    fixed_layer : the name where `how` is "fixed".
    n_units : for how many units a layer is chosen, each by itself.
    """

    def __init__(self, how: str, n_folds: int, fixed_layer: str | None = None, n_units: int = 1) -> None:
        self.how = how
        self.fixed_layer = fixed_layer
        self.index = np.full((n_folds, n_units), -1)
        self._best = np.full((n_folds, n_units), -np.inf)

    def update(self, index: int, name: str, inner_scores: np.ndarray, test_score: float) -> np.ndarray:
        """Compare the next layer; return where it now leads, (fold, unit) bool.

        Parameters
        ----------
        index, name : of the layer.
        inner_scores : (fold, unit), read where the choice is nested.
        test_score : read where the choice is "best".
        """
        if self.how == "fixed":
            leads = np.full(self.index.shape, name == self.fixed_layer)
        else:
            scores = inner_scores if self.how == "nested" else np.full(self.index.shape, test_score)
            leads = scores > self._best
            self._best = np.where(leads, scores, self._best)
        self.index = np.where(leads, index, self.index)
        return np.asarray(leads)

    def chosen(self, layers: Sequence[str]) -> np.ndarray:
        """Return the index of the chosen layer, (fold, unit).

        Raises
        ------
        InputError : the fixed layer was not among the layers.
        """
        check_fixed_layer(self.fixed_layer, layers)
        return self.index


def check_fixed_layer(fixed_layer: str | None, layers: Sequence[str]) -> None:
    """Raise InputError where a layer is named that is not among these, before any is fitted.

    Parameters
    ----------
    fixed_layer : None where no layer is named.
    layers : the names of all layers.
    """
    if fixed_layer is not None and fixed_layer not in layers:
        raise unknown("layer", fixed_layer, layers)
