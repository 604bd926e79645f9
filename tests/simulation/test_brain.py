import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from brainalign.errors import InputError
from brainalign.simulation.brain import REGIONS, simulate_passages, simulate_stories
from brainalign.simulation.features import FEATURE_NAMES
from brainalign.simulation.haemodynamics import convolve

FINGERPRINT = """
import hashlib, sys
from brainalign.simulation.brain import simulate_passages, simulate_stories
from brainalign.simulation.world import make_world
digest = hashlib.sha256()
for dataset in (simulate_passages(make_world(0), 7), simulate_stories(make_world(0), 7)):
    digest.update(dataset.responses.tobytes() + dataset.noise_free.tobytes())
    digest.update(dataset.stimuli.to_csv().encode() + dataset.neuroids.to_csv().encode())
assert not {"torch", "scipy", "sklearn"} & set(sys.modules)
print(digest.hexdigest())
"""


@pytest.fixture(scope="module")
def passages(world):
    return simulate_passages(world, 7)


@pytest.fixture(scope="module")
def stories(world):
    return simulate_stories(world, 7)


@pytest.fixture(scope="module")
def large(world):
    return simulate_passages(world, 7, passages=1600, subjects=2, neuroids=20)


@pytest.fixture(params=["passages", "stories"])
def dataset(request):
    return request.getfixturevalue(request.param)


def test_parts_fit_together(dataset):
    samples, neuroids = dataset.responses.shape
    assert dataset.noise_free.shape == (samples, neuroids)
    assert dataset.responses.dtype == dataset.noise_free.dtype == np.float32
    assert len(dataset.stimuli) == len(dataset.samples) == len(dataset.features) == samples
    assert dataset.stimuli["stimulus_id"].is_unique
    assert list(dataset.samples["sample_id"]) == list(dataset.stimuli["stimulus_id"])
    assert list(dataset.neuroids) == ["neuroid_id", "subject", "region"]
    assert dataset.neuroids["neuroid_id"].is_unique
    assert (dataset.neuroids.groupby(["subject", "region"]).size() == 25).all()
    assert dataset.neuroids["subject"].nunique() == 6
    assert set(dataset.neuroids["region"]) == set(REGIONS)


def test_passages_are_groups_of_whole_sentences(passages):
    assert len(passages.stimuli) == 384
    assert (passages.stimuli.groupby("split_group").size() == 4).all()
    assert (passages.stimuli["context_group"] == passages.stimuli["split_group"]).all()
    assert passages.stimuli["text"].str.endswith(" .").all()


def test_stories_are_runs_on_a_two_second_grid_of_four_words(stories):
    assert len(stories.stimuli) == 600
    assert (stories.stimuli["text"].str.split(" ").str.len() == 4).all()
    for story, rows in stories.stimuli.groupby("run"):
        np.testing.assert_array_equal(rows["onset_s"], np.arange(50) * 2.0)
        assert set(rows["context_group"]) == set(rows["split_group"]) == {story}


def test_signal_is_linear_in_the_worlds_features(passages, stories):
    np.testing.assert_allclose(passages.noise_free, passages.features @ passages.weights, atol=1e-6)
    drive = np.vstack([convolve(story, 2.0) for story in np.split(stories.features, 12)])
    np.testing.assert_allclose(stories.noise_free, drive @ stories.weights, atol=1e-6)


def test_signal_lies_in_a_space_of_at_most_ten_dimensions(dataset):
    assert np.linalg.matrix_rank(dataset.noise_free) == len(FEATURE_NAMES) <= 10
    assert np.linalg.matrix_rank(dataset.responses) > 100  # the check can fail


def test_signal_shares_are_in_range_and_spread_over_it(dataset):
    shares = dataset.signal_share
    assert shares.min() >= 0.2
    assert shares.max() <= 0.4
    assert abs(shares.mean() - 0.3) < 4 * 0.2 / np.sqrt(12 * len(shares))


