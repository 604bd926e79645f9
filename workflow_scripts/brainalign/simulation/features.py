"""The world's own features of a sentence, and of a time point of a story: the truth that simulated brains respond to.

They come from the latent content, never from the words or from a model: "it runs ." has the animacy, size and colour of
what "it" stands for, and the place where that was last.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from brainalign.errors import InputError
from brainalign.simulation.grammar import Passage, Story, write_passages, write_stories
from brainalign.simulation.narration import Content, Sentence
from brainalign.simulation.world import World

REFERENT_FEATURES = ("animacy", "size", "speed", "danger", "colour_valence")
PLACE_FEATURES = ("indoor", "crowd")
ACTION_FEATURES = ("energy", "sociality")
FEATURE_NAMES = (*REFERENT_FEATURES, *PLACE_FEATURES, *ACTION_FEATURES)

WORDS_PER_TIME_POINT = 4  # 2 words per second, time points of 2 s

# a fixed sample of each world, apart from every data set, gives the features' means, deviations and covariances
REFERENCE_SEED = 20_240_229
REFERENCE_PASSAGES = 5_000
REFERENCE_STORIES = 400


def raw_features(content: Content) -> tuple[float, ...]:
    """Return the 9 features of one content, in the order of FEATURE_NAMES, on the catalogue's scale from 0 to 1."""
    referent, place, action = content.referent, content.place, content.action
    who = (referent.animacy, referent.size, referent.speed, referent.danger, referent.colour.valence)
    return (*who, place.indoor, place.crowd, action.energy, action.sociality)


def sentence_features(sentences: Iterable[Sentence], world: World) -> np.ndarray:
    """Return the standardised features of sentences.

    z[i, k] = (raw[i, k] − mean[k]) / sd[k], where mean and sd are those of a fixed reference sample of the world (the
    20,000 sentences of 5,000 passages), so that a value means the same in every data set of that world.

    Parameters
    ----------
    sentences : any number n of sentences.
    world : the world that they are about.

    Returns
    -------
    z : array of shape (n, 9), float64, in reference standard deviations; columns in the order of FEATURE_NAMES.
    """
    mean, deviation = _reference_scale(world)
    standardised: np.ndarray = (_raw([sentence.content for sentence in sentences]) - mean) / deviation  # (n, 9)
    return standardised


def timepoint_features(story: Story, world: World) -> np.ndarray:
    """Return the standardised features of a story's time points of 4 words, as far as a reader knows them.

    A word's features are those of the last referent, place and action *made known up to that word*; so a sentence
    takes over from the one before piece by piece, and nothing is known before it is read. What the first words of a
    story leave open has the value 0, the reference mean. A time point's features are the means over its 4 words.

    Parameters
    ----------
    story : its number of words must be a multiple of 4.
    world : the world that it is about.

    Returns
    -------
    array of shape (words / 4, 9), float64, on the scale of `sentence_features`.

    Raises
    ------
    InputError : a number of words that is not a multiple of 4.
    """
    words = len(story.words)
    if words % WORDS_PER_TIME_POINT:
        raise InputError(f"{story.story_id} has {words} words; time points take a multiple of {WORDS_PER_TIME_POINT}.")
    features = sentence_features(story.sentences, world)  # (sentences, 9)
    known = _sentence_known_at_each_word(story.sentences)[:words]  # (words, 9), index of a sentence, -1 for none
    by_word = np.take_along_axis(features, np.maximum(known, 0), axis=0)  # (words, 9)
    by_word[known < 0] = 0.0
    by_time_point: np.ndarray = by_word.reshape(-1, WORDS_PER_TIME_POINT, features.shape[1]).mean(axis=1)
    return by_time_point  # (time points, 9)


@lru_cache(maxsize=8)
def reference_passages(world: World, sentences: int = 4) -> tuple[Passage, ...]:
    """Return the world's 5,000 reference passages, the same in every call."""
    return tuple(write_passages(world, REFERENCE_SEED, REFERENCE_PASSAGES, sentences))


@lru_cache(maxsize=8)
def reference_stories(world: World, words: int) -> tuple[Story, ...]:
    """Return the world's 400 reference stories of `words` words, the same in every call."""
    return tuple(write_stories(world, REFERENCE_SEED, REFERENCE_STORIES, words))


@lru_cache(maxsize=8)
def _reference_scale(world: World) -> tuple[np.ndarray, np.ndarray]:
    contents = [sentence.content for passage in reference_passages(world) for sentence in passage.sentences]
    values = _raw(contents)
    return values.mean(axis=0), values.std(axis=0)


def _raw(contents: Sequence[Content]) -> np.ndarray:
    return np.array([raw_features(content) for content in contents]).reshape(-1, len(FEATURE_NAMES))


def _sentence_known_at_each_word(sentences: Sequence[Sentence]) -> np.ndarray:
    """For each word and feature, the index of the sentence that last made it known."""
    known = np.full((sum(len(sentence.words) for sentence in sentences), len(FEATURE_NAMES)), -1)
    place_from = len(REFERENT_FEATURES)
    action_from = place_from + len(PLACE_FEATURES)
    start = 0
    for index, sentence in enumerate(sentences):
        known[start + sentence.referent_word :, :place_from] = index
        known[start + sentence.place_word :, place_from:action_from] = index
        known[start + sentence.action_word :, action_from:] = index
        start += len(sentence.words)
    return known
