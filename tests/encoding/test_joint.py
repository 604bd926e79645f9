from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from himalaya.kernel_ridge import solve_multiple_kernel_ridge_random_search

from brainalign.encoding.encoder import encode
from brainalign.encoding.fit import fit_folds, training_folds
from brainalign.encoding.joint import joint_spaces, weight_grid, weights_beside_nulls, weights_of_nulls
from brainalign.encoding.joint_encoder import JOINT, Member, encode_joint
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.splits import make_folds
from brainalign.errors import InputError
from brainalign.responses.samples import Samples

RANDOM = np.random.default_rng(0)
N, V = 100, 8
FIRST, SECOND, THIRD = (RANDOM.normal(size=(N, width)) * scale + 3 for width, scale in ((5, 1), (60, 30), (140, 0.1)))
Y = FIRST @ RANDOM.normal(size=(5, V)) + SECOND[:, :20] @ RANDOM.normal(size=(20, V)) / 40 + RANDOM.normal(size=(N, V))
Y -= Y.mean(axis=0)
SAMPLES = Samples({"split_group": np.arange(N) // 5})
NEUROIDS = {"neuroid": np.arange(V).astype(str), "subject": ["S1"] * V, "region": ["x"] * V}
SPLIT = {"kind": "grouped", "folds": 5, "seed": 1}
GRID = (1e-3, 1e-1, 10.0)


def settings(**changes: Any) -> EncoderSettings:
    return EncoderSettings(**({"grid": GRID, "split": SPLIT, "draws": 20, "precision": "float64"} | changes))


@pytest.mark.parametrize(("n_spaces", "limit"), [(1, 5), (2, 5), (2, 30), (3, 16), (4, 40), (7, 12), (3, 1)])
def test_the_grid_has_every_space_alone_and_no_candidate_twice(n_spaces: int, limit: int) -> None:
    weights = weight_grid(n_spaces, limit)
    np.testing.assert_array_equal(weights[:n_spaces], np.eye(n_spaces))
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)
    assert (weights >= 0).all()
    assert len(np.unique(weights.round(12), axis=0)) == len(weights)
    assert len(weights) <= max(limit, n_spaces + 1)
    np.testing.assert_array_equal(weights, weight_grid(n_spaces, limit))


@pytest.mark.parametrize("limit", [1, 5, 7, 10, 16, 40])
@pytest.mark.parametrize("n_spaces", [2, 3, 4, 5, 6])
def test_some_mixture_is_of_all_spaces(n_spaces: int, limit: int) -> None:
    assert (weight_grid(n_spaces, limit) > 0).all(axis=1).any()


def test_where_a_lattice_is_too_large_equal_mixtures_come_before_draws() -> None:
    weights = weight_grid(4, 16)
    sizes = (weights > 0).sum(axis=1)
    assert sizes.tolist() == [1] * 4 + [4] + [3] * 4 + [2] * 6 + [4]
    np.testing.assert_allclose(weights[:15].max(axis=1) * sizes[:15], 1.0)
    assert not np.isclose(weights[15], 0.25).any()


@pytest.mark.parametrize("limit", [1, 5, 8, 16, 21, 40])
@pytest.mark.parametrize("nulls", [1, 2, 3, 4, 5])
def test_weights_beside_nulls_hold_those_of_the_nulls_alone(nulls: int, limit: int) -> None:
    """Features and nulls together can be the nulls by themselves, the features by themselves, and any share between."""
    alone, beside = weights_of_nulls(nulls, limit), weights_beside_nulls(nulls + 1, limit)
    of_features = beside[:, 0]
    np.testing.assert_array_equal(beside[of_features == 0, 1:], alone)
    np.testing.assert_array_equal(beside[of_features == 1], np.eye(1, nulls + 1))
    shares = np.unique(of_features)
    np.testing.assert_allclose(np.diff(shares), shares[1])
    for share in shares[:-1]:
        np.testing.assert_allclose(beside[of_features == share, 1:], (1 - share) * alone)
    assert len(shares) >= 3
    assert len(np.unique(beside.round(12), axis=0)) == len(beside)
    assert len(beside) <= max(limit, 2 * (nulls + (nulls > 1)) + 1)
    assert len(shares) > 4 or 4 * (nulls + (nulls > 1)) + 1 > limit  # quarters before more weights of the nulls


@pytest.mark.parametrize("weights", [weight_grid(3, 10), weights_beside_nulls(3, 10)], ids=["joint", "beside nulls"])
def test_parity_with_himalayas_random_search_at_the_same_weights(weights: np.ndarray) -> None:
    """Himalaya takes the mean over folds of the mean squared error, which is the sum where folds are equally large."""
    folds = make_folds(SPLIT, SAMPLES)
    fold = folds[0]
    y = np.hstack([Y[:, :4], SECOND[:, :4] - 3 + 20 * np.random.default_rng(1).normal(size=(N, 4))])
    y -= y.mean(axis=0)
    encoder = settings()
    ours = fit_folds(
        joint_spaces([FIRST, SECOND, THIRD], weights), y, training_folds(folds, encoder, SAMPLES, True), encoder, True
    )[0]
    place = {row: number for number, row in enumerate(fold.train)}
    inner = [
        (np.setdiff1d(np.arange(len(fold.train)), held), held)
        for held in (np.array([place[row] for row in other.test]) for other in folds[1:])
    ]
    kernels = []
    for x in (FIRST, SECOND, THIRD):
        centred = x - x.mean(axis=0)
        kernels.append(centred @ centred.T / (centred**2).sum())
    scale = np.array([np.trace(np.tensordot(row, kernels, axes=1)) / N for row in weights])
    np.testing.assert_allclose(scale, 1 / N)  # every mixture has one trace, so that himalaya's one grid is ours
    train = np.stack([kernel[np.ix_(fold.train, fold.train)] for kernel in kernels])
    test = np.stack([kernel[np.ix_(fold.test, fold.train)] for kernel in kernels])
    log_weights, dual, _, intercept = solve_multiple_kernel_ridge_random_search(
        train,
        y[fold.train],
        n_iter=weights,
        alphas=np.array(GRID) / N,
        cv=inner,
        fit_intercept=True,
        return_weights="dual",
        progress_bar=False,
        local_alpha=True,
    )
    theirs = np.einsum("sv,sij,jv->iv", np.exp(log_weights), test, dual) + intercept
    np.testing.assert_allclose(ours.prediction + y[fold.train].mean(axis=0), theirs, atol=1e-8)
    assert len(set(ours.space.tolist())) > 1, "the data must make the choice differ between neuroids"


def test_joint_spaces_are_encoded_at_the_layers_of_the_fold() -> None:
    """Layers that differ between folds are the same as each fold by itself."""
    other = FIRST + RANDOM.normal(size=FIRST.shape)
    chosen = ["one", "two", "one", "one", "two"]
    members = [Member({"one": FIRST, "two": other}, chosen), Member({"only": SECOND}, ["only"] * 5)]
    ours = encode_joint(members, Y, SAMPLES, NEUROIDS, settings())
    assert ours.layers == (JOINT,)
    assert ours.score_layers == (JOINT, "chosen")
    for name, x in (("one", FIRST), ("two", other)):
        alone = [Member({"x": x}, ["x"] * 5), Member({"only": SECOND}, ["only"] * 5)]
        found = encode_joint(alone, Y, SAMPLES, NEUROIDS, settings())
        folds = [k for k in range(5) if chosen[k] == name]
        np.testing.assert_allclose(ours.r[0, folds], found.r[0, folds], atol=1e-9)
    np.testing.assert_allclose(ours.aggregate_r2[0], ours.aggregate_r2[1])
    np.testing.assert_allclose(ours.replicates_r2.mean(axis=0), ours.aggregate_r2[1], atol=0.1)


def test_unique_r2_has_the_right_sign() -> None:
    """Beyond the first space the second explains something; a third, of noise, nothing."""

    def r2(*spaces: np.ndarray) -> float:
        members = [Member({"x": space}, ["x"] * 5) for space in spaces]
        return float(encode_joint(members, Y, SAMPLES, NEUROIDS, settings()).aggregate_r2[1, 0, 0])

    assert r2(FIRST, SECOND) - r2(FIRST) > 0.05
    assert abs(r2(FIRST, THIRD) - r2(FIRST)) < 0.02


@pytest.mark.parametrize("nulls", [2, 3, 4, 5])
def test_unique_r2_is_the_features_share_of_the_variance(nulls: int) -> None:
    """Independent nulls explain .6 in unequal parts, features .1 or nothing; the rest is noise.

    What k dimensions cost, fitted to 160 samples, is at most k / 160 of what is left over, .3 to .4: .01 for each null,
    .02 for the features.
    """
    random = np.random.default_rng(nulls)
    samples, n, neuroids = Samples({"split_group": np.arange(200) // 5}), 200, 40
    parts = np.arange(nulls, 0, -1) / sum(range(nulls + 1))

    def follow(space: np.ndarray, share: float) -> np.ndarray:
        signal = space @ random.normal(size=(space.shape[1], neuroids))
        return np.sqrt(share) * signal / signal.std(axis=0)

    spaces, features, noise = [random.normal(size=(n, 4)) for _ in parts], *random.normal(size=(2, n, 8))
    y = sum(follow(space, 0.6 * part) for space, part in zip(spaces, parts, strict=True)) + follow(features, 0.1)
    y = y + np.sqrt(0.3) * random.normal(size=(n, neuroids))
    table = {"neuroid": np.arange(neuroids).astype(str), "subject": ["S1"] * neuroids, "region": ["x"] * neuroids}
    encoder = settings(grid=(1e-2, 1e-1, 1.0, 10.0), mixtures=13, draws=2, precision="float32")

    def r2(members: list[np.ndarray], tried: Callable[[int, int], np.ndarray]) -> float:
        joined, weights = [Member({"x": x}, ["x"] * 5) for x in members], tried(len(members), 13)
        return float(encode_joint(joined, y, samples, table, encoder, weights=weights).aggregate_r2[1, 0, 0])

    of_nulls = r2(spaces, weights_of_nulls)
    assert of_nulls == pytest.approx(0.6 - 0.01 * nulls, abs=0.03)
    assert r2([features, *spaces], weights_beside_nulls) - of_nulls == pytest.approx(0.1 - 0.01, abs=0.015)
    assert -0.01 < r2([noise, *spaces], weights_beside_nulls) - of_nulls < 0.005


def test_a_space_alone_is_a_plain_ridge() -> None:
    joint = encode_joint([Member({"x": SECOND}, ["x"] * 5)], Y, SAMPLES, NEUROIDS, settings())
    plain = encode([("x", SECOND)], Y, SAMPLES, NEUROIDS, settings())
    np.testing.assert_allclose(joint.r, plain.r, atol=1e-8)
    np.testing.assert_allclose(joint.r2, plain.r2, atol=1e-8)


def test_constant_spaces_have_no_part() -> None:
    members = [Member({"x": SECOND}, ["x"] * 5), Member({"x": np.ones((N, 4))}, ["x"] * 5)]
    joint = encode_joint(members, Y, SAMPLES, NEUROIDS, settings())
    assert np.isfinite(joint.r).all()
    plain = encode([("x", SECOND)], Y, SAMPLES, NEUROIDS, settings())
    np.testing.assert_allclose(joint.aggregate_r[1], plain.aggregate_r[1], atol=0.02)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: joint_spaces([FIRST], np.ones((2, 3))), "there are 1 spaces to join, but weights of shape"),
        (lambda: joint_spaces([FIRST], np.zeros((1, 1))), "the weights of joint spaces must be 0 or more"),
        (
            lambda: encode_joint([Member({"x": FIRST}, ["x"])], Y, SAMPLES, NEUROIDS, settings()),
            "a layer was chosen in 1 folds of a joint space's member, but there are 5.",
        ),
        (
            lambda: encode_joint([], Y, SAMPLES, NEUROIDS, settings(regression="ols")),
            "joint spaces need a linear ridge, but this is linear ols.",
        ),
        (lambda: encode_joint([], Y, SAMPLES, NEUROIDS, settings()), "there is no feature space to join."),
    ],
)
def test_mistakes(make: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        make()
