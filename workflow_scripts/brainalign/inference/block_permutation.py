"""Permutation of whole blocks of held-out rows; blocks must be alike in length."""

from collections.abc import Iterator
from itertools import permutations
from math import factorial

import numpy as np

from brainalign.errors import InputError
from brainalign.inference.contributions import standardised
from brainalign.inference.p_values import PValues, resampled_p

ENUMERATE_UP_TO = 5040


def block_permutation_test(
    prediction: np.ndarray,
    response: np.ndarray,
    blocks: np.ndarray,
    draws: int = 9999,
    seed: int = 0,
    alternative: str = "greater",
    spread: float = 1.0,
) -> PValues:
    """Test Pearson's r of each neuroid against r with the predictions' blocks in random order.

    With B_ab = Σ_i p_ai y_bi of standardised rows, r of the order π is Σ_b B_π(b)b, so that a draw costs a gather over
    blocks. Rows keep their place within a block, so that a block's autocorrelation, and what depends on the position in
    it, stays in the null distribution. Blocks of unlike length cannot be exchanged and are refused.

    Parameters
    ----------
    prediction, response : (row, neuroid), of one fold, rows of a block in order; no constant response.
    blocks : (row,), names.
    spread : see `sign_flip.sign_flip_test`.

    Raises
    ------
    InputError : blocks of unequal length, or fewer than 2.
    """
    names, index, lengths = np.unique(blocks, return_inverse=True, return_counts=True)
    if len(names) < 2 or draws < 1:
        raise InputError(f"a block permutation needs 2 blocks and a draw, but has {len(names)} and {draws}.")
    if np.ptp(lengths):
        usual = int(np.bincount(lengths).argmax())
        others = ", ".join(f"{name} ({length})" for name, length in zip(names, lengths, strict=True) if length != usual)
        raise InputError(
            f"blocks of unequal length cannot be exchanged: most have {usual} rows, but not {others}; use a sign-flip "
            "test of group contributions, or circular shifts."
        )
    rows = np.argsort(index, kind="stable").reshape(len(names), -1)  # (block, row of block)
    p, y = standardised(prediction, response)[rows], standardised(response)[rows]
    products = np.einsum("aiv,biv->abv", p, y, optimize=True)  # (block of prediction, block of response, neuroid)
    place = np.arange(len(names))
    enumerated = factorial(len(names)) <= max(draws, ENUMERATE_UP_TO)
    null = (
        products[order, place].sum(axis=0)[None] for order in _orders(len(names), None if enumerated else draws, seed)
    )
    return resampled_p(products[place, place].sum(axis=0), null, alternative, spread, enumerated)


def _orders(size: int, draws: int | None, seed: int) -> Iterator[np.ndarray]:
    if draws is None:
        everything = permutations(range(size))
        next(everything)  # the order observed
        yield from map(np.array, everything)
        return
    random = np.random.default_rng(seed)
    for _ in range(draws):
        yield random.permutation(size)
