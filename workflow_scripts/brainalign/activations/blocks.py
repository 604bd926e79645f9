"""Where the layers of a model are, and how their states are taken.

Layers are "embeddings" (what the first block is given, position embeddings included), "block_01", "block_02", …
(the state after each block) and "final" (after the norm that follows the last block). They are taken by hooks, as
`hidden_states` ends with the state after the final norm in most families and so lacks that of the last block.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from brainalign.errors import InputError

_BLOCKS = ("h", "layers", "decoder.layers", "transformer.h", "model.layers")  # GPT-2, LLaMA, OPT and their relatives
_FINAL_NORMS = ("ln_f", "norm", "final_layer_norm", "final_layernorm", "norm_f")


@dataclass(frozen=True)
class Blocks:
    """A model's base (without a head), its blocks in order, and its final norm where it has one."""

    base: Any
    blocks: tuple[Any, ...]
    norm: Any | None

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers, in order."""
        blocks = [f"block_{number:02d}" for number in range(1, len(self.blocks) + 1)]
        return ("embeddings", *blocks, *(["final"] if self.norm is not None else []))


def find_blocks(model: Any) -> Blocks:
    """Find the blocks of a model, by their usual places or as the one list whose length is the config's.

    Raises
    ------
    InputError : naming the model's class, where the blocks cannot be told or the model is an encoder–decoder.
    """
    base = getattr(model, "base_model", model)
    name = type(base).__name__
    if getattr(base.config, "is_encoder_decoder", False):
        raise InputError(f"{name} is an encoder–decoder model, whose layers are not read yet.")
    depth = getattr(base.config, "num_hidden_layers", None)
    lists = {path: module for path, module in base.named_modules() if type(module).__name__ == "ModuleList"}
    fitting = [path for path, module in lists.items() if len(module) == depth]
    usual = [path for path in _BLOCKS if path in fitting]
    if not usual and len(fitting) != 1:
        raise InputError(
            f"the blocks of {name} cannot be found: {len(fitting)} of its lists have the {depth} entries "
            "that its config states."
        )
    path = (usual or fitting)[0]
    owner = base.get_submodule(path.rpartition(".")[0])
    norms = [getattr(owner, norm, None) for norm in _FINAL_NORMS]
    return Blocks(base, tuple(lists[path]), next((norm for norm in norms if norm is not None), None))


def context_limit(model: Any) -> int | None:
    """Return the positions that a model can see; None where its config states no limit."""
    config = getattr(model, "base_model", model).config
    for name in ("max_position_embeddings", "n_positions", "max_seq_len"):
        limit = getattr(config, name, None)
        if limit:
            return int(limit)
    return None


def is_causal(model: Any) -> bool:
    """Tell whether a token's states are untouched by later tokens, by changing the last of eight tokens.

    In doubt (half precision, where equal states may differ by rounding) the answer is no, which costs only time.
    """
    import torch

    blocks = find_blocks(model)
    size = blocks.base.config.vocab_size
    first = torch.arange(min(8, context_limit(model) or 8)) % size  # (position,)
    second = first.clone()
    second[-1] = (first[-1] + 1) % size
    ids = torch.stack([first, second]).to(blocks.base.device)  # (2, position)
    differences: list[bool] = []
    with torch.inference_mode(), reading(blocks, lambda _, states: differences.append(_differ(states))):
        blocks.base(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False)
    return not any(differences)


def depends_on_length(model: Any) -> bool:
    """Tell whether positions are encoded by the total length of the text (dynamic and longrope RoPE)."""
    config = getattr(model, "base_model", model).config
    parameters = getattr(config, "rope_parameters", None) or {}
    flat = [parameters, *(value for value in parameters.values() if isinstance(value, dict))]
    return any(entry.get("rope_type") in ("dynamic", "longrope") for entry in flat)


@contextmanager
def reading(blocks: Blocks, receive: Callable[[str, Any], None]) -> Iterator[None]:
    """Call `receive(layer, states)` for every layer of each pass made in the block; states (text, position, width)."""

    def before_first(_: Any, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
        receive(blocks.layers[0], positional[0] if positional else named["hidden_states"])

    def after(layer: str) -> Callable[..., None]:
        return lambda _module, _inputs, output: receive(layer, output[0] if isinstance(output, tuple) else output)

    modules = [*blocks.blocks, *([blocks.norm] if blocks.norm is not None else [])]
    hooks = [blocks.blocks[0].register_forward_pre_hook(before_first, with_kwargs=True)]
    hooks += [
        module.register_forward_hook(after(layer)) for layer, module in zip(blocks.layers[1:], modules, strict=True)
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _differ(states: Any) -> bool:
    """Tell whether two texts' states differ anywhere but at their last token; states (2, position, width)."""
    first, second = states[0, :-1].float(), states[1, :-1].float()
    return bool((first - second).abs().max() > 1e-5 * first.abs().max())
