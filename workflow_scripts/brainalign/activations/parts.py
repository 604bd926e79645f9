"""Texts of a context group: joined, tokenised, and each token given to the part that it belongs to.

The parts of a group are joined by single spaces. A token belongs to the part that holds its last character; the
space between two parts counts to the later one, as most tokenizers write it at the front of a word. Tokens that
the tokenizer adds (<s>, </s>) belong to no part.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from brainalign.activations.readout import Readout
from brainalign.errors import InputError

_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Reading:
    """What the model is to read for one part: some text, and where in it the part begins.

    row : the part's row in the stimuli.
    text : context and part.
    begin : characters before the part, the space in front of it not counted.
    """

    row: int
    text: str
    begin: int


@dataclass(frozen=True)
class Tokens:
    """A tokenised text.

    before, after : ids that the tokenizer adds at the two ends.
    ids : the text's own tokens (token,).
    ends : for each of them the characters of the text up to and with its last one (token,).
    """

    before: tuple[int, ...]
    ids: np.ndarray
    ends: np.ndarray
    after: tuple[int, ...]

    @property
    def added(self) -> int:
        return len(self.before) + len(self.after)


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


def readings(stimuli: pd.DataFrame, readout: Readout) -> list[list[Reading]]:
    """Return the readings of each context group, in presentation order.

    A text with all that came before it extends the text of the part before. Without context, or with a window of
    words, no text extends another, and every part is a list of its own.
    """
    texts = stimuli["text"].tolist()
    if readout.context == "none":
        return [[Reading(row, text, 0)] for row, text in enumerate(texts)]
    groups: dict[Any, list[int]] = {}
    for row, group in enumerate(stimuli["context_group"]):
        groups.setdefault(group, []).append(row)
    found = [_group_readings(rows, texts, readout.words) for rows in groups.values()]
    return found if readout.context == "group" else [[reading] for group in found for reading in group]


def _group_readings(rows: Sequence[int], texts: Sequence[str], words: int | None) -> list[Reading]:
    result = []
    context = ""
    for row in rows:
        seen = context if words is None else _last_words(context, words)
        joined = f"{seen} {texts[row]}" if seen else texts[row]
        result.append(Reading(row, joined, len(seen)))
        context = f"{context} {texts[row]}" if context else texts[row]
    return result


def _last_words(text: str, count: int) -> str:
    """Return the text from its count-th last word on."""
    starts = [match.start() for match in _WORD.finditer(text)]
    return text[starts[-count] :] if len(starts) >= count else text


def tokenise(tokenizer: Any, texts: Sequence[str]) -> list[Tokens]:
    """Tokenise texts as the tokenizer does by default, added tokens included, without truncation."""
    if not texts:
        return []
    encoded = tokenizer(
        list(texts),
        add_special_tokens=True,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
        return_attention_mask=False,
        truncation=False,
        padding=False,
        verbose=False,
    )
    columns = zip(encoded.input_ids, encoded.special_tokens_mask, encoded.offset_mapping, strict=True)
    return [_tokens(*column) for column in columns]


def _tokens(ids: Sequence[int], added: Sequence[int], offsets: Sequence[tuple[int, int]]) -> Tokens:
    own = [position for position, mark in enumerate(added) if not mark]
    start, stop = (own[0], own[-1] + 1) if own else (len(ids), len(ids))
    # A token without characters, such as a lone word-start mark, counts to the character that follows it.
    ends = [max(last, first + 1) for first, last in offsets[start:stop]]
    return Tokens(
        tuple(ids[:start]), np.asarray(ids[start:stop], np.int64), np.asarray(ends, np.int64), tuple(ids[stop:])
    )


def own_tokens(tokens: Tokens, begin: int, end: int) -> np.ndarray:
    """Return the positions, among the text's own tokens, of those of the part that covers characters begin to end."""
    return np.flatnonzero((tokens.ends > begin) & (tokens.ends <= end))
