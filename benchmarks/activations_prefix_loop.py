"""One pass over a passage against a pass for each sentence with its whole prefix, as the peers do.

8 stories of 40 parts about the simulated world, read by a random LLaMA of 4 blocks of width 256. The floor is the
bare model over the same tokens in one batch, nothing kept.
"""

import tempfile
from pathlib import Path

import pandas as pd
import torch

from benchmarks.row import Row, row, seconds
from brainalign.activations.extraction import extract
from brainalign.activations.one_by_one import extract_one_by_one
from brainalign.activations.readout import Readout
from brainalign.models.architectures import make_config, make_model, make_tokenizer, save
from brainalign.models.loading import load
from brainalign.simulation.brain import simulate_stories
from brainalign.simulation.world import make_world

STORIES, PARTS = 8, 40


def measure() -> Row:
    """Time ours, the loop over prefixes and the bare forward passes on the same stories."""
    stimuli: pd.DataFrame = simulate_stories(make_world(0), 0, STORIES, PARTS, subjects=1, neuroids=2).stimuli
    tokenizer = make_tokenizer(stimuli["text"])
    sizes = {"architecture": "llama", "width": 256, "layers": 4, "heads": 4, "context": 512}
    with tempfile.TemporaryDirectory() as folder:
        save(make_model(make_config(sizes, len(tokenizer)), 0), tokenizer, Path(folder))
        model, tokenizer = load(Path(folder))
    readout = Readout()
    texts = stimuli.groupby("context_group", sort=False)["text"].agg(" ".join).tolist()
    batch = tokenizer(texts, return_tensors="pt", padding=True)

    def floor() -> None:
        with torch.inference_mode():
            model(**batch)

    ours = seconds(lambda: extract(model, tokenizer, stimuli, readout))
    loop = seconds(lambda: extract_one_by_one(model, tokenizer, stimuli, readout), 1)
    return row("activations-prefix-loop", ours, "a pass per prefix", loop, seconds(floor))
