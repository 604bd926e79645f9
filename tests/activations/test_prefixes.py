from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activations.kinds_of_tokenizer import DEPENDENT, INDEPENDENT, tokenizer_of
from brainalign.activations import prefixes
from brainalign.activations.prefixes import prefix_tokens
from brainalign.activations.word_independence import anchors, words_are_independent
from brainalign.models.tokenisation import NONE, Prompt, Tokens, tokenise

WORDS = [
    *("The", "red", "fox", "sleeps", "it's", "a", "b", "12", "1234", "caf\u00e9", "e\u0301", "日本", "два", "한국"),
    *("<mask>", "<s>", "sl", "<x>", "one,", "end."),
]
ODD = [
    *("\u0301", "\u200d", "  ", "\t", "\n", "\u00a0", "\x1c", "\u0e33", "\u0d4e", "\ufdfa", "\u1161", "\u00b4"),
    *("▁", "🙂", "½", "'", "''", "...", "ĝ", "x,", "Σ", "İ", "="),
]
PIECES = st.one_of(st.sampled_from(WORDS), st.sampled_from(ODD), st.text(max_size=3))
TEXTS = st.lists(st.tuples(PIECES, st.sampled_from([" ", " ", " ", ""])), max_size=14).map(
    lambda pairs: "".join(piece + joint for piece, joint in pairs).encode("utf-8", "ignore").decode()
)
PROMPTS = [NONE, Prompt("Say it: "), Prompt("Say"), Prompt("<s>The e", special_tokens=False), Prompt(" ", True)]
EXAMPLES = settings(
    derandomize=True, deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(autouse=True)
def _short_texts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefixes, "DIRECT_CHARACTERS", -1)


class Counting:
    """A tokenizer that counts the characters that it is given."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.backend_tokenizer = tokenizer.backend_tokenizer
        self.characters = 0

    def __call__(self, texts: Sequence[str], **settings: Any) -> Any:
        self.characters += sum(map(len, texts))
        return self.tokenizer(texts, **settings)


def assert_same(found: Tokens, expected: Tokens) -> None:
    assert (found.before, found.after) == (expected.before, expected.after)
    assert found.ids.tolist() == expected.ids.tolist()
    assert found.ends.tolist() == expected.ends.tolist()


def assert_exact(tokenizer: Any, text: str, stops: Sequence[int], prompt: Prompt) -> None:
    found = prefix_tokens(tokenizer, text, stops, prompt)
    for tokens, expected in zip(found, tokenise(tokenizer, [text[:stop] for stop in stops], prompt), strict=True):
        assert_same(tokens, expected)


@pytest.mark.parametrize("kind", [*INDEPENDENT, *DEPENDENT])
@EXAMPLES
@given(text=TEXTS, prompt=st.sampled_from(PROMPTS))
def test_every_prefix_has_the_tokens_of_its_own(kind: str, text: str, prompt: Prompt) -> None:
    assert_exact(tokenizer_of(kind), text, range(len(text) + 1), prompt)


@pytest.mark.parametrize("kind", INDEPENDENT)
def test_words_are_independent(kind: str) -> None:
    assert words_are_independent(tokenizer_of(kind))


@pytest.mark.parametrize("kind", DEPENDENT)
def test_words_are_not_independent(kind: str) -> None:
    assert not words_are_independent(tokenizer_of(kind))


def test_chance_and_slow_tokenizers_are_not_independent() -> None:
    by_chance = DEPENDENT["spanning, cut at what is no longer there"]()
    by_chance.backend_tokenizer.normalizer = None
    assert words_are_independent(by_chance)
    by_chance.backend_tokenizer.model.dropout = 0.5
    assert not words_are_independent(by_chance)
    assert not words_are_independent(object())


def test_spans_would_be_lost_if_words_were_taken_for_independent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefixes, "words_are_independent", lambda tokenizer: True)
    with pytest.raises(AssertionError):
        assert_exact(tokenizer_of("spanning"), "the red fox the red fox", range(24), NONE)


def test_anchors() -> None:
    assert list(anchors("ab c, d  e\tf g")) == [(0, 2), (3, 5), (11, 12)]
    assert list(anchors("one\u0301 two 日本 語 ﷺ x ´ y (z) w")) == [(5, 8), (9, 11)]
    assert list(anchors("")) == []


def _story(words: int) -> str:
    random = np.random.default_rng(0)
    return " ".join(random.choice([*WORDS[:10], "mill.", "tired;", "\"isn't", "(long)"], words).tolist())


def _word_ends(text: str) -> list[int]:
    return [place for place, character in enumerate(text) if character == " "] + [len(text)]


@pytest.mark.parametrize("kind", ["gpt2", "gpt4", "llama normaliser", "t5", "bert"])
def test_characters_handed_to_the_tokenizer(kind: str) -> None:
    text = _story(5000)
    counting = Counting(tokenizer_of(kind))
    found = prefix_tokens(counting, text, _word_ends(text))
    assert len(found) == 5000
    assert counting.characters < 6 * len(text)
    for index in (0, 1, 7, 2500, 4998, 4999):
        assert_same(found[index], tokenise(tokenizer_of(kind), [text[: _word_ends(text)[index]]])[0])


def test_a_short_text_is_tokenised_without_a_look_at_the_vocabulary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(prefixes, "words_are_independent", lambda tokenizer: pytest.fail("was asked"))
    assert_exact(tokenizer_of("gpt2"), "the red fox", [3, 7, 11], NONE)


@pytest.mark.parametrize("kind", ["gpt2", "spanning"])
def test_heads_are_views_and_beginnings_are_told(kind: str) -> None:
    text = "the red fox sleeps near the red fox"
    found = prefix_tokens(tokenizer_of(kind), text, range(1, len(text) + 1))
    full = found[-1]
    told = []
    for tokens in found:
        assert not len(tokens.head) or np.shares_memory(tokens.head, full.head)
        told.append(tokens.begins(full))
        assert told[-1] == (tokens.ids.tolist() == full.ids[: tokens.count].tolist())
    assert any(told)
    assert not all(told)


def test_a_tail_does_not_begin_inside_the_prompts_last_word() -> None:
    tokenizer = tokenizer_of("llama 1 with a word added")
    assert words_are_independent(tokenizer)
    assert_exact(tokenizer, "x the red fox", range(14), Prompt("the fo"))


def test_no_stops() -> None:
    assert prefix_tokens(tokenizer_of("gpt2"), "the red fox", []) == []


def test_stops_in_any_order_and_repeated() -> None:
    assert_exact(tokenizer_of("gpt2"), "the red fox sleeps", [18, 3, 11, 11, 0], Prompt("Say: "))
