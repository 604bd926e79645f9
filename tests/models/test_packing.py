import numpy as np

from brainalign.models.batching import batches_by_length, fill_right
from brainalign.models.packing import IGNORED, pack, pad


def test_rows_are_full_and_keep_the_order() -> None:
    assert pack([[1, 2, 3], [4, 5], [6, 7, 8]], 4) == [[1, 2, 3, 4]]
    assert pack([[1, 2], [3, 4], [5, 6, 7, 8]], 4) == [[1, 2, 3, 4], [5, 6, 7, 8]]


def test_a_long_sequence_fills_several_rows() -> None:
    assert pack([list(range(9))], 4) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_a_short_corpus_is_one_short_row() -> None:
    assert pack([[1, 2], [3]], 10) == [[1, 2, 3]]


def test_targets_are_the_next_ids_from_the_first_target_on() -> None:
    inputs, targets = pad([([5, 6, 7, 8], 2), ([1, 2], 1)])
    np.testing.assert_array_equal(inputs, [[5, 6, 7], [1, 0, 0]])
    np.testing.assert_array_equal(targets, [[IGNORED, 7, 8], [2, IGNORED, IGNORED]])


def test_batches_hold_every_sequence_once_and_keep_the_budget() -> None:
    lengths = np.random.default_rng(0).integers(1, 50, size=200).tolist()
    batches = batches_by_length(lengths, 120)
    assert sorted(index for batch in batches for index in batch) == list(range(200))
    assert max(len(batch) * max(lengths[index] for index in batch) for batch in batches) <= 120


def test_a_sequence_over_the_budget_is_alone() -> None:
    assert batches_by_length([3, 900, 4], 100) == [[1], [2, 0]]
    assert batches_by_length([], 100) == []


def test_filling() -> None:
    ids, mask = fill_right([np.array([3, 4, 5]), np.array([6])])
    np.testing.assert_array_equal(ids, [[3, 4, 5], [6, 0, 0]])
    np.testing.assert_array_equal(mask, [[1, 1, 1], [1, 0, 0]])
