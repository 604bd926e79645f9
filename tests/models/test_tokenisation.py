from typing import Any

import numpy as np
import pytest

from activations.kinds_of_tokenizer import tokenizer_of
from brainalign.models import tokenisation
from brainalign.models.tokenisation import NONE, Prompt, Tokens, tokenise


def _written(tokenizer: Any, tokens: Tokens) -> list[str]:
    return tokenizer.convert_ids_to_tokens(tokens.ids.tolist())


def _tokens(head: np.ndarray, tail: list[int], before: tuple[int, ...] = ()) -> Tokens:
    ends = np.arange(1, len(head) + 1)
    behind = np.array(tail, dtype=np.int64)
    return Tokens(before, (), head, ends, behind, len(head) + 1 + np.arange(len(tail)))


def test_own_tokens_and_those_around_them() -> None:
    tokenizer = tokenizer_of("bert")
    (tokens,) = tokenise(tokenizer, ["the red fox"])
    assert _written(tokenizer, tokens) == ["the", "red", "fox"]
    assert tokens.ends.tolist() == [3, 7, 11]
    assert (tokens.before, tokens.after) == ((tokenizer.bos_token_id,), (tokenizer.eos_token_id,))
    assert (tokens.count, tokens.added) == (3, 2)
    assert tokens.ids.dtype == tokens.ends.dtype == np.int64


@pytest.mark.parametrize("kind", ["gpt2", "llama first", "t5", "bert", "spanning"])
def test_ids_are_those_of_the_tokenizer(kind: str) -> None:
    tokenizer = tokenizer_of(kind)
    texts = ["the red fox", "", "e\u0301 🙂  日本", " a "]
    for text, tokens in zip(texts, tokenise(tokenizer, texts), strict=True):
        assert [*tokens.before, *tokens.ids.tolist(), *tokens.after] == tokenizer(text).input_ids
        assert (np.diff(tokens.ends) >= 0).all()


def test_a_token_without_characters_counts_to_the_one_that_follows() -> None:
    tokenizer = tokenizer_of("llama first")
    (tokens,) = tokenise(tokenizer, ["🙃"])
    assert _written(tokenizer, tokens)[0] == "▁"
    assert tokens.ends.tolist()[0] == 1


def test_the_bytes_of_a_character_share_its_end() -> None:
    (tokens,) = tokenise(tokenizer_of("llama never"), ["🙃"])
    assert tokens.ends.tolist() == [1, 1, 1, 1]


def test_ends_ascend_where_the_tokenizers_go_back() -> None:
    tokenizer = tokenizer_of("roberta")
    text = "it's <x> é \r\n <s>\n "
    encoded = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False)
    raw = [max(last, first + 1) for first, last in encoded.offset_mapping]
    (tokens,) = tokenise(tokenizer, [text])
    assert raw != sorted(raw)
    assert tokens.ends.tolist() == np.maximum.accumulate(raw).tolist()


def test_a_prompt_is_read_before_the_text_and_not_counted() -> None:
    tokenizer = tokenizer_of("gpt2")
    (tokens,) = tokenise(tokenizer, ["the red"], Prompt("It was: "))
    (whole,) = tokenise(tokenizer, ["It was: the red"])
    assert _written(tokenizer, tokens) == ["Ġthe", "Ġred"]
    assert tokens.ends.tolist() == [3, 7]
    assert [*tokens.before, *tokens.ids.tolist()] == [*whole.before, *whole.ids.tolist()]


def test_a_token_of_prompt_and_text_is_the_texts() -> None:
    tokenizer = tokenizer_of("gpt2")
    (tokens,) = tokenise(tokenizer, ["e red"], Prompt("near th"))
    assert _written(tokenizer, tokens) == ["Ġthe", "Ġred"]
    assert tokens.ends.tolist() == [1, 5]


def test_special_tokens_that_the_prompt_brings() -> None:
    tokenizer = tokenizer_of("bert")
    (tokens,) = tokenise(tokenizer, ["the fox"], Prompt("<s>red", special_tokens=False))
    assert tokens.before[0] == tokenizer.bos_token_id
    assert tokens.after == ()
    (added,) = tokenise(tokenizer, ["the fox"], Prompt("<s>red"))
    assert added.before[:2] == (tokenizer.bos_token_id, tokenizer.bos_token_id)
    assert added.after == (tokenizer.eos_token_id,)


def test_no_text() -> None:
    tokenizer = tokenizer_of("bert")
    assert tokenise(tokenizer, []) == []
    (alone,) = tokenise(tokenizer, [""])
    assert (alone.count, alone.added) == (0, 2)
    (prompted,) = tokenise(tokenizer, [""], Prompt("red fox"))
    assert (prompted.count, len(prompted.before), len(prompted.after)) == (0, 3, 1)


def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = tokenizer_of("gpt2")
    texts = [f"the red fox {number}" for number in range(20)]
    expected = [tokens.ids.tolist() for tokens in tokenise(tokenizer, texts, NONE)]
    sizes = []
    whole = tokenisation._tokenised

    def counted(tokenizer: Any, texts: list[str], prompt: Prompt) -> Any:
        sizes.append(len(texts))
        return whole(tokenizer, texts, prompt)

    monkeypatch.setattr(tokenisation, "_tokenised", counted)
    monkeypatch.setattr(tokenisation, "_BATCH_CHARACTERS", 40)
    assert [tokens.ids.tolist() for tokens in tokenise(tokenizer, texts, NONE)] == expected
    assert len(sizes) > 4
    assert max(sizes) <= 4


def test_begins() -> None:
    array = np.arange(10, dtype=np.int64)
    full = _tokens(array, [])
    assert _tokens(array[:4], []).begins(full)
    assert _tokens(array[:4], [4, 5]).begins(full)
    assert _tokens(array[:4].copy(), []).begins(full)
    assert _tokens(array[:0], []).begins(full)
    assert _tokens(array[:4], [9]).begins(_tokens(array[:4], [9, 5]))
    assert _tokens(array[:4], [4]).begins(_tokens(array[:3], [3, 4, 7]))
    assert not _tokens(array[:4], [9]).begins(full)
    assert not _tokens(array[:4], [9]).begins(_tokens(array[:4], []))
    assert not _tokens(array[:4].copy() + 1, []).begins(full)
    assert not _tokens(array[:4], []).begins(_tokens(array[:3], [7, 8]))
    assert not _tokens(array[:4], [], before=(1,)).begins(full)
    assert not full.begins(_tokens(array[:9], []))


def test_tokens_between_two_places() -> None:
    tokens = _tokens(np.arange(4), [7, 8, 9])
    assert tokens.ids.tolist() == [0, 1, 2, 3, 7, 8, 9]
    assert tokens.ends.tolist() == [1, 2, 3, 4, 5, 6, 7]
    for first in range(8):
        for last in range(first, 8):
            assert tokens.ids_between(first, last).tolist() == tokens.ids.tolist()[first:last]
