"""The sizes of a model as its config.json states them, under the names that its architecture gives them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brainalign.errors import InputError
from brainalign.models.limits import stated_limit

_WIDTH = ("hidden_size", "n_embd", "d_model", "emb_dim", "dim")
_DEPTH = ("num_hidden_layers", "n_layer", "num_layers", "n_layers", "decoder_layers", "encoder_layers")
_ENCODER = ("encoder_layers", "num_encoder_layers", "num_layers", "num_hidden_layers")
_DECODER = ("decoder_layers", "num_decoder_layers")  # where there is none, as many as the encoder has
# RoBERTa and its relatives count positions from one after the id of the padding token.
_AFTER_PADDING = (
    "camembert",
    "data2vec-text",
    "ibert",
    "longformer",
    "luke",
    "mpnet",
    "roberta",
    "roberta-prelayernorm",
    "xlm-roberta",
    "xlm-roberta-xl",
    "xmod",
)


def width(config: Mapping[str, Any], folder: Path) -> int:
    """Return the units of the hidden state. Raises InputError where the config of the folder does not state them."""
    return _size(config, _WIDTH, folder)


def depth(config: Mapping[str, Any], folder: Path) -> int:
    """Return the blocks, of an encoder with a decoder those of both together. Raises InputError like `width`."""
    if not config.get("is_encoder_decoder", {"encoder_layers", "decoder_layers"} <= config.keys()):
        return _size(config, _DEPTH, folder)
    encoder = _size(config, _ENCODER, folder)
    has_own = any(config.get(name) is not None for name in _DECODER)
    return encoder + (_size(config, _DECODER, folder) if has_own else encoder)


def vocabulary(config: Mapping[str, Any], folder: Path) -> int:
    """Return the tokens. Raises InputError like `width`."""
    return _size(config, ("vocab_size",), folder)


def limit(config: Mapping[str, Any], folder: Path) -> int | None:
    """Return the positions that a token can have, which are fewer than the stated ones in RoBERTa's family.

    None where nothing limits them. Raises InputError where the config states something else than a number.
    """
    try:
        stated = stated_limit(config)
        if stated is None or config.get("model_type") not in _AFTER_PADDING:
            return stated
        return stated - int(config.get("pad_token_id", 1)) - 1
    except (TypeError, ValueError) as error:
        raise InputError(
            f"the config.json of {folder} states the positions or the padding token as something else than a number "
            f"({error})."
        ) from error


def _size(config: Mapping[str, Any], names: tuple[str, ...], folder: Path) -> int:
    for name in names:
        value = config.get(name)
        if value is None:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise InputError(
                f"the config.json of {folder} states {name} as {value!r}; a whole number from 1 on is needed."
            )
        return value
    raise InputError(f"the config.json of {folder} states none of {', '.join(names)}.")
