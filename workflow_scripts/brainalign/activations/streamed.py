"""Reading a model block by block, all batches through each, where its weights do not fit."""

import contextlib
import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from brainalign.activations.batches import Batch
from brainalign.activations.blocks import causality_probe, last_token_matters
from brainalign.activations.memory_errors import free_unused, halved, is_out_of_memory
from brainalign.activations.passes import Plan
from brainalign.activations.store import Store, check_finite
from brainalign.activations.streaming import StreamedModel, resumable, stream
from brainalign.errors import InputError
from brainalign.models.batching import batches_by_length
from brainalign.progress import Progress

_logger = logging.getLogger(__name__)


_REHEARSED = 3  # layers: the embeddings and two blocks, of which the second shows what the first hands on


class _Enough(Exception):
    pass


def seems_causal(model: StreamedModel) -> bool:
    """Tell whether a token's states are untouched by later tokens, as far as the first two blocks show it.

    Reading every block for this would take as long as reading the weights. So the probe goes through all blocks
    together with the corpus, where `read_streamed` raises if a later block shows otherwise.

    Raises
    ------
    InputError : naming the model's class, where its blocks cannot be run by themselves.
    """
    found: list[bool] = []
    probe = causality_probe(model.blocks)
    if model.blocks.is_encoder_decoder:
        probe |= {f"decoder_{name}": value for name, value in probe.items()}

    def compare(_batch: int, layer: str, states: Any) -> None:
        found.append(last_token_matters(model.blocks, layer, states))
        if len(found) == _REHEARSED:
            raise _Enough

    with tempfile.TemporaryDirectory(prefix="brainalign-") as spill, contextlib.suppress(_Enough):
        stream(model, [probe], compare, Path(spill))
    return not model.blocks.is_encoder_decoder and not any(found)


class _Inputs(Sequence[Mapping[str, Any]]):
    """The arguments of the model for each batch, made when they are asked for; the last may be the probe."""

    def __init__(self, batches: Sequence[Batch], probe: Mapping[str, Any] | None) -> None:
        self._batches, self._probe = batches, probe

    def __len__(self) -> int:
        return len(self._batches) + (self._probe is not None)

    def __getitem__(self, index: Any) -> Any:
        if index < len(self._batches):
            return self._batches[index].inputs()
        if index < len(self):
            return self._probe
        raise IndexError(index)


def read_streamed(
    model: StreamedModel,
    plan: Plan,
    pooling: str,
    stimuli: np.ndarray,
    store: Store,
    budget: int,
    equal: bool = False,
    causal: bool = False,
) -> None:
    """Read the layers of a plan that the store does not hold yet, and keep their pooled states.

    Parameters
    ----------
    as for `resident.read_resident`; a step of the store names a layer, a batch and the budget.
    causal : whether the plan relies on the model being causal, which is then checked at every layer.

    Raises
    ------
    InputError : a state that is not finite, or a later block in which a token's state depends on what follows it.
    MemoryError : a single pass does not fit.
    """
    budget = store.steps[-1]["budget"] if store.steps else budget
    while not _finished(model, plan, pooling, stimuli, store, budget, equal, causal):
        free_unused()
        first = batches_by_length([len(item) for item in plan.passes], budget, equal)[0]
        budget = halved(budget, len(first), len(plan.passes[first[0]]))
        _logger.warning("the memory does not suffice; beginning again with batches of %d tokens", budget)


def _finished(
    model: StreamedModel,
    plan: Plan,
    pooling: str,
    stimuli: np.ndarray,
    store: Store,
    budget: int,
    equal: bool,
    causal: bool,
) -> bool:
    """Read all layers; False where the memory does not suffice for batches of this budget."""
    lengths = [len(item) for item in plan.passes]
    batches = [Batch(plan.passes, indices, pooling, causal) for indices in batches_by_length(lengths, budget, equal)]
    inputs = _Inputs(batches, causality_probe(model.blocks) if causal else None)
    layers = model.blocks.layers
    start = _start(store, budget, len(inputs))
    if start[0] == len(layers):
        return True
    if start != (0, 0) and not resumable(model, store.scratch(), start, len(inputs)):
        _logger.warning("the states between two blocks are not whole; beginning again with the first block")
        start = (0, 0)

    def receive(index: int, layer: str, states: Any) -> None:
        if index == len(batches):
            if last_token_matters(model.blocks, layer, states):
                raise InputError(
                    f"in {type(model.blocks.base).__name__} a token's state at {layer} depends on what follows it, "
                    "which the first block did not show; it cannot be streamed."
                )
        else:
            pooled = batches[index].pooling(states.shape[1], layer.startswith("decoder_"))(states).cpu().numpy()
            check_finite(pooled, layer, stimuli[batches[index].rows])
            store.write(layer, batches[index].rows, pooled)
        store.finish({"layer": layers.index(layer), "batch": index, "budget": budget})
        progress.advance(1)

    with Progress("batches of a layer", len(layers) * len(inputs), start[0] * len(inputs) + start[1]) as progress:
        try:
            stream(model, inputs, receive, store.scratch(), start)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            return False
    return True


def _start(store: Store, budget: int, batches: int) -> tuple[int, int]:
    """Return the layer and batch after the last step that was finished with this budget."""
    if not store.steps or store.steps[-1]["budget"] != budget:
        return 0, 0
    last = store.steps[-1]
    layer, batch = divmod(last["layer"] * batches + last["batch"] + 1, batches)
    return layer, batch
