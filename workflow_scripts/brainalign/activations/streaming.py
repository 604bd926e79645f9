"""A model of which one block at a time is in memory.

All batches go through a block, whose weights then make room for those of the next. What a block is given besides the
states (masks, rotary tables, position biases) is what the model itself gives it: the model's own forward pass runs
with the earlier blocks replaced by stubs that hand their input on, up to the block in question, whose arguments are
caught. So only the states come from elsewhere: from disk, where the block before left them.

Weights are read by transformers' own loading, which renames and fuses them as the model needs them: the blocks are
put "on disk", where it leaves an index of the files, or converted copies.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brainalign.activations.blocks import Blocks, Stack, check_shape, find_blocks
from brainalign.activations.spill import Spill
from brainalign.errors import InputError
from brainalign.models.loading import DataType, load
from brainalign.models.manifest import Manifest
from brainalign.models.placement import skeleton

Receive = Callable[[int, str, Any], None]


@dataclass(frozen=True)
class StreamedModel:
    """A model whose blocks have no weights in memory.

    blocks : of the model, whose other parts are on `device`.
    names : of each block's module, for every stack.
    weights : name of a parameter → the tensor, read when it is asked for.
    """

    blocks: Blocks
    names: Mapping[str, Sequence[str]]
    weights: Mapping[str, Any]
    device: Any

    @contextmanager
    def block(self, stack: Stack, number: int) -> Iterator[Any]:
        """Hold the weights of one block in memory."""
        from accelerate.utils import set_module_tensor_to_device

        block, name = stack.blocks[number], self.names[stack.prefix][number]
        own = [parameter for parameter, _ in block.named_parameters(remove_duplicate=False)]
        try:
            for parameter in own:
                value = self.weights[f"{name}.{parameter}"]
                # In its own number format: transformers keeps some in float32, whatever the others are in.
                set_module_tensor_to_device(
                    block, parameter, self.device, value=value, dtype=value.dtype, clear_cache=False
                )
            yield block
        finally:
            for parameter in own:
                set_module_tensor_to_device(block, parameter, "meta")


class _Reached(Exception):
    def __init__(self, arguments: tuple[Any, ...], named: dict[str, Any], form: Mapping[str, Any]) -> None:
        super().__init__()
        self.arguments, self.named, self._form = arguments, named, form

    @property
    def states(self) -> Any:
        """The states that the block is given."""
        return self.arguments[0] if self.arguments else self.named.get("hidden_states")

    @property
    def handed_on(self) -> dict[str, Any]:
        """What the block is given of what the first block returned besides states, by its place there."""
        given = [*self.arguments, *self.named.values()]
        return {place: value for place, value in self._form.items() if any(value is other for other in given)}


@dataclass
class _Layer:
    """One layer to be read: its stack, and the number of its block; −1 is the embeddings, None the final norm."""

    name: str
    stack: Stack
    number: int | None
    before: str | None = field(default=None)  # the layer whose states it is given


def load_for_streaming(
    model: Manifest | Path, dtype: DataType, device: str, offload_folder: Path
) -> tuple[StreamedModel, Any]:
    """Load all of a model but its blocks, and its tokenizer.

    Parameters
    ----------
    model : a manifest with an absolute folder, or the folder.
    dtype : number format of the weights and of the computation.
    device : where the computation runs.
    offload_folder : for weights that are not stored as the model uses them.

    Raises
    ------
    InputError : as `loading.load`; and a family whose blocks cannot be run by themselves, by name.
    """
    from accelerate.hooks import remove_hook_from_submodules
    from accelerate.utils import OffloadedWeightsLoader

    bare = skeleton(model)
    found = find_blocks(bare)
    names = _names(bare, found)
    device_map = _device_map(bare, {name for stack in names.values() for name in stack}, device)
    loaded, tokenizer = load(model, dtype, device_map=device_map, offload_folder=offload_folder)
    blocks = find_blocks(loaded)
    hooks = [getattr(module, "_hf_hook", None) for module in loaded.modules()]
    maps = [getattr(hook, "weights_map", None) for single in hooks for hook in getattr(single, "hooks", [single])]
    weights = next((found.dataset for found in maps if found is not None), None)
    if not isinstance(weights, OffloadedWeightsLoader):
        raise InputError(f"{type(loaded).__name__} cannot be streamed: its blocks' weights are not found on disk.")
    _keep_wide(loaded, weights.index, dtype)
    remove_hook_from_submodules(loaded)
    for stack in blocks.stacks:  # what is no weight is small and stays
        for block in stack.blocks:
            for buffer in block.buffers():
                buffer.data = buffer.data.to(device)
    return StreamedModel(blocks, names, weights, device), tokenizer


def stream(
    model: StreamedModel,
    batches: Sequence[Mapping[str, Any]],
    receive: Receive,
    spill: Path,
    start: tuple[int, int] = (0, 0),
) -> None:
    """Pass batches through the layers, layer by layer.

    Parameters
    ----------
    model : as loaded for streaming.
    batches : the model's arguments for each, tensors on the CPU, made when they are asked for.
    receive : is called with a batch's number, a layer's name and its states (text, position, width).
    spill : folder for the states between two layers; they are written before `receive` is called.
    start : layer and batch to begin with, if `resumable` says so.

    Raises
    ------
    InputError : naming the model's class, where its blocks cannot be run by themselves.
    """
    import torch

    kept = Spill(spill)
    with torch.inference_mode():
        for index, layer in enumerate(_layers(model.blocks)):
            if index < start[0]:
                continue
            numbers = range(start[1] if index == start[0] else 0, len(batches))
            with _run(model, layer, kept) as run:
                for number in numbers:
                    inputs = {name: value.to(model.device) for name, value in batches[number].items()}
                    states = run(number, inputs)
                    ids = inputs["decoder_input_ids" if layer.stack.prefix == "decoder_" else "input_ids"]
                    check_shape(model.blocks, layer.name, states, tuple(ids.shape))
                    kept.write(layer.name, number, {"states": states})
                    receive(number, layer.name, states)
            if layer.before is not None and layer.before != _last_of_encoder(model.blocks):
                kept.delete(layer.before, range(len(batches)))


def resumable(model: StreamedModel, spill: Path, start: tuple[int, int], batches: int) -> bool:
    """Tell whether the states are there, whole, with which `stream` can begin at a layer and batch."""
    kept, layers = Spill(spill), _layers(model.blocks)
    layer = layers[start[0]]
    needed = [(layer.name, range(start[1]))]
    if layer.before is not None:
        needed.append((layer.before, range(start[1], batches)))
    if layer.number != -1:
        needed.append((_form(layer.stack), range(start[1] if layer.number == 0 else batches)))
    if layer.stack.prefix == "decoder_":
        needed.append((str(_last_of_encoder(model.blocks)), range(batches)))
    return all(kept.has(*each) for each in needed)


@contextmanager
def _run(model: StreamedModel, layer: _Layer, kept: Spill) -> Iterator[Callable[[int, dict[str, Any]], Any]]:
    """Yield what computes a layer's states of one batch, with the block's weights in memory meanwhile."""
    number = layer.number
    if number == -1:
        yield lambda batch, inputs: _reached(model, layer, kept, batch, inputs).states
    elif number is None:
        norm = layer.stack.norm
        assert norm is not None
        yield lambda batch, inputs: norm(_reached(model, layer, kept, batch, inputs).states)
    else:
        with model.block(layer.stack, number) as block:
            yield lambda batch, inputs: _pass(
                model, layer, block, _reached(model, layer, kept, batch, inputs), kept, batch
            )


def _pass(model: StreamedModel, layer: _Layer, block: Any, reached: _Reached, kept: Spill, batch: int) -> Any:
    """Run one block with the arguments that the model gives it."""
    import torch

    output = block(*reached.arguments, **reached.named)
    found, *further = output if isinstance(output, (tuple, list)) else (output,)
    if not isinstance(found, torch.Tensor) or found.shape != reached.states.shape:
        raise _cannot(model)
    form = {str(place): value for place, value in enumerate(further, start=1) if isinstance(value, torch.Tensor)}
    if layer.number == 0:
        length = len(output) if isinstance(output, (tuple, list)) else 0
        kept.write(_form(layer.stack), batch, {"length": torch.tensor(length), **form})
    # What is handed on besides the states must be what the first block made, as a T5's position bias is.
    if not all(place in form and torch.equal(form[place], value) for place, value in reached.handed_on.items()):
        raise _cannot(model)
    return found


def _reached(model: StreamedModel, layer: _Layer, kept: Spill, batch: int, inputs: dict[str, Any]) -> _Reached:
    """Return what the model gives one of its blocks or its final norm, for one batch.

    The stub of the block before returns that block's true states. They must come through to the next one as they are:
    a model that does something to them between its blocks may need those of earlier blocks, too, and is refused.
    """
    from transformers.modeling_outputs import BaseModelOutput

    stack = layer.stack
    if stack.prefix == "decoder_":
        encoded = kept.read(str(_last_of_encoder(model.blocks)), batch, model.device)["states"]
        if layer.number == -1 and model.blocks.stacks[0].norm is None:
            _check_encoded(model, kept, batch, inputs, encoded)
        inputs = {**inputs, "encoder_outputs": BaseModelOutput(last_hidden_state=encoded)}
        del inputs["input_ids"]
    earlier = stack.blocks if layer.number is None else stack.blocks[: max(layer.number, 0)]
    target = stack.norm if layer.number is None else stack.blocks[len(earlier)]
    assert target is not None
    states = kept.read(layer.before, batch, model.device)["states"] if layer.before is not None else None
    form = kept.read(_form(stack), batch, model.device) if earlier else {}

    def stub(returned: Any | None) -> Callable[..., Any]:
        def hand_on(*arguments: Any, **named: Any) -> Any:
            given = (arguments[0] if arguments else named["hidden_states"]) if returned is None else returned
            length = int(form["length"])
            return given if not length else (given, *(form.get(str(place)) for place in range(1, length)))

        return hand_on

    def reach(*arguments: Any, **named: Any) -> Any:
        raise _Reached(arguments, named, form)

    for block in earlier:
        block.forward = stub(states if block is earlier[-1] else None)
    target.forward = reach
    try:
        model.blocks.base(**inputs, use_cache=False)
    except _Reached as reached:
        if states is not None and reached.states is not states and not _equal(reached.states, states):
            raise _cannot(model) from None
        return reached
    finally:
        for module in (*earlier, target):
            del module.forward
    raise _cannot(model)


def _check_encoded(model: StreamedModel, kept: Spill, batch: int, inputs: Mapping[str, Any], encoded: Any) -> None:
    """Raise InputError where an encoder without a final norm does something to its last block's states."""
    stack = model.blocks.stacks[0]
    length = int(kept.read(_form(stack), batch, "cpu")["length"])
    for block in stack.blocks:
        block.forward = lambda *_, **__: (encoded, *[None] * (length - 1)) if length else encoded
    try:
        found = stack.owner(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])[0]
    finally:
        for block in stack.blocks:
            del block.forward
    if not _equal(found, encoded):
        raise _cannot(model)


