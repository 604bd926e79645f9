"""Encoders fitted to all samples: equal to plain estimators of scikit-learn, kept whole, refused where they must be."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics.pairwise import polynomial_kernel, rbf_kernel
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from brainalign.encoding.fit_to_all import chosen_layer, fit_to_all
from brainalign.encoding.fitted import Axes, FittedEncoder, predict, weights
from brainalign.encoding.fitted_stored import fitted_facts, fitted_variables, read_fitted
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.splits import make_folds
from brainalign.errors import InputError, UnreadableFileError
from brainalign.responses.samples import Samples
from brainalign.storage import write_arrays

GRID = (1e-2, 1e0, 1e2)
GROUPED = {"kind": "grouped", "folds": 4}
NEW = np.random.default_rng(9)


def ridge(**changes: Any) -> EncoderSettings:
    return EncoderSettings(**{"grid": GRID, "split": GROUPED, "precision": "float64"} | changes)


def fit(data: Any, settings: EncoderSettings, features: np.ndarray | None = None) -> FittedEncoder:
    x = data.features if features is None else features
    return fit_to_all("block_01", x, data.responses, data.samples, data.neuroids, settings)


def kept(fitted: FittedEncoder, path: Path) -> FittedEncoder:
    write_arrays(path, fitted_variables(fitted), fitted_facts(fitted))
    return read_fitted(path)


def assert_equal(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Predictions agree to 1e-6 of what they vary."""
    assert np.abs(ours - theirs).max() <= 1e-6 * theirs.std()


