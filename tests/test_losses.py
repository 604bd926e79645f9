from typing import Any

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from brainalign.errors import InputError
from brainalign.losses import cut_windows, next_word_loss
from brainalign.models.architectures import make_tokenizer

DOCUMENTS = ["the fox sees the owl .", "the owl sleeps", "fox " * 30, "é ?"]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return make_tokenizer(["the fox sees the owl . sleeps é"])


@pytest.fixture(scope="module")
def model(tokenizer: Any) -> Any:
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=len(tokenizer), n_embd=8, n_layer=2, n_head=2, n_positions=64)
    made = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return made


def _reference(model: Any, ids: list[int], window: int) -> list[float]:
    """Score token by token: each with the window that begins at the latest multiple of the stride it needs."""
    scores = []
    for position in range(1, len(ids)):
        start = 0
        while position >= start + window:
            start += window // 2
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([ids[start:position]])).logits[0, -1].double()
        scores.append(-float(torch.log_softmax(logits, -1)[ids[position]]))
    return scores


@pytest.mark.parametrize("window", [2, 5, 8, 64])
@pytest.mark.parametrize("budget", [1, 4096])
def test_against_one_token_at_a_time(model: Any, tokenizer: Any, window: int, budget: int) -> None:
    found = next_word_loss(model, tokenizer, DOCUMENTS, window, budget)
    expected = [score for text in DOCUMENTS for score in _reference(model, tokenizer(text).input_ids, window)]
    assert found["tokens"] == len(expected)
    assert found["nats_per_token"] == pytest.approx(np.mean(expected), rel=1e-5)


def test_counts(model: Any, tokenizer: Any) -> None:
    found = next_word_loss(model, tokenizer, [*DOCUMENTS, " "], 64)
    assert (found["documents"], found["tokens"], found["words"]) == (4, 41, 41)
    assert found["bytes"] == sum(len(text.encode()) for text in DOCUMENTS)
    assert found["unknown_tokens"] == 1
    assert found["nats_per_word"] * found["words"] == pytest.approx(found["nats"])
    assert found["nats_per_byte"] * found["bytes"] == pytest.approx(found["nats"])


def test_without_a_begin_token_the_first_is_not_scored(model: Any, tokenizer: Any) -> None:
    from transformers import PreTrainedTokenizerFast

    bare = PreTrainedTokenizerFast(tokenizer_object=tokenizer._tokenizer, unk_token="<unk>")
    assert next_word_loss(model, bare, ["the fox sees"], 64)["tokens"] == 2


@pytest.mark.parametrize("length", [1, 2, 3, 7, 8, 9, 50])
@pytest.mark.parametrize("window", [2, 3, 8])
def test_each_token_is_scored_once_and_windows_fit(length: int, window: int) -> None:
    windows = list(cut_windows(np.arange(1, length + 1), 0, window))
    scored = np.concatenate([part.ids[part.first :] for part in windows])
    np.testing.assert_array_equal(scored, np.arange(1, length + 1))
    assert max(len(part.ids) for part in windows) <= window
    assert min(part.first for part in windows) >= 1
    assert all(part.first >= window // 2 for part in windows[1:])


@pytest.mark.parametrize("window", [1, 65])
def test_the_window_fits_the_model(model: Any, tokenizer: Any, window: int) -> None:
    with pytest.raises(InputError, match=f"the window must be 2 to 64 tokens, but is {window}"):
        next_word_loss(model, tokenizer, DOCUMENTS, window)


def test_nothing_to_score(model: Any, tokenizer: Any) -> None:
    with pytest.raises(InputError, match="no text to compute a loss on"):
        next_word_loss(model, tokenizer, [" "], 8)
