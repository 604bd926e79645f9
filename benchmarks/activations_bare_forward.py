"""All of an extraction against nothing but `model(**batch)` over the very same batches.

Sentences of Pereira et al. 2018 in their passages, read by a model of GPT-2 small's shape; the ratio is the fraction
of the bare model's tokens per second.
"""

import torch

from benchmarks.row import Row, row, seconds
from benchmarks.texts import english_tokenizer, gpt2_small, pereira
from brainalign.activations.batches import Batch
from brainalign.activations.extraction import extract
from brainalign.activations.passes import Reader, plan_passes
from brainalign.activations.readout import Readout
from brainalign.models.batching import batches_by_length


def measure() -> Row:
    """Time ours and the bare forward passes over the same batches."""
    tokenizer, model, stimuli = english_tokenizer(), gpt2_small(1024), pereira()
    readout = Readout(pooling="mean")
    plan = plan_passes(stimuli, tokenizer, readout, Reader(True, 1024))
    indices = batches_by_length([len(item) for item in plan.passes])
    batches = [Batch(plan.passes, batch, readout.pooling).inputs() for batch in indices]

    def bare() -> None:
        with torch.inference_mode():
            for batch in batches:
                model(**batch, use_cache=False)

    ours, floor = (seconds(work, 2) for work in (lambda: extract(model, tokenizer, stimuli, readout), bare))
    note = f"{plan.summary['tokens'] / ours:.0f} tokens a second of {plan.summary['tokens'] / floor:.0f}"
    return row("activations-bare-forward", ours, "the bare model", floor, floor, note=note)
