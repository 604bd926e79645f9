"""Peak memory against the size of the corpus: the batch decides, not the corpus.

Sentences of Tuckute et al. 2024, once and eight times over, read by a LLaMA of 8 blocks of width 256 and written to
disk. Each size runs in a process of its own; the ratio is the smaller corpus's peak over the larger one's.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.row import Row, in_own_process, peak_mib
from benchmarks.texts import english_tokenizer, tuckute

TIMES = 8


def measure() -> Row:
    """Compare the peaks of two processes."""
    small_seconds, small, written = in_own_process(run, 1)
    seconds, large, all_written = in_own_process(run, TIMES)
    note = (
        f"peaks {small:.0f} MiB for 1,000 stimuli ({written:.0f} MiB of states) and {large:.0f} MiB for "
        f"{TIMES},000 ({all_written:.0f} MiB)"
    )
    floor = small_seconds * TIMES
    return Row("activations-memory", seconds, "a smaller corpus", small_seconds, small / large, floor, seconds / floor,
               large, "cpu", note)  # fmt: skip


def run(times: int) -> tuple[float, float, float]:
    """Extract a corpus to disk; return seconds, the peak memory and the size of the file, in MiB."""
    import torch
    from transformers import AutoModel, LlamaConfig

    from brainalign.activations.extraction import extract
    from brainalign.activations.partial import PartialStates
    from brainalign.activations.readout import Readout
    from brainalign.activations.stored import write_activations

    tokenizer, sentences = english_tokenizer(20_000), tuckute()
    stimuli = pd.concat([sentences.assign(stimulus_id=f"{time}-" + sentences["stimulus_id"]) for time in range(times)])
    stimuli = stimuli.assign(context_group=stimuli["stimulus_id"]).reset_index(drop=True)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=256, intermediate_size=512, num_hidden_layers=8, num_attention_heads=4
    )
    model = AutoModel.from_config(config, dtype=torch.float32).eval()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "states.h5"
        begun = time.perf_counter()
        store = PartialStates.open(Path(folder) / "states.h5.partial", {}, len(stimuli))
        found = extract(model, tokenizer, stimuli, Readout("none", pooling="mean"), store=store)
        write_activations(
            out, Path(folder) / "digest.json", np.asarray(stimuli["stimulus_id"], object), found.layers, {}
        )
        taken = time.perf_counter() - begun
        return taken, peak_mib(), out.stat().st_size / (1 << 20)
