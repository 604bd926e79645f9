"""Sentences in batches against one by one: 1,000 of Tuckute et al. 2024 with a real, very small model.

The floor is the bare model over the same batches.
"""

import torch

from benchmarks.row import Row, row, seconds
from benchmarks.texts import need, tuckute
from brainalign.activations.batches import Batch
from brainalign.activations.extraction import extract
from brainalign.activations.one_by_one import extract_one_by_one
from brainalign.activations.passes import Reader, plan_passes
from brainalign.activations.readout import Readout
from brainalign.models.batching import batches_by_length
from brainalign.models.loading import load


def measure() -> Row:
    """Time ours, one pass after the other, and the bare forward passes."""
    model, tokenizer = load(need("models", "stories260k"))
    stimuli, readout = tuckute(), Readout("none")
    plan = plan_passes(stimuli, tokenizer, readout, Reader(True, 512))
    indices = batches_by_length([len(item) for item in plan.passes])
    batches = [Batch(plan.passes, batch, readout.pooling).inputs() for batch in indices]

    def floor() -> None:
        with torch.inference_mode():
            for batch in batches:
                model(**batch, use_cache=False)

    ours = seconds(lambda: extract(model, tokenizer, stimuli, readout))
    peer = seconds(lambda: extract_one_by_one(model, tokenizer, stimuli, readout), 1)
    return row("activations-one-by-one", ours, "one sentence at a time", peer, seconds(floor))
