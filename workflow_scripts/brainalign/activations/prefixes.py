"""The tokens of a growing text: those of each of its beginnings, as if it had been tokenised by itself.

Tokenising each beginning takes the square of the text's length. Where the tokenizer's words are independent, the
tokens of a beginning are those of the whole text up to an anchor (see `word_independence`) in front of its last words,
and behind it those of the last words: the text is tokenised once, and each beginning's last words once more, with
one word in front of the anchor to take up what tokenizers do at the start of a text.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

import numpy as np

from brainalign.activations.word_independence import anchors, words_are_independent
from brainalign.models.tokenisation import NONE, Prompt, Tokens, tokenise, tokenise_each

# Fewer characters than this are tokenised at once sooner than the tokenizer's vocabulary is searched.
DIRECT_CHARACTERS = 20_000


def prefix_tokens(tokenizer: Any, text: str, stops: Sequence[int], prompt: Prompt = NONE) -> list[Tokens]:
    """Return the tokens of text[:stop] for each stop, equal to `tokenise` of each, ids and ends.

    Their heads are views of the tokens of the text up to the last stop.

    Parameters
    ----------
    stops : numbers of characters, in any order, each at most len(text).
    """
    if not len(stops):
        return []
    (full,) = tokenise(tokenizer, [text[: max(stops)]], prompt)
    places = _anchors_before(tokenizer, text, stops, prompt)
    pairs = list(zip(stops, places, strict=True))
    whole = tokenise_each(tokenizer, (text[:stop] for stop, place in pairs if place is None), prompt)
    tails = (text[place[0] : stop] for stop, place in pairs if place is not None)
    behind = tokenise_each(tokenizer, tails, Prompt(special_tokens=prompt.special_tokens))
    return [_joined(full, next(behind), *place) if place else _sharing(full, next(whole)) for place in places]


def _anchors_before(tokenizer: Any, text: str, stops: Sequence[int], prompt: Prompt) -> list[tuple[int, int] | None]:
    """Return for each stop the last anchor with a character behind it, and the start of the word in front of it."""
    nothing: list[tuple[int, int] | None] = [None] * len(stops)
    if sum(stops) + len(stops) * len(prompt.text) <= DIRECT_CHARACTERS:
        return nothing
    if not words_are_independent(tokenizer):
        return nothing
    # The text's first word may go on from the prompt.
    found = [(start, space) for start, space in anchors(text) if start or not prompt.text]
    spaces = [space for _, space in found]
    last = [bisect_right(spaces, stop - 2) - 1 for stop in stops]
    return [found[index] if index >= 0 else None for index in last]


def _joined(full: Tokens, tail: Tokens, start: int, space: int) -> Tokens:
    """Put the whole text's tokens up to an anchor and those behind it of a tail, which begins at `start`, together."""
    known = int(np.searchsorted(full.ends, space, side="right"))
    first = int(np.searchsorted(tail.ends, space - start, side="right"))
    return _begun(full, known, full.before, full.after, tail.ids[first:], tail.ends[first:] + start)


def _sharing(full: Tokens, tokens: Tokens) -> Tokens:
    """Return the same tokens, as many as possible of them as views of the whole text's."""
    return _begun(full, 0, tokens.before, tokens.after, tokens.ids, tokens.ends)


def _begun(
    full: Tokens, known: int, before: tuple[int, ...], after: tuple[int, ...], ids: np.ndarray, ends: np.ndarray
) -> Tokens:
    """Return the first `known` of the whole text's tokens and the given ones behind them, as views where both agree."""
    like = full.head[known : known + len(ids)], full.head_ends[known : known + len(ids)]
    differ = (ids[: len(like[0])] != like[0]) | (ends[: len(like[1])] != like[1])
    same = int(differ.argmax()) if differ.any() else len(differ)
    head = known + same
    return Tokens(before, after, full.head[:head], full.head_ends[:head], ids[same:].copy(), ends[same:].copy())
