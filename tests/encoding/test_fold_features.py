"""Features that are fitted in the fold, step by step."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA

from brainalign.encoding.encoder import Member, encode, encode_joint
from brainalign.encoding.fold_features import FoldFeatures, standardised, trimmed
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
    ours = standardised(x, fold)
    for rows in (fold.train, fold.test):
        np.testing.assert_allclose(ours[rows, :2].mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(ours[rows, :2].std(axis=0), 1, atol=1e-12)
    assert not ours[:, 2].any()
    assert not ours[:5].any()


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
    x = standardised(trial.y, trial.folds[2])
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
