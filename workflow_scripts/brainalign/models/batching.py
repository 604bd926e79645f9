"""Batches of sequences of different lengths."""

from collections.abc import Sequence

import numpy as np

TOKEN_BUDGET = 4096  # tokens of one batch, filling included


def batches_by_length(lengths: Sequence[int], budget: int = TOKEN_BUDGET, equal: bool = False) -> list[list[int]]:
    """Sort sequences by length and cut them into batches that hold at most `budget` tokens when filled up.

    A sequence longer than the budget is a batch of its own. The result depends on lengths and budget only, and the
    batches that remain after the first ones are those that the remaining sequences alone would give.

    Parameters
    ----------
    lengths : tokens of each sequence.
    budget : tokens of one batch, filling included.
    equal : whether a batch holds sequences of one length only.

    Returns
    -------
    indices of the sequences, batch by batch, the longest first.
    """
    batches: list[list[int]] = []
    for index in np.argsort(-np.asarray(lengths, dtype=np.int64), kind="stable").tolist():
        longest = lengths[batches[-1][0]] if batches else 0
        if not batches or (len(batches[-1]) + 1) * longest > budget or (equal and lengths[index] != longest):
            batches.append([])
        batches[-1].append(index)
    return batches


def fill_right(sequences: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return ids and mask (sequence × position, int64) of sequences of ids, filled up with 0 on the right."""
    longest = max(len(ids) for ids in sequences)
    ids = np.zeros((len(sequences), longest), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = sequence
        mask[row, : len(sequence)] = 1
    return ids, mask
