"""The encoder's settings that are published pipelines, each against the slow twin of that pipeline."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from brainalign.encoding.encoder import Encoding, encode
from brainalign.encoding.sampling import Sampling
from brainalign.encoding.settings import EncoderSettings
from brainalign.responses.samples import Samples
from encoding.published import wehbe2014
from encoding.published.brain_score_ridge import brain_score_ridge
from encoding.published.inputs import Sentences, Story, sentences, story
from encoding.published.linear_predictivity import linear_predictivity
from encoding.published.presets import settings_of
from encoding.published.scores import Published


def settings(preset: str, **changes: Any) -> EncoderSettings:
    """The named encoder, as a config and its spec make it, with float64 products and keys that change it."""
    return settings_of(preset=preset, **{"precision": "float64", "bootstrap": {"draws": 20}, **changes})


def encode_story(data: Story, encoder: EncoderSettings, whole: bool = False) -> Encoding:
    """Encode words of scans: the sample map takes the mean over a scan's words, in any order of its entries.

    Scans that are dropped have no responses, unless these are to be `whole`.
    """
    scan_of_word = wehbe2014.scans_of_words(data.word_time_s, data.scan_time_s)
    weight = 1.0 / np.bincount(scan_of_word)[scan_of_word]
    order = np.random.default_rng(0).permutation(len(scan_of_word))
    sampling = Sampling(scan_of_word[order], order, weight[order], len(data.scan_run))
    samples = Samples({"split_group": data.scan_run, "run": data.scan_run, "onset_s": data.scan_time_s})
    voxels = np.arange(data.responses.shape[1]).astype(str)
    neuroids = {"neuroid": voxels, "subject": ["S1"] * len(voxels), "region": ["language"] * len(voxels)}
    kept = slice(None) if whole else wehbe2014.kept_scans(data.scan_run, (20, 15))
    responses = np.full_like(data.responses, np.nan)
    responses[kept] = data.responses[kept]
    return encode([("layer", data.word_features)], responses, samples, neuroids, encoder, sampling)


def twin(data: Story, **changes: Any) -> Published:
    kept = wehbe2014.kept_scans(data.scan_run, (20, 15))
    given = (data.word_features, data.word_time_s, data.scan_time_s, data.scan_run, data.responses[kept])
    return wehbe2014.wehbe2014(*given, **changes)


def without_words(data: Story, scans: list[int]) -> Story:
    """The same story where no words were shown during some scans."""
    kept = ~np.isin(wehbe2014.scans_of_words(data.word_time_s, data.scan_time_s), scans)
    return replace(data, word_features=data.word_features[kept], word_time_s=data.word_time_s[kept])


@pytest.mark.parametrize(
    ("seed", "scans", "width", "noise"), [(0, 75, 30, 1.0), (1, 90, 30, 0.3), (2, 75, 6, 1.0), (3, 75, 300, 2.0)]
)
def test_wehbe(seed: int, scans: int, width: int, noise: float) -> None:
    data = story(seed=seed, scans_per_run=scans, width=width, noise=noise)
    ours = encode_story(data, settings("wehbe2014"))
    published = twin(data, components=min(width, 10))
    np.testing.assert_allclose(ours.penalty[0], published.penalty, rtol=1e-9)
    assert len(np.unique(published.penalty)) > 3, "the voxels must need different penalties"
    np.testing.assert_allclose(ours.r[0], published.r, atol=1e-6)
    assert ours.aggregate_r[0, 0, 0] == pytest.approx(published.score, abs=1e-6)
    assert ours.width.tolist() == [4 * min(width, 10)]


@pytest.mark.parametrize("scans", [[40], [58, 120], [17, 150]])
def test_a_scan_without_words_empties_its_run_as_published(scans: list[int]) -> None:
    """Runs have 75 scans, of which 20 to 59 are kept: the scans 58 and 17 reach some of the columns only."""
    data = without_words(story(), scans)
    ours, published = encode_story(data, settings("wehbe2014")), twin(data)
    told = np.isfinite(published.r)
    np.testing.assert_allclose(ours.r[0][told], published.r[told], atol=1e-6)
    np.testing.assert_allclose(ours.penalty[0], published.penalty, rtol=1e-9)
    assert not ours.r[0][~told].any(), "a constant prediction, where published code divides 0 by 0"
    apart = encode_story(data, settings("wehbe2014", word_rule="own"))
    assert np.abs(apart.r[0] - ours.r[0]).max() > 0.01


def test_wehbe_by_the_training_scans_own_words() -> None:
    data = story()
    ours, published = encode_story(data, settings("wehbe2014", word_rule="own")), twin(data, training_words="own scan")
    np.testing.assert_allclose(ours.r[0], published.r, atol=1e-6)
    assert np.abs(ours.r[0] - twin(data).r).max() > 1e-3


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_wehbe_in_either_precision(precision: str) -> None:
    data = story()
    ours = encode_story(data, settings("wehbe2014", precision=precision))
    published = twin(data)
    np.testing.assert_allclose(ours.penalty[0], published.penalty, rtol=1e-9)
    np.testing.assert_allclose(ours.r[0], published.r, atol=1e-5 if precision == "float32" else 1e-9)


@pytest.mark.parametrize(
    "change",
    [
        {"word_components": 9},
        {"word_rule": "own"},
        {"trim": [20, 14]},
        {"delays": [1, 2, 3, 5]},
        {"zscore_delayed": False, "word_rule": "own"},
        {"standardize": "none", "intercept": True},
        {"split": {"at": "train"}},
    ],
)
def test_every_step_of_wehbe_matters(change: dict[str, Any]) -> None:
    data = story()
    ours = encode_story(data, settings("wehbe2014", **change), whole=True)
    published = twin(data, training_words="own scan" if change.get("zscore_delayed") is False else "published")
    assert np.abs(ours.r.mean(axis=1) - published.r.mean(axis=0)).max() > 1e-4


def neuroids_of(data: Sentences) -> tuple[Samples, dict[str, np.ndarray]]:
    return Samples({"split_group": data.story}), data.neuroids


@pytest.mark.parametrize("width", [20, 172, 180, 400])
def test_linear_predictivity(width: int) -> None:
    """Widths under, at and above the 172 training rows; at 172 all rows but one are interpolated, near singularly."""
    data = sentences(width=width)
    samples, neuroids = neuroids_of(data)
    ours = encode([("layer", data.features)], data.responses, samples, neuroids, settings("aw2023"))
    published = linear_predictivity(data.features, data.responses)
    np.testing.assert_allclose(ours.r[0], published.r, atol=1e-6)
    assert ours.aggregate_r[0, 0, 0] == pytest.approx(published.score, abs=1e-6)
    assert ours.rank[0].tolist() == [min(width, 171)] * 10


@pytest.mark.parametrize("width", [20, 120, 400])
def test_brain_score_ridge(width: int) -> None:
    """Brain-Score adds 1e-8 to the norms that r is divided by, which takes 1e-8 / norm from it: nothing here."""
    data = sentences(width=width, each=10)
    samples, neuroids = neuroids_of(data)
    ours = encode([("layer", data.features)], data.responses, samples, neuroids, settings("brain-score"))
    published = brain_score_ridge(data.features, data.responses, data.story)
    np.testing.assert_allclose(ours.penalty[0], published.penalty)
    np.testing.assert_allclose(ours.r[0], published.r, atol=1e-6)
    assert ours.aggregate_r[0, 0, 0] == pytest.approx(published.score, abs=1e-6)
