"""A LLaMA of 7B parameters on a graphics card: all texts of four data sets, resident and streamed.

Random weights in bfloat16, made here. Texts: Pereira et al. 2018, Blank et al. 2014, Tuckute et al. 2024 and the
Natural Stories, each with its contexts. The peer and the floor are the bare model over the very same batches, so that
the ratio is the fraction of its tokens per second.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.row import LeftOutError, Row, in_own_process, row
from benchmarks.texts import blank, english_tokenizer, natural_stories, pereira, tuckute
from brainalign.activations.placed import Place, load_at

LLAMA_7B = {
    "hidden_size": 4096,
    "intermediate_size": 11_008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "max_position_embeddings": 2048,
}
TOKENS = 16_384  # of a batch


def measure() -> list[Row]:
    """Time extraction and the bare model, each in a process of its own."""
    import torch

    if not torch.cuda.is_available():
        raise LeftOutError("it needs an NVIDIA card")
    with tempfile.TemporaryDirectory() as folder:
        in_own_process(make, folder, LLAMA_7B, "cuda")
        return [in_own_process(compare, folder, placement, "cuda") for placement in ("resident", "streamed")]


def make(folder: str, shape: dict[str, int], device: str) -> None:
    """Save the model and its tokenizer."""
    import torch
    from transformers import AutoModel, LlamaConfig

    tokenizer = english_tokenizer(32_000)
    with torch.device(device):
        model = AutoModel.from_config(LlamaConfig(vocab_size=len(tokenizer), **shape), dtype=torch.bfloat16)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def compare(folder: str, placement: str, device: str, tokens: int = TOKENS) -> Row:
    """Extract all data sets to disk, and pass the same batches through the bare model."""
    import torch

    from brainalign.activations.extraction import extract
    from brainalign.activations.partial import PartialStates
    from brainalign.activations.readout import Readout
    from brainalign.models.manifest import describe_folder

    manifest = describe_folder(Path(folder))
    sets = [pereira(), blank(), tuckute(), natural_stories()]
    with tempfile.TemporaryDirectory() as work:
        model, tokenizer = load_at(Place(placement, device), manifest, "bfloat16", Path(work))  # type: ignore[arg-type]
        _reset_peak(device)

        def ours() -> None:
            for number, stimuli in enumerate(sets):
                store = PartialStates.open(Path(work) / str(number), {}, len(stimuli))
                extract(model, tokenizer, stimuli, Readout(pooling="mean"), tokens, store)
                store.remove()

        taken, peak = _timed(ours, device), _peak_mib(device)
        if placement == "streamed":
            del model
            model, _ = load_at(Place("resident", device), manifest, "bfloat16", Path(work))
        batches = [batch for stimuli in sets for batch in _batches(stimuli, tokenizer, tokens)]

        def bare() -> None:
            with torch.inference_mode():
                for batch in batches:
                    model(**{name: value.to(device) for name, value in batch.items()}, use_cache=False)

        _timed(bare, device)
        floor = _timed(bare, device)
    seen = sum(int(batch["attention_mask"].sum()) for batch in batches)
    note = f"{seen} tokens; peak memory of the device {peak:.0f} MiB"
    return row(f"activations-gpu-{placement}", taken, "the bare model", floor, floor, device, note)


def _batches(stimuli: pd.DataFrame, tokenizer: Any, tokens: int) -> list[dict[str, Any]]:
    """Return the batches that an extraction makes."""
    from brainalign.activations.batches import Batch
    from brainalign.activations.passes import Reader, plan_passes
    from brainalign.activations.readout import Readout
    from brainalign.models.batching import batches_by_length

    plan = plan_passes(stimuli, tokenizer, Readout(pooling="mean"), Reader(True, LLAMA_7B["max_position_embeddings"]))
    indices = batches_by_length([len(item) for item in plan.passes], tokens)
    return [Batch(plan.passes, batch, "mean").inputs() for batch in indices]


def _timed(work: Callable[[], None], device: str) -> float:
    import torch

    begun = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def _reset_peak(device: str) -> None:
    import torch

    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()


def _peak_mib(device: str) -> float:
    import torch

    return torch.cuda.max_memory_allocated() / (1 << 20) if device == "cuda" else float("nan")
