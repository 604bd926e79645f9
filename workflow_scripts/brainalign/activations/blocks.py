"""Where the layers of a model are, and how their states are taken.

Layers are "embeddings" (what the first block is given, position embeddings included), "block_01", "block_02", …
(the state after each block) and "final" (after the norm that follows the last block). An encoder–decoder has two
such stacks, and its layers are "encoder_embeddings", … and "decoder_embeddings", … They are taken by hooks, as
`hidden_states` ends with the state after the final norm in most families and so lacks that of the last block.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from brainalign.errors import InputError
from brainalign.models.limits import context_limit

_DEPTHS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers")
_STACK_DEPTHS = {
    "encoder_": ("encoder_layers", "num_layers", "num_hidden_layers"),
    "decoder_": ("decoder_layers", "num_decoder_layers", "num_layers", "num_hidden_layers"),
}
_BLOCKS = ("h", "layers", "block", "blocks", "layer")  # usual names of the list, at the end of its path
_FINAL_NORMS = (
    "ln_f",
    "norm",
    "norm_f",
    "final_norm",
    "final_layer_norm",
    "final_layernorm",
    "layer_norm",
    "ln_out",
    "layernorm",
    "embedding_norm",
    "emb_layer_norm_after",
    "ln",
    "out_norm",
)


@dataclass(frozen=True)
class Stack:
    """Blocks that follow each other: the module whose forward pass runs them, and the norm after them if any.

    prefix : "" in a model of one stack, otherwise "encoder_" or "decoder_".
    """

    prefix: str
    owner: Any
    blocks: tuple[Any, ...]
    norm: Any | None

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers, in order."""
        blocks = [f"block_{number:02d}" for number in range(1, len(self.blocks) + 1)]
        names = ["embeddings", *blocks, *(["final"] if self.norm is not None else [])]
        return tuple(f"{self.prefix}{name}" for name in names)


@dataclass(frozen=True)
class Blocks:
    """A model's base (without a head) and its stacks, in the order in which they run."""

    base: Any
    stacks: tuple[Stack, ...]

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of all layers, in order."""
        return tuple(name for stack in self.stacks for name in stack.layers)

    @property
    def is_encoder_decoder(self) -> bool:
        return len(self.stacks) == 2


def find_blocks(model: Any) -> Blocks:
    """Find the blocks of a model: the list of modules whose length is the config's depth.

    Raises
    ------
    InputError : naming the model's class, where no list or more than one could be meant.
    """
    base = getattr(model, "base_model", model)
    if not getattr(base.config, "is_encoder_decoder", False):
        return Blocks(base, (_find_stack(base, base.config, "", _DEPTHS),))
    towers = {prefix: getattr(base, prefix.rstrip("_"), None) for prefix in _STACK_DEPTHS}
    if None in towers.values():
        raise InputError(f"{type(base).__name__} is an encoder–decoder whose two stacks cannot be told apart.")
    return Blocks(
        base, tuple(_find_stack(tower, base.config, prefix, _STACK_DEPTHS[prefix]) for prefix, tower in towers.items())
    )


def _find_stack(owner: Any, config: Any, prefix: str, depths: tuple[str, ...]) -> Stack:
    depth = next((getattr(config, name) for name in depths if getattr(config, name, None)), None)
    lists = {path: module for path, module in owner.named_modules() if type(module).__name__ == "ModuleList"}
    fitting = [path for path, module in lists.items() if len(module) == depth]
    # A list inside a block is not the list of blocks.
    outer = [path for path in fitting if not any(path.startswith(f"{other}.") for other in lists if other != path)]
    usual = [path for path in outer if path.rpartition(".")[2] in _BLOCKS]
    chosen = usual if len(usual) == 1 else outer
    if len(chosen) != 1:
        raise InputError(
            f"the blocks of {type(owner).__name__} cannot be found: {len(outer)} of its lists have the "
            f"{depth} entries that its config states."
        )
    path = chosen[0]
    holder = owner.get_submodule(path.rpartition(".")[0])
    norms = [getattr(holder, name, None) for name in _FINAL_NORMS]
    return Stack(prefix, owner, tuple(lists[path]), next((norm for norm in norms if norm is not None), None))


def is_causal(model: Any) -> bool:
    """Tell whether a token's states are untouched by later tokens, by changing the last of eight tokens.

    In doubt (half precision, where equal states may differ by rounding) the answer is no, which costs only time. An
    encoder–decoder is not causal: its encoder sees the whole text.

    Raises
    ------
    InputError : naming the model's class, where a layer is not passed or states are not (text, position, width).
    """
    import torch

    blocks = find_blocks(model)
    if blocks.is_encoder_decoder:
        return False
    probe = {name: tensor.to(input_device(blocks)) for name, tensor in causality_probe(blocks).items()}
    differences: dict[str, bool] = {}

    def compare(layer: str, states: Any) -> None:
        differences[layer] = last_token_matters(blocks, layer, states)

    with torch.inference_mode(), reading(blocks, compare):
        blocks.base(**probe, use_cache=False)
    if list(differences) != list(blocks.layers):
        raise InputError(f"{type(blocks.base).__name__} does not pass its layers in the order of its blocks.")
    return not any(differences.values())


def causality_probe(blocks: Blocks) -> dict[str, Any]:
    """Return the model's arguments for two texts of eight tokens that differ in the last one only."""
    import torch

    length = min(8, context_limit(blocks.base) or 8)
    first = torch.arange(length) % blocks.base.config.vocab_size  # (position,)
    second = first.clone()
    second[-1] = (first[-1] + 1) % blocks.base.config.vocab_size
    ids = torch.stack([first, second])  # (2, position)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def last_token_matters(blocks: Blocks, layer: str, states: Any) -> bool:
    """Tell whether the probe's two texts differ anywhere but at their last token; states (2, position, width).

    Raises
    ------
    InputError : states of another shape.
    """
    check_shape(blocks, layer, states, tuple(causality_probe(blocks)["input_ids"].shape))
    first, second = states[0, :-1].float(), states[1, :-1].float()
    return bool((first - second).abs().max() > 1e-5 * first.abs().max())


