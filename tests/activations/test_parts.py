from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from brainalign.activations.parts import check_stimuli, own_tokens, readings, tokenise
from brainalign.activations.readout import Readout
from brainalign.errors import InputError


def _texts(stimuli: pd.DataFrame, readout: Readout) -> list[list[tuple[str, int]]]:
    return [[(reading.text, reading.begin) for reading in group] for group in readings(stimuli, readout)]


def test_context_of_the_group(tables: Callable[..., pd.DataFrame]) -> None:
    stimuli = tables(["a b", "c"], ["d"])
    assert _texts(stimuli, Readout("group")) == [[("a b", 0), ("a b c", 3)], [("d", 0)]]
    assert _texts(stimuli, Readout("none")) == [[("a b", 0)], [("c", 0)], [("d", 0)]]


def test_a_window_of_words(tables: Callable[..., pd.DataFrame]) -> None:
    stimuli = tables(["one two three", "four", "five six", "seven"])
    found = _texts(stimuli, Readout("window", 2))
    assert found == [
        [("one two three", 0)],
        [("two three four", 9)],
        [("three four five six", 10)],
        [("five six seven", 8)],
    ]


def test_interleaved_groups_keep_their_rows() -> None:
    stimuli = pd.DataFrame(
        {"stimulus_id": list("abc"), "text": ["x", "y", "z"], "context_group": ["first", "second", "first"]}
    )
    rows = [[reading.row for reading in group] for group in readings(stimuli, Readout())]
    assert rows == [[0, 2], [1]]
    assert readings(stimuli, Readout())[0][1].text == "x z"


@pytest.mark.parametrize("texts", [["The red", "fox", "sleeps."], ["e\u0301", "🙂", "日本"], ["a", "  ", "b"]])
def test_every_token_belongs_to_one_part(byte_tokenizer: Any, texts: list[str]) -> None:
    whole = " ".join(texts)
    (tokens,) = tokenise(byte_tokenizer, [whole])
    ends = np.cumsum([len(text) + 1 for text in texts]) - 1
    begins = [0, *ends[:-1]]
    owned = [own_tokens(tokens, begin, end) for begin, end in zip(begins, ends, strict=True)]
    np.testing.assert_array_equal(np.concatenate(owned), np.arange(len(tokens.ids)))
    assert tokens.before == (byte_tokenizer.bos_token_id,)


def test_a_spanning_token_belongs_to_the_part_of_its_last_character(spanning_tokenizer: Any) -> None:
    (tokens,) = tokenise(spanning_tokenizer, ["c d"])
    assert tokens.ends.tolist() == [3]
    assert len(own_tokens(tokens, 0, 1)) == 0
    assert own_tokens(tokens, 1, 3).tolist() == [0]
    assert (tokens.before, tokens.after) == ((0,), (1,))


@pytest.mark.parametrize("text", ["", "  ", "\n", None, 3.0])
def test_no_text(tables: Callable[..., pd.DataFrame], text: Any) -> None:
    with pytest.raises(InputError, match="stimulus '0-1' has no text"):
        check_stimuli(tables(["fine", text]))


def test_invalid_unicode(tables: Callable[..., pd.DataFrame]) -> None:
    stimuli = tables(["fine", "x"])
    stimuli["text"] = stimuli["text"].astype(object)
    stimuli.loc[1, "text"] = "half \ud83d"
    with pytest.raises(InputError, match="stimulus '0-1' has a character that is not valid Unicode"):
        check_stimuli(stimuli)


def test_repeated_ids(tables: Callable[..., pd.DataFrame]) -> None:
    stimuli = pd.concat([tables(["a"]), tables(["b"])])
    with pytest.raises(InputError, match="'0-0' stands in more than one row"):
        check_stimuli(stimuli)
