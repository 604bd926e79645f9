import numpy as np
import pytest

from brainalign.simulation.haemodynamics import convolve, haemodynamic_response


def test_response_peaks_after_five_seconds_and_undershoots():
    response = haemodynamic_response(0.01)
    times = np.arange(len(response)) * 0.01
    assert 4.9 < times[response.argmax()] < 5.1
    assert 14 < times[response.argmin()] < 18
    assert response.min() < 0
    assert response[0] == 0
    assert response.sum() == pytest.approx(1)


def test_response_equals_the_difference_of_gamma_densities():
    stats = pytest.importorskip("scipy.stats")
    times = np.arange(17) * 2.0
    expected = stats.gamma.pdf(times, 6) - stats.gamma.pdf(times, 16) / 6
    np.testing.assert_allclose(haemodynamic_response(2.0), expected / expected.sum(), atol=1e-12)


def test_convolution_is_numpys_and_causal():
    features = np.random.default_rng(0).standard_normal((40, 3))
    convolved = convolve(features, 2.0)
    for column, values in zip(convolved.T, features.T, strict=True):
        np.testing.assert_allclose(column, np.convolve(values, haemodynamic_response(2.0))[:40], atol=1e-12)
    features[20:] = 9.0
    np.testing.assert_array_equal(convolve(features, 2.0)[:21], convolved[:21])


def test_convolution_of_a_run_shorter_than_the_response():
    assert convolve(np.ones((3, 2)), 2.0).shape == (3, 2)
