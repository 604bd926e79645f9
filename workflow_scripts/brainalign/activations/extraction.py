"""States of every layer for every part of a corpus, in as few forward passes as the model allows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from brainalign.activations.blocks import (
    Blocks,
    context_limit,
    depends_on_length,
    find_blocks,
    is_causal,
    reading,
)
from brainalign.activations.passes import Pass, Plan, plan_passes
from brainalign.activations.pooling import pool
from brainalign.activations.readout import Readout
from brainalign.errors import InputError
from brainalign.models.batching import TOKEN_BUDGET, batches_by_length, fill_right


@dataclass(frozen=True)
class Extraction:
    """States by layer, in the model's order, each (stimulus × width) float32; and the plan's summary."""

    layers: Mapping[str, np.ndarray]
    summary: Mapping[str, int]


def extract(
    model: Any,
    tokenizer: Any,
    stimuli: pd.DataFrame,
    readout: Readout,
    limit: int | None = None,
    budget: int = TOKEN_BUDGET,
) -> Extraction:
    """Return the states of every part, at every layer.

    For part i, the model reads the tokens that `windows` names of the part with its context, and the states of the
    part's own tokens are pooled. Parts share a pass where that gives the same states (`passes`).

    Parameters
    ----------
    model, tokenizer : as `models.loading.load` gives them; the model is in evaluation mode.
    stimuli : `stimulus_id`, `text`, `context_group`; in presentation order.
    readout : context, pooling, overflow.
    limit : positions that the model may see; by default the limit of its config, and never more.
    budget : tokens of one batch.

    Raises
    ------
    InputError : before any pass for texts that cannot be read or a model whose blocks cannot be found; at the spot
        for a state that is not finite, naming layer and stimulus.
    """
    blocks = find_blocks(model)
    limits = [given for given in (limit, context_limit(model)) if given is not None]
    one_by_one = depends_on_length(model)
    share = not one_by_one and is_causal(model)
    plan = plan_passes(stimuli, tokenizer, readout, min(limits, default=None), share)
    layers: dict[str, np.ndarray] = {}
    for rows, states in _batches(blocks, plan, readout.pooling, 1 if one_by_one else budget):
        for layer, pooled in states.items():
            check_finite(pooled, layer, stimuli["stimulus_id"].iloc[rows].tolist())
            target = layers.setdefault(layer, np.empty((len(stimuli), pooled.shape[1]), dtype=np.float32))
            target[rows] = pooled
    return Extraction({layer: layers[layer] for layer in blocks.layers}, plan.summary)


def _batches(
    blocks: Blocks, plan: Plan, pooling: str, budget: int
) -> Iterator[tuple[list[int], dict[str, np.ndarray]]]:
    """Yield, batch by batch, rows of the stimuli and their states by layer, each (row × width)."""
    for batch in batches_by_length([len(item.ids) for item in plan.passes], budget):
        passes = [plan.passes[index] for index in batch]
        yield [part.row for item in passes for part in item.parts], _forward(blocks, passes, pooling)


def _forward(blocks: Blocks, passes: Sequence[Pass], pooling: str) -> dict[str, np.ndarray]:
    import torch

    ids, mask = (torch.from_numpy(array).to(blocks.base.device) for array in fill_right([item.ids for item in passes]))
    parts = [(text, part.positions) for text, item in enumerate(passes) for part in item.parts]
    pooled: dict[str, Any] = {}

    def receive(layer: str, states: Any) -> None:
        pooled[layer] = pool(states, parts, pooling)  # (part, width)

    # Filled up on the right: in a causal model the text's own tokens neither see the filling nor move by it.
    with torch.inference_mode(), reading(blocks, receive):
        blocks.base(input_ids=ids, attention_mask=mask, use_cache=False)
    return {layer: states.cpu().numpy() for layer, states in pooled.items()}


def check_finite(states: np.ndarray, layer: str, stimuli: Sequence[str]) -> None:
    """Raise InputError, naming layer and stimulus, where a row of states (stimulus × width) is not finite."""
    finite = np.isfinite(states).all(axis=1)
    if not finite.all():
        stimulus = stimuli[int(np.argmin(finite))]
        raise InputError(
            f"the state of layer {layer} for stimulus {stimulus!r} is not finite; "
            "a wider dtype (float32 or bfloat16) may help."
        )
