from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from activations.families import CONFIGS, FURTHER, VOCABULARY

TEXT = ["The red fox sleeps near the old mill.", "It was tired; the day had been long.", "Élan, naïve café: 12 €!"] * 4


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
            made[family] = AutoModel.from_config({**CONFIGS, **FURTHER}[family](), dtype=torch.float32).eval()
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
