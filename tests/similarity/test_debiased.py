"""Debiased CKA against sums over all quadruples, Song et al.'s estimator, and what it is an estimate of."""

import itertools

import numpy as np
import pytest

from brainalign.similarity.debiased import DebiasedCKA
from brainalign.similarity.dissimilarity import UndefinedError
from brainalign.similarity.groups import Groups
from similarity.conftest import labels_of


def similarity(x: np.ndarray, y: np.ndarray, labels: np.ndarray, draws: int = 1) -> np.ndarray:
    """CKA of the data as they are, then of each draw."""
    groups = Groups.from_labels(labels, draws, seed=0)
    metric = DebiasedCKA(groups)
    features = metric.represent(x[groups.order], "features")
    return metric.compare(features, [metric.represent(y[groups.order], "responses")])[0]


def hsic_by_quadruples(x: np.ndarray, y: np.ndarray, labels: np.ndarray, counts: dict[str, float]) -> float:
    """Sum of k_ij (l_ij - 2 l_iq + l_qr) over quadruples of four different groups, each as often as it is drawn."""
    k, l = x @ x.T, y @ y.T  # noqa: E741 -- as in papers
    total = 0.0
    for i, j, q, r in itertools.permutations(np.flatnonzero([counts[label] for label in labels]), 4):
        four = {labels[i], labels[j], labels[q], labels[r]}
        if len(four) == 4:
            total += np.prod([counts[group] for group in four]) * k[i, j] * (l[i, j] - 2 * l[i, q] + l[q, r])
    return total


def hsic_of_song(x: np.ndarray, y: np.ndarray) -> float:
    """The unbiased estimator of Song et al. (2012), with their matrices."""
    n, one = len(x), np.ones(len(x))
    k, l = x @ x.T, y @ y.T  # noqa: E741 -- as in papers
    np.fill_diagonal(k, 0)
    np.fill_diagonal(l, 0)
    middle = (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2))
    return (np.trace(k @ l) + middle - 2 / (n - 2) * (one @ k @ l @ one)) / (n * (n - 3))


@pytest.mark.parametrize("sizes", [[2, 3, 1, 2, 1], [1, 1, 2, 1, 1, 3]])
def test_it_is_the_sum_over_quadruples_in_the_data_and_in_every_draw(sizes):
    labels = labels_of(sizes)
    random = np.random.default_rng(0)
    x = 2 + random.normal(size=(len(labels), 3))
    y = -1 + x @ random.normal(size=(3, 2)) + 0.5 * random.normal(size=(len(labels), 2))
    found = similarity(x, y, labels, draws=12)
    names = np.unique(labels)
    defined = 0
    for draw, counts in enumerate(Groups.from_labels(labels, 12, 0).counts):
        of = dict(zip(names, counts, strict=True))
        both, of_x, of_y = (hsic_by_quadruples(*pair, labels, of) for pair in ((x, y), (x, x), (y, y)))
        expected = both / np.sqrt(of_x * of_y) if min(of_x, of_y) > 1e-6 else np.nan
        assert found[draw] == pytest.approx(expected, rel=1e-9, nan_ok=True)
        defined += np.isfinite(expected)
    assert defined >= 3


@pytest.mark.parametrize(("n", "width"), [(20, 5), (12, 60)])
def test_with_samples_that_are_their_own_groups_it_is_songs_estimator(n, width):
    random = np.random.default_rng(1)
    x, y = random.normal(size=(n, width)), random.normal(size=(n, 7))
    y[:, :3] += 2 * x[:, :3]
    expected = hsic_of_song(x, y) / np.sqrt(hsic_of_song(x, x) * hsic_of_song(y, y))
    assert similarity(x, y, np.arange(n).astype(str))[0] == pytest.approx(expected, rel=1e-9)


def test_means_and_scales_are_of_no_consequence():
    labels = labels_of([3, 2, 4, 1, 3, 2, 2])
    random = np.random.default_rng(2)
    x = random.normal(size=(17, 9))
    y = x[:, :4] + random.normal(size=(17, 4))
    np.testing.assert_allclose(
        similarity(1e3 + 1e-2 * x, 5 - 40 * y, labels, 9), similarity(x, y, labels, 9), rtol=1e-6
    )


def test_the_same_space_has_similarity_one_and_a_rotation_of_it_too():
    labels = labels_of([4] * 6)
    x = np.random.default_rng(3).normal(size=(24, 5))
    rotation = np.linalg.qr(np.random.default_rng(4).normal(size=(5, 5)))[0]
    found = similarity(x, x @ rotation, labels, 20)
    defined = np.count_nonzero(Groups.from_labels(labels, 20, 0).counts, axis=1) >= 4  # a quadruple has four groups
    np.testing.assert_allclose(found[defined], 1.0)
    assert defined[0]
    assert not defined.all()
    assert np.isnan(found[~defined]).all()


def test_a_relation_is_recovered_whatever_is_alike_inside_groups():
    # y is half signal, half noise that groups share, over many units: CKA of the population is known.
    random = np.random.default_rng(5)
    groups, size, width = 150, 4, 6
    shared = random.normal(size=(groups, width)).repeat(size, axis=0)
    x = random.normal(size=(groups * size, width)) + shared
    noise = np.sqrt(2) * random.normal(size=(groups, width)).repeat(size, axis=0)
    expected = 2 * 2 / (2 * 4)  # tr(C_xy C_yx) / (|C_xx| |C_yy|), with C_xx = C_xy = 2 I and C_yy = 4 I
    found = similarity(x, x + noise, np.arange(groups).repeat(size).astype(str))[0]
    assert found == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(
    ("sizes", "values", "reason"),
    [
        ([4, 4, 4], "random", "there are 3 groups, but debiased CKA over samples of different groups needs 4"),
        ([4, 4, 4, 4], "equal", "the features are the same for all samples"),
        (
            [4, 4, 4, 4],
            "inside",
            "the features of different groups have nothing in common (a debiased variance not above 0)",
        ),
    ],
)
def test_what_is_not_defined_is_said(sizes, values, reason):
    labels = labels_of(sizes)
    x = np.random.default_rng(0).normal(size=(len(labels), 5))
    if values == "equal":
        x[:] = 0.1
    if values == "inside":  # the same in all groups
        for name in np.unique(labels):
            x[labels == name] = np.eye(4, 5)
        x = x - x.mean(axis=0)
        x = np.hstack([x * (labels == name)[:, None] for name in np.unique(labels)])
    groups = Groups.from_labels(labels, 3, 0)
    with pytest.raises(UndefinedError) as caught:
        DebiasedCKA(groups).represent(x[groups.order], "features")
    assert str(caught.value) == reason
