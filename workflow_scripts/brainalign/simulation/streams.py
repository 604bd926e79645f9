"""Random numbers from an explicit seed and the name of what they are for."""

import zlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from brainalign.errors import InputError

Option = TypeVar("Option")


def random_stream(seed: int, purpose: str) -> np.random.Generator:
    """Return the generator of one purpose: numpy's default (PCG64) seeded with [seed, crc32(purpose)].

    Streams of different purposes are independent, so drawing more for one (a longer text) leaves the others
    (the weights) as they are.

    Raises
    ------
    InputError : the seed is not an integer from 0 on.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"a seed of the simulation is {seed!r}; it must be an integer from 0 on.")
    return np.random.default_rng([int(seed), zlib.crc32(purpose.encode())])


def pick(stream: np.random.Generator, options: Sequence[Option]) -> Option:
    """Return one of the options, each with the same probability."""
    return options[int(stream.random() * len(options))]


def require_at_least(name: str, value: int, least: int) -> None:
    """Raise InputError unless `value` is `least` or more."""
    if value < least:
        raise InputError(f"the simulation was asked for {name} = {value}; allowed is {least} or more.")
