"""Passes that the model makes together: their tokens filled up, and where their parts stand in them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from brainalign.activations.passes import Pass
from brainalign.activations.pooling import Pooling
from brainalign.models.batching import fill_right


class Batch:
    """Some passes of a plan.

    indices : of the passes in the plan. rows : of their parts in the stimuli (part,).
    """

    def __init__(self, passes: Sequence[Pass], indices: Sequence[int], pooling: str, causal: bool = False) -> None:
        """Take some passes, for a model in which a token's states depend on nothing after it, if `causal`."""
        self.indices = list(indices)
        self._causal = causal
        self._passes = [passes[index] for index in indices]
        self._pooling = pooling
        self.rows = np.array([part.row for item in self._passes for part in item.parts])

    def inputs(self) -> dict[str, Any]:
        """Return the model's arguments, on the CPU: ids and masks (text, position).

        They are filled up on the right: in a causal model a text's own tokens neither see the filling nor move by it,
        so that it needs no mask, without which attention is faster; in others the mask hides it.
        """
        import torch

        ids, mask = (torch.from_numpy(array) for array in fill_right([item.ids() for item in self._passes]))
        found = {"input_ids": ids} if self._causal else {"input_ids": ids, "attention_mask": mask}
        if self._passes[0].decoder_start is not None:
            filled = fill_right([item.decoder_ids() for item in self._passes])
            found["decoder_input_ids"], found["decoder_attention_mask"] = (torch.from_numpy(array) for array in filled)
        return found

    def pooling(self, length: int, decoder: bool) -> Pooling:
        """Return how the parts are pooled from states of so many positions, of the decoder or of the other stack."""
        parts = [
            (text, np.arange(*((part.decoder_first, part.decoder_last) if decoder else (part.first, part.last))))
            for text, item in enumerate(self._passes)
            for part in item.parts
        ]
        return Pooling(parts, length, self._pooling)
