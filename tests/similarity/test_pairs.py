"""RSA and plain CKA against double loops, scipy, scikit-learn and the textbook's formula."""

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr
from sklearn.model_selection import ShuffleSplit

from brainalign.similarity.dissimilarity import UndefinedError
from brainalign.similarity.groups import Groups
from brainalign.similarity.measure import make_metric
from brainalign.similarity.preparation import shuffled_tests
from brainalign.similarity.settings import SimilaritySettings
from similarity.conftest import drawn_pairs, labels_of

LABELS = labels_of([3, 5, 1, 4, 6, 2, 4, 5])


def data(n: int, width: int = 8, neuroids: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x = 3 + random.normal(size=(n, width))
    return x, x @ random.normal(size=(width, neuroids)) + 2 * random.normal(size=(n, neuroids)) - 2


def similarity(x: np.ndarray, y: np.ndarray, labels: np.ndarray, **settings: object) -> np.ndarray:
    settings = {"draws": 6} | settings
    groups = Groups.from_labels(labels, settings["draws"], seed=0)
    metric = make_metric(SimilaritySettings(**settings), groups)
    features = metric.represent(x[groups.order], "features")
    return metric.compare(features, [metric.represent(y[groups.order], "responses")])[0]


def distance_of(one: np.ndarray, other: np.ndarray, distance: str) -> float:
    if distance == "euclidean":
        return float(np.sqrt(((one - other) ** 2).sum()))
    if distance == "correlation":
        return 1 - pearsonr(one, other).statistic
    return float(1 - one @ other / np.sqrt((one @ one) * (other @ other)))


def plain_cka(x: np.ndarray, y: np.ndarray) -> float:
    """Kornblith et al. (2019), linear kernels, with the centring matrix."""
    centring = np.eye(len(x)) - 1 / len(x)
    k, l = centring @ x @ x.T @ centring, centring @ y @ y.T @ centring  # noqa: E741 -- as in papers
    return float(np.trace(k @ l) / np.sqrt(np.trace(k @ k) * np.trace(l @ l)))


@pytest.mark.parametrize("distance", ["correlation", "cosine", "euclidean"])
@pytest.mark.parametrize("compare", ["spearman", "pearson"])
def test_controlled_rsa_is_the_correlation_over_pairs_of_different_groups(distance, compare):
    x, y = data(len(LABELS))
    pairs = [(i, j) for i in range(len(x)) for j in range(i) if LABELS[i] != LABELS[j]]
    of_x, of_y = ([distance_of(values[i], values[j], distance) for i, j in pairs] for values in (x, y))
    expected = (spearmanr if compare == "spearman" else pearsonr)(of_x, of_y).statistic
    found = similarity(x, y, LABELS, metric="rsa", distance=distance, compare=compare)
    assert found[0] == pytest.approx(expected, rel=1e-9)
    assert expected > 0.1


def test_a_draw_of_controlled_rsa_counts_pairs_of_copies_and_holds_ranks():
    x, y = data(len(LABELS), seed=1)
    own = [(i, j) for i in range(len(x)) for j in range(i + 1, len(x)) if LABELS[i] != LABELS[j]]
    ranks = [
        dict(zip(own, np.argsort(np.argsort([distance_of(v[i], v[j], "correlation") for i, j in own])), strict=True))
        for v in (x, y)
    ]
    found = similarity(x, y, LABELS, metric="rsa")
    for draw, counts in enumerate(Groups.from_labels(LABELS, 6, 0).counts):
        of = dict(zip(np.unique(LABELS), counts.astype(int), strict=True))
        drawn = [tuple(sorted(pair)) for pair in drawn_pairs(LABELS, of) if LABELS[pair[0]] != LABELS[pair[1]]]
        expected = pearsonr(*([rank[pair] for pair in drawn] for rank in ranks)).statistic
        assert found[draw] == pytest.approx(expected, rel=1e-9)


def test_ranks_that_are_held_come_near_to_ranks_of_each_draw():
    labels = np.arange(40).repeat(3).astype(str)
    x, y = data(120, seed=2)
    found = similarity(x, y, labels, metric="rsa", draws=30)
    names = np.unique(labels)
    ranked = []
    for counts in Groups.from_labels(labels, 30, 0).counts[1:]:
        of = dict(zip(names, counts.astype(int), strict=True))
        i, j = np.array([pair for pair in drawn_pairs(labels, of) if labels[pair[0]] != labels[pair[1]]]).T
        ranked.append(spearmanr((1 - np.corrcoef(x))[i, j], (1 - np.corrcoef(y))[i, j]).statistic)
    np.testing.assert_allclose(found[1:], ranked, atol=0.01)
    assert np.std(ranked) > 0.02


@pytest.mark.parametrize("n", [30, 47])
@pytest.mark.parametrize("test", [0.9, 0.5])
def test_published_metrics_are_those_of_shuffled_splits(n, test):
    x, y = data(n, width=20)
    labels = labels_of([n // 6] * 5 + [n - 5 * (n // 6)])
    of_rsa, of_cka = [], []
    for _, rows in ShuffleSplit(n_splits=10, test_size=test, random_state=1).split(x):
        upper = np.triu_indices(len(rows), k=1)
        of_rsa.append(spearmanr((1 - np.corrcoef(x[rows]))[upper], (1 - np.corrcoef(y[rows]))[upper]).statistic)
        of_cka.append(plain_cka(x[rows], y[rows]))
    rsa, cka = (similarity(x, y, labels, metric=name, kind="as-published", test=test) for name in ("rsa", "cka"))
    assert rsa[0] == pytest.approx(np.mean(of_rsa), rel=1e-9)
    assert cka[0] == pytest.approx(np.mean(of_cka), rel=1e-9)


def test_a_draw_of_published_cka_counts_entries_of_centred_matrices():
    x, y = data(len(LABELS), seed=3)
    settings = {"metric": "cka", "kind": "as-published", "folds": 2, "test": 0.7, "draws": 4}
    found = similarity(x, y, LABELS, **settings)
    tests = shuffled_tests(len(x), 2, 0.7, 1)
    for draw, counts in enumerate(Groups.from_labels(LABELS, 4, 0).counts):
        of = dict(zip(np.unique(LABELS), counts.astype(int), strict=True))
        scores = []
        for rows in tests:
            k, l = (v @ v.T for v in (x[rows] - x[rows].mean(axis=0), y[rows] - y[rows].mean(axis=0)))  # noqa: E741
            pairs = list(drawn_pairs(LABELS[rows], of))
            i, j = np.array([*pairs, *((j, i) for i, j in pairs)]).T
            own = np.array([of[label] for label in LABELS[rows]])
            kl, kk, ll = (
                (a[i, j] * b[i, j]).sum() + (own * np.diag(a) * np.diag(b)).sum() for a, b in ((k, l), (k, k), (l, l))
            )
            scores.append(kl / np.sqrt(kk * ll))
        assert found[draw] == pytest.approx(np.mean(scores), rel=1e-9)


@pytest.mark.parametrize(("n", "test", "seed"), [(240, 0.9, 1), (384, 0.9, 1), (243, 0.9, 7), (1317, 0.35, 2)])
def test_test_rows_are_those_of_scikit_learn(n, test, seed):
    found = shuffled_tests(n, 3, test, seed)
    expected = ShuffleSplit(n_splits=3, test_size=test, random_state=seed).split(np.zeros(n))
    for mine, (_, theirs) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize(
    ("settings", "labels", "y", "reason"),
    [
        ({"metric": "rsa"}, list("abcd") * 2, "two", "the responses have 2 units, but correlation distances need 3"),
        (
            {"metric": "rsa"},
            ["a", "b"] * 4,
            "random",
            "there are 2 groups, but RSA over pairs of different groups needs 3",
        ),
        (
            {"metric": "rsa"},
            list("abcd") * 2,
            "orthogonal",
            "all pairs of samples are equally dissimilar in the responses",
        ),
        (
            {"metric": "cka", "kind": "as-published"},
            ["a", "b"] * 4,
            "equal",
            "the responses are the same for all samples",
        ),
    ],
)
def test_what_is_not_defined_is_said(settings, labels, y, reason):
    random = np.random.default_rng(0)
    values = {
        "two": random.normal(size=(8, 2)),
        "random": random.normal(size=(8, 5)),
        "orthogonal": np.eye(8, 9),
        "equal": np.full((8, 5), 0.3),
    }[y]
    with pytest.raises(UndefinedError) as caught:
        similarity(random.normal(size=(8, 5)), values, np.array(labels), **settings)
    assert str(caught.value) == reason


def test_a_null_of_one_number_is_compared_by_euclidean_distance_where_controlled():
    groups = Groups.from_labels(LABELS, 3, 0)
    x = np.random.default_rng(0).normal(size=(len(LABELS), 1))
    metric = make_metric(SimilaritySettings("rsa", draws=3), groups)
    assert metric.represent(x, "features").distance == "euclidean"
    assert (
        metric.represent(np.random.default_rng(0).normal(size=(len(LABELS), 3)), "features").distance == "correlation"
    )
    published = make_metric(SimilaritySettings("rsa", "as-published", draws=3), groups)
    with pytest.raises(UndefinedError, match="the features have 1 unit"):
        published.represent(x, "features")
