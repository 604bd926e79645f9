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

from brainalign.activations.parts import Reading, Tokens, check_stimuli, own_tokens, readings, tokenise
from brainalign.activations.readout import Readout
from brainalign.activations.windows import window_starts
from brainalign.errors import InputError


@dataclass(frozen=True)
class Part:
    """Where a part stands in a pass: its row in the stimuli, and the positions of its tokens (token,)."""

    row: int
    positions: np.ndarray


@dataclass(frozen=True)
class Pass:
    """Token ids (position,) and the parts read from them."""

    ids: np.ndarray
    parts: tuple[Part, ...]


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
    own: np.ndarray


def plan_passes(stimuli: pd.DataFrame, tokenizer: Any, readout: Readout, limit: int | None, share: bool = True) -> Plan:
    """Plan the passes of a corpus.

    Parameters
    ----------
    stimuli : `stimulus_id`, `text` and, unless the context is "none", `context_group`; in presentation order.
    tokenizer : with character offsets.
    readout : context and overflow.
    limit : positions that the model can see, None without a limit.
    share : whether one pass may serve several parts; only in a causal model.

    Returns
    -------
    The plan. Its summary counts
    parts, passes, tokens (of all passes);
    parts_shared : read from the pass of a longer text;
    parts_retokenised : given a pass of their own, as their text has other tokens when more text follows;
    parts_past_limit : read with less than the context asked for, because of the limit;
    parts_truncated, tokens_truncated : parts longer than the limit, and how many tokens of theirs were lost.

    Raises
    ------
    InputError : naming the stimulus, for a text without characters or without tokens.
    """
    check_stimuli(stimuli)
    counts: Counter[str] = Counter()
    read = _read(stimuli, tokenizer, readout, limit, counts)
    passes = [planned for group in read for planned in _place(group, share, counts)]
    names = ("parts_shared", "parts_retokenised", "parts_past_limit", "parts_truncated", "tokens_truncated")
    sizes = {"parts": len(stimuli), "passes": len(passes), "tokens": sum(len(planned.ids) for planned in passes)}
    return Plan(tuple(passes), sizes | {name: counts[name] for name in names})


def _read(
    stimuli: pd.DataFrame, tokenizer: Any, readout: Readout, limit: int | None, counts: Counter[str]
) -> list[list[_Read]]:
    """Tokenise every part's text and find its window and its own tokens, for each list of `readings`."""
    result = []
    identifiers = stimuli["stimulus_id"].tolist()
    for group in _tokenised(readings(stimuli, readout), tokenizer):
        tokens = [item for _, item in group]
        capacity = None if limit is None else limit - tokens[0].added
        starts = window_starts([len(item.ids) for item in tokens], capacity, readout.overflow)
        placed = []
        for (reading, item), start in zip(group, starts, strict=True):
            own = own_tokens(item, reading.begin, len(reading.text))
            if not len(own):
                raise InputError(
                    f"stimulus {identifiers[reading.row]!r} yields no token: the tokenizer drops {reading.text!r}."
                )
            lost = int((own < start).sum())
            counts.update(parts_past_limit=int(start > 0), parts_truncated=int(lost > 0), tokens_truncated=lost)
            placed.append(_Read(reading.row, item, start, own[lost:]))
        result.append(placed)
    return result


def _tokenised(groups: Sequence[list[Reading]], tokenizer: Any) -> Iterator[list[tuple[Reading, Tokens]]]:
    """Yield each group with its texts' tokens; groups of one part are tokenised together, which is faster."""
    if all(len(group) == 1 for group in groups):
        alone = [group[0] for group in groups]
        tokens = tokenise(tokenizer, [reading.text for reading in alone])
        yield from ([pair] for pair in zip(alone, tokens, strict=True))
        return
    for group in groups:
        yield list(zip(group, tokenise(tokenizer, [reading.text for reading in group]), strict=True))


def _place(group: Sequence[_Read], share: bool, counts: Counter[str]) -> list[Pass]:
    """Return the passes of one group: one for each window start, and one for each part that cannot share it."""
    if not share:
        return [_pass(item, [item]) for item in group]
    passes = []
    for start in dict.fromkeys(item.start for item in group):
        *earlier, longest = (item for item in group if item.start == start)
        fits = [_begins_with(longest.tokens, item.tokens) for item in earlier]
        sharing = [item for item, fit in zip(earlier, fits, strict=True) if fit]
        alone = [item for item, fit in zip(earlier, fits, strict=True) if not fit]
        passes += [_pass(longest, [*sharing, longest]), *(_pass(item, [item]) for item in alone)]
        counts.update(parts_shared=len(sharing), parts_retokenised=len(alone))
    return passes


def _begins_with(longer: Tokens, shorter: Tokens) -> bool:
    size = len(shorter.ids)
    return longer.before == shorter.before and np.array_equal(longer.ids[:size], shorter.ids)


def _pass(longest: _Read, parts: Sequence[_Read]) -> Pass:
    """Return the pass over the text of `longest` from its window's start, with the parts read from it."""
    tokens = longest.tokens
    ids = np.concatenate([tokens.before, tokens.ids[longest.start :], tokens.after]).astype(np.int64)  # (position,)
    shift = len(tokens.before) - longest.start
    return Pass(ids, tuple(Part(item.row, item.own + shift) for item in parts))
