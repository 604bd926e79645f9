"""How many positions a model can see."""

from collections.abc import Mapping
from typing import Any

_NAMES = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len")
_OF_STACKS = ("max_encoder_position_embeddings", "max_decoder_position_embeddings")
_RELATIVE = ("t5", "mt5", "umt5", "longt5", "switch_transformers")  # their n_positions is the length in training


def stated_limit(config: Mapping[str, Any]) -> int | None:
    """Return the positions that a config.json names as the model's limit; None where nothing limits them."""
    if config.get("model_type") in _RELATIVE:
        return None
    limits = [int(config[name]) for name in _NAMES if config.get(name)]
    limits = limits[:1] or [int(config[name]) for name in _OF_STACKS if config.get(name)]
    return min(limits, default=None)


def context_limit(model: Any) -> int | None:
    """Return how many tokens a model can read at once; None where nothing limits them.

    It is what the config states, less the positions that RoBERTa and its relatives never give to a token: they count
    from one after the id of the padding token.
    """
    base = getattr(model, "base_model", model)
    limit = stated_limit(base.config.to_dict())
    if limit is None:
        return None
    tables = [module for name, module in base.named_modules() if name.endswith("position_embeddings")]
    padding = next((table.padding_idx for table in tables if getattr(table, "padding_idx", None) is not None), None)
    return limit if padding is None else limit - padding - 1
