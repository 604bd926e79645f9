from itertools import product

import numpy as np
import pytest
from scipy.stats import permutation_test, ttest_1samp

from brainalign.errors import InputError
from brainalign.inference.p_values import resampled_p
from brainalign.inference.sign_flip import sign_flip_test, sign_patterns

RANDOM = np.random.default_rng(0)
D = RANDOM.normal(0.4, 1, size=(9, 5))


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_few_groups_are_enumerated_and_exact(alternative: str) -> None:
    ours = sign_flip_test(D, alternative=alternative)
    for column in range(5):
        oracle = permutation_test(
            (D[:, column],), np.mean, permutation_type="samples", n_resamples=np.inf, alternative=alternative
        )
        assert ours.p[column] == pytest.approx(oracle.pvalue, abs=1e-12)
    assert ours.exact
    assert ours.resamples == 2**9 - 1
    assert set(ours.smallest_p) == {(2 if alternative == "two-sided" else 1) / 2**9}


def test_the_smallest_p_is_attained() -> None:
    ones = np.ones((6, 1)) + 0.1 * RANDOM.normal(size=(6, 1))
    for alternative in ("two-sided", "greater"):
        test = sign_flip_test(ones, alternative=alternative)
        assert test.p[0] == test.smallest_p


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
def test_a_spread_leaves_more_to_equal_contributions(alternative: str) -> None:
    """With four columns of unlike spread, and one that is empty; and of unequal contributions p may be smaller."""
    spread = np.array([1.0, 1.2, 2**0.5, 3.0, 1.0])
    equal = np.ones((8, 5)) * [1, 5, 1, 1, np.nan]
    test = sign_flip_test(-equal if alternative == "less" else equal, alternative=alternative, spread=spread)
    means = [sum(signs) / 8 for signs in product([-1, 1], repeat=8)]
    if alternative == "two-sided":
        means = [abs(mean) for mean in means]
    expected = [np.mean([by * mean > 0.999999 for mean in means]) for by in spread[:4]]
    assert test.smallest_p[:4].tolist() == test.p[:4].tolist() == expected
    assert np.isnan(test.smallest_p[4])
    unequal = np.array([1.7] * 5 + [1.0] * 3)[:, None]
    less = sign_flip_test(unequal, alternative="greater", spread=2**0.5)
    assert (less.p[0], less.smallest_p[0]) == (4 / 256, 9 / 256)
    assert sign_flip_test(unequal, statistic="studentised").statistic < 8**0.5


def test_the_p_of_equal_contributions_is_that_of_the_patterns_drawn() -> None:
    for groups, spread in ((16, 2**0.5), (20, 1.8)):
        test = sign_flip_test(np.ones((groups, 1)), 999, 2, "greater", spread=spread)
        assert test.p[0] == test.smallest_p[0] > 1 / 1000


def step_down_by_loops(observed: np.ndarray, null: np.ndarray) -> np.ndarray:
    """Westfall & Young, algorithm 4.1, with one loop for each step."""
    order = np.argsort(-np.abs(observed))
    p, previous = np.empty(len(observed)), 0.0
    for rank, column in enumerate(order):
        rest = np.abs(null[:, order[rank:]]).max(axis=1)
        previous = max(previous, (np.sum(rest >= abs(observed[column]) - 1e-12) + 1) / (len(null) + 1))
        p[column] = previous
    return p


