"""Where a model's weights lie while it is read: in memory, shared out over several cards, or on disk."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from brainalign.errors import InputError, unknown
from brainalign.free_memory import free_memory_of_host
from brainalign.models.loading import auto_class, first_line, folder_of
from brainalign.models.manifest import Manifest

Placement = Literal["resident", "sharded", "streamed"]
ASKED = ("auto", "resident", "sharded", "streamed")
_OF_WEIGHTS, _OF_STATES, _LIBRARIES = 1.05, 1.25, 128 << 20  # what allocators and libraries take besides, measured
_GIB = 1 << 30


@dataclass(frozen=True)
class Sizes:
    """Bytes of a model's weights: all, those of its largest block, and those outside its blocks; and of a token.

    per_token : bytes that a block needs for each token of a batch while it computes.
    """

    weights: int
    block: int
    outside: int
    per_token: int

    def resident(self, tokens: int) -> int:
        """Return the peak of a model in memory: 1.05 weights + 1.25 tokens · per_token + 128 MiB."""
        return self._peak(self.weights, tokens)

    def streamed(self, tokens: int) -> int:
        """Return the peak with one block at a time: 1.05 (block + outside) + 1.25 tokens · per_token + 128 MiB."""
        return self._peak(self.block + self.outside, tokens)

    def _peak(self, weights: int, tokens: int) -> int:
        return int(_OF_WEIGHTS * weights + _OF_STATES * tokens * self.per_token) + _LIBRARIES


def skeleton(model: Manifest | Path) -> Any:
    """Return the model without weights, all of its tensors on the device "meta". Raises InputError."""
    import torch
    from transformers import AutoConfig

    folder = folder_of(model)
    trusted = isinstance(model, Manifest) and model.remote_code
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=trusted)
        with torch.device("meta"):
            return auto_class(folder, trusted).from_config(config, trust_remote_code=trusted)
    except (ValueError, OSError, TypeError, RuntimeError) as error:
        raise InputError(f"the config.json in {folder} cannot be used: {first_line(error)}") from error


def sizes(model: Any, blocks: Sequence[Any], dtype: str) -> Sizes:
    """Return what a model needs, in bytes.

    With d the width of the states, m the widest layer inside a block and b the bytes of a number, a token needs
    b · (8 d + 4 m) + 8 d: states, their residual and normed copy, queries and keys before and after rotation, values;
    the feed-forward layer's gate, its activation, the inside and their product; and the norm's copy in float32.

    Parameters
    ----------
    model : on any device, "meta" among them. blocks : its blocks. dtype : of the weights when loaded.
    """
    import torch

    number = torch.empty(0, dtype=getattr(torch, dtype)).element_size()
    whole = number * _count(model)
    inside = [number * _count(block) for block in blocks]
    width = next(model.parameters()).shape[-1]  # of the embeddings
    matrices = [weight for block in blocks for weight in block.parameters() if weight.ndim > 1]
    widest = max((max(weight.shape[-2:]) for weight in matrices), default=0)
    return Sizes(whole, max(inside), whole - sum(inside), number * (8 * width + 4 * widest) + 8 * width)


def _count(module: Any) -> int:
    return sum(weight.numel() for weight in module.parameters())


def choose_placement(asked: str, needs: Sizes, tokens: int, cards: Sequence[int], host: int) -> tuple[Placement, str]:
    """Choose where the weights lie.

    Parameters
    ----------
    asked : "auto" chooses the first of resident, sharded and streamed that fits; else what is to be chosen.
    needs : of the model. tokens : of one batch.
    cards : free bytes of each card; none is a computation on the CPU. host : free bytes of memory.

    Returns
    -------
    the placement, and a sentence with the numbers behind it.

    Raises
    ------
    InputError : something else is asked for, or sharding without at least two cards.
    """
    if asked not in ASKED:
        raise unknown("placement", asked, ASKED)
    if asked == "sharded" and len(cards) < 2:
        raise InputError(f"placement=sharded needs at least 2 cards, but there are {len(cards)}; streamed needs none.")
    room, where = (cards[0], "on the card") if cards else (host, "in memory")
    wanted = needs.resident(tokens)
    free = f"{room / _GIB:.3g} GiB are free {where}"
    fits = f"the model needs {wanted / _GIB:.3g} GiB with a batch of {tokens} tokens; {free}"
    if asked != "auto":
        return asked, f"{asked}, as asked for: {fits}"  # type: ignore[return-value]
    if wanted <= room:
        return "resident", f"resident: {fits}"
    if len(cards) > 1 and wanted <= sum(cards):
        return "sharded", f"sharded over {len(cards)} cards with {sum(cards) / _GIB:.3g} GiB: {fits}"
    streamed = needs.streamed(tokens)
    return "streamed", f"streamed, which needs {streamed / _GIB:.3g} GiB: {fits}"


def free_memory() -> tuple[list[int], int]:
    """Return the free bytes of each NVIDIA card, and of the host as `free_memory_of_host` tells them."""
    import torch

    cards = [torch.cuda.mem_get_info(card)[0] for card in range(torch.cuda.device_count())]
    return cards, free_memory_of_host()
