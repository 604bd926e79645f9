"""Tiny models of families that differ in how they are stored, with the sizes that are known of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import transformers

from models.tiny import write_tiny

_BERT = {
    "vocab_size": 24,
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}
_GPT2 = {"vocab_size": 24, "n_embd": 8, "n_layer": 2, "n_head": 2}
_T5 = {"vocab_size": 24, "d_model": 8, "d_kv": 4, "d_ff": 16, "num_layers": 2, "num_heads": 2}

_BART = {
    "vocab_size": 24,
    "d_model": 8,
    "encoder_layers": 1,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 16,
    "decoder_ffn_dim": 16,
    "max_position_embeddings": 32,
}
_DISTILBERT = {
    "vocab_size": 24,
    "dim": 8,
    "n_layers": 2,
    "n_heads": 2,
    "hidden_dim": 16,
    "max_position_embeddings": 32,
}


@dataclass(frozen=True)
class Family:
    """How a tiny model is made, the positions that it can see, and its blocks."""

    make: Callable[[], Any]
    limit: int | None
    depth: int = 2


def _made(model: str, config: str, settings: Mapping[str, Any]) -> Callable[[], Any]:
    return lambda: getattr(transformers, model)(getattr(transformers, config)(**settings))


FAMILIES: dict[str, Family] = {
    "gpt2": Family(
        _made("GPT2LMHeadModel", "GPT2Config", {**_GPT2, "n_positions": 32}),
        32,
    ),
    "bert": Family(_made("BertForMaskedLM", "BertConfig", {**_BERT, "max_position_embeddings": 32}), 32),
    "roberta": Family(
        _made("RobertaForMaskedLM", "RobertaConfig", {**_BERT, "max_position_embeddings": 34, "pad_token_id": 1}), 32
    ),
    "t5": Family(_made("T5ForConditionalGeneration", "T5Config", {**_T5, "n_positions": 512}), None, 4),
    "t5 with a smaller decoder": Family(
        _made("T5ForConditionalGeneration", "T5Config", {**_T5, "num_decoder_layers": 1}), None, 3
    ),
    "bart": Family(_made("BartForConditionalGeneration", "BartConfig", _BART), 32, 3),
    "distilbert": Family(_made("DistilBertForMaskedLM", "DistilBertConfig", _DISTILBERT), 32),
    "t5 with a head of its own": Family(
        _made("T5ForConditionalGeneration", "T5Config", {**_T5, "tie_word_embeddings": False}), None, 4
    ),
    "mamba": Family(
        _made(
            "MambaForCausalLM",
            "MambaConfig",
            {"vocab_size": 24, "hidden_size": 8, "num_hidden_layers": 2, "state_size": 4},
        ),
        None,
    ),
}


def write_family(folder: Path, family: str) -> Path:
    """Write a tiny model of a family, with random weights and a tokenizer."""
    return write_tiny(folder, FAMILIES[family].make)
