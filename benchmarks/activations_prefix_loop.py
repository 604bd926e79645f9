"""One pass over a story against a pass for each part with its whole prefix, as the peers do.

One story of Blank et al. 2014 in its real parts, read by a model of GPT-2 small's shape: with a limit of 2,048
tokens, past which nothing goes, and with one of 1,024 in both modes of overflow, each against the same loop. The floor
is the bare model over the same tokens.
"""

from typing import Any

import pandas as pd
import torch

from benchmarks.row import Row, row, seconds
from benchmarks.texts import blank, english_tokenizer, gpt2_small
from brainalign.activations.extraction import extract
from brainalign.activations.one_by_one import extract_one_by_one
from brainalign.activations.passes import Reader, plan_passes
from brainalign.activations.readout import Readout

LIMIT, SHORTER = 2048, 1024


def measure() -> list[Row]:
    """Time ours, the loop over prefixes and the bare forward passes on the same story."""
    tokenizer, model, stories = english_tokenizer(), gpt2_small(LIMIT), blank()
    lengths = {name: len(tokenizer(" ".join(story["text"])).input_ids) for name, story in stories.groupby("story")}
    chosen = max((name for name, length in lengths.items() if length <= LIMIT), key=lengths.__getitem__)
    story = stories[stories["story"] == chosen].reset_index(drop=True)
    readouts = [
        ("activations-prefix-loop", Readout()),
        ("activations-prefix-loop-restart-1024", Readout(overflow="restart", limit=SHORTER)),
        ("activations-prefix-loop-slide-1024", Readout(overflow="slide", limit=SHORTER)),
    ]
    return [_compared(name, readout, model, tokenizer, story) for name, readout in readouts]


def _compared(name: str, readout: Readout, model: Any, tokenizer: Any, story: pd.DataFrame) -> Row:
    plan = plan_passes(story, tokenizer, readout, Reader(True, readout.limit or LIMIT))
    batches = [torch.from_numpy(item.ids())[None] for item in plan.passes]

    def floor() -> None:
        with torch.inference_mode():
            for batch in batches:
                model(input_ids=batch, use_cache=False)

    repeats = 2 if readout.overflow == "restart" else 1  # slide makes nearly as many passes as the loop
    ours = seconds(lambda: extract(model, tokenizer, story, readout), repeats)
    loop = seconds(lambda: extract_one_by_one(model, tokenizer, story, readout), 1)
    note = f"{len(story)} parts in {plan.summary['passes']} passes of {plan.summary['tokens']} tokens together"
    return row(name, ours, "a pass per prefix", loop, seconds(floor, repeats), note=note)
