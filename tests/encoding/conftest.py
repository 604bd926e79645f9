"""Small data sets whose every number is drawn from a seed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from brainalign.responses.samples import Samples


@dataclass(frozen=True)
class Dataset:
    features: np.ndarray
    responses: np.ndarray
    signal: np.ndarray
    samples: Samples
    neuroids: dict[str, np.ndarray]


def make_dataset(
    n: int = 120, width: int = 8, neuroids: int = 6, groups: int = 30, noise: float = 1.0, seed: int = 0
) -> Dataset:
    random = np.random.default_rng(seed)
    features = random.normal(size=(n, width))
    weights = random.normal(size=(width, neuroids)) / np.sqrt(width)
    signal = features @ weights
    group = np.repeat(np.arange(groups), n // groups)
    samples = Samples({"split_group": np.array([f"group-{number:02d}" for number in group], dtype=object)})
    table = {
        "neuroid": np.array([f"n{number}" for number in range(neuroids)], dtype=object),
        "subject": np.array([f"S{3 * number // neuroids + 1}" for number in range(neuroids)], dtype=object),
        "region": np.array(["a" if number % 2 else "b" for number in range(neuroids)], dtype=object),
    }
    responses = signal + noise * random.normal(size=signal.shape)
    return Dataset(features, responses, signal, samples, table)


@pytest.fixture
def dataset() -> Callable[..., Dataset]:
    return make_dataset


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """Small products are slower on several threads, and much slower beside other jobs."""
    with threadpool_limits(1):
        yield
