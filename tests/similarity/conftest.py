"""Small data whose every number is drawn from a seed, and pairs counted one by one."""

from collections.abc import Iterator

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from brainalign.responses.samples import Samples


def labels_of(sizes: list[int], seed: int = 0) -> np.ndarray:
    """Groups' labels, shuffled, so that no result hangs on the order of the samples."""
    names = np.repeat([f"g{number:02d}" for number in range(len(sizes))], sizes)
    return np.random.default_rng(seed).permutation(names)


def samples_of(labels: np.ndarray, **columns: np.ndarray) -> Samples:
    return Samples({"split_group": labels.astype(object), **columns})


def neuroids_of(subject: list[str], region: list[str]) -> dict[str, np.ndarray]:
    names = [f"n{number}" for number in range(len(subject))]
    return {key: np.array(values, dtype=object) for key, values in zip(NEUROID, (names, subject, region), strict=True)}


NEUROID = ("neuroid", "subject", "region")


def drawn_pairs(labels: np.ndarray, counts: dict[str, int]) -> Iterator[tuple[int, int]]:
    """Pairs of samples of a draw, counted copy by copy; none is between two copies of one group."""
    copies = [(row, copy) for row, label in enumerate(labels) for copy in range(counts[label])]
    for place, (i, copy_i) in enumerate(copies):
        for j, copy_j in copies[place + 1 :]:
            if labels[i] != labels[j] or copy_i == copy_j:
                yield i, j


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """Small products are slower on several threads, and much slower beside other jobs."""
    with threadpool_limits(1):
        yield
