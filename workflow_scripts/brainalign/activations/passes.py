"""The forward passes that a corpus needs, planned before the first one is made.

A pass is one sequence of tokens and the parts that are read from it. In a causal model the state of a token does not
depend on what comes after it. So a part needs no pass of its own where the pass of a longer text of its group begins
with exactly the tokens that the part's own text has, from the same window start; that is checked for every part.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from brainalign.activations.parts import Passage, check_stimuli, own_tokens, passages
from brainalign.activations.prefixes import prefix_tokens
from brainalign.activations.prompts import prompt_of
from brainalign.activations.random_tokens import RandomTokens
from brainalign.activations.readout import Readout
from brainalign.activations.windows import window_starts
from brainalign.errors import InputError
from brainalign.models.tokenisation import Prompt, Tokens, tokenise

_TOKENISED_AT_ONCE = 1000  # texts


@dataclass(frozen=True)
class Reader:
    """What a plan must know of a model.

    causal : whether a token's states depend on nothing after it, so that a pass may serve several parts.
    limit : tokens that it can read at once, None without a limit.
    decoder_start : id of the token with which the decoder of an encoder–decoder starts, None for other models.
    """

    causal: bool
    limit: int | None = None
    decoder_start: int | None = None

    def beside(self, tokens: Tokens) -> int:
        """Return how many positions a text's own tokens cannot have: those added in the longer of the two stacks."""
        return tokens.added if self.decoder_start is None else max(tokens.added, 1 + len(tokens.before))


@dataclass(frozen=True)
class Part:
    """Where a part stands in a pass: its row in the stimuli, and the positions of its tokens, from first to last.

    decoder_first, decoder_last : its positions in what the decoder reads.
    """

    row: int
    first: int
    last: int
    decoder_first: int = 0
    decoder_last: int = 0


@dataclass(frozen=True)
class Pass:
    """What the model reads at once: a text's tokens from `start` on, and the parts read from them.

    decoder_start : the token with which the decoder starts, None in a model of one stack.
    decoder_text : whether the decoder then reads the same text.
    """

    tokens: Tokens
    start: int
    parts: tuple[Part, ...]
    decoder_start: int | None = None
    decoder_text: bool = False

    def __len__(self) -> int:
        return self.tokens.added + self.tokens.count - self.start

    def ids(self) -> np.ndarray:
        """Return the token ids (position,), those that the tokenizer adds included."""
        tokens = self.tokens
        return np.concatenate([tokens.before, tokens.ids[self.start :], tokens.after]).astype(np.int64)

    def decoder_ids(self) -> np.ndarray:
        """Return the token ids that the decoder reads (position,)."""
        text = [*self.tokens.before, *self.tokens.ids[self.start :]] if self.decoder_text else []
        return np.array([self.decoder_start, *text], dtype=np.int64)


@dataclass(frozen=True)
class Plan:
    """The passes of a corpus, and counts of what was planned (see `plan_passes`)."""

    passes: tuple[Pass, ...]
    summary: Mapping[str, int]


@dataclass(frozen=True)
class _Read:
    """One part, ready to be placed: its row, its text's tokens, where its window starts, and its own tokens there."""

    row: int
    tokens: Tokens
    start: int
    first: int
    last: int


def plan_passes(stimuli: pd.DataFrame, tokenizer: Any, readout: Readout, reader: Reader) -> Plan:
    """Plan the passes of a corpus.

    Parameters
    ----------
    stimuli : `stimulus_id`, `text` and, unless the context is "none", `context_group`; in presentation order.
    tokenizer : with character offsets.
    readout : context, overflow, prompt and the rest.
    reader : what the model is able to do.

    Returns
    -------
    The plan. Its summary counts
    parts, passes, tokens (of all passes);
    parts_shared : read from the pass of a longer text;
    parts_alone_by_model : given a pass of their own, as their states depend on what follows or on the text's length;
    parts_alone_by_tokens : given one, as their text has other tokens when more text follows;
    parts_alone_by_special_tokens : given one, as a special token that follows the part belongs to it;
    parts_alone_by_window : given one, as no other part's window begins where theirs does;
    parts_past_limit : read with less than the context asked for, because of the limit;
    parts_truncated, tokens_truncated : parts longer than the limit, and how many tokens of theirs were lost.

    Raises
    ------
    InputError : naming the stimulus, for a text without characters or without tokens.
    """
    check_stimuli(stimuli)
    counts: Counter[str] = Counter()
    prompt = prompt_of(readout, tokenizer)
    read = _read(stimuli, tokenizer, readout, prompt, reader, counts)
    passes = [planned for group in read for planned in _place(group, readout, prompt, reader, counts)]
    names = (
        *("parts_shared", "parts_alone_by_model", "parts_alone_by_tokens"),
        *("parts_alone_by_special_tokens", "parts_alone_by_window"),
        *("parts_past_limit", "parts_truncated", "tokens_truncated"),
    )
    sizes = {"parts": len(stimuli), "passes": len(passes), "tokens": sum(len(planned) for planned in passes)}
    return Plan(tuple(passes), sizes | {name: counts[name] for name in names})


