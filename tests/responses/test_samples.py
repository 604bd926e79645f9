import numpy as np
import pytest

from brainalign.errors import InputError
from brainalign.responses.samples import Samples, apply_sample_map


def test_sample_map_is_the_weighted_sum_of_stimuli() -> None:
    random = np.random.default_rng(0)
    activations = random.normal(size=(5, 3))
    sample, stimulus = np.array([2, 0, 0, 2, 3]), np.array([4, 0, 1, 2, 2])
    weight = np.array([0.5, 1.0, -1.0, 2.0, 0.25])
    dense = np.zeros((6, 5))
    np.add.at(dense, (sample, stimulus), weight)
    np.testing.assert_allclose(apply_sample_map(activations, sample, stimulus, weight, 6), dense @ activations)


def test_identity_map_returns_the_activations_themselves() -> None:
    activations = np.ones((4, 2), dtype=np.float32)
    counted = np.arange(4)
    assert apply_sample_map(activations, counted, counted, np.ones(4), 4) is activations
    assert apply_sample_map(activations, counted, counted[::-1], np.ones(4), 4) is not activations


@pytest.mark.parametrize(("sample", "stimulus"), [([0, 4], [0, 1]), ([0, 1], [0, 3]), ([0, -1], [0, 1])])
def test_map_outside_the_tables_is_refused(sample: list[int], stimulus: list[int]) -> None:
    with pytest.raises(InputError, match="the sample map names"):
        apply_sample_map(np.ones((3, 2)), np.array(sample), np.array(stimulus), np.ones(2), 4)


def test_missing_column_names_the_nearest_and_all() -> None:
    samples = Samples({"split_group": np.array(["a"]), "story": np.array(["x"])})
    with pytest.raises(
        InputError, match=r"no column 'stori'; did you mean 'story'\? Its columns: split_group, story\."
    ):
        samples.column("stori")


def test_sample_table_needs_split_groups_and_equal_lengths() -> None:
    with pytest.raises(InputError, match="no column 'split_group'"):
        Samples({"run": np.array(["a"])})
    with pytest.raises(InputError, match=r"equally long, but their lengths are \{'split_group': 1, 'run': 2\}"):
        Samples({"split_group": np.array(["a"]), "run": np.array(["a", "b"])})
