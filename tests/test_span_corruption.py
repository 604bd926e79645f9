"""The loss of spans cut out of a text, against one token at a time and against T5's own recipe."""

from typing import Any

import numpy as np
import pytest
import torch
from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

from brainalign.errors import InputError
from brainalign.models.architectures import make_tokenizer
from brainalign.span_corruption import corrupt, noise_mask, span_corruption_loss

WORDS = "the fox sees an owl and a hare in naïve woods by night".split()
DOCUMENTS = [" ".join(np.random.default_rng(seed).choice(WORDS, size=size)) for seed, size in enumerate((70, 31, 2, 1))]
SENTINELS = 20


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    bare = make_tokenizer([" ".join(WORDS)])._tokenizer
    names = [f"<extra_id_{number}>" for number in range(SENTINELS)]
    made = PreTrainedTokenizerFast(tokenizer_object=bare, unk_token="<unk>", eos_token="</s>", pad_token="<pad>")
    made.add_special_tokens({"additional_special_tokens": names})
    return made


@pytest.fixture(scope="module")
def model(tokenizer: Any) -> Any:
    torch.manual_seed(0)
    sizes = {"d_model": 8, "d_kv": 4, "d_ff": 16, "num_layers": 2, "num_heads": 2}
    config = T5Config(vocab_size=len(tokenizer), **sizes, decoder_start_token_id=0, pad_token_id=0)
    made = T5ForConditionalGeneration(config).eval()
    with torch.no_grad():
        for weight in made.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    return made


def _slowly_cut(ids: list[int], mask: np.ndarray, sentinels: list[int], end: int) -> tuple[list[int], list[int]]:
    """Token by token, as the paper's figure 2 shows it."""
    inputs: list[int] = []
    targets: list[int] = []
    span = -1
    for position, (token, cut) in enumerate(zip(ids, mask, strict=True)):
        if not cut:
            inputs.append(token)
            continue
        if position == 0 or not mask[position - 1]:
            span += 1
            inputs.append(sentinels[span])
            targets.append(sentinels[span])
        targets.append(token)
    return [*inputs, end], [*targets, end]


def _one_token_at_a_time(model: Any, inputs: list[int], targets: list[int]) -> float:
    nats, before = 0.0, [model.config.decoder_start_token_id]
    for token in targets:
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([inputs]), decoder_input_ids=torch.tensor([before])).logits[0, -1]
        nats -= float(torch.log_softmax(logits.double(), -1)[token])
        before.append(token)
    return nats


@pytest.mark.parametrize("window", [8, 30, 568])
@pytest.mark.parametrize("budget", [1, 4096])
def test_against_one_token_at_a_time(model: Any, tokenizer: Any, window: int, budget: int) -> None:
    found = span_corruption_loss(model, tokenizer, DOCUMENTS, window, seed=3, budget=budget)
    random = np.random.default_rng(3)
    sentinels = tokenizer.convert_tokens_to_ids([f"<extra_id_{number}>" for number in range(SENTINELS)])
    nats, tokens, words = 0.0, 0, 0
    for text in DOCUMENTS:
        ids = tokenizer(text, add_special_tokens=False).input_ids
        for start in range(0, len(ids), window):
            part = ids[start : start + window]
            if len(part) < 2:
                continue
            mask = noise_mask(len(part), random)
            inputs, targets = _slowly_cut(part, mask, sentinels, tokenizer.eos_token_id)
            nats += _one_token_at_a_time(model, inputs, targets)
            tokens += len(targets)
            words += int(mask.sum())  # one word is one token here
    assert found["nats"] == pytest.approx(nats, rel=1e-5)
    assert (found["tokens"], found["words"]) == (tokens, words)
    assert found["span_nats_per_byte"] == pytest.approx(found["nats"] / found["bytes"])
    assert not any(name.startswith("nats_per_") for name in found)
    assert (found["objective"], found["seed"]) == ("span corruption", 3)


def test_bytes_are_those_of_what_was_cut_out(model: Any, tokenizer: Any) -> None:
    """Of two words the last is cut out, with the space between the two."""
    found = span_corruption_loss(model, tokenizer, ["owl naïve"], 8, seed=0)
    assert (found["words"], found["spans"]) == (1, 1)
    assert found["bytes"] == len(" naïve".encode())


@pytest.mark.parametrize("length", [2, 3, 7, 20, 100, 568])
def test_as_much_is_cut_out_as_t5_cuts(length: int) -> None:
    mask = noise_mask(length, np.random.default_rng(length))
    noise = min(max(round(0.15 * length), 1), length - 1)
    spans = int((mask & ~np.concatenate([[False], mask[:-1]])).sum())
    assert len(mask) == length
    assert mask.sum() == noise
    assert spans == max(round(noise / 3), 1)
    assert not mask[0]
    assert mask[-1]


def test_568_tokens_leave_512_to_the_encoder_and_114_to_the_decoder() -> None:
    """The lengths of T5's own training."""
    mask = noise_mask(568, np.random.default_rng(0))
    inputs, targets = corrupt(np.arange(1000, 1568), mask, np.arange(100), end=1)
    assert (len(inputs), len(targets)) == (512, 114)


def test_every_way_to_cut_is_equally_likely() -> None:
    random = np.random.default_rng(0)
    counts: dict[int, int] = {}
    for _ in range(6000):
        mask = noise_mask(40, random)  # 6 tokens in 2 spans: 5 ways, times 33 ways to place the first
        first = int(np.flatnonzero(~mask[1:] & mask[:-1])[0]) - int(np.flatnonzero(mask)[0]) + 1
        counts[first] = counts.get(first, 0) + 1
    assert sorted(counts) == [1, 2, 3, 4, 5]
    assert np.allclose(np.array(list(counts.values())) / 6000, 0.2, atol=0.025)


def test_the_seed_fixes_what_is_cut_out(model: Any, tokenizer: Any) -> None:
    first, again, other = (span_corruption_loss(model, tokenizer, DOCUMENTS, 568, seed) for seed in (1, 1, 2))
    assert first == again
    assert first["nats"] != other["nats"]


def test_what_cannot_be_done_is_told(model: Any, tokenizer: Any) -> None:
    bare = PreTrainedTokenizerFast(tokenizer_object=make_tokenizer(["a b"])._tokenizer, eos_token="</s>")
    with pytest.raises(InputError, match="the tokenizer has no sentinels"):
        span_corruption_loss(model, bare, DOCUMENTS, 8, 0)
    with pytest.raises(InputError, match="no text to compute a loss on"):
        span_corruption_loss(model, tokenizer, ["owl", " "], 8, 0)
    with pytest.raises(InputError, match="has 25 spans cut out, but the tokenizer has only 20 sentinels"):
        span_corruption_loss(model, tokenizer, ["owl fox " * 250], 500, 0)
    with pytest.raises(InputError, match="at least 2 tokens"):
        span_corruption_loss(model, tokenizer, DOCUMENTS, 1, 0)
