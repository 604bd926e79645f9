"""Random tokens in the place of a text's: the same lengths and the same parts, and nothing of what the text says.

The token that ends at character c of its context group (the n-th of those that end there, from 0) becomes

    id = drawable[ h(h(key ^ h(c)) ^ n) mod |drawable| ],    key = BLAKE2b(seed, group),

h being the output function of SplitMix64 (Steele, Lea & Flood 2014). It depends on nothing else, so that a text and
each of its beginnings have the same random tokens, and passes are shared as they are with the text's own. A group's
random text is the same whatever context is read. Where no context is read, the group is the stimulus itself.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from brainalign.errors import InputError
from brainalign.models.tokenisation import Tokens


class RandomTokens:
    """Random tokens of one vocabulary and seed."""

    def __init__(self, tokenizer: Any, seed: int) -> None:
        """Take a tokenizer's vocabulary. Raises InputError where it has nothing but special tokens."""
        self._drawable, self._kept = drawable_and_kept(tokenizer)
        self._seed = seed

    def instead_of(self, tokens: Sequence[Tokens], group: object, start: int = 0) -> list[Tokens]:
        """Return the tokens of the same texts with random ids; those around a text and special ones in it stay.

        Parameters
        ----------
        tokens : of texts that begin at the same character. Where their heads are views of one array, the random ones
            are, too.
        group : whose random text it is. start : characters of the group in front of the texts.
        """
        key = key_of(self._seed, group)
        heads: dict[int, np.ndarray] = {}
        for item in sorted(tokens, key=lambda item: len(item.head), reverse=True):
            if _address(item.head_ends) not in heads:
                heads[_address(item.head_ends)] = self._drawn(
                    item.head, item.head_ends, _ranks(item.head_ends), start, key
                )
        found = []
        for item in tokens:
            # Tokens of the head that end where one of the tail does, as two halves of a character may.
            before = len(item.head) - np.searchsorted(item.head_ends, item.tail_ends, side="left")
            tail = self._drawn(item.tail, item.tail_ends, _ranks(item.tail_ends) + before, start, key)
            found.append(replace(item, head=heads[_address(item.head_ends)][: len(item.head)], tail=tail))
        return found

    def _drawn(self, ids: np.ndarray, ends: np.ndarray, ranks: np.ndarray, start: int, key: int) -> np.ndarray:
        places = (ends + start).astype(np.uint64)
        mixed = _splitmix(_splitmix(_splitmix(places) ^ np.uint64(key)) ^ ranks.astype(np.uint64))
        drawn = self._drawable[(mixed % np.uint64(len(self._drawable))).astype(np.int64)]
        return np.where(np.isin(ids, self._kept), ids, drawn)


def drawable_and_kept(tokenizer: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the ids that may be drawn, and those that a text keeps (id,), each ascending.

    Drawn are all but special and added tokens. Kept are special tokens that a text spells out, but not the unknown
    token, which stands for text.

    Raises
    ------
    InputError : a vocabulary of nothing but special tokens.
    """
    special = set(tokenizer.all_special_ids)
    drawable = sorted(set(tokenizer.get_vocab().values()) - special - set(tokenizer.added_tokens_decoder))
    if not drawable:
        raise InputError("the model's tokenizer has no tokens but special ones, so that none can be drawn.")
    kept = sorted(special - {tokenizer.unk_token_id})
    return np.array(drawable, dtype=np.int64), np.array(kept, dtype=np.int64)


def key_of(seed: int, group: object) -> int:
    """Return the key of a group's random text, of 64 bits."""
    named = f"{seed}\0{group}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(named, digest_size=8).digest(), "little")


def _ranks(ends: np.ndarray) -> np.ndarray:
    """Return how many tokens before each end where it does (token,); ends ascend."""
    return np.arange(len(ends)) - np.searchsorted(ends, ends, side="left")


def _splitmix(states: np.ndarray) -> np.ndarray:
    """Return SplitMix64's output for each state, uint64 (state,)."""
    mixed = states + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _address(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])