def naive_penalties(
    x: np.ndarray, y: np.ndarray, tests: list[np.ndarray], settings: EncoderSettings, near: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Penalties by refits over folds, and r of the held-out predictions; rows up to `near` from a fold are left out."""
    centred = x - x.mean(axis=0)
    penalties = np.array(settings.penalty_values) * (np.sum(centred**2) / len(x))
    predictions, means = np.empty((len(penalties), *y.shape)), np.empty_like(y)
    for test in tests:
        rest = np.array([row for row in range(len(x)) if np.abs(test - row).min() > near])
        means[test] = y[rest].mean(axis=0)
        for number, penalty in enumerate(penalties):
            predictions[number][test] = Ridge(alpha=penalty).fit(x[rest], y[rest]).predict(x[test])
    errors = np.sum((predictions - y) ** 2, axis=1)  # (penalty, neuroid)
    if settings.penalties == "shared":
        errors = np.repeat(errors.sum(axis=1, keepdims=True), y.shape[1], axis=1)
    best = errors.argmin(axis=0)
    # of few rows each: r of all predictions less the mean of the rows that trained each
    blocks = tests if min(map(len, tests)) >= 20 else [np.arange(len(x))]
    r = [
        np.mean([np.corrcoef((predictions[best[j]] - means)[rows, j], y[rows, j])[0, 1] for rows in blocks])
        for j in range(y.shape[1])
    ]
    return penalties[best], np.array(r)


def each_alone(make: Callable[[float], Any], x: np.ndarray, y: np.ndarray, penalty: np.ndarray, new: np.ndarray):
    """Predictions of one estimator for each neuroid, with its penalty."""
    return np.stack([make(penalty[j]).fit(x, y[:, j]).predict(new) for j in range(y.shape[1])], axis=1)


@pytest.mark.parametrize("width", [8, 200])
@pytest.mark.parametrize("changes", [{}, {"penalties": "shared"}, {"inner": "leave-one-out"}, {"penalties": 0.3}])
def test_a_ridge_predicts_as_scikit_learn_with_penalties_chosen_by_refits(dataset, tmp_path, width, changes):
    data, settings = dataset(width=width, noise=0.6), ridge(**changes)
    data = replace(data, features=data.features * np.geomspace(0.1, 10, width) + 100)
    fitted = kept(fit(data, settings), tmp_path / "encoder.h5")
    tests = [fold.test for fold in make_folds(GROUPED, data.samples)]
    if settings.inner == "leave-one-out":
        tests = [np.array([row]) for row in range(120)]
    penalty, r = naive_penalties(data.features, data.responses, tests, settings)
    np.testing.assert_allclose(fitted.penalty, penalty, rtol=1e-9)
    np.testing.assert_allclose(fitted.cross_validated_r, r, atol=1e-6)
    new = np.concatenate([data.features, data.features[:9] + NEW.normal(size=(9, width))])
    theirs = each_alone(lambda value: Ridge(alpha=value), data.features, data.responses, penalty, new)
    assert_equal(predict(fitted, new), theirs)
    in_sample = [np.corrcoef(theirs[:120, j], data.responses[:, j])[0, 1] for j in range(6)]
    np.testing.assert_allclose(fitted.in_sample_r, in_sample, atol=1e-6)
    assert isinstance(fitted.basis, Axes)
    assert fitted.basis.values.shape == (width, min(width, 119))
    models = [Ridge(alpha=value).fit(data.features, data.responses[:, j]) for j, value in enumerate(penalty)]
    theirs = np.stack([model.coef_ for model in models], axis=1)
    np.testing.assert_allclose(weights(fitted), theirs, atol=1e-6 * np.abs(theirs).max())


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("width", [8, 200])
def test_features_standardised_by_all_samples_are_a_pipelines(dataset, tmp_path, width, intercept):
    data = dataset(width=width, noise=0.6)
    data = replace(data, features=data.features * np.geomspace(0.1, 1e4, width) + 100)
    settings = ridge(standardize="training", intercept=intercept, penalties=0.3, grid_scale="absolute")
    fitted = kept(fit(data, settings), tmp_path / "encoder.h5")
    new = np.concatenate([data.features, 2 * data.features[:9]])
    model = make_pipeline(StandardScaler(), Ridge(0.3)).fit(data.features, data.responses)
    assert_equal(predict(fitted, new), model.predict(new))
    theirs = (model[-1].coef_ / model[0].scale_).T
    np.testing.assert_allclose(weights(fitted), theirs, atol=1e-6 * np.abs(theirs).max())


def test_neuroids_choose_different_penalties(dataset):
    data = dataset(noise=1.0)
    data.responses[:, :3] = np.random.default_rng(1).normal(size=(120, 3))
    assert len(set(fit(data, ridge()).penalty)) > 1  # so that the comparisons above are of more than one


@pytest.mark.parametrize("width", [8, 200])
def test_least_squares_is_of_minimum_norm(dataset, tmp_path, width):
    data = dataset(width=width)
    fitted = kept(fit(data, ridge(regression="ols", split=GROUPED)), tmp_path / "encoder.h5")
    new = NEW.normal(size=(20, width))
    assert_equal(predict(fitted, new), LinearRegression().fit(data.features, data.responses).predict(new))
    assert np.isnan(fitted.penalty).all()


def test_principal_components_are_those_of_all_samples(dataset, tmp_path):
    data, new = dataset(width=200), NEW.normal(size=(20, 200))
    settings = ridge(regression="pca-ridge", components=5, penalties=0.5, grid_scale="absolute")
    fitted = kept(fit(data, settings), tmp_path / "encoder.h5")
    pca = PCA(5).fit(data.features)
    theirs = Ridge(alpha=0.5).fit(pca.transform(data.features), data.responses).predict(pca.transform(new))
    assert_equal(predict(fitted, new), theirs)
    assert fitted.coefficients.shape == (5, 6)


@pytest.mark.parametrize("width", [3, 150])
@pytest.mark.parametrize("kernel", ["rbf", "polynomial"])
def test_kernels_predict_as_kernel_ridge(dataset, tmp_path, kernel, width):
    data = dataset(width=width)
    data = replace(data, features=data.features + 3)
    data.responses[:, 0] += 2 * np.sin(2 * data.features[:, 0])
    settings = ridge(kernel=kernel, bandwidths=(0.25, 1.0, 4.0), degrees=(2, 3))
    fitted = kept(fit(data, settings), tmp_path / "encoder.h5")
    mean = data.features.mean(axis=0)
    x, new = data.features - mean, np.concatenate([data.features, 3 + NEW.normal(size=(7, width))])
    everyone = np.concatenate([x, new - mean])
    distances = np.sum((x[:, None] - x) ** 2, axis=2)[np.triu_indices(120, 1)]
    predicted = predict(fitted, new)
    for j in range(6):
        parameter = fitted.basis.parameters[fitted.space[j]]
        if kernel == "rbf":
            k = rbf_kernel(everyone, x, gamma=1 / (2 * parameter**2 * np.median(distances)))
        else:
            k = polynomial_kernel(everyone, x, degree=parameter, gamma=1 / np.mean(np.sum(x**2, axis=1)), coef0=1)
        own = k[:120]
        k = k - own.mean(axis=0) - k.mean(axis=1, keepdims=True) + own.mean()
        model = KernelRidge(alpha=fitted.penalty[j], kernel="precomputed")
        theirs = model.fit(k[:120], data.responses[:, j] - data.responses[:, j].mean()).predict(k[120:])
        assert_equal(predicted[:, j], theirs + data.responses[:, j].mean())
    with pytest.raises(InputError, match=rf"an encoder with the kernel '{kernel}' has no weights of features"):
        weights(fitted)


def test_a_bandwidth_is_chosen_with_the_penalty(dataset):
    data = dataset(width=2, noise=0.1)
    data.responses[:, 0] = np.sin(4 * data.features[:, 0]) + 0.1 * NEW.normal(size=120)
    fitted = fit(data, ridge(kernel="rbf", bandwidths=(0.2, 1.0, 8.0), grid=(1e-4, 1e-2, 1.0)))
    assert fitted.space[0] == 0  # a wiggly response needs the narrow one
    assert (fitted.space[1:] == 2).all()  # linear ones the wide one


def series(rows: int = 120, runs: int = 3, seed: int = 0) -> Samples:
    run = np.repeat([f"run-{number}" for number in range(runs)], rows // runs)
    onset = np.concatenate([2.0 * np.arange(rows // runs) + seed] * runs)
    return Samples({"split_group": run.astype(object), "run": run.astype(object), "onset_s": onset})


def slowly_zscored(x: np.ndarray, samples: Samples) -> np.ndarray:
    result = np.empty_like(x)
    for run in dict.fromkeys(samples.run):
        rows = samples.run == run
        result[rows] = (x[rows] - x[rows].mean(axis=0)) / x[rows].std(axis=0)
    return result


def slowly_delayed(x: np.ndarray, samples: Samples, delays: tuple[int, ...], mean: np.ndarray) -> np.ndarray:
    """Delayed copies, in which `mean` stands before a run's first sample."""
    result = np.empty((len(x), len(delays), x.shape[1]))
    for row in range(len(x)):
        for number, shift in enumerate(delays):
            same_run = row - shift >= 0 and samples.run[row - shift] == samples.run[row]
            result[row, number] = x[row - shift] if same_run else mean
    return result.reshape(len(x), -1)


@pytest.mark.parametrize("width", [4, 100])
@pytest.mark.parametrize("zscore", [True, False])
def test_new_series_are_z_scored_and_delayed_as_the_training_series(dataset, tmp_path, width, zscore):
    """Without z-scores, it is the training mean that stands before a new run's first sample."""
    data, samples, delays = dataset(width=width), series(), (1, 2, 3)
    data = replace(data, samples=samples, features=data.features * 3 + 8)
    split = {"kind": "leave-one-group-out", "by": "run"}
    fitted = kept(fit(data, ridge(zscore=zscore, delays=delays, split=split)), tmp_path / "encoder.h5")
    new, others = 5 * NEW.normal(size=(30, width)) - 2, series(30, 2, seed=4)
    old, scored = data.features, new
    if zscore:
        old, scored = slowly_zscored(data.features, samples), slowly_zscored(new, others)
    mean = old.mean(axis=0)
    x, x_new = slowly_delayed(old, samples, delays, mean), slowly_delayed(scored, others, delays, mean)
    theirs = each_alone(lambda value: Ridge(alpha=value), x, data.responses, fitted.penalty, x_new)
    assert_equal(predict(fitted, new, others), theirs)
    tests = [np.flatnonzero(samples.run == f"run-{number}") for number in range(3)]
    penalty, r = naive_penalties(x, data.responses, tests, ridge())
    np.testing.assert_allclose(fitted.penalty, penalty)
    np.testing.assert_allclose(fitted.cross_validated_r, r, atol=1e-6)


def test_trimmed_samples_are_not_fitted_to_and_new_ones_not_trimmed(dataset):
    data = replace(dataset(width=4), samples=series())
    data.responses[[0, 40, 80]] = 1e6  # a run's first scans
    split = {"kind": "leave-one-group-out", "by": "run"}
    fitted = fit(data, ridge(delays=(1, 2), trim=(2, 1), split=split, penalties=0.1))
    inside = (np.arange(120) % 40 >= 2) & (np.arange(120) % 40 < 39)
    x = slowly_delayed(data.features, data.samples, (1, 2), data.features.mean(axis=0))
    penalty = 0.1 * np.sum((x[inside] - x[inside].mean(axis=0)) ** 2) / inside.sum()
    theirs = Ridge(alpha=penalty).fit(x[inside], data.responses[inside]).predict(x)
    assert_equal(predict(fitted, data.features, series()), theirs)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"word_components": 3}, "an encoder with word_components: 3 cannot be kept, since components are fitted"),
        ({"standardize": "fold"}, "an encoder with standardize: fold cannot be kept, since new samples would be"),
        ({"standardize": "fold", "intercept": False}, "an encoder with standardize: fold cannot be kept"),
        (
            {"standardize": "training", "kernel": "rbf"},
            "an encoder with standardize: training and the kernel 'rbf' cannot be kept, since its file has no place",
        ),
        ({"zscore_delayed": True}, "an encoder with zscore_delayed: True cannot be kept"),
    ],
)
def test_settings_that_cannot_be_kept_are_refused(dataset, changes, sentence):
    with pytest.raises(InputError, match=sentence):
        fit(dataset(), ridge(**changes))


