"""The slow twin of Aw et al. on Pereira2018 and Blank2014, checked by hand."""

import numpy as np
import pytest
from scipy.stats import pearsonr

from encoding.published.inputs import sentences
from encoding.published.linear_predictivity import linear_predictivity


@pytest.mark.parametrize("width", [20, 400])
def test_it_is_the_pseudo_inverse_of_centred_features_on_ten_random_splits(width):
    data = sentences(width=width)
    published = linear_predictivity(data.features, data.responses)
    assert published.r.shape == (10, 12)
    random = np.random.RandomState(1)
    medians = []
    for of_split in published.r:
        order = random.permutation(192)
        test, train = order[:20], order[20:]  # 90 % of 192 is 172 rows
        x, y = data.features[train], data.responses[train]
        weights = np.linalg.pinv(x - x.mean(axis=0)) @ (y - y.mean(axis=0))
        prediction = (data.features[test] - x.mean(axis=0)) @ weights + y.mean(axis=0)
        expected = [pearsonr(prediction[:, j], data.responses[test, j])[0] for j in range(12)]
        np.testing.assert_allclose(of_split, expected, atol=1e-9)
        medians.append(np.median(expected))
    assert published.score == pytest.approx(np.mean(medians))
    assert published.score > 0.1


def test_stimuli_become_samples_by_the_map():
    data = sentences()
    pairs = np.kron(np.eye(96), [[0.5, 0.5]])
    mapped = linear_predictivity(data.features, data.responses[:96], pairs)
    means = (data.features[::2] + data.features[1::2]) / 2
    np.testing.assert_allclose(mapped.r, linear_predictivity(means, data.responses[:96]).r, atol=1e-12)


def test_noise_scores_nothing():
    data = sentences()
    noise = np.random.default_rng(1).normal(size=(192, 40))
    assert abs(linear_predictivity(noise, data.responses).score) < 0.1
