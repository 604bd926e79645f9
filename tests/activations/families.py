"""Tiny models of every family that is read, by the classes of transformers."""

from collections.abc import Callable
from typing import Any

from transformers import (
    BartConfig,
    BertConfig,
    BloomConfig,
    FalconConfig,
    Gemma2Config,
    Gemma3TextConfig,
    GemmaConfig,
    GPT2Config,
    GPTJConfig,
    GPTNeoXConfig,
    LlamaConfig,
    Mamba2Config,
    MambaConfig,
    MistralConfig,
    MixtralConfig,
    MptConfig,
    OlmoConfig,
    OPTConfig,
    PhiConfig,
    Qwen2Config,
    Qwen3Config,
    RobertaConfig,
    T5Config,
)

VOCABULARY = 320
_SHARED = {"vocab_size": VOCABULARY, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
_NO_SPECIAL = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}
_T5 = {
    "vocab_size": VOCABULARY, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_decoder_layers": 3,
    "num_heads": 2, "decoder_start_token_id": 0, "relative_attention_num_buckets": 8,
}  # fmt: skip
CONFIGS: dict[str, Callable[[], Any]] = {
    "gpt2": lambda: GPT2Config(vocab_size=VOCABULARY, n_embd=16, n_layer=3, n_head=2, n_positions=128),
    "llama": lambda: LlamaConfig(**_SHARED, intermediate_size=32, max_position_embeddings=128),
    "gpt-neox": lambda: GPTNeoXConfig(**_SHARED, intermediate_size=32, max_position_embeddings=128),
    "mistral": lambda: MistralConfig(
        **_SHARED, intermediate_size=32, max_position_embeddings=128, num_key_value_heads=1, sliding_window=8
    ),
    "qwen2": lambda: Qwen2Config(**_SHARED, intermediate_size=32, max_position_embeddings=128, num_key_value_heads=1),
    "gemma": lambda: GemmaConfig(
        **_SHARED, intermediate_size=32, max_position_embeddings=128, num_key_value_heads=1, head_dim=8
    ),
    "opt": lambda: OPTConfig(**_SHARED, ffn_dim=32, max_position_embeddings=128, word_embed_proj_dim=16),
    "falcon": lambda: FalconConfig(**_SHARED, alibi=False, max_position_embeddings=128),
    "qwen3": lambda: Qwen3Config(
        **_SHARED, intermediate_size=32, max_position_embeddings=128, num_key_value_heads=1, head_dim=8
    ),
    "olmo": lambda: OlmoConfig(**_SHARED, intermediate_size=32, max_position_embeddings=128, **_NO_SPECIAL),
    "mamba": lambda: MambaConfig(vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=2, state_size=4),
    "bert": lambda: BertConfig(**_SHARED, intermediate_size=32, max_position_embeddings=128),
    "roberta": lambda: RobertaConfig(**_SHARED, intermediate_size=32, max_position_embeddings=130),
    "t5": lambda: T5Config(**_T5, feed_forward_proj="gated-gelu", tie_word_embeddings=False),  # v1.1, Flan-T5
    "bart": lambda: BartConfig(
        vocab_size=VOCABULARY, d_model=16, encoder_layers=2, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, max_position_embeddings=128,
    ),
    "bloom": lambda: BloomConfig(vocab_size=VOCABULARY, hidden_size=16, n_layer=2, n_head=2),
    "gemma2": lambda: Gemma2Config(
        **_SHARED, intermediate_size=32, max_position_embeddings=128, num_key_value_heads=1, head_dim=8,
        sliding_window=8,
    ),
}  # fmt: skip
# Read as the others are, and streamed; here for the arguments and outputs of their blocks.
FURTHER: dict[str, Callable[[], Any]] = {
    "mixtral": lambda: MixtralConfig(**_SHARED, intermediate_size=32, num_local_experts=2, num_key_value_heads=1),
    "gemma3": lambda: Gemma3TextConfig(
        **_SHARED, intermediate_size=32, head_dim=8, num_key_value_heads=1, sliding_window=4,
        layer_types=["sliding_attention", "full_attention"],
    ),
    "phi": lambda: PhiConfig(**_SHARED, intermediate_size=32, **_NO_SPECIAL),
    "gptj": lambda: GPTJConfig(vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=2, rotary_dim=4),
    "mpt": lambda: MptConfig(vocab_size=VOCABULARY, d_model=16, n_layers=2, n_heads=2),
    "falcon-alibi": lambda: FalconConfig(**_SHARED, alibi=True),
    "mamba2": lambda: Mamba2Config(
        vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=2, state_size=4, num_heads=4, head_dim=8, n_groups=1,
        **_NO_SPECIAL,
    ),
}  # fmt: skip
DECODERS = [name for name in CONFIGS if name not in ("bert", "roberta", "t5", "bart")]