def test_variances_are_the_promised_ones_at_large_n(large):
    """Relative standard error of a variance at most sqrt(2 / passages): of 1,600 here and of 5,000 in the reference."""
    noise = large.responses.astype(float) - large.noise_free
    tolerance = 4 * np.sqrt(2 / 1600 + 2 / 5000)
    np.testing.assert_allclose(large.noise_free.var(axis=0), large.signal_share, rtol=tolerance)
    np.testing.assert_allclose(noise.var(axis=0), 1 - large.signal_share, rtol=4 * np.sqrt(2 / 1600))
    empirical = large.noise_free.var(axis=0) / (large.noise_free.var(axis=0) + noise.var(axis=0))
    assert 0.2 * (1 - tolerance) < empirical.min() < empirical.max() < 0.4 * (1 + tolerance)


def test_story_variances_are_the_promised_ones(world):
    many = simulate_stories(world, 3, stories=200, subjects=1, neuroids=40)
    noise = many.responses.astype(float) - many.noise_free
    # a story counts as one observation at worst
    np.testing.assert_allclose(many.noise_free.var(axis=0), many.signal_share, rtol=4 * np.sqrt(2 / 200 + 2 / 400))
    np.testing.assert_allclose(noise.var(axis=0), 1 - many.signal_share, rtol=4 * np.sqrt(2 / 200))


def test_noise_is_correlated_inside_passages_only(large):
    noise = (large.responses.astype(float) - large.noise_free) / np.sqrt(1 - large.signal_share)
    by_passage = noise.reshape(1600, 4, -1)
    error = 1 / np.sqrt(1600 * by_passage.shape[2])  # of a mean of products: sd sqrt(1 + c²), below 1.2
    assert abs(np.mean(by_passage[:, 0] * by_passage[:, 3]) - 0.6) < 5 * error
    assert abs(np.mean(by_passage[1:, 0] * by_passage[:-1, 0])) < 5 * error


def test_a_larger_data_set_begins_with_the_smaller_and_keeps_the_weights(world, large):
    small = simulate_passages(world, 7, passages=96, subjects=2, neuroids=20)
    np.testing.assert_array_equal(small.weights, large.weights)
    np.testing.assert_array_equal(small.signal_share, large.signal_share)
    assert small.stimuli.equals(large.stimuli.iloc[:384])
    np.testing.assert_allclose(small.responses, large.responses[:384], atol=1e-5)


def test_subjects_resemble_each_other_more_than_by_chance(passages):
    """Weights of the same position in two subjects share .7 of their variance before scaling."""
    first, second = passages.weights[:, :50], passages.weights[:, 50:100]
    assert 0.55 < np.corrcoef(first.ravel(), second.ravel())[0, 1] < 0.85
    assert not np.allclose(first, second)


def test_seed_decides_everything_and_nothing_else_does(world, passages):
    again = simulate_passages(world, 7)
    assert again.responses.tobytes() == passages.responses.tobytes()
    other = simulate_passages(world, 8)
    assert not np.array_equal(other.weights, passages.weights)
    assert list(other.stimuli["text"]) != list(passages.stimuli["text"])


def test_another_process_gives_the_same_bytes_without_heavy_imports(passages, stories):
    digest = hashlib.sha256()
    for dataset in (passages, stories):
        digest.update(dataset.responses.tobytes() + dataset.noise_free.tobytes())
        digest.update(dataset.stimuli.to_csv().encode() + dataset.neuroids.to_csv().encode())
    environment = {**os.environ, "PYTHONHASHSEED": "99", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", FINGERPRINT], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == digest.hexdigest()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"subjects": 0}, "subjects = 0; allowed is 1 or more"),
        ({"passages": 0}, "passages = 0; allowed is 1 or more"),
        ({"signal_share": (0.4, 0.2)}, "bounds of the signal share are 0.4 and 0.2"),
        ({"passage_correlation": 1.2}, "noise correlation in a passage is 1.2; allowed is 0 to 1"),
    ],
)
def test_bad_settings_are_refused_with_a_sentence(world, arguments, sentence):
    with pytest.raises(InputError, match=sentence):
        simulate_passages(world, 0, **arguments)


def test_bad_settings_of_stories_are_refused_with_a_sentence(world):
    with pytest.raises(InputError, match="autocorrelation of the noise is 1; allowed is between -1 and 1"):
        simulate_stories(world, 0, autocorrelation=1)
    with pytest.raises(InputError, match="time points = 1; allowed is 2 or more"):
        simulate_stories(world, 0, time_points=1)
