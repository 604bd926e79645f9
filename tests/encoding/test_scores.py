import numpy as np
import pytest
from scipy.stats import pearsonr

from brainalign.encoding.scores import Units, aggregate, over_neuroids, pearson
from brainalign.errors import InputError

SUBJECT = np.array(["S2", "S2", "S1", "S1", "S1", "S10"])
REGION = np.array(["a", "b", "a", "a", "b", "b"])
UNITS = Units(np.array([f"n{number}" for number in range(6)]), SUBJECT, REGION)
R = np.random.default_rng(0).uniform(-0.2, 0.6, size=(4, 6))  # (fold, neuroid)


def cell(subject: str, region: str) -> np.ndarray:
    return ((subject == SUBJECT) | (subject == "all")) & ((region == REGION) | (region == "all"))


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_r_is_scipys(offset: float) -> None:
    random = np.random.default_rng(1)
    prediction, response = random.normal(size=(30, 4)) * 1e-3 + offset, random.normal(size=(30, 4))
    r, constant = pearson(prediction, response)
    np.testing.assert_allclose(r, [pearsonr(prediction[:, c], response[:, c])[0] for c in range(4)], atol=1e-7)
    assert constant == 0


@pytest.mark.parametrize(("spread", "count"), [(0.0, 2), (1e-9, 2), (1e-7, 0)])
def test_constant_predictions_score_zero_and_are_counted(spread: float, count: int) -> None:
    random = np.random.default_rng(1)
    response = random.normal(size=(30, 2)) * [1, 1000]
    r, constant = pearson(spread * response / response.std(axis=0) * [1, 1000] + 0.1, response)
    assert constant == count
    np.testing.assert_allclose(r, [0, 0] if count else [1, 1], atol=1e-6)


def test_axes_are_all_then_names_by_first_appearance() -> None:
    assert UNITS.score_subjects == ("all", "S2", "S1", "S10")
    assert UNITS.score_regions == ("all", "a", "b")


def test_mean_weighs_subjects_equally() -> None:
    scores = aggregate(R, UNITS, "mean")
    means = R.mean(axis=0)
    for row, subject in enumerate(UNITS.subjects, start=1):
        for column, region in enumerate(UNITS.score_regions):
            values = means[cell(subject, region)]
            np.testing.assert_allclose(scores[row, column], values.mean() if len(values) else np.nan)
    np.testing.assert_allclose(scores[0], np.nanmean(scores[1:], axis=0))
    assert np.isnan(scores[3, 1])


def test_schrimpf_is_the_median_over_subjects_of_medians() -> None:
    scores = aggregate(R, UNITS, "schrimpf")
    means = R.mean(axis=0)
    for row, subject in enumerate(UNITS.subjects, start=1):
        for column, region in enumerate(UNITS.score_regions):
            values = means[cell(subject, region)]
            np.testing.assert_allclose(scores[row, column], np.median(values) if len(values) else np.nan)
    np.testing.assert_allclose(scores[0], np.nanmedian(scores[1:], axis=0))


def test_brain_score_is_the_mean_over_folds_of_pooled_medians() -> None:
    scores = aggregate(R, UNITS, "brain-score")
    for row, subject in enumerate(UNITS.score_subjects):
        for column, region in enumerate(UNITS.score_regions):
            values = R[:, cell(subject, region)]
            expected = np.median(values, axis=1).mean() if values.size else np.nan
            np.testing.assert_allclose(scores[row, column], expected)


@pytest.mark.parametrize("name", ["mean", "schrimpf", "brain-score"])
def test_leading_axes_and_fold_weights(name: str) -> None:
    draws = np.random.default_rng(2).uniform(size=(5, 4, 6))
    together = aggregate(np.moveaxis(draws, 1, 0), UNITS, name)
    for number in range(5):
        np.testing.assert_allclose(together[number], aggregate(draws[number], UNITS, name))
    weights = np.array([[2, 0, 1, 1], [0, 4, 0, 0]])
    weighted = aggregate(R[:, None], UNITS, name, weights)
    np.testing.assert_allclose(weighted[0], aggregate(R[[0, 0, 2, 3]], UNITS, name))
    np.testing.assert_allclose(weighted[1], aggregate(R[[1]], UNITS, name))


def test_unknown_aggregates_are_named() -> None:
    with pytest.raises(InputError, match="unknown aggregate 'schrimf'; did you mean 'schrimpf'"):
        aggregate(R, UNITS, "schrimf")
    with pytest.raises(InputError, match="unknown aggregate 'median'"):
        over_neuroids(R, UNITS, "median")


@pytest.mark.parametrize("column", ["subject", "region"])
def test_no_subject_or_region_has_the_name_of_all_together(column: str) -> None:
    table = {"neuroid": np.array(["n0", "n1"]), "subject": np.array(["S", "S"]), "region": np.array(["a", "b"])}
    assert len(Units.from_table(table)) == 2
    table[column] = np.array(["x", "all"])
    with pytest.raises(
        InputError, match=f"the neuroid 'n1' has the {column} 'all', which is the name of all {column}s"
    ):
        Units.from_table(table)