def check_shape(blocks: Blocks, layer: str, states: Any, shape: tuple[int, ...]) -> None:
    """Raise InputError where states are not laid out as (text, position, width), with this many texts and positions."""
    if states.ndim != 3 or tuple(states.shape[:2]) != shape:
        raise InputError(
            f"the states of {type(blocks.base).__name__} at {layer} are of shape {tuple(states.shape)}, "
            f"not {shape} and the width, so that its tokens cannot be told."
        )


def states_given(blocks: Blocks, layer: str, positional: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """Return the states among a block's arguments. Raises InputError where the model gives it none."""
    if not positional and "hidden_states" not in named:
        raise InputError(f"{type(blocks.base).__name__} gives its blocks no states at {layer} that could be told.")
    return positional[0] if positional else named["hidden_states"]


def states_returned(blocks: Blocks, layer: str, output: Any) -> Any:
    """Return the states among what a block returns. Raises InputError where there are none."""
    import torch

    states = output[0] if isinstance(output, (tuple, list)) and output else output
    if not isinstance(states, torch.Tensor):
        raise InputError(f"{type(blocks.base).__name__} returns a {type(output).__name__} at {layer}, not states.")
    return states


def depends_on_length(model: Any) -> bool:
    """Tell whether positions are encoded by the total length of the text (dynamic and longrope RoPE)."""
    config = getattr(model, "base_model", model).config
    parameters = getattr(config, "rope_parameters", None) or {}
    flat = [parameters, *(value for value in parameters.values() if isinstance(value, dict))]
    return any(entry.get("rope_type") in ("dynamic", "longrope") for entry in flat)


def input_device(blocks: Blocks) -> Any:
    """Return the device on which the model wants its token ids: that of its embeddings, its first weights."""
    return next(blocks.base.parameters()).device


@contextmanager
def reading(blocks: Blocks, receive: Callable[[str, Any], None]) -> Iterator[None]:
    """Call `receive(layer, states)` for every layer of each pass made in the block; states (text, position, width).

    Raises
    ------
    InputError : in the pass, naming the model's class and the layer, where a block takes or returns no states.
    """

    def before_first(layer: str) -> Callable[..., None]:
        return lambda _module, positional, named: receive(layer, states_given(blocks, layer, positional, named))

    def after(layer: str) -> Callable[..., None]:
        return lambda _module, _inputs, output: receive(layer, states_returned(blocks, layer, output))

    hooks = []
    for stack in blocks.stacks:
        embeddings, *rest = stack.layers
        hooks.append(stack.blocks[0].register_forward_pre_hook(before_first(embeddings), with_kwargs=True))
        modules = [*stack.blocks, *([stack.norm] if stack.norm is not None else [])]
        hooks += [module.register_forward_hook(after(layer)) for layer, module in zip(rest, modules, strict=True)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