def test_delays_are_for_series_only(dataset):
    data = dataset()
    with_delays, without = fit(data, ridge(delays=(1, 2))), fit(data, ridge())
    assert with_delays.delays == ()
    np.testing.assert_array_equal(predict(with_delays, data.features), predict(without, data.features))


@pytest.mark.parametrize(
    ("split", "near"),
    [
        ({"kind": "shuffle", "folds": 10, "test": 0.3, "seed": 1}, 0),
        ({"kind": "contiguous", "folds": 4, "gap": 3}, 3),
        ({"kind": "contiguous", "folds": 4, "gap": 3, "at": "published"}, 0),
        ({"kind": "fixed", "column": "part", "train": "a", "test": "b"}, 0),
        ({"kind": "grouped", "folds": 4, "inner": {"folds": 6, "by": "split_group"}}, 0),
    ],
)
def test_penalties_follow_the_inner_folds_of_all_samples(dataset, split, near):
    from sklearn.model_selection import GroupKFold, KFold

    data, settings = dataset(width=40, noise=1.0), ridge(split=split, grid=(1e-3, 1e-2, 1e-1, 1e0, 1e1))
    part = np.where(np.arange(120) < 80, "a", "b")
    data = replace(data, samples=Samples({**data.samples.columns, "part": part}))
    group, rows = data.samples.split_group, np.zeros((120, 1))
    folds = {
        "shuffle": KFold(5, shuffle=True, random_state=1),
        "contiguous": KFold(10 if "at" in split else 4),
        "fixed": GroupKFold(5),
        "grouped": GroupKFold(6),
    }[split["kind"]]
    tests = [test for _, test in folds.split(rows, groups=group if isinstance(folds, GroupKFold) else None)]
    fitted = fit(data, settings)
    penalty, r = naive_penalties(data.features, data.responses, tests, settings, near)
    np.testing.assert_allclose(fitted.penalty, penalty)
    np.testing.assert_allclose(fitted.cross_validated_r, r, atol=1e-6)
    assert_equal(
        predict(fitted, data.features),
        each_alone(lambda value: Ridge(alpha=value), data.features, data.responses, penalty, data.features),
    )


