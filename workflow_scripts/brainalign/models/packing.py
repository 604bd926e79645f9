"""Token sequences as rows of equal length."""

from collections.abc import Iterable, Sequence

import numpy as np

IGNORED = -100  # a target that the loss leaves out


def pack(sequences: Iterable[Sequence[int]], length: int) -> list[list[int]]:
    """Fill rows of `length` tokens with sequences, one after the other.

    A row begins with the beginning of a sequence, or with what was left of one longer than a row. What is left of
    a shorter one that no longer fits is dropped, and so is a last row that is not full, unless it is the only one.
    """
    rows: list[list[int]] = []
    row: list[int] = []
    for sequence in sequences:
        for start in range(0, len(sequence), length):
            row += sequence[start : start + length][: length - len(row)]
            if len(row) == length:
                rows.append(row)
                row = []
    return rows or [row]


def pad(rows: Sequence[tuple[Sequence[int], int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return next-token inputs and targets of sequences, filled up on the right.

    Parameters
    ----------
    rows : token ids, and the position of the first token that is a target (at least 1).

    Returns
    -------
    inputs (sequence × position, int64): ids without the last, 0 where filled up; what stands there is seen by no
    earlier position of a causal model.
    targets (sequence × position, int64): the next ids, IGNORED before the first target and where filled up.
    """
    longest = max(len(ids) for ids, _ in rows)
    inputs = np.zeros((len(rows), longest - 1), dtype=np.int64)
    targets = np.full((len(rows), longest - 1), IGNORED, dtype=np.int64)
    for row, (ids, first) in enumerate(rows):
        inputs[row, : len(ids) - 1] = ids[:-1]
        targets[row, first - 1 : len(ids) - 1] = ids[first:]
    return inputs, targets
