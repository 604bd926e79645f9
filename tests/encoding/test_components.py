import numpy as np
import pytest
from sklearn.decomposition import PCA

import brainalign.encoding.components as module
from brainalign.encoding.components import principal_axes, principal_components

RANDOM = np.random.default_rng(0)


def features(rows: int, width: int, rank: int | None = None) -> np.ndarray:
    """Large means, unequal scales, and one column as large as the massive activations of language models."""
    size = min(rows, width) if rank is None else rank
    x = RANDOM.normal(size=(rows, size)) * np.geomspace(10, 0.1, size) @ RANDOM.normal(size=(size, width))
    if rank is None:
        x[:, 0] *= 300
    return x + 100 * RANDOM.normal(size=width)


def check(x: np.ndarray, rows: np.ndarray, count: int, tolerance: float) -> None:
    ours = principal_components(x, rows, count)
    theirs = PCA(count, svd_solver="full").fit(x[rows].astype(np.float64)).transform(x.astype(np.float64))
    signs = np.sign((ours * theirs).sum(axis=0))
    np.testing.assert_allclose(ours * signs, theirs, atol=tolerance * np.abs(theirs).max())


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("rows", "width"), [(60, 20), (40, 90), (500, 280), (400, 700)])
def test_components_are_those_of_a_full_factorisation(rows: int, width: int, dtype: type) -> None:
    x = features(rows, width).astype(dtype)
    chosen = RANDOM.permutation(rows)[: 3 * rows // 4]
    check(x, chosen, 10, 1e-9)


@pytest.mark.parametrize(("rows", "width"), [(500, 280), (400, 700)])
def test_large_matrices_are_not_factorised_as_a_whole(rows: int, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = features(rows, width)
    x -= x.mean(axis=0)
    _, singular, right = np.linalg.svd(x, full_matrices=False)
    found = module._krylov(x, 10, min(rows, width))
    assert found is not None
    np.testing.assert_allclose(found[0], singular[:10], rtol=1e-10)
    np.testing.assert_allclose(np.abs(np.sum(found[1] * right[:10].T, axis=0)), 1, atol=1e-10)
    assert module._krylov(x, 10, 30) is None, "too small a basis must not pass for converged"


@pytest.mark.parametrize("rows", [80, 600])
def test_there_are_no_more_components_than_the_rank(rows: int) -> None:
    x = features(rows, 300, rank=4)
    centred = x - x.mean(axis=0)
    axes = principal_axes(centred, 10)
    assert axes.shape == (300, 4)
    np.testing.assert_allclose(axes.T @ axes, np.eye(4), atol=1e-10)
    np.testing.assert_allclose(centred @ axes @ axes.T, centred, atol=1e-8)
    assert principal_components(np.full((rows, 300), 2.5), np.arange(rows), 10).shape == (rows, 0)
    assert principal_components(x[:, :2], np.arange(rows), 10).shape == (rows, 2)


def test_rows_that_are_not_chosen_have_no_part() -> None:
    x = features(50, 30)
    chosen = np.arange(0, 50, 2)
    spoilt = np.array(x)
    spoilt[1::2] = 1e6 * RANDOM.normal(size=(25, 30))
    ours = principal_components(x, chosen, 5)[chosen]
    np.testing.assert_allclose(principal_components(spoilt, chosen, 5)[chosen], ours, atol=1e-7)