def _equal(found: Any, expected: Any) -> bool:
    """Tell whether two tensors hold the same numbers; NaN, as there may be where a text is filled up, equals itself."""
    import torch

    return isinstance(found, torch.Tensor) and torch.equal(torch.nan_to_num(found), torch.nan_to_num(expected))


def _layers(blocks: Blocks) -> list[_Layer]:
    """Return the layers in order, each with the one whose states it is given."""
    found = []
    for stack in blocks.stacks:
        numbers: list[int | None] = [*range(-1, len(stack.blocks)), *([] if stack.norm is None else [None])]
        before = [None, *stack.layers[:-1]]
        found += [_Layer(*entry) for entry in zip(stack.layers, [stack] * len(numbers), numbers, before, strict=True)]
    return found


def _form(stack: Stack) -> str:
    """Name of what the first block returns besides the states."""
    return f"{stack.prefix}form"


def _last_of_encoder(blocks: Blocks) -> str | None:
    return blocks.stacks[0].layers[-1] if blocks.is_encoder_decoder else None


def _cannot(model: StreamedModel) -> InputError:
    return InputError(
        f"{type(model.blocks.base).__name__} cannot be streamed: besides the states that one block hands to the next, "
        "its blocks depend on something else; it needs a machine that holds it (placement=resident or sharded)."
    )


