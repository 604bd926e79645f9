"""Texts as tokens, each of which knows the characters that it stands for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_BATCH_CHARACTERS = 1_000_000  # handed to the tokenizer at once, whose lists take some hundred times as many bytes


@dataclass(frozen=True)
class Prompt:
    """What is read before a text.

    text : the prompt's characters, which the text follows at once.
    special_tokens : whether the tokenizer adds its own around prompt and text; a chat template brings them along.
    """

    text: str = ""
    special_tokens: bool = True


NONE = Prompt()


@dataclass(frozen=True)
class Tokens:
    """A tokenised text, ids and ends int64.

    before, after : ids around the text's own: those that the tokenizer adds at the two ends, and in `before` also
        those of a prompt, which are the tokens whose last character lies in it.
    head, head_ends : the first of the text's own tokens (token,); views of a longer text's where it begins with them.
    tail, tail_ends : the rest (token,).

    An end is the number of characters of the text, the prompt not counted, up to and with a token's last one. Ends
    ascend; one that would be before that of an earlier token is set to it.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    head: np.ndarray
    head_ends: np.ndarray
    tail: np.ndarray
    tail_ends: np.ndarray

    @property
    def ids(self) -> np.ndarray:
        """The text's own tokens (token,)."""
        return np.concatenate([self.head, self.tail]) if len(self.tail) else self.head

    @property
    def ends(self) -> np.ndarray:
        """The end of each of the text's own tokens (token,)."""
        return np.concatenate([self.head_ends, self.tail_ends]) if len(self.tail) else self.head_ends

    @property
    def count(self) -> int:
        """How many tokens are the text's own."""
        return len(self.head) + len(self.tail)

    @property
    def added(self) -> int:
        return len(self.before) + len(self.after)

    def begins(self, longer: "Tokens") -> bool:
        """Tell whether another text begins with the ids before this text's end, `before` included.

        What both view of the same array is not compared, so that texts which share a head cost what is not shared.
        """
        if self.before != longer.before or self.count > longer.count:
            return False
        shared = min(len(self.head), len(longer.head)) if _same_start(self.head, longer.head) else 0
        return np.array_equal(self.ids_between(shared, self.count), longer.ids_between(shared, self.count))

    def ids_between(self, first: int, last: int) -> np.ndarray:
        """Return the text's own tokens from position `first` to the one before `last` (token,)."""
        size = len(self.head)
        if first >= size:
            return self.tail[first - size : last - size]
        return np.concatenate([self.head[first:last], self.tail[: max(last - size, 0)]])


def tokenise(tokenizer: Any, texts: Sequence[str], prompt: Prompt = NONE) -> list[Tokens]:
    """Tokenise texts, each behind the prompt, as the tokenizer does by default, without truncation."""
    return list(tokenise_each(tokenizer, texts, prompt))


def tokenise_each(tokenizer: Any, texts: Iterable[str], prompt: Prompt = NONE) -> Iterator[Tokens]:
    """Yield the tokens of texts as `tokenise` does, with no more than a batch of the texts in memory."""
    batch: list[str] = []
    size = 0
    for text in texts:
        batch.append(prompt.text + text)
        size += len(batch[-1])
        if size >= _BATCH_CHARACTERS:
            yield from _tokenised(tokenizer, batch, prompt)
            batch, size = [], 0
    if batch:
        yield from _tokenised(tokenizer, batch, prompt)


def _tokenised(tokenizer: Any, texts: Sequence[str], prompt: Prompt) -> Iterator[Tokens]:
    encoded = tokenizer(
        list(texts),
        add_special_tokens=prompt.special_tokens,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
        return_attention_mask=False,
        truncation=False,
        padding=False,
        verbose=False,
    )
    columns = zip(encoded.input_ids, encoded.special_tokens_mask, encoded.offset_mapping, strict=True)
    return (_tokens(*column, len(prompt.text)) for column in columns)


def _tokens(ids: Sequence[int], added: Sequence[int], offsets: Sequence[tuple[int, int]], prompt_length: int) -> Tokens:
    own = np.flatnonzero(np.asarray(added) == 0)
    start, stop = (int(own[0]), int(own[-1]) + 1) if len(own) else (len(ids), len(ids))
    first, last = np.asarray(offsets[start:stop], np.int64).reshape(-1, 2).T
    # A token without characters, such as a lone word-start mark, counts to the character that follows it.
    # Where normalising changes the order of characters, or offsets leave out white space, an end may go back.
    ends = np.maximum.accumulate(np.maximum(last, first + 1)) - prompt_length
    skipped = int(np.searchsorted(ends, 0, side="right"))
    start += skipped
    nothing = np.empty(0, np.int64)
    return Tokens(
        tuple(ids[:start]),
        tuple(ids[stop:]),
        np.asarray(ids[start:stop], np.int64),
        ends[skipped:],
        nothing,
        nothing,
    )


def _same_start(first: np.ndarray, second: np.ndarray) -> bool:
    """Tell whether two contiguous arrays begin at the same place in memory."""
    return bool(first.__array_interface__["data"][0] == second.__array_interface__["data"][0])
