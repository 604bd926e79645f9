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
from brainalign.responses.samples import Samples

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


def in_runs(shared: Any) -> tuple[np.ndarray, Samples]:
    """Responses in four runs, each with its own scale of every neuroid."""
    runs = np.repeat(["a", "b", "c", "d"], 40)
    scales = np.random.default_rng(4).uniform(0.2, 3, size=(4, 24))
    columns = {"run": runs, "onset_s": np.tile(2.0 * np.arange(40), 4), **shared.samples.columns}
    return shared.responses * np.repeat(scales, 40, axis=0), Samples(columns)


@pytest.mark.parametrize("scaling", [{"zscore": True}, {"zscore_delayed": True}, {}])
def test_scaling_is_the_encoders_but_delays_are_not(shared: Any, scaling: dict[str, bool]) -> None:
    """Least squares with scikit-learn on responses that are scaled in each run, as models' features are."""
    responses, samples = in_runs(shared)
    settings = replace(SETTINGS, regression="ols", delays=(1, 2), word_components=3, **scaling)
    ceiling = leave_one_subject_out_ceiling(responses, samples, shared.neuroids, settings)
    features = responses.copy()
    for run in np.unique(samples.run) if scaling else []:
        rows = samples.run == run
        features[rows] = (features[rows] - features[rows].mean(axis=0)) / features[rows].std(axis=0)
    subjects = shared.neuroids["subject"]
    expected = np.zeros(24)
    for subject in np.unique(subjects):
        x, y = features[:, subjects != subject], responses[:, subjects == subject]
        for train, test in GroupKFold(5).split(x, groups=samples.split_group):
            predicted = LinearRegression().fit(x[train], y[train]).predict(x[test])
            expected[subjects == subject] += [np.corrcoef(predicted[:, v], y[test][:, v])[0, 1] / 5 for v in range(4)]
    np.testing.assert_allclose(ceiling.per_neuroid, expected, atol=1e-6)


def test_scaling_without_runs_is_refused(shared: Any) -> None:
    with pytest.raises(InputError, match="the sample table has no column 'run'"):
        leave_one_subject_out_ceiling(shared.responses, shared.samples, shared.neuroids, replace(SETTINGS, zscore=True))


@pytest.mark.parametrize("kernel", ["rbf", "polynomial"])
@pytest.mark.parametrize("width", [12, 400])
def test_a_kernel_between_subjects_is_the_encoders(shared: Any, kernel: str, width: int) -> None:
    """One subject is a square of the other: no linear map finds it, whether or not there are many neuroids."""
    random = np.random.default_rng(0)
    signal = random.normal(size=(160, 2))
    first = signal @ random.normal(size=(2, width)) + 0.01 * random.normal(size=(160, width))
    second = (signal**2 - 1) @ np.array([[1.0, 0.5], [0.5, -1.0]]) + 0.1 * random.normal(size=(160, 2))
    neuroids = {
        "neuroid": np.arange(width + 2).astype(str),
        "subject": np.repeat(["first", "second"], [width, 2]),
        "region": np.full(width + 2, "a"),
    }
    settings = replace(SETTINGS, bandwidths=(0.5, 1.0, 2.0))
    responses = np.concatenate([first, second], axis=1)
    linear, curved = (
        leave_one_subject_out_ceiling(responses, shared.samples, neuroids, replace(settings, kernel=name)).per_neuroid
        for name in ("linear", kernel)
    )
    own = part(neuroids, neuroids["subject"] == "second")
    encoding = encode([("first", first)], second, shared.samples, own, replace(settings, kernel=kernel, layer="best"))
    np.testing.assert_allclose(curved[-2:], encoding.r[0].mean(axis=0), atol=1e-6)
    assert (linear[-2:] < 0.3).all()
    assert (curved[-2:] > 0.8).all()


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
    assert [type(data.spaces(pool)[0]) for pool in ([0, 1], [0])] == [GramSpace, FeatureSpace]
    targets = data.responses[:, data.subject == 2]
    added = data.predict([0, 1], targets)
    whole = OtherSubjects(data.trial, data.subject)
    object.__setattr__(whole, "spaces", lambda pool: [FeatureSpace(data.responses[:, np.isin(data.subject, pool)])])
    for one, other in zip(added, whole.predict([0, 1], targets), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)


def test_too_few_subjects_are_refused(shared: Any) -> None:
    kept = shared.neuroids["subject"] == "S1"
    with pytest.raises(InputError, match=r"needs at least 2 of them here, but the data set has 1\."):
        leave_one_subject_out_ceiling(shared.responses[:, kept], shared.samples, part(shared.neuroids, kept), SETTINGS)