def test_float32_coefficients_keep_the_digits_that_dual_ones_would_lose(dataset):
    """Features as of a language model, some directions far longer than others, and a small penalty."""
    data = dataset(width=300)
    axes = np.linalg.qr(np.random.default_rng(2).normal(size=(300, 300)))[0]
    x = (data.features * np.arange(1, 301) ** -1.5) @ axes
    x[:, 0] += 50 * NEW.normal(size=120)
    data = replace(data, features=x)
    fitted = fit(data, ridge(penalties=1e-6, precision="float32"))
    new = x[::-1] + 0.01 * NEW.normal(size=x.shape)
    penalty, mean = float(fitted.penalty[0]), x.mean(axis=0)
    gram, y = (x - mean) @ (x - mean).T, data.responses - data.responses.mean(axis=0)
    dual = np.linalg.solve(gram + penalty * np.eye(120), y)
    theirs = (new - mean) @ (x - mean).T @ dual + data.responses.mean(axis=0)
    assert_equal(predict(fitted, new), theirs)
    rounded = (new - mean) @ (x - mean).T @ dual.astype(np.float32).astype(np.float64) + data.responses.mean(axis=0)
    assert np.abs(rounded - theirs).max() > 1e-4 * theirs.std()


@pytest.mark.parametrize("width", [10, 400])
def test_a_planted_signal_is_recovered_on_new_stimuli(dataset, width):
    """The signal lies in 5 directions; trained on some groups, tested on others against the signal itself."""
    whole = dataset(n=480, width=5, noise=1.0, groups=120)
    mixing = np.random.default_rng(3).normal(size=(5, width))
    features = whole.features @ mixing + 0.01 * NEW.normal(size=(480, width))
    train, new = slice(0, 400), slice(400, 480)
    samples = Samples({"split_group": whole.samples.split_group[train]})
    settings = EncoderSettings(split=GROUPED)
    fitted = fit_to_all("x", features[train], whole.responses[train], samples, whole.neuroids, settings)
    predicted = predict(fitted, features[new])
    for j in range(6):
        assert np.corrcoef(predicted[:, j], whole.signal[new, j])[0, 1] > 0.95
    permuted = fit_to_all("x", features[train], whole.responses[train][::-1], samples, whole.neuroids, settings)
    assert np.abs(permuted.cross_validated_r).mean() < 0.15
    assert (fitted.cross_validated_r > 0.4).all()
    assert fitted.in_sample_r.mean() > fitted.cross_validated_r.mean()


