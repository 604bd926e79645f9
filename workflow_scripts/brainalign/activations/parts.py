"""Texts of a context group: how they are joined, and which token belongs to which part.

The parts of a group are joined by single spaces. A token belongs to the part that holds its last character; the
space between two parts counts to the later one, as most tokenizers write it at the front of a word. Tokens of the
prompt and those that the tokenizer adds (<s>, </s>) belong to no part, unless the readout says so.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from brainalign.activations.readout import Readout
from brainalign.errors import InputError
from brainalign.models.tokenisation import Tokens

_WORD = re.compile(r"\S+")
_SPACE_BEFORE_PUNCTUATION = re.compile(r"\s+(?=[,.!?;:])")


@dataclass(frozen=True)
class Reading:
    """What the model is to read for one part: the first characters of its passage's text.

    row : the part's row in the stimuli.
    begin, stop : characters before the part, the space in front of it not counted, and up to its end.
    own : a text of its own to take them from, where the passage's text does not begin with what precedes the part.
    """

    row: int
    begin: int
    stop: int
    own: str | None = None


@dataclass(frozen=True)
class Passage:
    """A text that grows part by part.

    start : characters of its context group in front of it, of a window of words; 0 where it begins with its group.
    """

    text: str
    readings: tuple[Reading, ...]
    start: int = 0

    def text_of(self, reading: Reading) -> str:
        """Return all that the model reads for a part: context and part."""
        return (self.text if reading.own is None else reading.own)[: reading.stop]


def check_stimuli(stimuli: pd.DataFrame) -> None:
    """Raise InputError, naming the stimulus, where a text is empty, not text or not valid Unicode."""
    for stimulus, text in zip(stimuli["stimulus_id"], stimuli["text"], strict=True):
        if not isinstance(text, str) or not text.strip():
            raise InputError(f"stimulus {stimulus!r} has no text, only {text!r}.")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise InputError(f"stimulus {stimulus!r} has a character that is not valid Unicode: {error}.") from error
    repeated = stimuli["stimulus_id"][stimuli["stimulus_id"].duplicated()]
    if len(repeated):
        raise InputError(f"the stimulus_id {repeated.iloc[0]!r} stands in more than one row.")


def passages(stimuli: pd.DataFrame, readout: Readout) -> list[Passage]:
    """Return the passages that the model reads, their parts in presentation order.

    With the whole group as context, or a window of tokens in it, a passage is a context group. Without context, or
    with a window of words, no text extends another, and every part is a passage of its own.
    """
    texts = stimuli["text"].tolist()
    punctuation = readout.join == "punctuation"
    if readout.context == "none":
        return [_joined([row], [text], punctuation) for row, text in enumerate(texts)]
    groups: dict[Any, list[int]] = {}
    for row, group in enumerate(stimuli["context_group"]):
        groups.setdefault(group, []).append(row)
    if readout.context == "window" and readout.unit == "words":
        assert readout.window is not None
        return [found for rows in groups.values() for found in _windows(rows, texts, readout.window, punctuation)]
    return [_joined(rows, [texts[row] for row in rows], punctuation) for rows in groups.values()]


def _windows(rows: Sequence[int], texts: Sequence[str], words: int, punctuation: bool) -> list[Passage]:
    """Return a passage for each part: the last words of the earlier parts, and the part."""
    found = []
    recent: list[str] = []  # the last earlier parts, that together have enough words
    earlier = 0  # characters of all earlier parts, joined by spaces
    for row in rows:
        seen = _last_words(" ".join(recent), words)
        pieces = [seen, texts[row]] if seen else [texts[row]]
        passage = _joined([row] * len(pieces), pieces, punctuation)
        found.append(Passage(passage.text, passage.readings[-1:], earlier - len(seen)))
        earlier += len(texts[row]) + (earlier > 0)
        recent.append(texts[row])
        while sum(len(text.split()) for text in recent[1:]) >= words:
            del recent[0]
    return found


def _last_words(text: str, count: int) -> str:
    """Return the text from its count-th last word on."""
    starts = [match.start() for match in _WORD.finditer(text)]
    return text[starts[-count] :] if len(starts) >= count else text


def _joined(rows: Sequence[int], texts: Sequence[str], punctuation: bool) -> Passage:
    """Join texts by spaces, and remove white space before punctuation if asked for."""
    if len(texts) == 1 and not punctuation:
        return Passage(texts[0], (Reading(rows[0], 0, len(texts[0])),))
    raw = " ".join(texts)
    stops = np.cumsum([len(text) + 1 for text in texts]) - 1  # in the raw text
    begins = [0, *stops[:-1].tolist()]
    if not punctuation:
        pieces = zip(rows, begins, stops.tolist(), strict=True)
        return Passage(raw, tuple(Reading(row, begin, stop) for row, begin, stop in pieces))
    kept = np.ones(len(raw), dtype=bool)
    for match in _SPACE_BEFORE_PUNCTUATION.finditer(raw):
        kept[match.start() : match.end()] = False
    before = np.concatenate([[0], np.cumsum(kept)]).tolist()  # characters kept before each place
    readings = []
    for row, begin, stop in zip(rows, begins, stops.tolist(), strict=True):
        # White space at a part's end goes only where punctuation follows it, which the part itself has not seen.
        unseen = not kept[stop - 1]
        own = _SPACE_BEFORE_PUNCTUATION.sub("", raw[:stop]) if unseen else None
        readings.append(Reading(row, min(before[begin], before[stop]), len(own) if own else before[stop], own))
    return Passage(_SPACE_BEFORE_PUNCTUATION.sub("", raw), tuple(readings))


def own_tokens(tokens: Tokens, begin: int, stop: int) -> tuple[int, int]:
    """Return the first of a part's tokens and the one after its last, among the text's own.

    Parameters
    ----------
    tokens : of the text up to the part's end or further.
    begin, stop : characters before the part, and up to its end.
    """
    first, last = (_tokens_up_to(tokens, place) for place in (begin, stop))
    return first, last


def _tokens_up_to(tokens: Tokens, characters: int) -> int:
    """Return how many tokens end within the first characters of the text."""
    found = int(np.searchsorted(tokens.head_ends, characters, side="right"))
    if found < len(tokens.head_ends):
        return found
    return found + int(np.searchsorted(tokens.tail_ends, characters, side="right"))
