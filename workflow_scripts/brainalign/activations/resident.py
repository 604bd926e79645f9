"""Reading a model whose weights are all in memory, batch by batch."""

import logging
from typing import Any

import numpy as np

from brainalign.activations.batches import Batch
from brainalign.activations.blocks import Blocks, check_shape, input_device, reading
from brainalign.activations.memory_errors import free_unused, halved, is_out_of_memory
from brainalign.activations.passes import Plan
from brainalign.activations.store import Store, check_finite
from brainalign.models.batching import batches_by_length
from brainalign.progress import Progress

_logger = logging.getLogger(__name__)


def read_resident(
    blocks: Blocks,
    plan: Plan,
    pooling: str,
    stimuli: np.ndarray,
    store: Store,
    budget: int,
    equal: bool = False,
    causal: bool = False,
) -> None:
    """Read the passes of a plan that the store does not hold yet, and keep every layer's pooled states.

    The batches are fixed by the passes' lengths and the budget, so that a reading that goes on makes the very batches
    that were left. Where a batch does not fit the memory, the budget of all that is left is halved.

    Parameters
    ----------
    blocks : of the model. plan : of the corpus. pooling : over a part's tokens.
    stimuli : ids (stimulus,), for messages.
    store : keeps the states; each of its steps names the passes of a batch and the budget.
    budget : tokens of one batch.
    equal : whether a batch holds passes of one length only.
    causal : whether a token's states depend on nothing after it.

    Raises
    ------
    InputError : a state that is not finite.
    MemoryError : a single pass does not fit.
    """
    finished = {index for step in store.steps for index in step["passes"]}
    budget = store.steps[-1]["budget"] if store.steps else budget
    parts = sum(len(item.parts) for item in plan.passes)
    done = sum(len(plan.passes[index].parts) for index in finished)
    queue = _queue(plan, finished, budget, equal)
    with Progress("stimuli", parts, done) as progress:
        while queue:
            batch = Batch(plan.passes, queue[0], pooling, causal)
            states = _forward_if_it_fits(blocks, batch)
            if states is None:
                free_unused()
                longest = max(len(plan.passes[index]) for index in queue[0])
                budget = halved(budget, len(queue[0]), longest)
                _logger.warning("the memory does not suffice; going on with batches of %d tokens", budget)
                queue = _queue(plan, finished, budget, equal)
                continue
            for layer, pooled in states.items():
                check_finite(pooled, layer, stimuli[batch.rows])
                store.write(layer, batch.rows, pooled)
            store.finish({"passes": batch.indices, "budget": budget})
            finished.update(queue.pop(0))
            progress.advance(len(batch.rows))


def _queue(plan: Plan, finished: set[int], budget: int, equal: bool) -> list[list[int]]:
    """Return the batches that are left, each the indices of its passes."""
    left = [index for index in range(len(plan.passes)) if index not in finished]
    batches = batches_by_length([len(plan.passes[index]) for index in left], budget, equal)
    return [[left[place] for place in batch] for batch in batches]


def _forward_if_it_fits(blocks: Blocks, batch: Batch) -> dict[str, np.ndarray] | None:
    try:
        return _forward(blocks, batch)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
    return None  # outside the handler, where nothing holds the failed pass any more


def _forward(blocks: Blocks, batch: Batch) -> dict[str, np.ndarray]:
    """Return the pooled states of a batch by layer, each (part × width)."""
    import torch

    device = input_device(blocks)
    inputs = {name: tensor.to(device) for name, tensor in batch.inputs().items()}
    shapes = {False: tuple(inputs["input_ids"].shape)}
    if blocks.is_encoder_decoder:
        shapes[True] = tuple(inputs["decoder_input_ids"].shape)
    poolings = {decoder: batch.pooling(length, decoder) for decoder, (_, length) in shapes.items()}
    pooled: dict[str, Any] = {}

    def receive(layer: str, states: Any) -> None:
        decoder = layer.startswith("decoder_")
        check_shape(blocks, layer, states, shapes[decoder])
        pooled[layer] = poolings[decoder](states)  # (part, width)

    with torch.inference_mode(), reading(blocks, receive):
        blocks.base(**inputs, use_cache=False)
    return {layer: states.cpu().numpy() for layer, states in pooled.items()}
