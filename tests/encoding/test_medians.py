"""Medians of replicates spread as medians of new data do."""

import numpy as np
import pytest

from brainalign.encoding.medians import POOLED, kept_shares, medians_in_draws, moments, shifts
from brainalign.encoding.scores import Units


def moved_together(values: np.ndarray, spread: float) -> np.ndarray:
    means, noise = moments(values, np.arange(values.shape[1]))
    return values + shifts(means, kept_shares([(means, noise)], np.array([spread]))[0])


@pytest.mark.parametrize("neuroids", [5, 40])
@pytest.mark.parametrize("shared", [0.0, 0.7])
@pytest.mark.parametrize("truth", [0.0, 1.0, 5.0])
def test_medians_of_replicates_spread_as_those_of_data(neuroids: int, shared: float, truth: float) -> None:
    """Noise of variance 1, a share of it the same in all neuroids, about true values of the SD `truth`."""
    random = np.random.default_rng(neuroids)
    found, moved, plain = [], [], []
    values = truth * random.normal(size=neuroids)

    def noise(size: int) -> np.ndarray:
        own, common = random.normal(size=(size, neuroids)), random.normal(size=(size, 1))
        return np.sqrt(1 - shared) * own + np.sqrt(shared) * common

    for data in values + noise(400):
        found.append(np.median(data))
        replicates = data + noise(200)
        moved.append(np.median(moved_together(replicates, 1.0), axis=1).std())
        plain.append(np.median(replicates, axis=1).std())
    ratio, without = np.mean(moved) / np.std(found), np.mean(plain) / np.std(found)
    assert 0.85 < ratio < 1.15
    if truth == shared == 0:
        assert without > max(1.05, ratio)


def test_what_is_moved_keeps_its_middle_and_noise_of_all_folds_counts() -> None:
    random = np.random.default_rng(0)
    values = 3.0 * random.normal(size=8) + random.normal(size=(500, 8))
    for spread in (0.0, 1.0, np.sqrt(2), 10.0):
        moved = moved_together(values, spread)
        means = moved.mean(axis=0)
        assert np.median(means) == pytest.approx(np.median(values.mean(axis=0)))
        np.testing.assert_allclose(moved - means, values - values.mean(axis=0))
        left = max(0.0, values.mean(axis=0).var() - spread**2 * (values - values.mean(axis=0)).var(axis=1).mean())
        assert means.var() == pytest.approx(left)
    np.testing.assert_array_equal(moved_together(values[:, :2], 1.0), values[:, :2])


def test_cells_without_neuroids_and_draws_that_are_nothing() -> None:
    units = Units(np.array(list("abcd")), np.array(["S1", "S1", "S1", "S2"]), np.array(["x", "x", "y", "x"]))
    values = np.random.default_rng(0).normal(size=(6, 4))
    for name in ("schrimpf", "brain-score"):
        found = medians_in_draws(values, units, name, np.ones((3, 3)))
        assert np.isnan(found[:, 2, 2]).all()  # the second subject has no region y
        assert np.isfinite(np.delete(found.reshape(6, 9), 8, axis=1)).all()
        np.testing.assert_array_equal(found[:, 0, 2], values[:, 2])
        assert np.isnan(medians_in_draws(np.full((6, 4), np.nan), units, name, np.ones((3, 3)))).all()


@pytest.mark.parametrize("name", ["schrimpf", "brain-score"])
def test_subjects_of_a_region_share_some_of_what_is_kept(name: str) -> None:
    """Region x has 5, 4 and 2 neuroids of three subjects."""
    random = np.random.default_rng(1)
    subjects, regions = np.repeat(["S1", "S2", "S3"], [6, 4, 2]), np.array(["y", *["x"] * 11])
    units = Units(np.arange(12).astype(str), subjects, regions)
    values = 3.0 * random.normal(size=12) + random.normal(size=(300, 12))
    spread = 1.0 + 0.1 * np.arange(12).reshape(4, 3)  # (score_subject, score_region)
    found = medians_in_draws(values, units, name, spread)
    own = {k: values[:, (subjects == f"S{k}") & (regions == "x")] for k in (1, 2, 3)}
    means = {k: of.mean(axis=0) for k, of in own.items()}
    squares = {k: ((of - of.mean()) ** 2).sum() for k, of in means.items()}
    noise = {
        k: spread[k, 2] ** 2 * np.mean([((draw - draw.mean()) ** 2).sum() for draw in of - means[k]])
        for k, of in own.items()
    }
    shares = []
    for k, of in own.items():
        of_all = [POOLED * sum(each.values()) / (4 + 3 + 1) for each in (noise, squares)]
        shares.append(np.sqrt(max(0.0, 1 - (noise[k] + of_all[0]) / (squares[k] + of_all[1]))))
        centre = np.median(means[k])
        moved = of if k == 3 else of - means[k] + centre + shares[-1] * (means[k] - centre)
        np.testing.assert_allclose(found[:, k, 2], np.median(moved, axis=1))
    assert 0.2 < min(shares) < max(shares) - 0.01 < 0.99
    among = found[:, 1:, 2] if name == "schrimpf" else values[:, 1:]
    k = np.sqrt((spread[1:, 2] ** 2).mean()) if name == "schrimpf" else spread[0, 2]
    centre, deviations = among.mean(axis=0), among - among.mean(axis=0)
    of_all = k**2 * np.mean([((draw - draw.mean()) ** 2).sum() for draw in deviations])
    share = np.sqrt(max(0.0, 1 - of_all / ((centre - centre.mean()) ** 2).sum()))
    middle = np.median(centre)
    np.testing.assert_allclose(found[:, 0, 2], np.median(deviations + middle + share * (centre - middle), axis=1))


@pytest.mark.parametrize("unlike", [0.0, 2.0])
def test_a_subject_unlike_the_others_keeps_what_it_has(unlike: float) -> None:
    """One subject's neuroids differ in truth by an SD of 2 or not at all, and those of nine others do the opposite."""
    random = np.random.default_rng(3)
    subjects = np.repeat(np.arange(10), 40)
    units = Units(np.arange(400).astype(str), subjects.astype(str), np.full(400, "x"))
    truth = np.where(subjects == 0, unlike, 2.0 - unlike) * random.normal(size=400)
    found, moved = [], []
    for data in truth + random.normal(size=(200, 400)):
        found.append(np.median(data[subjects == 0]))
        replicates = data + random.normal(size=(100, 400))
        moved.append(medians_in_draws(replicates, units, "schrimpf", np.ones((11, 2)))[:, 1, 0].std())
    assert 0.85 < np.mean(moved) / np.std(found) < 1.15
