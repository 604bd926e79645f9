"""Small simulated inputs of the shapes that the published pipelines take, each drawn from a seed."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sentences:
    """Sentences in passages of topics, as in Pereira2018."""

    features: np.ndarray  # (sentence, width)
    responses: np.ndarray  # (sentence, neuroid)
    story: np.ndarray  # (sentence,), the topic
    neuroids: dict[str, np.ndarray]


@dataclass(frozen=True)
class Story:
    """Words and scans of a story in four runs, as in Wehbe2014: scans of 2 s, a pause, then a word each half second."""

    word_features: np.ndarray  # (word, width)
    word_time_s: np.ndarray  # (word,), one clock for all runs
    scan_time_s: np.ndarray  # (scan,)
    scan_run: np.ndarray  # (scan,), 1 to 4
    responses: np.ndarray  # (scan, voxel); the pipeline takes those of `wehbe2014.kept_scans`
    signal: np.ndarray  # (scan, voxel), what the words cause, the noise's SD being 1 by default


def sentences(seed: int = 0, topics: int = 24, each: int = 8, width: int = 40, neuroids: int = 12) -> Sentences:
    """Features that share a topic's mean and have unequal scales and large means; two subjects' neuroids."""
    random = np.random.default_rng(seed)
    story = np.repeat([f"topic {number:02d}" for number in random.permutation(topics)], each)
    topic = random.normal(size=(topics, width))[np.unique(story, return_inverse=True)[1]]
    latent = topic + random.normal(size=topic.shape)
    signal = latent @ random.normal(size=(width, neuroids)) / np.sqrt(2 * width)
    responses = signal * np.linspace(0.2, 1, neuroids) + random.normal(size=signal.shape)
    features = 3 + latent * np.logspace(-1, 1, width)
    table = {
        "neuroid": np.array([f"n{number}" for number in range(neuroids)], dtype=object),
        "subject": np.array([f"S{2 * number // neuroids + 1}" for number in range(neuroids)], dtype=object),
        "region": np.full(neuroids, "language", dtype=object),
    }
    return Sentences(features, responses, story.astype(object), table)


def story(seed: int = 0, scans_per_run: int = 75, width: int = 30, voxels: int = 8, noise: float = 1.0) -> Story:
    """Words of ten directions and little else; responses follow them by 1 to 4 scans, from almost no signal to a clear
    one, so that voxels need different penalties.
    """
    random = np.random.default_rng(seed)
    scan_run = np.repeat([1, 2, 3, 4], scans_per_run)
    scan_time_s = 2.0 * np.arange(len(scan_run))
    starts = 2.0 * scans_per_run * np.arange(4)
    word_time_s = np.concatenate([np.arange(start + 20.5, start + 2 * scans_per_run - 3, 0.5) for start in starts])
    latent = random.normal(size=(len(word_time_s), 10)) * np.logspace(0.5, 0, 10)
    word_features = latent @ random.normal(size=(10, width)) + 0.05 * random.normal(size=(len(latent), width)) + 2
    scans = sample_map(word_time_s, scan_time_s) @ latent
    signal = np.zeros((len(scans), voxels))
    for delay, weight in zip((1, 2, 3, 4), (0.3, 1.0, 0.8, 0.3), strict=True):
        caused = scans @ random.normal(size=(10, voxels)) * weight
        for run in range(4):
            rows = np.flatnonzero(scan_run == run + 1)
            signal[rows[delay:]] += caused[rows[:-delay]]
    signal *= np.geomspace(0.05, 10, voxels) / signal.std(axis=0)
    responses = 100 + np.linspace(1, 5, voxels) * (signal + noise * random.normal(size=signal.shape))
    return Story(word_features, word_time_s, scan_time_s, scan_run, responses, signal)


def sample_map(word_time_s: np.ndarray, scan_time_s: np.ndarray) -> np.ndarray:
    """Return the map of words to scans (scan, word): each row 1 / count over the scan's words, 0 where it has none."""
    scan_of_word = np.searchsorted(scan_time_s, word_time_s, side="left") - 1
    dense = (np.arange(len(scan_time_s))[:, None] == scan_of_word).astype(np.float64)
    return dense / np.maximum(dense.sum(axis=1, keepdims=True), 1)
