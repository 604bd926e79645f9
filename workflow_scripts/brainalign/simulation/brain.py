"""Simulated brain data sets whose truth is known: responses = noise_free + noise.

A neuroid responds to the world's own features (`brainalign.simulation.features`) with fixed weights. Everything is
drawn from child streams of one seed, one for each of text, weights, signal shares and noise: a data set with more
passages or stories begins with the smaller one, and its neuroids have the same weights and signal shares.

What is exact, as parameters of the distributions drawn from: a neuroid's share s, uniform in `signal_share`, the
variance of its noise, 1 − s, and the noise's correlations; and that the variance of its signal is s over the world's
reference sample of texts of the same form. In one data set the signal's and the noise's variances differ from these by
sampling error, so the empirical share does too.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from brainalign.errors import InputError
from brainalign.simulation.features import (
    FEATURE_NAMES,
    WORDS_PER_TIME_POINT,
    reference_passages,
    reference_stories,
    sentence_features,
    timepoint_features,
)
from brainalign.simulation.grammar import Story, write_passages, write_stories
from brainalign.simulation.haemodynamics import convolve
from brainalign.simulation.noise import autoregressive_noise, grouped_noise
from brainalign.simulation.streams import random_stream, require_at_least
from brainalign.simulation.world import World

TIME_POINT_S = 2.0
REGIONS = ("region-a", "region-b")

# shares of the variance of the weights: common to a region, to a neuroid's place in all subjects, the subject's own
REGION_SHARE, POSITION_SHARE, SUBJECT_SHARE = 0.3, 0.4, 0.3


@dataclass(frozen=True)
class SimulatedDataset:
    """A data set in the form that real ones have, and its truth.

    Attributes
    ----------
    stimuli : stimulus_id, text, context_group, split_group; for stories also onset_s (seconds from the story's start)
        and run.
    responses : array of shape (samples, neuroids), float32; sample i is the response to stimulus i.
    noise_free : array of shape (samples, neuroids), float32, on the scale of the responses.
    neuroids : neuroid_id, subject, region.
    samples : sample_id (the stimulus_id), run; for stories also onset_s.
    features : array of shape (samples, 9), float64, before any convolution.
    feature_names : the names of its columns.
    weights : array of shape (9, neuroids), float64: noise_free = features · weights (stories: convolved features).
    signal_share : array of shape (neuroids,), float64.
    """

    stimuli: pd.DataFrame
    responses: np.ndarray
    noise_free: np.ndarray
    neuroids: pd.DataFrame
    samples: pd.DataFrame
    features: np.ndarray
    feature_names: tuple[str, ...]
    weights: np.ndarray
    signal_share: np.ndarray


def simulate_passages(
    world: World,
    seed: int,
    passages: int = 96,
    sentences: int = 4,
    subjects: int = 6,
    neuroids: int = 50,
    signal_share: tuple[float, float] = (0.2, 0.4),
    passage_correlation: float = 0.6,
) -> SimulatedDataset:
    """Simulate responses to the sentences of passages, one sample per sentence.

    response[i, v] = Σ_k z[i, k] w[k, v] + sqrt(1 − s_v) (sqrt(c) u[passage of i, v] + sqrt(1 − c) n[i, v]),

    with z the sentence features, w scaled so that wᵀ C w = s_v for the covariance C of the reference passages, u and n
    independent standard normal, and c = `passage_correlation`. The expected total variance of a neuroid is 1.

    Parameters
    ----------
    world, seed : the world written about, and the seed of text, weights, shares and noise.
    passages, sentences : the number of passages and of sentences in each; one context and split group per passage.
    subjects, neuroids : the number of subjects and of neuroids in each; the first half of a subject's is region-a.
    signal_share : the bounds of s_v, within 0 to 1.
    passage_correlation : the correlation of the noise of two sentences of a passage, from 0 to 1.

    Raises
    ------
    InputError : a count or bound that is out of range.
    """
    _check(subjects, neuroids, signal_share)
    if not 0 <= passage_correlation <= 1:
        raise InputError(f"the noise correlation in a passage is {passage_correlation}; allowed is 0 to 1.")
    written = write_passages(world, seed, passages, sentences)
    stimuli = pd.DataFrame(
        [
            (f"{passage.passage_id}-{number}", sentence.text, passage.passage_id, passage.passage_id)
            for passage in written
            for number, sentence in enumerate(passage.sentences, start=1)
        ],
        columns=["stimulus_id", "text", "context_group", "split_group"],
    )
    features = sentence_features([sentence for passage in written for sentence in passage.sentences], world)
    reference = [sentence for passage in reference_passages(world, sentences) for sentence in passage.sentences]
    noise = grouped_noise(
        random_stream(seed, "passage noise"),
        random_stream(seed, "sentence noise"),
        groups=passages,
        group_size=sentences,
        neuroids=subjects * neuroids,
        correlation=passage_correlation,
    )
    samples = pd.DataFrame({"sample_id": stimuli["stimulus_id"], "run": "run-1"})
    return _respond(
        seed, stimuli, samples, features, features, sentence_features(reference, world), noise, subjects, signal_share
    )


def simulate_stories(
    world: World,
    seed: int,
    stories: int = 12,
    time_points: int = 50,
    subjects: int = 6,
    neuroids: int = 50,
    signal_share: tuple[float, float] = (0.2, 0.4),
    autocorrelation: float = 0.5,
) -> SimulatedDataset:
    """Simulate fMRI responses to stories read at 2 words per second (a full stop takes a word's time).

    Each story is a run. A time point is 2 s and 4 words long, and is one stimulus and one sample.

    response[t, v] = Σ_k (h ∗ z)[t, k] w[k, v] + sqrt(1 − s_v) e[t, v]

    with z the time-point features, h the haemodynamic response at 2 s, convolved causally inside each story, w scaled
    so that wᵀ C w = s_v for the covariance C of the reference stories' convolved features, and e stationary first-order
    autoregressive noise of variance 1. An encoder with delays of 2 to 8 s catches the response but for its undershoot.

    Parameters
    ----------
    world, seed, subjects, neuroids, signal_share : as for `simulate_passages`.
    stories, time_points : the number of stories and of time points in each.
    autocorrelation : coefficient of the noise, above −1 and below 1.

    Raises
    ------
    InputError : a count or bound that is out of range.
    """
    _check(subjects, neuroids, signal_share)
    require_at_least("time points", time_points, 2)
    if not -1 < autocorrelation < 1:
        raise InputError(f"the autocorrelation of the noise is {autocorrelation}; allowed is between -1 and 1.")
    written = write_stories(world, seed, stories, time_points * WORDS_PER_TIME_POINT)
    stimuli = pd.DataFrame(
        [row for story in written for row in _time_points(story)],
        columns=["stimulus_id", "text", "context_group", "split_group", "onset_s", "run"],
    )
    by_story = [timepoint_features(story, world) for story in written]
    reference = [
        convolve(timepoint_features(story, world), TIME_POINT_S)
        for story in reference_stories(world, time_points * WORDS_PER_TIME_POINT)
    ]
    noise = autoregressive_noise(
        random_stream(seed, "story noise"), stories, time_points, subjects * neuroids, autocorrelation
    )
    samples = stimuli[["stimulus_id", "run", "onset_s"]].rename(columns={"stimulus_id": "sample_id"})
    convolved = np.vstack([convolve(features, TIME_POINT_S) for features in by_story])
    return _respond(
        seed, stimuli, samples, np.vstack(by_story), convolved, np.vstack(reference), noise, subjects, signal_share
    )


def _respond(
    seed: int,
    stimuli: pd.DataFrame,
    samples: pd.DataFrame,
    features: np.ndarray,
    drive: np.ndarray,
    reference_drive: np.ndarray,
    noise: np.ndarray,
    subjects: int,
    signal_share: tuple[float, float],
) -> SimulatedDataset:
    """Put signal and noise together; `drive` is what the weights apply to, `noise` has variance 1."""
    table = _neuroids(subjects, noise.shape[1] // subjects)
    shares = random_stream(seed, "signal shares").uniform(*signal_share, size=len(table))  # (neuroids,)
    directions = _weight_directions(random_stream(seed, "weights"), table)  # (9, neuroids)
    covariance = np.cov(reference_drive, rowvar=False, bias=True)  # (9, 9)
    spread = np.sqrt(np.einsum("kv,kl,lv->v", directions, covariance, directions))  # (neuroids,)
    weights = directions * np.sqrt(shares) / spread
    noise_free = drive @ weights  # (samples, neuroids)
    responses = noise_free + np.sqrt(1 - shares) * noise
    return SimulatedDataset(
        stimuli=stimuli,
        responses=responses.astype(np.float32),
        noise_free=noise_free.astype(np.float32),
        neuroids=table,
        samples=samples,
        features=features,
        feature_names=FEATURE_NAMES,
        weights=weights,
        signal_share=shares,
    )


def _weight_directions(stream: np.random.Generator, neuroids: pd.DataFrame) -> np.ndarray:
    """Draw weights before scaling: sqrt(.3) region + sqrt(.4) position + sqrt(.3) subject, each standard normal."""
    subjects = neuroids["subject"].nunique()
    positions, width = len(neuroids) // subjects, len(FEATURE_NAMES)
    region = stream.standard_normal((len(REGIONS), width))[_region_indices(positions)]  # (positions, 9)
    position = stream.standard_normal((positions, width))
    own = stream.standard_normal((subjects, positions, width))
    shared = np.sqrt(REGION_SHARE) * region + np.sqrt(POSITION_SHARE) * position
    directions: np.ndarray = (shared + np.sqrt(SUBJECT_SHARE) * own).reshape(-1, width)  # (neuroids, 9)
    return directions.T


def _neuroids(subjects: int, neuroids: int) -> pd.DataFrame:
    rows = [
        (f"S{subject}-{number:03d}", f"S{subject}", REGIONS[region])
        for subject in range(1, subjects + 1)
        for number, region in enumerate(_region_indices(neuroids), start=1)
    ]
    return pd.DataFrame(rows, columns=["neuroid_id", "subject", "region"])


def _region_indices(neuroids: int) -> np.ndarray:
    return np.repeat([0, 1], [(neuroids + 1) // 2, neuroids // 2])


def _time_points(story: Story) -> list[tuple[str, str, str, str, float, str]]:
    name = story.story_id
    rows = []
    for index, start in enumerate(range(0, len(story.words), WORDS_PER_TIME_POINT)):
        text = " ".join(story.words[start : start + WORDS_PER_TIME_POINT])
        rows.append((f"{name}-{index + 1:03d}", text, name, name, index * TIME_POINT_S, name))
    return rows


def _check(subjects: int, neuroids: int, signal_share: tuple[float, float]) -> None:
    require_at_least("subjects", subjects, 1)
    require_at_least("neuroids", neuroids, 1)
    low, high = signal_share
    if not 0 <= low <= high <= 1:
        raise InputError(f"the bounds of the signal share are {low} and {high}; allowed is 0 ≤ low ≤ high ≤ 1.")
