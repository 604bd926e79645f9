"""Words as the published code of Wehbe2014 looks them up, by hand; whole pipelines are in `published`."""

import numpy as np
import pytest

from brainalign.encoding.published_words import samples_looked_up, without_reached_columns
from brainalign.errors import InputError

RUNS = np.repeat(["a", "b"], 6)


def test_words_are_looked_up_one_sample_beside_their_own() -> None:
    """Trimming leaves the samples 2, 3, 4 and 8, 9, 10; a sample looks up row s - 3, in the second run s - 6."""
    training = np.array([True, False, False, False, True, True])
    looked_up = [-3, -2, -1, 0, 1, 2, 0, 1, 2, 3, 4, 5]
    expected = [sample for sample, row in enumerate(looked_up) if training[row]]
    assert samples_looked_up(training, RUNS, (2, 1)).tolist() == expected


def test_the_last_samples_look_up_none() -> None:
    """Trimming leaves the samples 1, 2, 7 and 8; 10 and 11 come later than 3 before the end of 12."""
    assert samples_looked_up(np.ones(4, dtype=bool), RUNS, (1, 3)).tolist() == list(range(10))


@pytest.mark.parametrize(
    ("runs", "training", "sentence"),
    [
        (["a", "b", "a", "b"], 4, "word_rule: published needs the samples of each run next to each other."),
        (["a"] * 8, 2, "word_rule: published looks up samples 4 before the first, but trimming leaves 2."),
    ],
)
def test_what_cannot_be_looked_up_is_said(runs: list[str], training: int, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        samples_looked_up(np.ones(training, dtype=bool), np.array(runs), (3, 3) if training == 2 else (0, 0))


def test_a_sample_without_stimuli_empties_the_columns_that_it_reaches_in_its_run() -> None:
    features = np.ones((12, 4))
    is_empty = np.zeros(12, dtype=bool)
    is_empty[[1, 5, 9]] = True
    expected = np.ones((12, 4))
    expected[:6, :2] = 0  # by a delay of 1, sample 1 reaches 2; by 3, 4; 5 reaches none of its own run
    expected[:6, 2:] = 0
    expected[6:, :2] = 0  # 9 reaches 10, and by 3 none
    found = without_reached_columns(features, is_empty, RUNS, (1, 3), None)
    np.testing.assert_array_equal(found, expected)
    kept = np.array([0, 1, 2, 3, 6, 7, 8, 9])  # without 4, 5, 10 and 11
    expected = np.ones((8, 4))
    expected[:4, :2] = 0
    np.testing.assert_array_equal(without_reached_columns(features[kept], is_empty, RUNS, (1, 3), kept), expected)
    expected = np.zeros((12, 4))
    np.testing.assert_array_equal(without_reached_columns(features, is_empty, RUNS, (), None), expected)
