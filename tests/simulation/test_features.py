import numpy as np
import pytest

from brainalign.errors import InputError
from brainalign.simulation.features import (
    FEATURE_NAMES,
    raw_features,
    reference_passages,
    sentence_features,
    timepoint_features,
)
from brainalign.simulation.grammar import Story, write_passages, write_stories


def test_features_are_few_and_of_full_rank(world):
    sentences = [sentence for passage in write_passages(world, 1, 96, 4) for sentence in passage.sentences]
    features = sentence_features(sentences, world)
    assert features.shape == (384, len(FEATURE_NAMES))
    assert len(FEATURE_NAMES) <= 10
    assert np.linalg.matrix_rank(features) == len(FEATURE_NAMES)
    assert np.linalg.eigvalsh(np.corrcoef(features.T)).min() > 0.1  # far from collinear


def test_reference_sample_has_mean_zero_and_deviation_one(world):
    sentences = [sentence for passage in reference_passages(world) for sentence in passage.sentences]
    features = sentence_features(sentences, world)
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-10)
    np.testing.assert_allclose(features.std(axis=0), 1, atol=1e-10)


def test_a_sentence_has_the_same_features_in_every_data_set(world):
    sentences = write_passages(world, 1, 3, 4)[0].sentences
    more = [sentence for passage in write_passages(world, 1, 50, 4) for sentence in passage.sentences]
    np.testing.assert_array_equal(sentence_features(sentences, world), sentence_features(more, world)[:4])


def test_a_pronoun_has_its_referents_features(world):
    """The same words, "it is small .", have the animacy and size of what "it" is."""
    by_text: dict[str, set] = {}
    for passage in write_passages(world, 1, 1500, 4):
        for sentence in passage.sentences:
            referent = sentence.content.referent
            values = dict(zip(FEATURE_NAMES, raw_features(sentence.content), strict=True))
            assert values["animacy"] == world.entity(referent.name).animacy
            assert values["danger"] == world.entity(referent.name).danger
            if sentence.words[0] == "it":
                by_text.setdefault(sentence.text, set()).add((values["animacy"], values["size"]))
    assert max(len(values) for values in by_text.values()) > 5


def test_time_points_are_means_over_words_of_what_is_known(world):
    """Replay a story word by word, the slow way."""
    story = write_stories(world, 2, 1, 80)[0]
    scaled = sentence_features(story.sentences, world)
    state = np.zeros(len(FEATURE_NAMES))
    by_word = []
    for sentence, features in zip(story.sentences, scaled, strict=True):
        for index in range(len(sentence.words)):
            if index == sentence.referent_word:
                state[:5] = features[:5]
            if index == sentence.place_word:
                state[5:7] = features[5:7]
            if index == sentence.action_word:
                state[7:] = features[7:]
            by_word.append(state.copy())
    expected = np.array(by_word[:80]).reshape(20, 4, -1).mean(axis=1)
    np.testing.assert_allclose(timepoint_features(story, world), expected, atol=1e-12)


def test_time_points_do_not_know_what_comes_later(world):
    long = write_stories(world, 2, 1, 160)[0]
    short = write_stories(world, 2, 1, 80)[0]
    assert long.words[:80] == short.words
    np.testing.assert_array_equal(timepoint_features(long, world)[:20], timepoint_features(short, world))


def test_time_points_take_whole_groups_of_words(world):
    story = write_stories(world, 2, 1, 81)[0]
    with pytest.raises(InputError, match="story-001 has 81 words; time points take a multiple of 4"):
        timepoint_features(story, world)
    assert timepoint_features(Story("s", story.sentences, story.words[:80]), world).shape == (20, len(FEATURE_NAMES))
