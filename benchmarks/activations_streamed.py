"""A model read block by block from disk against the same one held in memory: seconds and peak memory.

A LLaMA of 12 blocks of 96 MiB each with random weights, and the sentences of Tuckute et al. 2024; each way runs in a
process of its own. The ratio is the resident model's seconds over the streamed one's; the floor is the resident one.
"""

import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.row import Row, in_own_process, peak_mib
from benchmarks.texts import english_tokenizer, tuckute
from brainalign.activations.placed import Place, load_at
from brainalign.models.batching import TOKEN_BUDGET

BLOCKS, WIDTH, INNER = 12, 1024, 6827  # 4 · 1024² + 3 · 1024 · 6827 numbers are 96 MiB


def measure() -> Row:
    """Compare seconds and peaks of two processes."""
    with tempfile.TemporaryDirectory() as folder:
        in_own_process(make, folder)
        resident, resident_peak, _ = in_own_process(run, folder, "resident")
        streamed, streamed_peak, foreseen = in_own_process(run, folder, "streamed")
    note = (
        f"peak memory of weights and states: {streamed_peak:.0f} MiB streamed (foreseen {foreseen:.0f}), "
        f"{resident_peak:.0f} MiB resident"
    )
    return Row("activations-streamed", streamed, "the resident model", resident, resident / streamed, resident,
               streamed / resident, streamed_peak, "cpu", note)  # fmt: skip


def make(folder: str) -> None:
    """Save the model and its tokenizer."""
    import torch
    from transformers import AutoModel, LlamaConfig

    tokenizer = english_tokenizer(20_000)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=WIDTH, intermediate_size=INNER, num_hidden_layers=BLOCKS,
        num_attention_heads=8, max_position_embeddings=512,
    )  # fmt: skip
    AutoModel.from_config(config, dtype=torch.float32).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def run(folder: str, placement: str) -> tuple[float, float, float]:
    """Extract; return seconds, and the memory in MiB that it took on top of what was imported and what was foreseen."""
    import accelerate.hooks  # noqa: F401 - imported now, so that its memory is not counted
    from transformers import LlamaModel  # noqa: F401

    from brainalign.activations.blocks import find_blocks
    from brainalign.activations.extraction import extract
    from brainalign.activations.partial import PartialStates
    from brainalign.activations.readout import Readout
    from brainalign.models.manifest import describe_folder
    from brainalign.models.placement import sizes, skeleton

    manifest, stimuli = describe_folder(Path(folder)), tuckute()
    bare = skeleton(manifest)
    needs = sizes(bare, find_blocks(bare).stacks[0].blocks, "float32")
    with tempfile.TemporaryDirectory() as work:
        before, begun = psutil.Process().memory_info().rss / (1 << 20), time.perf_counter()
        store = PartialStates.open(Path(work) / "states.partial", {}, len(stimuli))
        place = Place(placement, "cpu")  # type: ignore[arg-type]
        model, tokenizer = load_at(place, manifest, "float32", store.scratch())
        extract(model, tokenizer, stimuli, Readout("none", pooling="mean"), store=store)
        taken = time.perf_counter() - begun
    return taken, peak_mib() - before, needs.streamed(TOKEN_BUDGET) / (1 << 20)
