from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.model_selection import GroupKFold

from brainalign.ceilings.other_subjects import OtherSubjects, leave_one_subject_out_ceiling, other_subjects
from brainalign.encoding.dependence import Dependence
from brainalign.encoding.encoder import encode
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import FeatureSpace, GramSpace
from brainalign.errors import InputError
from brainalign.inference.p_values import NOT_COUNTED

GRID = tuple(float(value) for value in np.logspace(-2, 4, 7))
SPLIT = {"kind": "grouped", "folds": 5}
SETTINGS = EncoderSettings(split=SPLIT, draws=30, grid=GRID, precision="float64")


def part(neuroids: dict[str, np.ndarray], which: np.ndarray) -> dict[str, np.ndarray]:
    return {name: values[which] for name, values in neuroids.items()}


@pytest.mark.parametrize("regression", ["ridge", "ols"])
def test_leaving_one_subject_out_is_the_encoder_with_the_others_as_features(
    shared: Any, regression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dependence, "kind", lambda *_: NOT_COUNTED)  # the plain bootstrap of both
    settings = replace(SETTINGS, regression=regression)
    ceiling = leave_one_subject_out_ceiling(shared.responses, shared.samples, shared.neuroids, settings)
    subjects = shared.neuroids["subject"]
    for row, subject in enumerate(np.unique(subjects), start=1):
        held_out = subjects == subject
        neuroids = part(shared.neuroids, held_out)
        layers = [("others", shared.responses[:, ~held_out])]
        encoding = encode(layers, shared.responses[:, held_out], shared.samples, neuroids, settings)
        np.testing.assert_allclose(ceiling.per_neuroid[held_out], encoding.r[0].mean(axis=0), atol=1e-9)
        np.testing.assert_allclose(ceiling.aggregate[row], encoding.aggregate_r[0, 1], atol=1e-9)
        assert ceiling.replicates is not None
        np.testing.assert_allclose(ceiling.replicates[:, row], encoding.replicates[:, 0, 1], atol=1e-6)


def test_delays_and_zscores_of_the_encoder_do_not_touch_a_ceiling(shared: Any) -> None:
    series = replace(SETTINGS, delays=(1, 2), zscore=True)
    plain = leave_one_subject_out_ceiling(shared.responses, shared.samples, shared.neuroids, SETTINGS)
    other = leave_one_subject_out_ceiling(shared.responses, shared.samples, shared.neuroids, series)
    np.testing.assert_array_equal(plain.aggregate, other.aggregate)


def test_a_pca_encoder_is_a_plain_ridge_between_subjects(shared: Any) -> None:
    reduced = replace(SETTINGS, regression="pca-ridge", components=2)
    plain = leave_one_subject_out_ceiling(shared.responses, shared.samples, shared.neuroids, SETTINGS)
    other = leave_one_subject_out_ceiling(shared.responses, shared.samples, shared.neuroids, reduced)
    np.testing.assert_array_equal(plain.aggregate, other.aggregate)


@pytest.mark.parametrize("regression", ["ridge", "ols"])
def test_it_is_scikit_learns_regression_on_concatenated_responses(shared: Any, regression: str) -> None:
    """Penalties by leaving rows out one by one, one for all neuroids of the subject; so RidgeCV is the twin."""
    ridge = {"penalties": "shared", "inner": "leave-one-out", "grid": GRID, "grid_scale": "absolute"}
    own = ridge if regression == "ridge" else {}
    settings = EncoderSettings(regression=regression, split=SPLIT, draws=20, precision="float64", layer="best", **own)
    ceiling = leave_one_subject_out_ceiling(shared.responses, shared.samples, shared.neuroids, settings)
    subjects = shared.neuroids["subject"]
    expected = np.zeros(24)
    for subject in np.unique(subjects):
        x, y = shared.responses[:, subjects != subject], shared.responses[:, subjects == subject]
        for train, test in GroupKFold(5).split(x, groups=shared.samples.split_group):
            model = RidgeCV(alphas=GRID) if regression == "ridge" else LinearRegression()
            predicted = model.fit(x[train], y[train]).predict(x[test])
            r = [np.corrcoef(predicted[:, column], y[test][:, column])[0, 1] for column in range(4)]
            expected[subjects == subject] += np.array(r) / 5
    np.testing.assert_allclose(ceiling.per_neuroid, expected, atol=1e-6)


def many_neuroids(shared: Any, each: int) -> OtherSubjects:
    random = np.random.default_rng(3)
    responses = shared.responses[:, :3].repeat(each, axis=1) + random.normal(size=(160, 3 * each))
    neuroids = {
        "neuroid": np.arange(3 * each).astype(str),
        "subject": np.repeat(["S1", "S2", "S3"], each),
        "region": np.full(3 * each, "a"),
    }
    return other_subjects(responses, shared.samples, neuroids, SETTINGS, least=2)


def test_added_gram_matrices_predict_as_concatenated_responses(shared: Any) -> None:
    data = many_neuroids(shared, 200)
    assert isinstance(data.space([0, 1]), GramSpace)
    assert isinstance(data.space([0]), FeatureSpace)
    targets = data.responses[:, data.subject == 2]
    added = data.predict([0, 1], targets)
    whole = OtherSubjects(data.trial, data.subject)
    object.__setattr__(whole, "space", lambda pool: FeatureSpace(data.responses[:, np.isin(data.subject, pool)]))
    for one, other in zip(added, whole.predict([0, 1], targets), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)


def test_too_few_subjects_are_refused(shared: Any) -> None:
    kept = shared.neuroids["subject"] == "S1"
    with pytest.raises(InputError, match=r"needs at least 2 of them here, but the data set has 1\."):
        leave_one_subject_out_ceiling(shared.responses[:, kept], shared.samples, part(shared.neuroids, kept), SETTINGS)
