"""The slow, obvious twin of `extraction`: one forward pass for every part, nothing shared, nothing filled up."""

from typing import Any

import numpy as np
import pandas as pd

from brainalign.activations.blocks import context_limit, find_blocks, reading
from brainalign.activations.extraction import check_finite
from brainalign.activations.parts import check_stimuli, own_tokens, readings, tokenise
from brainalign.activations.readout import Readout


def extract_one_by_one(
    model: Any, tokenizer: Any, stimuli: pd.DataFrame, readout: Readout, limit: int | None = None
) -> dict[str, np.ndarray]:
    """Return the states of every part by layer, each (stimulus × width) float32, as `extract` does."""
    import torch

    check_stimuli(stimuli)
    blocks = find_blocks(model)
    limit = min((given for given in (limit, context_limit(model)) if given is not None), default=None)
    states: dict[str, Any] = {}
    result: dict[str, np.ndarray] = {}
    for group in readings(stimuli, readout):
        start = before = 0
        for part in group:
            (tokens,) = tokenise(tokenizer, [part.text])
            count = len(tokens.ids)
            capacity = count if limit is None else limit - tokens.added
            if readout.overflow == "slide":
                start = max(0, count - capacity)
            elif count - start > capacity:
                start = max(before - capacity // 2, count - capacity)
            before = count
            own = own_tokens(tokens, part.begin, len(part.text))
            positions = len(tokens.before) + own[own >= start] - start
            ids = torch.tensor([[*tokens.before, *tokens.ids[start:].tolist(), *tokens.after]])  # (1, position)
            with torch.inference_mode(), reading(blocks, states.__setitem__):
                blocks.base(input_ids=ids.to(blocks.base.device), use_cache=False)
            for layer in blocks.layers:
                vector = _pool(states[layer][0].float().cpu().numpy()[positions], readout.pooling)  # (width,)
                check_finite(vector[None], layer, [stimuli["stimulus_id"].iloc[part.row]])
                result.setdefault(layer, np.empty((len(stimuli), len(vector)), np.float32))[part.row] = vector
    return result


def _pool(states: np.ndarray, pooling: str) -> np.ndarray:
    """Pool states (token × width) to (width,)."""
    pools = {
        "last": lambda: states[-1],
        "first": lambda: states[0],
        "mean": lambda: states.mean(axis=0),
        "sum": lambda: states.sum(axis=0),
        "max": lambda: states.max(axis=0),
    }
    return np.asarray(pools[pooling]())
