"""Where products are computed: on the processor, or on a graphics card.

The same functions take arrays of either place; what NumPy and torch call by different names is here. torch is imported
only where a card is asked for.
"""

import gc
import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np

from brainalign.encoding.threads import Threads, batches

log = logging.getLogger(__name__)

Array = Any  # of NumPy on the processor, of torch on a card
Result = TypeVar("Result")

BATCH = 512  # neuroids at a time on the processor, so that a batch of residuals stays in its cache
FEWEST = 64  # with which products are still fast
NUMBERS = 2**21  # of a batch on the processor, rows × neuroids: some such arrays are held by each thread
NO_MEMORY = ("out of memory", "alloc_failed")  # what torch and cuBLAS say
CARD_NUMBERS = 2**26  # of a batch on a card, rows × neuroids: half a gigabyte in float64, some of which are held


class Place(Protocol):
    """Where products are computed."""

    def hold(self, values: np.ndarray) -> Array:
        """Return the values as an array of this place."""
        ...

    def each(self, work: Callable[[slice], None], neuroids: int, rows: int, /) -> None:
        """Call some work for batches of neuroids, together all of them, and return when all is done."""
        ...


class Processor:
    """Batches side by side, each on one thread (see `threads`)."""

    def __init__(self) -> None:
        self._threads = Threads()

    def hold(self, values: np.ndarray) -> Array:
        """Return the values themselves."""
        return values

    def each(self, work: Callable[[slice], None], neuroids: int, rows: int) -> None:
        """Call some work for batches of `neuroids_at_once`."""
        with self._threads.pool() as side_by_side:
            side_by_side(work, batches(neuroids, neuroids_at_once(rows)))


class Card:
    """One batch after the other, as large as CARD_NUMBERS allows, in the precision of the processor: TF32 stays off.

    Parameters
    ----------
    device : of torch, such as "cuda".
    """

    def __init__(self, device: str) -> None:
        import torch

        self._torch, self.device = torch, device

    def hold(self, values: np.ndarray) -> Array:
        """Return a copy of the values on the card."""
        return self._torch.from_numpy(np.ascontiguousarray(values)).to(self.device)

    def each(self, work: Callable[[slice], None], neuroids: int, rows: int) -> None:
        """Call some work for one batch after the other."""
        with self._torch.no_grad():
            for batch in batches(neuroids, max(1, CARD_NUMBERS // rows)):
                work(batch)


def neuroids_at_once(rows: int) -> int:
    """Return how many neuroids the processor takes at a time: BATCH, or fewer where there are many rows."""
    return min(BATCH, max(FEWEST, NUMBERS // rows))


def place_of(device: str) -> Place:
    """Return the processor for "cpu", otherwise a card."""
    return Processor() if device == "cpu" else Card(device)


def or_on_the_processor(place: Place, work: Callable[[Place], Result]) -> Result:
    """Return what some work gives at a place; where a card's memory does not suffice, on the processor, and say so."""
    try:
        return work(place)
    except RuntimeError as error:  # torch's own OutOfMemoryError is one, and cuBLAS has none
        if isinstance(place, Processor) or not any(said in str(error).lower() for said in NO_MEMORY):
            raise
    import torch

    gc.collect()  # what the card still holds of the work that failed
    torch.cuda.empty_cache()
    log.warning("the memory of the graphics card does not suffice; the processor computes this layer")
    return work(Processor())


def dot(first: Array, second: Array) -> Array:
    """Return the sums over rows of the products, (neuroid,)."""
    if isinstance(first, np.ndarray):
        return np.einsum("ij,ij->j", first, second)
    return (first * second).sum(0)


def squared_lengths(rows: Array, first: int) -> Array:
    """Return the sums of squares of the first rows and of all others, (2, neuroid); the rows are overwritten.

    Parameters
    ----------
    rows : (row, neuroid).
    first : how many rows are the first ones.
    """
    rows *= rows
    if isinstance(rows, np.ndarray):
        is_of = np.zeros((2, len(rows)), dtype=rows.dtype)
        is_of[0, :first] = is_of[1, first:] = 1.0
        return is_of @ rows  # a product reads all rows once, where sums would read and write each by itself
    import torch

    return torch.stack([rows[:first].sum(0), rows[first:].sum(0)])


def joined(parts: Sequence[Array]) -> Array:
    """Return rows under one another."""
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    import torch

    return torch.cat(list(parts))


def brought_back(values: Array) -> np.ndarray:
    """Return an array of NumPy."""
    return values if isinstance(values, np.ndarray) else np.asarray(values.cpu().numpy())
