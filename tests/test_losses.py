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


def _reference(model: Any, ids: list[int], window: int, stride: int | None = None) -> list[float]:
    """Score token by token: each with the window that begins at the latest multiple of the stride it needs."""
    scores = []
    for position in range(1, len(ids)):
        start = 0
        while position >= start + window:
            start += stride or window // 2
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


@pytest.mark.parametrize("stride", [1, 3, 7])
def test_any_stride_against_one_token_at_a_time(model: Any, tokenizer: Any, stride: int) -> None:
    found = next_word_loss(model, tokenizer, DOCUMENTS, 8, stride=stride)
    expected = [score for text in DOCUMENTS for score in _reference(model, tokenizer(text).input_ids, 8, stride)]
    assert found["tokens"] == len(expected)
    assert found["nats"] == pytest.approx(sum(expected), rel=1e-6)
    assert (found["objective"], found["window"], found["stride"]) == ("next word", 8, stride)


def test_a_window_that_holds_the_document_sees_all_of_it(model: Any, tokenizer: Any) -> None:
    """The whole context, one token at a time, in float64."""
    text = "fox the owl sees " * 10
    ids = tokenizer(text).input_ids
    expected = 0.0
    for position in range(1, len(ids)):
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([ids[:position]])).logits[0, -1].double()
        expected -= float(torch.log_softmax(logits, -1)[ids[position]])
    assert next_word_loss(model, tokenizer, [text], 64)["nats"] == pytest.approx(expected, rel=1e-6)


def test_documents_do_not_see_each_other(model: Any, tokenizer: Any) -> None:
    alone = [next_word_loss(model, tokenizer, [text], 8)["nats"] for text in DOCUMENTS]
    assert next_word_loss(model, tokenizer, DOCUMENTS, 8)["nats"] == pytest.approx(sum(alone), rel=1e-6)
    joined = next_word_loss(model, tokenizer, [" ".join(DOCUMENTS)], 64)["nats"]
    assert joined != pytest.approx(sum(alone), rel=1e-4)


@pytest.mark.parametrize("stride", [0, 8, 9])
def test_windows_overlap(model: Any, tokenizer: Any, stride: int) -> None:
    with pytest.raises(InputError, match=f"the stride must be 1 to 7 tokens, below the window, but is {stride}"):
        next_word_loss(model, tokenizer, DOCUMENTS, 8, stride=stride)


def test_a_masked_language_model_has_no_next_word_loss(tokenizer: Any) -> None:
    from transformers import BertConfig, BertLMHeadModel

    torch.manual_seed(0)
    sizes = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    bert = BertLMHeadModel(BertConfig(vocab_size=len(tokenizer), **sizes)).eval()
    with torch.no_grad():
        for weight in bert.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    with pytest.raises(InputError, match=r"\(BertLMHeadModel\) sees the words that it is to predict"):
        next_word_loss(bert, tokenizer, DOCUMENTS, 8)


def test_half_precision_passes_for_a_model_that_sees_no_later_word(model: Any, tokenizer: Any) -> None:
    from copy import deepcopy

    coarse = next_word_loss(deepcopy(model).bfloat16(), tokenizer, DOCUMENTS, 64)
    fine = next_word_loss(model, tokenizer, DOCUMENTS, 64)
    assert coarse["nats_per_token"] == pytest.approx(fine["nats_per_token"], rel=0.02)


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
    texts = ["the fox sees", "fox ? the owl", "owl"]
    found = next_word_loss(model, bare, texts, 64)
    assert (found["tokens"], found["words"], found["begin"]) == (5, 5, "none")
    assert found["bytes"] == len(" fox sees") + len(" ? the owl")
    nats = sum(sum(_reference(model, bare(text, add_special_tokens=False).input_ids, 64)) for text in texts)
    assert found["nats_per_word"] == pytest.approx(nats / 5, rel=1e-5)


def test_without_a_begin_token_the_end_token_stands_before_a_document(model: Any, tokenizer: Any) -> None:
    from transformers import PreTrainedTokenizerFast

    ended = PreTrainedTokenizerFast(tokenizer_object=tokenizer._tokenizer, unk_token="<unk>", eos_token="owl")
    found = next_word_loss(model, ended, ["the fox sees"], 64)
    assert (found["tokens"], found["words"], found["bytes"], found["begin"]) == (3, 3, 12, "end token")
    expected = _reference(model, [ended.eos_token_id, *ended("the fox sees", add_special_tokens=False).input_ids], 64)
    assert found["nats"] == pytest.approx(sum(expected), rel=1e-5)


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
