import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import gaussian_filter1d

import brainalign
from brainalign.activations.nulls.autocorrelation import gaussian_filter
from brainalign.activations.nulls.registry import NULLS, compute_null
from brainalign.errors import InputError

PACKAGES = Path(brainalign.__path__[0]).parent
STIMULI = pd.DataFrame(
    {
        "stimulus_id": list("abcde"),
        "text": ["the red fox", "it sleeps .", "an owl", "é 🙂", "x"],
        "context_group": ["one", "one", "two", "one", "two"],
    }
)


@pytest.mark.parametrize("null", NULLS)
def test_one_row_of_float32_per_stimulus(null: str) -> None:
    for layer, features in compute_null(null, STIMULI, {}).items():
        assert features.shape[0] == len(STIMULI), layer
        assert features.dtype == np.float32
        assert np.isfinite(features).all()


def test_position() -> None:
    layers = compute_null("position", STIMULI, {})
    assert layers["linear"][:, 0].tolist() == [0, 1, 0, 2, 1]
    np.testing.assert_array_equal(layers["one_hot"][:, :3].argmax(axis=1), [0, 1, 0, 2, 1])
    np.testing.assert_allclose(layers["one_hot"][:, 3] * 3, [0, 1, 0, 2, 1])


def test_length() -> None:
    expected = [[11, 3], [11, 3], [6, 2], [3, 2], [1, 1]]
    np.testing.assert_array_equal(compute_null("length", STIMULI, {})["length"], expected)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.2, 4.8, 50.0])
@pytest.mark.parametrize("size", [1, 2, 4, 30])
def test_the_filter_is_scipys(size: int, sigma: float) -> None:
    expected = gaussian_filter1d(np.eye(size), sigma, axis=1)
    np.testing.assert_allclose(gaussian_filter(size, sigma), expected, atol=1e-12)


def test_blocks_are_orthogonal_and_neighbours_alike() -> None:
    layers = compute_null("autocorrelation", STIMULI, {"sigmas": [0, 1.0]})
    assert list(layers) == ["sigma_0.0", "sigma_1.0"]
    np.testing.assert_array_equal(layers["sigma_0.0"], np.eye(5))
    smooth = layers["sigma_1.0"]
    similarity = smooth @ smooth.T
    assert not similarity[np.ix_([0, 1, 3], [2, 4])].any()
    assert similarity[0, 1] > similarity[0, 3] > 0


@pytest.mark.parametrize("sigmas", [[], [-1.0], [float("nan")]])
def test_impossible_widths(sigmas: list[float]) -> None:
    with pytest.raises(InputError, match="widths of the autocorrelation null"):
        compute_null("autocorrelation", STIMULI, {"sigmas": sigmas})


def test_random_features_follow_the_seed() -> None:
    first, again, other = (compute_null("random", STIMULI, {"width": 7, "seed": seed})["random"] for seed in (1, 1, 2))
    assert first.shape == (5, 7)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_unknown_names() -> None:
    with pytest.raises(InputError, match="unknown null 'lenght'; did you mean 'length'"):
        compute_null("lenght", STIMULI, {})
    with pytest.raises(InputError, match="unknown setting of the null autocorrelation 'sigma'; did you mean 'sigmas'"):
        compute_null("autocorrelation", STIMULI, {"sigma": [1.0]})
    with pytest.raises(InputError, match="unknown setting of the null length 'width'"):
        compute_null("length", STIMULI, {"width": 1})


def _heavy_imports(module: str) -> str:
    """Return the heavy libraries that a fresh interpreter has imported after a module, as one line."""
    heavy = "{'torch', 'transformers', 'scipy', 'sklearn', 'huggingface_hub'}"
    code = f"import sys, {module}; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=PACKAGES, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_nothing_heavy_is_imported() -> None:
    light = ["activations.nulls.registry", "activations.readout", "activations.given", "models.manifest", "models.hub"]
    assert _heavy_imports(", ".join([*(f"brainalign.{name}" for name in light), *NULLS.values()])) == ""


def test_the_check_above_can_fail() -> None:
    assert _heavy_imports("scipy") == "scipy"
