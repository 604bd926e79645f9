"""States of every layer for every part of a corpus, in as few forward passes as the model allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from brainalign.activations.blocks import Blocks, depends_on_length, find_blocks, is_causal
from brainalign.activations.passes import Reader, plan_passes
from brainalign.activations.readout import Readout
from brainalign.activations.resident import read_resident
from brainalign.activations.store import Memory, Store
from brainalign.activations.streamed import read_streamed, seems_causal
from brainalign.activations.streaming import StreamedModel
from brainalign.errors import InputError
from brainalign.models.batching import TOKEN_BUDGET
from brainalign.models.limits import context_limit


@dataclass(frozen=True)
class Extraction:
    """States by layer, in the model's order, each (stimulus × width) float32; and the plan's summary."""

    layers: Mapping[str, Any]
    summary: Mapping[str, int]


def extract(
    model: Any,
    tokenizer: Any,
    stimuli: pd.DataFrame,
    readout: Readout,
    budget: int = TOKEN_BUDGET,
    store: Store | None = None,
) -> Extraction:
    """Return the states of every part, at every layer.

    For part i, the model reads the tokens that `windows` names of the part with its context, and the states of the
    part's own tokens are pooled. Parts share a pass where that gives the same states (`passes`).

    Parameters
    ----------
    model, tokenizer : as `models.loading.load` gives them, the model in evaluation mode; or what
        `streaming.load_for_streaming` gives, whose blocks come from disk one after the other.
    stimuli : `stimulus_id`, `text`, `context_group`; in presentation order.
    readout : context, pooling, overflow and the rest.
    budget : tokens of one batch, halved where the memory does not suffice. A store that holds the work of an
        interrupted extraction goes on with that one's.
    store : keeps the states, and knows what was finished before; by default in memory.

    Raises
    ------
    InputError : before any pass for texts that cannot be read or a model whose blocks cannot be found; at the spot
        for a state that is not finite, naming layer and stimulus.
    MemoryError : a single pass is too long for the memory.
    """
    if budget < 1:
        raise InputError(f"a batch holds at least 1 token, but batch_tokens is {budget}.")
    streamed = isinstance(model, StreamedModel)
    blocks = model.blocks if streamed else find_blocks(model)
    by_length = depends_on_length(blocks.base)
    causal = not by_length and (seems_causal(model) if streamed else is_causal(model))
    plan = plan_passes(stimuli, tokenizer, readout, _reader(blocks, causal, readout))
    store = Memory(len(stimuli)) if store is None else store
    identifiers = stimuli["stimulus_id"].to_numpy(object)
    if streamed:
        read_streamed(model, plan, readout.pooling, identifiers, store, budget, by_length, causal)
    else:
        read_resident(blocks, plan, readout.pooling, identifiers, store, budget, by_length, causal)
    return Extraction({layer: store.layer(layer) for layer in blocks.layers}, plan.summary)


def _reader(blocks: Blocks, causal: bool, readout: Readout) -> Reader:
    """Return what the planner must know of a model."""
    limits = [limit for limit in (readout.limit, context_limit(blocks.base)) if limit is not None]
    limit = min(limits, default=None)
    if not blocks.is_encoder_decoder:
        return Reader(causal, limit)
    config = blocks.base.config
    starts = [getattr(config, name, None) for name in ("decoder_start_token_id", "pad_token_id", "bos_token_id")]
    start = next((start for start in starts if start is not None), None)
    if start is None:
        raise InputError(f"the config of {type(blocks.base).__name__} names no token with which its decoder starts.")
    return Reader(causal, limit, int(start))
