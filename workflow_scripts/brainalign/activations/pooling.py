"""The states of a part's tokens as one vector."""

from collections.abc import Sequence
from typing import Any

import numpy as np


class Pooling:
    """How the parts of one batch are pooled, the same way for every layer.

    Parameters
    ----------
    parts : for each part its text in the batch and the positions of its tokens (token,), at least one.
    length : positions of each text of the batch, filled up.
    pooling : "last", "first", "mean", "sum" or "max" over the tokens.
    """

    def __init__(self, parts: Sequence[tuple[int, np.ndarray]], length: int, pooling: str) -> None:
        places = [text * length + positions for text, positions in parts]
        self._pooling = pooling
        self._one = pooling in ("last", "first")
        if self._one:
            places = [place[-1:] if pooling == "last" else place[:1] for place in places]
        self._places = np.concatenate(places)  # (token,)
        self._counts = np.array([len(place) for place in places])  # (part,)
        self._on: dict[Any, tuple[Any, Any]] = {}

    def __call__(self, states: Any) -> Any:
        """Pool states, where they are computed.

        Parameters
        ----------
        states : tensor (text, position, width), of any float type.

        Returns
        -------
        tensor (part, width), float32, on the device of the states.
        """
        import torch

        places, counts = self._indices(states.device)
        chosen = states.flatten(0, 1)[places].float()  # (token, width)
        return chosen if self._one else torch.segment_reduce(chosen, self._pooling, lengths=counts, axis=0)

    def _indices(self, device: Any) -> tuple[Any, Any]:
        import torch

        if device not in self._on:
            self._on[device] = (
                torch.from_numpy(self._places).to(device),
                torch.from_numpy(self._counts).to(device),
            )
        return self._on[device]
