from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    FalconConfig,
    GemmaConfig,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MistralConfig,
    OPTConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
)

TEXT = ["The red fox sleeps near the old mill.", "It was tired; the day had been long.", "Élan, naïve café: 12 €!"] * 4
VOCABULARY = 320
_SHARED = {"vocab_size": VOCABULARY, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
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
    "bert": lambda: BertConfig(**_SHARED, intermediate_size=32, max_position_embeddings=128),
}


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def make_model() -> Callable[[str], Any]:
    """Return a function that makes a tiny random model of a family, once."""
    from transformers import AutoModel

    made: dict[str, Any] = {}

    def make(family: str) -> Any:
        if family not in made:
            torch.manual_seed(0)
            made[family] = AutoModel.from_config(CONFIGS[family](), dtype=torch.float32).eval()
            with torch.no_grad():  # transformers' initial weights are so small that blocks hardly change the state
                for weight in made[family].parameters():
                    weight.add_(torch.randn_like(weight) * 0.1)
        return made[family]

    return make


@pytest.fixture(scope="session")
def byte_tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE as in GPT-2, with a begin token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=["<s>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>")


@pytest.fixture(scope="session")
def spanning_tokenizer() -> PreTrainedTokenizerFast:
    """BPE without words: its tokens span spaces, and so the boundaries of parts. It adds a token at both ends."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=["<s>", "</s>", "<unk>"], show_progress=False)
    tokenizer.train_from_iterator(["a b a b a b c d c d", "b a b a c c d d"] * 5, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


@pytest.fixture(scope="session")
def tables() -> Callable[..., pd.DataFrame]:
    """Return a function that makes a stimulus table of groups of texts."""

    def make(*groups: list[str]) -> pd.DataFrame:
        rows = [
            (f"{number}-{place}", text, f"group-{number}")
            for number, group in enumerate(groups)
            for place, text in enumerate(group)
        ]
        return pd.DataFrame(rows, columns=["stimulus_id", "text", "context_group"])

    return make


@pytest.fixture(scope="session")
def stimuli(tables: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """Unicode, emoji, combining marks, repeated sentences, one-character parts, double spaces, groups of many sizes."""
    return tables(
        ["The red fox sleeps.", "It was tired;", "a", ".", "the day had been long."],
        ["Élan, naïve café", "e\u0301 a\u0308o", "🙂🙂 👩‍👩‍👧", "日本語の文", "€"],
        ["The red fox sleeps."] * 3,
        ["  two  spaces ", "tab\tand\nline", "x"],
        ["alone"],
    )