def test_features_that_never_vary_predict_the_mean(dataset, tmp_path):
    data = dataset()
    fitted = kept(fit(data, ridge(), np.full((120, 3), 7.0)), tmp_path / "encoder.h5")
    assert fitted.coefficients.shape == (0, 6)
    means = np.tile(data.responses.mean(axis=0), (4, 1))
    np.testing.assert_allclose(predict(fitted, NEW.normal(size=(4, 3))), means, rtol=1e-6)
    assert not fitted.cross_validated_r.any()


def test_repetitions_are_averaged_and_means_are_kept(dataset):
    data = dataset()
    noise = NEW.normal(size=data.responses.shape)
    twice = np.stack([data.responses + noise, data.responses - noise]) + 1000.0
    ours = fit_to_all("x", data.features, twice, data.samples, data.neuroids, ridge())
    once = fit(replace(data, responses=data.responses + 1000.0), ridge())
    np.testing.assert_allclose(predict(ours, data.features), predict(once, data.features), rtol=1e-6)


def test_what_is_predicted_does_not_depend_on_the_file_or_on_batches(dataset, tmp_path, monkeypatch):
    data = dataset(neuroids=12)
    fitted = fit(data, ridge(kernel="rbf"))
    before = predict(fitted, data.features)
    np.testing.assert_array_equal(predict(kept(fitted, tmp_path / "encoder.h5"), data.features), before)
    monkeypatch.setattr("brainalign.encoding.fitted.NEUROIDS_AT_ONCE", 5)
    monkeypatch.setattr("brainalign.encoding.fitted.SAMPLES_AT_ONCE", 50)
    monkeypatch.setattr("brainalign.encoding.fit_to_all.NEUROIDS_AT_ONCE", 5)
    np.testing.assert_allclose(predict(fit(data, ridge(kernel="rbf")), data.features), before, atol=1e-6)
    assert predict(fitted, data.features[:0]).shape == (0, 12)


