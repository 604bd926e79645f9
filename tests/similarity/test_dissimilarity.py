"""Distances and ranks against scipy's, and where they are not defined."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import rankdata

from brainalign.errors import InputError
from brainalign.similarity.dissimilarity import UndefinedError, average_ranks, dissimilarities


@pytest.mark.parametrize("distance", ["correlation", "cosine", "euclidean"])
@pytest.mark.parametrize("width", [3, 40])
@pytest.mark.parametrize("mean", [0.0, 100.0])
def test_distances_are_those_of_scipy(distance, width, mean):
    random = np.random.default_rng(width)
    values = mean + random.normal(size=(25, width)) * random.uniform(0.1, 10, size=width)
    found = dissimilarities(values, distance, "features")
    np.testing.assert_allclose(found, squareform(pdist(values, distance)), atol=1e-10, rtol=1e-7)
    np.testing.assert_array_equal(found, found.T)


def test_float32_is_taken_in_float64():
    values = (1000 + np.random.default_rng(0).normal(size=(20, 64))).astype(np.float32)
    found = dissimilarities(values, "correlation", "features")
    np.testing.assert_allclose(
        found, squareform(pdist(values.astype(np.float64), "correlation")), rtol=1e-8, atol=1e-11
    )


@pytest.mark.parametrize("distance", ["correlation", "cosine", "euclidean"])
def test_equal_dissimilarities_are_ties_whatever_the_order_of_summation(distance):
    # Every two samples share no unit: all distances are equal but for rounding.
    random = np.random.default_rng(1)
    pattern = random.normal(size=7)
    values = np.zeros((12, 84))
    for row in range(12):
        values[row, 7 * row : 7 * row + 7] = random.permutation(pattern)
    found = dissimilarities(values, distance, "features")[np.triu_indices(12, 1)]
    assert len(np.unique(found)) == 1
    assert len(np.unique(np.corrcoef(values)[np.triu_indices(12, 1)])) > 1  # without rounding they are not


@pytest.mark.parametrize(
    ("values", "distance", "reason"),
    [
        (np.ones((5, 1)), "correlation", "the features have 1 unit, but correlation distances need 3"),
        (np.ones((5, 2)), "correlation", "the features have 2 units, but correlation distances need 3"),
        (np.ones((5, 1)), "cosine", "the features have 1 unit, but cosine distances need 2"),
        (
            np.vstack([np.full((2, 4), 0.1), np.eye(4)]),
            "correlation",
            "2 of 6 samples have the same value in every unit of the features",
        ),
        (np.vstack([np.zeros((1, 4)), np.eye(4)]), "cosine", "1 of 5 samples have 0 in every unit of the features"),
    ],
)
def test_what_is_not_defined_is_said(values, distance, reason):
    with pytest.raises(UndefinedError) as caught:
        dissimilarities(values, distance, "features")
    assert str(caught.value) == reason


def test_an_unknown_distance_is_told_with_the_nearest():
    with pytest.raises(InputError, match="unknown distance 'cosin'; did you mean 'cosine'"):
        dissimilarities(np.eye(4), "cosin", "features")


@pytest.mark.parametrize("ties", [False, True])
def test_ranks_are_those_of_scipy(ties):
    random = np.random.default_rng(0)
    values = np.sort(random.integers(0, 20, size=200).astype(float) if ties else random.normal(size=200))
    np.testing.assert_array_equal(average_ranks(values), rankdata(values))