def _read(
    stimuli: pd.DataFrame, tokenizer: Any, readout: Readout, prompt: Prompt, reader: Reader, counts: Counter[str]
) -> Iterator[list[_Read]]:
    """Tokenise every part's text and find its window and its own tokens, passage by passage."""
    identifiers, limit = stimuli["stimulus_id"].tolist(), reader.limit
    random = RandomTokens(tokenizer, readout.seed) if readout.tokens == "random" else None
    groups = identifiers if readout.context == "none" else stimuli["context_group"].tolist()
    for passage, tokens in _tokenised(passages(stimuli, readout), tokenizer, prompt):
        if random is not None:
            tokens = random.instead_of(tokens, groups[passage.readings[0].row], passage.start)
        capacities = [None if limit is None else limit - reader.beside(item) for item in tokens]
        # A window of tokens is short already: nothing is gained where parts share the beginning of theirs.
        overflow = "slide" if readout.unit == "tokens" else readout.overflow
        starts = window_starts([item.count for item in tokens], capacities, overflow)
        placed = []
        for reading, item, limited in zip(passage.readings, tokens, starts, strict=True):
            first, last = own_tokens(item, reading.begin, reading.stop)
            if first == last:
                part = passage.text_of(reading)[reading.begin :]
                raise InputError(
                    f"stimulus {identifiers[reading.row]!r} yields no token: the tokenizer drops {part!r} after "
                    f"{passage.text_of(reading)[: reading.begin][-20:]!r}."
                )
            start = limited
            if readout.unit == "tokens" and readout.window is not None:
                start = max(limited, first - readout.window)
            lost = max(0, limited - first)
            counts.update(
                parts_past_limit=int(limited > 0 and start == limited),
                parts_truncated=int(lost > 0),
                tokens_truncated=lost,
            )
            placed.append(_Read(reading.row, item, start, max(first, start), last))
        yield placed


def _tokenised(found: Sequence[Passage], tokenizer: Any, prompt: Prompt) -> Iterator[tuple[Passage, list[Tokens]]]:
    """Yield each passage with the tokens of its parts' texts; passages of one part are tokenised together."""
    alone: list[Passage] = []
    for passage in found:
        if len(passage.readings) == 1:
            alone.append(passage)
            if len(alone) < _TOKENISED_AT_ONCE:
                continue
        yield from _tokenised_together(alone, tokenizer, prompt)
        alone = []
        if len(passage.readings) > 1:
            yield passage, _tokens_of_parts(passage, tokenizer, prompt)
    yield from _tokenised_together(alone, tokenizer, prompt)


def _tokenised_together(
    alone: Sequence[Passage], tokenizer: Any, prompt: Prompt
) -> Iterator[tuple[Passage, list[Tokens]]]:
    texts = [passage.text_of(passage.readings[0]) for passage in alone]
    for passage, tokens in zip(alone, tokenise(tokenizer, texts, prompt), strict=True):
        yield passage, [tokens]


def _tokens_of_parts(passage: Passage, tokenizer: Any, prompt: Prompt) -> list[Tokens]:
    stops = [reading.stop for reading in passage.readings if reading.own is None]
    growing = iter(prefix_tokens(tokenizer, passage.text, stops, prompt))
    return [
        next(growing) if reading.own is None else tokenise(tokenizer, [passage.text_of(reading)], prompt)[0]
        for reading in passage.readings
    ]


def _place(
    group: Sequence[_Read], readout: Readout, prompt: Prompt, reader: Reader, counts: Counter[str]
) -> Iterator[Pass]:
    """Yield the passes of one passage: one for each window start, and one for each part that cannot share it."""
    sharing: dict[int, list[_Read]] = {}
    longest = {item.start: item.tokens for item in group}  # of the last part that starts there
    for item in group:
        reason = _reason_to_be_alone(item, longest[item.start], readout, reader)
        if reason is None:
            sharing.setdefault(item.start, []).append(item)
            continue
        counts[reason] += 1
        parts = (_part(item, readout, prompt),)
        yield Pass(item.tokens, item.start, parts, reader.decoder_start, readout.decoder_input == "text")
    for start, items in sharing.items():
        counts["parts_shared"] += len(items) - 1
        counts["parts_alone_by_window"] += int(len(items) == 1 and start > 0)
        yield Pass(items[-1].tokens, start, tuple(_part(item, readout, prompt) for item in items))


def _reason_to_be_alone(item: _Read, longest: Tokens, readout: Readout, reader: Reader) -> str | None:
    """Return the name under which a part that needs a pass of its own is counted, None where it can share one."""
    if not reader.causal:
        return "parts_alone_by_model"
    if not item.tokens.begins(longest):
        return "parts_alone_by_tokens"
    if readout.special_tokens == "part" and item.tokens.after:
        return "parts_alone_by_special_tokens"
    return None


def _part(item: _Read, readout: Readout, prompt: Prompt) -> Part:
    """Return where a part's tokens stand in the pass that begins at its window's start."""
    before = len(item.tokens.before)
    first, last = before + item.first - item.start, before + item.last - item.start
    decoder = (first + 1, last + 1) if readout.decoder_input == "text" else (0, 1)
    if readout.special_tokens == "part":
        last += len(item.tokens.after)
        first = 0 if item.first == item.start and not prompt.text else first
    return Part(item.row, first, last, *decoder)
