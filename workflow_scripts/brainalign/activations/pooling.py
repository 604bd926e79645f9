"""The states of a part's tokens as one vector."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def pool(states: Any, parts: Sequence[tuple[int, np.ndarray]], pooling: str) -> Any:
    """Pool the states of each part's tokens, where they are computed.

    Parameters
    ----------
    states : tensor (text, position, width), of any float type.
    parts : for each part its text in the batch and the positions of its tokens (token,), at least one.
    pooling : "last", "first", "mean", "sum" or "max" over the tokens.

    Returns
    -------
    tensor (part, width), float32, on the device of the states.
    """
    import torch

    length = states.shape[1]
    flat = states.flatten(0, 1)  # (text * position, width)
    places = [text * length + positions for text, positions in parts]
    if pooling in ("last", "first"):
        chosen = np.array([place[-1 if pooling == "last" else 0] for place in places])
        return flat[torch.from_numpy(chosen).to(flat.device)].float()
    index = torch.from_numpy(np.concatenate(places)).to(flat.device)  # (token,)
    counts = torch.tensor([len(place) for place in places], device=flat.device)  # (part,)
    return torch.segment_reduce(flat[index].float(), pooling, lengths=counts, axis=0)
