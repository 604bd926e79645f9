import numpy as np
import pytest
import torch

from brainalign.activations.pooling import Pooling

STATES = np.random.default_rng(0).standard_normal((2, 5, 3)).astype(np.float32)
PARTS = [(0, np.array([1, 2, 3])), (1, np.array([0])), (1, np.array([2, 4]))]


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ("last", lambda rows: rows[-1]),
        ("first", lambda rows: rows[0]),
        ("mean", lambda rows: rows.mean(0)),
        ("sum", lambda rows: rows.sum(0)),
        ("max", lambda rows: rows.max(0)),
    ],
)
def test_against_numpy(pooling: str, expected: object) -> None:
    found = Pooling(PARTS, 5, pooling)(torch.from_numpy(STATES)).numpy()
    np.testing.assert_allclose(found, [expected(STATES[text][places]) for text, places in PARTS], rtol=1e-6)


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_half_precision_is_pooled_in_float32(pooling: str) -> None:
    found = Pooling(PARTS, 5, pooling)(torch.from_numpy(STATES).bfloat16())
    assert found.dtype == torch.float32
