from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from brainalign.activations.parts import check_stimuli, own_tokens, passages
from brainalign.activations.readout import Readout
from brainalign.errors import InputError
from brainalign.models.tokenisation import tokenise


def _texts(stimuli: pd.DataFrame, readout: Readout) -> list[list[tuple[str, int]]]:
    """What the model reads for each part, and how many characters come before the part."""
    return [
        [(passage.text_of(reading), reading.begin) for reading in passage.readings]
        for passage in passages(stimuli, readout)
    ]


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


def test_no_space_before_punctuation(tables: Callable[..., pd.DataFrame]) -> None:
    """As Brain-Score's prepare_context: white space before , . ! ? ; : goes, wherever it stands."""
    readout = Readout(join="punctuation")
    stimuli = tables(["The fox", ", red", "sleeps .", "? !", "so :it"])
    whole = "The fox, red sleeps.?! so:it"
    stops = [7, 12, 20, 22, 28]
    assert _texts(stimuli, readout) == [
        [(whole[:stop], begin) for begin, stop in zip([0, *stops[:-1]], stops, strict=True)]
    ]
    assert _texts(stimuli, Readout("window", 1, join="punctuation")) == [
        [("The fox", 0)], [("fox, red", 3)], [("red sleeps.", 3)], [(".?!", 1)], [("! so:it", 1)]
    ]  # fmt: skip


def test_white_space_that_only_what_follows_removes(tables: Callable[..., pd.DataFrame]) -> None:
    stimuli = tables(["a  ", ". b"])
    assert _texts(stimuli, Readout(join="punctuation")) == [[("a  ", 0), ("a. b", 1)]]


def test_interleaved_groups_keep_their_rows() -> None:
    stimuli = pd.DataFrame(
        {"stimulus_id": list("abc"), "text": ["x", "y", "z"], "context_group": ["first", "second", "first"]}
    )
    found = passages(stimuli, Readout())
    assert [[reading.row for reading in passage.readings] for passage in found] == [[0, 2], [1]]
    assert found[0].text == "x z"


@pytest.mark.parametrize("texts", [["The red", "fox", "sleeps."], ["e\u0301", "🙂", "日本"], ["a", "  ", "b"]])
def test_every_token_belongs_to_one_part(byte_tokenizer: Any, texts: list[str]) -> None:
    whole = " ".join(texts)
    (tokens,) = tokenise(byte_tokenizer, [whole])
    stops = [len(" ".join(texts[: count + 1])) for count in range(len(texts))]
    owned = [own_tokens(tokens, begin, stop) for begin, stop in zip([0, *stops[:-1]], stops, strict=True)]
    assert [first for first, _ in owned] == [0, *(last for _, last in owned[:-1])]
    assert owned[-1][1] == tokens.count
    assert tokens.before == (byte_tokenizer.bos_token_id,)


def test_a_spanning_token_belongs_to_the_part_of_its_last_character(spanning_tokenizer: Any) -> None:
    (tokens,) = tokenise(spanning_tokenizer, ["c d"])
    assert tokens.ends.tolist() == [3]
    assert own_tokens(tokens, 0, 1) == (0, 0)
    assert own_tokens(tokens, 1, 3) == (0, 1)
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
