"""Features that are fitted in the fold, step by step."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from brainalign.encoding.encoder import encode
from brainalign.encoding.fold_features import FoldFeatures, standardised, trimmed
from brainalign.encoding.joint_encoder import Member, encode_joint
from brainalign.encoding.preparation import kept_samples
from brainalign.encoding.sampling import Sampling
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.splits import Fold, make_folds
from brainalign.encoding.trial import Trial
from brainalign.errors import InputError
from brainalign.responses.samples import Samples

RANDOM = np.random.default_rng(0)
RUN = np.repeat(["a", "b", "c", "d"], 40)
SAMPLES = Samples({"split_group": RUN, "run": RUN, "onset_s": np.tile(1.5 * np.arange(40), 4)})
WORDS = 4 * RANDOM.normal(size=(320, 12)) @ RANDOM.normal(size=(12, 25)) + 30
SAMPLING = Sampling(np.repeat(np.arange(160), 2), np.arange(320), np.full(320, 0.5), 160)
MEANS = (WORDS[::2] + WORDS[1::2]) / 2
RESPONSES = MEANS[:, :3] @ RANDOM.normal(size=(3, 5)) + 5 * RANDOM.normal(size=(160, 5))
NEUROIDS = {"neuroid": list("vwxyz"), "subject": ["S1"] * 5, "region": ["l"] * 5}
SPLIT = {"kind": "leave-one-group-out"}


def settings(**changes: Any) -> EncoderSettings:
    plain = {"split": SPLIT, "grid": (1e-2, 1.0, 1e2), "draws": 20, "precision": "float64"}
    return EncoderSettings(**(plain | changes))


def prepared(encoder: EncoderSettings, sampling: Sampling | None = SAMPLING) -> FoldFeatures:
    folds = make_folds(encoder.split, trimmed(SAMPLES, kept_samples(SAMPLES, encoder)))
    return FoldFeatures(SAMPLES, folds, encoder, sampling)


def test_the_order_is_components_map_zscore_delays_trimming_zscore_and_the_fold() -> None:
    encoder = settings(
        word_components=4, zscore=True, delays=(1, 3), trim=(5, 2), zscore_delayed=True, standardize="fold"
    )
    features = prepared(encoder)
    kept = np.concatenate([np.arange(40 * run + 5, 40 * run + 38) for run in range(4)])
    for number in range(4):
        fold = features.folds[number]
        training = np.isin(np.arange(160), kept[fold.train])
        assert set(RUN[training]) == set("abcd") - {"abcd"[number]}
        components = PCA(4, svd_solver="full").fit(WORDS[np.repeat(training, 2)]).transform(WORDS)
        means = ((components[::2] + components[1::2]) / 2).reshape(4, 40, 4)
        scored = (means - means.mean(axis=1, keepdims=True)) / means.std(axis=1, keepdims=True)
        delayed = np.concatenate([scored[:, 4:37], scored[:, 2:35]], axis=2)  # of the samples 5 to 37
        again = (delayed - delayed.mean(axis=1, keepdims=True)) / delayed.std(axis=1, keepdims=True)
        expected = again.reshape(132, 8)
        for rows in (fold.train, fold.test):
            part = expected[rows]
            expected[rows] = (part - part.mean(axis=0)) / part.std(axis=0)
        ours = features.of_fold(WORDS, number)
        signs = np.sign((ours * expected).sum(axis=0))
        np.testing.assert_allclose(ours * signs, expected, atol=1e-9)
    assert features.width(WORDS) == 8
    assert features.width(WORDS[:, :3]) == 6


def test_stimuli_of_test_samples_have_no_part_in_the_components() -> None:
    features = prepared(settings(word_components=4))
    spoilt = np.array(WORDS)
    spoilt[:80] *= 100  # the words of the first run
    for number in range(4):
        ours, other = (np.abs(features.of_fold(x, number))[40:] for x in (WORDS, spoilt))
        assert np.allclose(ours, other) == (number == 0)


@pytest.mark.parametrize("rule", ["train", "published"])
def test_the_gap_of_a_training_set_belongs_to_the_components_as_published_only(rule: str) -> None:
    split = {"kind": "contiguous", "folds": 4, "gap": 5, "at": rule}
    run = np.repeat("a", 160)  # the gap of the rule "train" is within a run
    samples = Samples({"split_group": RUN, "run": run})
    encoder = settings(word_components=4, split=split)
    features = FoldFeatures(samples, make_folds(split, samples), encoder, SAMPLING)
    assert features.folds[0].train[0] == 45
    spoilt = np.array(WORDS)
    spoilt[80:90] *= 100  # of the first five samples after the first fold
    ours, other = (np.abs(features.of_fold(x, 0))[45:] for x in (WORDS, spoilt))
    assert np.allclose(ours, other) == (rule == "train")


def test_training_and_test_rows_are_standardised_each_by_themselves() -> None:
    x = RANDOM.normal(size=(30, 3)) * [1, 50, 0] + [5, -3, 0.1]
    fold = Fold(np.arange(5, 20), np.arange(20, 30))
    ours = standardised(x, fold, "fold")
    for rows in (fold.train, fold.test):
        np.testing.assert_allclose(ours[rows, :2].mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(ours[rows, :2].std(axis=0), 1, atol=1e-12)
    assert not ours[:, 2].any()
    assert not ours[:5].any()
    by_training = standardised(x, fold, "training")
    np.testing.assert_allclose(by_training[:, :2], StandardScaler().fit(x[fold.train]).transform(x)[:, :2], atol=1e-12)
    assert not by_training[:, 2].any()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"penalties": "shared", "layer": "best"},
        {"inner": "leave-one-out"},
        {"intercept": False, "layer": "best"},
        {"regression": "ols"},
        {"regression": "pca-ridge", "components": 5},
    ],
)
def test_standardised_by_training_rows_is_a_pipeline_held_through_its_inner_folds(changes: dict[str, Any]) -> None:
    """One dimension is a thousand times as large as the others, as some of language models are."""
    random = np.random.default_rng(1)
    x = random.normal(size=(160, 9)) * [1e3, 1, 1, 1, 1, 1, 1, 1, 0.01] + 50
    y = (x[:, 1:2] + 100 * x[:, 8:] + random.normal(size=(160, 5))) * [1, 1, 30, 1, 0.1] + 7
    grid, no_intercept = (1e-1, 1e1, 1e3), changes.get("intercept") is False
    encoder = settings(standardize="training", grid=grid, grid_scale="absolute", **changes)
    ours = encode([("x", x)], y, SAMPLES, NEUROIDS, encoder)
    components = changes.get("components", 9)
    for number, fold in enumerate(make_folds(SPLIT, SAMPLES)):
        prepare = make_pipeline(StandardScaler(), PCA(components, svd_solver="full")).fit(x[fold.train])
        scaler, z = StandardScaler().fit(y[fold.train]), prepare.transform(x)
        target = scaler.transform(y)
        groups = RUN[fold.train] if changes.get("inner") != "leave-one-out" else fold.train
        values = (0.0,) if changes.get("regression") == "ols" else grid
        held_out, means = np.full((len(values), *y.shape), np.nan), np.full(y.shape, np.nan)
        for group in np.unique(groups):
            block, rest = fold.train[groups == group], fold.train[groups != group]
            means[block] = target[rest].mean(axis=0)
            for out, penalty in zip(held_out, values, strict=True):
                model = Ridge(penalty, fit_intercept=not no_intercept, solver="svd") if penalty else LinearRegression()
                out[block] = model.fit(z[rest], target[rest]).predict(z[block])
        errors = ((held_out - target)[:, fold.train] ** 2).sum(axis=1)  # (penalty, neuroid)
        if changes.get("penalties") == "shared":
            errors = np.broadcast_to(errors.sum(axis=1, keepdims=True), errors.shape)
        best = errors.argmin(axis=0)
        if values == grid:
            np.testing.assert_array_equal(ours.penalty[0, number], np.array(grid)[best])
        r, inner = [], []
        for v, chosen in enumerate(best):
            model = Ridge(values[chosen], solver="svd") if values[chosen] else LinearRegression()
            predicted = model.fit(z[fold.train], y[fold.train, v] / scaler.scale_[v]).predict(z[fold.test])
            r.append(pearsonr(predicted, y[fold.test, v])[0])
            blocks = [fold.train[groups == group] for group in np.unique(groups)]
            scored = held_out[chosen, :, v]
            if changes.get("inner") == "leave-one-out":
                blocks, scored = [fold.train], scored - means[:, v]
            inner.append(np.mean([pearsonr(scored[rows], y[rows, v])[0] for rows in blocks]))
        np.testing.assert_allclose(ours.r[0, number], r, atol=1e-6)
        if encoder.layer == "nested":
            np.testing.assert_allclose(ours.inner_score[0, number], np.mean(inner), atol=1e-6)


def test_a_massive_dimension_rules_a_ridge_unless_features_are_standardised() -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(160, 9)) * [1e4, *[1] * 8]
    y = x[:, 1:] @ random.normal(size=(8, 5))
    plain, standardised_by_training = (
        encode([("x", x)], y, SAMPLES, NEUROIDS, settings(standardize=standard, penalties=0.1)).aggregate_r[0, 0, 0]
        for standard in ("none", "training")
    )
    assert plain < 0.3
    assert standardised_by_training > 0.9


@pytest.mark.parametrize("changes", [{}, {"standardize": "fold"}, {"delays": (0, 1), "trim": (2, 0)}])
def test_features_of_stimuli_are_features_of_samples_after_the_map(changes: dict[str, Any]) -> None:
    encoder = settings(**changes)
    ours = encode([("x", WORDS)], RESPONSES, SAMPLES, NEUROIDS, encoder, SAMPLING)
    mapped = encode([("x", MEANS)], RESPONSES, SAMPLES, NEUROIDS, encoder)
    np.testing.assert_allclose(ours.r, mapped.r, atol=1e-10)


def test_all_components_are_the_features_themselves() -> None:
    every = encode([("x", WORDS)], RESPONSES, SAMPLES, NEUROIDS, settings(word_components=25), SAMPLING)
    plain = encode([("x", WORDS)], RESPONSES, SAMPLES, NEUROIDS, settings(penalties=1e-9), SAMPLING)
    alone = encode([("x", WORDS)], RESPONSES, SAMPLES, NEUROIDS, settings(word_components=25, penalties=1e-9), SAMPLING)
    np.testing.assert_allclose(alone.r, plain.r, atol=1e-6)
    assert every.rank.tolist() == [[12] * 4]


def test_trimmed_samples_may_hold_anything() -> None:
    encoder = settings(trim=(3, 4))
    kept = kept_samples(SAMPLES, encoder)
    assert kept is not None
    responses = np.full_like(RESPONSES, np.nan)
    responses[kept] = RESPONSES[kept]
    ours = encode([("x", MEANS)], responses, SAMPLES, NEUROIDS, encoder)
    cut = encode([("x", MEANS[kept])], RESPONSES[kept], trimmed(SAMPLES, kept), NEUROIDS, settings())
    np.testing.assert_allclose(ours.r, cut.r, atol=1e-10)
    np.testing.assert_array_equal(ours.replicates, cut.replicates)
    assert ours.train_rows.tolist() == [99] * 4
    repeated = encode([("x", MEANS)], np.stack([responses] * 2), SAMPLES, NEUROIDS, encoder)
    np.testing.assert_allclose(ours.r, repeated.r, atol=1e-10)


def test_single_sentences_are_neither_delayed_nor_trimmed() -> None:
    samples = Samples({"split_group": RUN})
    plain = encode([("x", MEANS)], RESPONSES, samples, NEUROIDS, settings())
    series = encode([("x", MEANS)], RESPONSES, samples, NEUROIDS, settings(delays=(1, 2), trim=(3, 4)))
    np.testing.assert_array_equal(plain.r, series.r)
    assert series.width.tolist() == [25]


def test_a_space_alone_is_a_plain_ridge_with_components_too() -> None:
    encoder = settings(word_components=6, zscore_delayed=True, delays=(0, 1), standardize="fold")
    plain = encode([("x", WORDS)], RESPONSES, SAMPLES, NEUROIDS, encoder, SAMPLING)
    joint = encode_joint([Member({"x": WORDS}, ["x"] * 4)], RESPONSES, SAMPLES, NEUROIDS, encoder, SAMPLING)
    np.testing.assert_allclose(joint.r, plain.r, atol=1e-8)
    assert joint.width.tolist() == [12]
    both = [Member({"x": WORDS}, ["x"] * 4), Member({"noise": RANDOM.normal(size=(320, 3))}, ["noise"] * 4)]
    assert encode_joint(both, RESPONSES, SAMPLES, NEUROIDS, encoder, SAMPLING).width.tolist() == [18]


def test_other_responses_are_only_standardised_in_the_fold() -> None:
    encoder = settings(standardize="fold", trim=(1, 1), layer="best")
    trial = Trial(RESPONSES, SAMPLES, NEUROIDS, encoder)
    spaces = trial.spaces_of_samples(trial.y)
    assert callable(spaces)
    (space,) = spaces(2)
    x = standardised(trial.y, trial.folds[2], "fold")
    assert space.trace == pytest.approx(((x - x.mean(axis=0)) ** 2).sum())
    plain = Trial(RESPONSES, SAMPLES, NEUROIDS, replace(encoder, standardize="none"))
    assert not callable(plain.spaces_of_samples(plain.y))


@pytest.mark.parametrize(
    ("changes", "sampling", "features", "sentence"),
    [
        ({"word_components": 3}, None, MEANS, "components of stimuli need features of stimuli and the map from these"),
        ({}, replace(SAMPLING, n_samples=161), WORDS, "the map is to 161 samples, but there are 160."),
        ({}, SAMPLING, WORDS[:300], "the sample map names stimulus 319, but there are 300, counted from 0."),
        (
            {},
            SAMPLING,
            np.where(WORDS[3, 4] == WORDS, np.nan, WORDS),
            "layer 'x' has 1 NaN or infinite values of 8000.",
        ),
        (
            {"trim": (20, 19)},
            SAMPLING,
            WORDS,
            "trimming 20 and 19 samples leaves the run 'a' of 40 samples with 1, but",
        ),
    ],
)
def test_mistakes_are_sentences(changes: Any, sampling: Sampling | None, features: np.ndarray, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        encode([("x", features)], RESPONSES, SAMPLES, NEUROIDS, settings(**changes), sampling)
    assert sentence in str(caught.value)


def test_joint_spaces_need_an_intercept() -> None:
    encoder = settings(standardize="fold", intercept=False)
    with pytest.raises(InputError, match="joint spaces need a fit with an intercept"):
        encode_joint([Member({"x": MEANS}, ["x"] * 4)], RESPONSES, SAMPLES, NEUROIDS, encoder)