@pytest.mark.parametrize("statistic", ["mean", "studentised"])
@pytest.mark.parametrize("groups", [9, 20])
def test_the_maximum_over_columns_is_that_of_plain_loops(statistic: str, groups: int) -> None:
    d = RANDOM.normal(0.3, 1, size=(groups, 4)) * [1, 3, 1, 9]
    ours = sign_flip_test(d, 700, 3, statistic=statistic)
    signs, _ = sign_patterns(groups, 700, 3)

    def of(values: np.ndarray) -> np.ndarray:
        return values.mean(axis=0) if statistic == "mean" else ttest_1samp(values, 0).statistic

    null = np.stack([of(pattern[:, None] * d) for pattern in signs])
    scale = 1.0 if statistic == "mean" else np.sqrt((groups - 1) / (groups - ours.statistic**2))
    np.testing.assert_allclose(ours.statistic * scale, of(d))
    single = (np.abs(null) >= np.abs(of(d)) - 1e-12).sum(axis=0)
    maximum = (np.abs(null).max(axis=1)[:, None] >= np.abs(of(d)) - 1e-12).sum(axis=0)
    np.testing.assert_allclose(ours.p, (single + 1) / (len(null) + 1))
    np.testing.assert_allclose(ours.p_family, (maximum + 1) / (len(null) + 1))
    np.testing.assert_allclose(ours.p_step_down, step_down_by_loops(of(d), null))
    assert (ours.p <= ours.p_step_down).all()
    assert (ours.p_step_down <= ours.p_family).all()


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("noise", [3.0, 0.05], ids=["random", "nearly equal"])
def test_p_of_the_family_is_never_below_p_alone(alternative: str, noise: float) -> None:
    """With a spread of each column's own, in which z is what plain loops over patterns and columns give."""
    random = np.random.default_rng(4)
    spread = np.array([1.0, 1.1, 1.3, 2**0.5])
    for groups in (8, 20):
        d = (1 + noise * random.normal(size=(groups, 4))) * [1, 7, 1, 3] * (-1 if alternative == "less" else 1)
        test = sign_flip_test(d, 300, 1, alternative, "studentised", spread)
        alone = sign_flip_test(d, 300, 1, alternative, spread=spread)
        np.testing.assert_array_equal(test.p, alone.p)
        assert (test.p_family >= test.p_step_down).all()
        assert (test.p_step_down >= test.p).all()
        assert (test.p_family >= test.smallest_p).all()
        directed = {"two-sided": abs, "greater": float, "less": lambda value: -value}[alternative]
        error = [np.sqrt(sum(d[:, k] ** 2)) / groups for k in range(4)]
        null = [
            max(directed(np.mean(signs * d[:, k])) / error[k] for k in range(4))
            for signs in sign_patterns(groups, 300, 1)[0]
        ]
        for k in range(4):
            z = directed(d[:, k].mean()) / (spread[k] * error[k])
            assert test.p_family[k] == (sum(value >= z - 1e-9 for value in null) + 1) / (len(null) + 1)


def test_batches_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = sign_flip_test(np.tile(D, (3, 1)), 500, 1)
    monkeypatch.setattr("brainalign.inference.sign_flip.BATCH_NUMBERS", 12)
    parts = sign_flip_test(np.tile(D, (3, 1)), 500, 1)
    np.testing.assert_array_equal(whole.p_step_down, parts.p_step_down)
    np.testing.assert_array_equal(whole.p, parts.p)


def test_random_draws_depend_on_the_seed() -> None:
    d = RANDOM.normal(0.1, 1, size=(30, 1))
    assert sign_flip_test(d, 99, 0).p == sign_flip_test(d, 99, 0).p
    assert not np.array_equal(sign_patterns(30, 99, 0)[0], sign_patterns(30, 99, 1)[0])
    assert not sign_flip_test(d, 99, 0).exact
    assert sign_flip_test(d, 99, 0).smallest_p == 1 / 100


def test_columns_without_neuroids_stay_nan_and_those_with_holes_are_refused() -> None:
    d = D.copy()
    d[:, 2] = np.nan
    ours, without = sign_flip_test(d), sign_flip_test(np.delete(D, 2, axis=1))
    assert np.isnan(ours.p[2])
    np.testing.assert_array_equal(np.delete(ours.p_family, 2), without.p_family)
    d[0, 2] = 1.0
    with pytest.raises(InputError, match="column 2 of the contributions is NaN in 8 of 9 groups"):
        sign_flip_test(d)


def test_a_spread_widens_the_null() -> None:
    null = RANDOM.normal(size=(999, 3))
    wide, plain = resampled_p(np.full(3, 2.0), [null], spread=1.5), resampled_p(np.full(3, 2.0), [1.5 * null])
    np.testing.assert_array_equal(wide.p, plain.p)
    assert not resampled_p(np.full(3, 2.0), [null], spread=1.5, enumerated=True).exact
    each = resampled_p(np.full(3, 2.0), [null], spread=np.array([1.0, 1.5, 2.0]))
    by_hand = resampled_p(np.full(3, 2.0), [null * [1.0, 1.5, 2.0]])
    for name in ("p", "p_family", "p_step_down"):
        np.testing.assert_array_equal(getattr(each, name), getattr(by_hand, name))


def test_no_effect_at_all_gives_one() -> None:
    for statistic in ("mean", "studentised"):
        np.testing.assert_array_equal(sign_flip_test(np.zeros((8, 2)), statistic=statistic).p, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alternative": "both"}, "unknown alternative 'both'"),
        ({"statistic": "median"}, "unknown statistic 'median'"),
        ({"spread": 0.0}, "spread of a null distribution must be above 0"),
        ({"draws": 0}, "at least 1 draw"),
    ],
)
def test_mistakes_are_named(arguments: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        sign_flip_test(D, **arguments)


def test_one_group_is_refused() -> None:
    with pytest.raises(InputError, match="at least 2 groups, but there is 1"):
        sign_flip_test(D[:1])
