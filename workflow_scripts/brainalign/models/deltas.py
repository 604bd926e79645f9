"""Models published as the difference to another one: the sum of both is the model."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from brainalign.errors import InputError
from brainalign.models.architecture_files import copy_description
from brainalign.models.manifest import Manifest, model_files, read_config, weight_files
from brainalign.models.safetensors_writing import LARGEST_SHARD, Planned, write_weights
from brainalign.models.stored_tensors import StoredTensor
from brainalign.models.weight_tensors import list_tensors, read_tensor

_SUMMED = ("float16", "bfloat16", "float32", "float64")


def apply_delta(base: Manifest, delta: Manifest, out: Path, largest_shard: int = LARGEST_SHARD) -> None:
    """Add a delta to its base, tensor by tensor, and write the sum with the delta's config and tokenizer.

    With w the base's tensor and d the delta's, the sum is

        round(w + d),  and  round(d) in rows of an input or output embedding that the base does not have,

    where w + d is taken in float32 (float64 if either is) and rounded to w's number format. For two tensors of one
    half-precision format that is the same number as adding them in that format. One tensor of each model is in memory
    at a time (of .bin files from before torch 1.6, one file of each). Constants that old checkpoints keep beside
    their weights, such as causal masks, are left out: the model's class makes them.

    Parameters
    ----------
    base, delta : manifests with absolute folders.
    out : folder for config, weights (safetensors) and tokenizer; files of an earlier model in it are deleted.
    largest_shard : bytes of one weight file.

    Raises
    ------
    InputError : tensors that only one of the two has, that differ in shape other than in further rows of the delta's
        embeddings, or that are no floating-point numbers; weight files that cannot be read.
    """
    ours, theirs = _weights(base), _weights(delta)
    _check(ours, theirs, base, delta)
    plan = {name: Planned(ours[name].dtype, theirs[name].shape) for name in ours}
    out.mkdir(parents=True, exist_ok=True)
    for path in model_files(out, remote_code=True):
        path.unlink()
    write_weights(out, plan, partial(_sum, ours, theirs), largest_shard)
    copy_description(Path(delta.folder), out, delta.remote_code)


def _weights(model: Manifest) -> dict[str, StoredTensor]:
    files = weight_files(Path(model.folder), model.weights)
    return {tensor.name: tensor for tensor in list_tensors(files) if not tensor.is_constant}


def _sum(ours: Mapping[str, StoredTensor], theirs: Mapping[str, StoredTensor], name: str) -> Any:
    import torch

    base, delta = read_tensor(ours[name]), read_tensor(theirs[name])
    exact = torch.promote_types(torch.promote_types(base.dtype, delta.dtype), torch.float32)
    total = delta.to(exact, copy=True)  # (rows, …)
    total[: len(base)] += base.to(exact)
    return total.to(base.dtype)


def _check(
    ours: Mapping[str, StoredTensor], theirs: Mapping[str, StoredTensor], base: Manifest, delta: Manifest
) -> None:
    """Raise InputError where the sum is not defined."""
    misfit = f"the delta in {delta.folder} does not fit its base in {base.folder}"
    for names, whose in ((ours.keys() - theirs.keys(), "the base"), (theirs.keys() - ours.keys(), "the delta")):
        if names:
            raise InputError(f"{misfit}: only {whose} has {min(names)}.")
    vocabularies = [int(read_config(Path(model.folder)).get("vocab_size", 0)) for model in (base, delta)]
    for name, tensor in ours.items():
        other = theirs[name]
        for stored in (tensor, other):
            if stored.dtype not in _SUMMED:
                raise InputError(f"{stored.file} holds {name} as {stored.dtype}, to which nothing can be added.")
        if tensor.shape != other.shape and not _adds_rows(tensor, other, vocabularies):
            raise InputError(f"{misfit}: {name} is {_size(other)} there, but {_size(tensor)} in the base.")


def _adds_rows(base: StoredTensor, delta: StoredTensor, vocabularies: list[int]) -> bool:
    """Tell whether the delta's is the base's embedding of tokens with further tokens.

    A table of positions is no embedding of tokens: its rows are not those of the vocabulary.
    """
    of_tokens = all(
        (tensor.is_input or tensor.is_output) and len(tensor.shape) == 2 and tensor.shape[0] >= vocabulary > 0
        for tensor, vocabulary in zip((base, delta), vocabularies, strict=True)
    )
    return of_tokens and delta.shape[0] > base.shape[0] and delta.shape[1:] == base.shape[1:]


def _size(tensor: StoredTensor) -> str:
    return " × ".join(map(str, tensor.shape)) or "a single number"