def _names(model: Any, blocks: Blocks) -> dict[str, list[str]]:
    names = {id(module): name for name, module in model.named_modules()}
    return {stack.prefix: [names[id(block)] for block in stack.blocks] for stack in blocks.stacks}


def _keep_wide(model: Any, index: Mapping[str, dict[str, Any]], dtype: DataType) -> None:
    """State float32 in the index for weights that transformers keeps so in a model of half precision."""
    strict = getattr(model, "_keep_in_fp32_modules_strict", None) or ()
    plain = getattr(model, "_keep_in_fp32_modules", None) or ()
    patterns = {"float16": {*plain, *strict}, "bfloat16": {*strict}}.get(dtype, set())
    for name, entry in index.items():
        if any(re.search(pattern.replace("*", ".*"), name) for pattern in patterns):
            entry["dtype"] = "float32"


def _device_map(model: Any, blocks: set[str], device: str) -> dict[str, str]:
    """Return "disk" for each block and the device for all else, by the names of the largest modules without blocks."""
    found: dict[str, str] = {}

    def visit(module: Any, path: str) -> None:
        for name, _ in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]:
            found[f"{path}{name}"] = device
        for name, child in module.named_children():
            here = f"{path}{name}"
            if here in blocks:
                found[here] = "disk"
            elif any(block.startswith(f"{here}.") for block in blocks):
                visit(child, f"{here}.")
            else:
                found[here] = device

    visit(model, "")
    return found
