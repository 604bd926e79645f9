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
    assert ours.smallest_p == (2 if alternative == "two-sided" else 1) / 2**9


def test_the_smallest_p_is_attained() -> None:
    ones = np.ones((6, 1)) + 0.1 * RANDOM.normal(size=(6, 1))
    for alternative in ("two-sided", "greater"):
        test = sign_flip_test(ones, alternative=alternative)
        assert test.p[0] == test.smallest_p


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
    np.testing.assert_allclose(ours.statistic, of(d))
    single = (np.abs(null) >= np.abs(of(d)) - 1e-12).sum(axis=0)
    maximum = (np.abs(null).max(axis=1)[:, None] >= np.abs(of(d)) - 1e-12).sum(axis=0)
    np.testing.assert_allclose(ours.p, (single + 1) / (len(null) + 1))
    np.testing.assert_allclose(ours.p_family, (maximum + 1) / (len(null) + 1))
    np.testing.assert_allclose(ours.p_step_down, step_down_by_loops(of(d), null))
    assert (ours.p <= ours.p_step_down).all()
    assert (ours.p_step_down <= ours.p_family).all()


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
