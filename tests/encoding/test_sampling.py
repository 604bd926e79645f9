import numpy as np

from brainalign.encoding.sampling import Sampling

SAMPLING = Sampling(
    map_sample=np.array([3, 0, 0, 1, 3]),
    map_stimulus=np.array([4, 1, 0, 1, 2]),
    map_weight=np.array([1.0, 0.5, 0.5, 1.0, 0.0]),
    n_samples=4,
)


def test_features_of_samples_are_sums_over_their_stimuli() -> None:
    features = np.arange(10.0).reshape(5, 2)
    expected = [(features[0] + features[1]) / 2, features[1], [0, 0], features[4]]
    np.testing.assert_allclose(SAMPLING.features(features), expected)


def test_stimuli_of_samples_have_a_weight_in_one_of_them() -> None:
    assert SAMPLING.stimuli_of(np.array([3, 1])).tolist() == [1, 4]
    assert SAMPLING.stimuli_of(np.array([0, 1])).tolist() == [0, 1]
    assert SAMPLING.stimuli_of(np.array([2])).tolist() == []