def test_what_does_not_fit_is_refused_in_a_sentence(dataset):
    data = replace(dataset(), samples=series())
    split = {"kind": "leave-one-group-out", "by": "run"}
    plain, delayed = fit(data, ridge(split=split)), fit(data, ridge(split=split, delays=(1, 2)))
    scored = fit(data, ridge(split=split, zscore=True))
    no_runs, no_onsets = (
        Samples({name: values for name, values in series().columns.items() if name in columns})
        for columns in (("split_group", "onset_s"), ("split_group", "run"))
    )
    irregular = Samples({**series().columns, "onset_s": np.arange(120.0) ** 2})
    x = data.features
    cases: list[tuple[FittedEncoder, np.ndarray, Samples | None, str | None, str]] = [
        (plain, x, None, "final", "fitted to the layer 'block_01', but is given the layer 'final'"),
        (plain, x[:, :7], None, None, r"features of shape \(sample, 8\), but is given \(120, 7\)"),
        (plain, x[0], None, None, r"features of shape \(sample, 8\), but is given \(8,\)"),
        (plain, np.where(x > 3, np.nan, x), None, None, "NaN or infinite values of 960"),
        (plain, x[:9], series(), None, "there are 120 samples, but features of 9"),
        (scored, x, None, None, "z-scores its features within runs, but the new samples have no column 'run'"),
        (delayed, x, None, None, "delays its features by 1, 2 samples of a run, but the new .* no column 'run'"),
        (delayed, x, no_runs, None, "delays its features by 1, 2 samples of a run, but the new .* no column 'run'"),
        (delayed, x, no_onsets, None, "delays its features .* no column 'onset_s'"),
        (delayed, x, irregular, None, "delays need onsets in equal, rising steps"),
    ]
    for fitted, features, samples, layer, sentence in cases:
        with pytest.raises(InputError, match=sentence):
            predict(fitted, features, samples, layer)


def test_delays_are_of_the_sampling_period_that_the_encoder_was_fitted_to(dataset, tmp_path):
    data = replace(dataset(), samples=series())
    split = {"kind": "leave-one-group-out", "by": "run"}
    fitted = kept(fit(data, ridge(split=split, delays=(1, 2))), tmp_path / "delayed.h5")
    period = fitted.sampling_period_s
    assert period == series().columns["onset_s"][1] - series().columns["onset_s"][0]
    assert np.isnan(kept(fit(data, ridge(split=split)), tmp_path / "plain.h5").sampling_period_s)

    def slower(share: float) -> Samples:
        return Samples({**series().columns, "onset_s": series().columns["onset_s"] * share})

    expected = predict(fitted, data.features, series())
    np.testing.assert_array_equal(predict(fitted, data.features, slower(1.005)), expected)
    with pytest.raises(InputError, match=f"which were {period:g} s apart where it was fitted, but the new samples are"):
        predict(fitted, data.features, slower(1.5))


def test_bad_files_are_told_apart(dataset, tmp_path):
    data, path = dataset(width=200, neuroids=100), tmp_path / "encoder.h5"
    fitted = fit(data, ridge())
    write_arrays(path, fitted_variables(fitted), {})
    with pytest.raises(UnreadableFileError, match=r"it holds no fitted encoder \(no attribute 'layer'\)"):
        read_fitted(path)
    variables = fitted_variables(fitted)
    del variables["axes"]
    write_arrays(path, variables, fitted_facts(fitted))
    with pytest.raises(UnreadableFileError, match="it has no variable 'axes'"):
        read_fitted(path)
    write_arrays(path, fitted_variables(fitted), {**fitted_facts(fitted), "delays": json.dumps([1, 2])})
    with pytest.raises(UnreadableFileError, match=r"its variable 'feature_mean' has shape \(200,\), not \(400,\)"):
        read_fitted(path)
    write_arrays(path, fitted_variables(fitted), fitted_facts(fitted))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableFileError):
        read_fitted(path)
    with h5py.File(tmp_path / "whole.h5", "w") as file:
        file.attrs["layer"] = "x"
    with pytest.raises(UnreadableFileError, match="no attribute 'regression'"):
        read_fitted(tmp_path / "whole.h5")


def test_the_chosen_layer_is_the_best_by_inner_scores():
    names = ["embeddings", "block_01", "final"]
    scores = np.array([[0.1, 0.2, 0.1], [0.2, 0.3, 0.3], [0.5, 0.1, 0.1]])
    chosen = np.array([[2], [1], [1]])
    assert chosen_layer(names, scores, chosen) == "block_01"
    assert chosen_layer(names, np.full((3, 3), np.nan), np.full((3, 1), 2)) == "final"
    with pytest.raises(InputError, match="a layer of its own for each of 2 subjects or neuroids"):
        chosen_layer(names, scores, np.zeros((3, 2), dtype=int))
