"""Responses of six subjects that share a low-dimensional signal."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from brainalign.responses.samples import Samples


@dataclass(frozen=True)
class Shared:
    responses: np.ndarray
    noise_free: np.ndarray
    samples: Samples
    neuroids: dict[str, np.ndarray]


@pytest.fixture(scope="session")
def shared() -> Shared:
    random = np.random.default_rng(0)
    signal = random.normal(size=(160, 4)) @ random.normal(size=(4, 24))
    signal /= signal.std(axis=0)
    noise_free = np.sqrt(0.4) * signal
    neuroids = {
        "neuroid": np.array([f"n{number}" for number in range(24)]),
        "subject": np.repeat([f"S{number}" for number in range(1, 7)], 4),
        "region": np.tile(["a", "b"], 12),
    }
    samples = Samples({"split_group": np.repeat(np.arange(40), 4).astype(str)})
    return Shared(noise_free + np.sqrt(0.6) * random.normal(size=(160, 24)), noise_free, samples, neuroids)


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> Iterator[None]:
    """Small products are slower on several threads, and much slower beside other jobs."""
    with threadpool_limits(1):
        yield
