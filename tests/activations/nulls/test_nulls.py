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
from brainalign.responses.samples import apply_sample_map

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
    expected = [[11, 3, 0], [11, 3, 1], [6, 2, 0], [3, 2, 1], [1, 1, 0]]
    np.testing.assert_array_equal(compute_null("length", STIMULI, {})["length"], expected)


def test_marks_are_punctuation_and_symbols() -> None:
    """Letters with accents of their own are none, nor are figures."""
    texts = ['It\'s 5 €, e.g. "that".', "cafe\u0301 naïve 12", "—¿qué?", ""]
    stimuli = pd.DataFrame({"text": texts})
    assert compute_null("length", stimuli, {})["length"][:, 2].tolist() == [8, 0, 3, 0]


def test_length_of_samples_is_the_sum_over_their_parts() -> None:
    """Words one by one, collected by a sample map: characters, words (the word rate) and marks per sample."""
    words = pd.DataFrame({"stimulus_id": list("abc"), "text": ["the", "red", "fox."], "context_group": "one"})
    features = compute_null("length", words, {})["length"]
    samples = apply_sample_map(features, np.array([0, 0, 2]), np.array([0, 1, 2]), np.ones(3), 3)
    np.testing.assert_array_equal(samples, [[6, 2, 0], [0, 0, 0], [4, 1, 1]])


SERIES = pd.DataFrame(
    {
        "stimulus_id": list("abcdefg"),
        "text": ["the", "red fox", "sleeps", "near", "it", "two words", "end"],
        "context_group": "one",
        "run": ["1", "1", "1", "1", "2", "2", "3"],
        "onset_s": [0.0, 0.5, 0.5, 2.0, 10.0, 14.0, 0.0],
    }
)


def test_word_rate() -> None:
    """Parts of one onset share its rate; the last onset of a run lasts as long as its median one, a lone one as all."""
    layers = compute_null("word-rate", SERIES, {})
    assert list(layers) == ["words", "words_per_second"]
    assert layers["words"][:, 0].tolist() == [1, 2, 1, 1, 1, 2, 1]
    # seconds to the next onset: run 1 .5, 1.5, 1.5, median 1; run 2 4, median 4; run 3 the median of all, 1.5
    np.testing.assert_allclose(layers["words_per_second"][:, 0], [2, 2, 2, 1, 0.25, 0.5, 1 / 1.5])


def test_a_rate_needs_onsets() -> None:
    assert list(compute_null("word-rate", STIMULI, {})) == ["words"]
    assert list(compute_null("word-rate", SERIES.iloc[[0, 4, 6]], {})) == ["words"]
    without_runs = SERIES.iloc[:4].drop(columns="run")
    np.testing.assert_allclose(
        compute_null("word-rate", without_runs, {})["words_per_second"],
        compute_null("word-rate", SERIES, {})["words_per_second"][:4],
    )
    with pytest.raises(InputError, match="stimulus 'f' has an onset before that of the last one"):
        compute_null("word-rate", SERIES.assign(onset_s=[0, 1, 2, 3, 9, 8, 0]), {})


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


def test_random_embeddings_are_a_words_own() -> None:
    """The same word has the same vector in another text, data set and case; other words have others."""
    texts = ["The red fox", "fox", "Fox!", "--", "red the fox", "owl"]
    stimuli = pd.DataFrame({"text": texts})
    found = compute_null("random-embeddings", stimuli, {"width": 2000, "seed": 3})["mean"]
    np.testing.assert_array_equal(found[1], found[2])
    np.testing.assert_allclose(found[0], found[4], rtol=1e-5, atol=1e-6)
    assert not found[3].any()
    alone = {word: compute_null("random-embeddings", pd.DataFrame({"text": [word]}), {"width": 2000, "seed": 3})
             for word in ("the", "red", "fox")}  # fmt: skip
    mean = np.mean([layers["mean"][0] for layers in alone.values()], axis=0)
    np.testing.assert_allclose(found[0], mean, rtol=1e-5, atol=1e-6)
    assert abs(np.corrcoef(found[1], found[5])[0, 1]) < 0.1
    np.testing.assert_allclose([found[1].mean(), found[1].std()], [0, 1], atol=0.1)
    other = compute_null("random-embeddings", stimuli, {"width": 2000, "seed": 4})["mean"]
    assert abs(np.corrcoef(found[1], other[1])[0, 1]) < 0.1


def test_a_words_vector_is_the_same_in_every_process() -> None:
    code = (
        "import pandas as pd; from brainalign.activations.nulls.registry import compute_null; "
        "print(compute_null('random-embeddings', pd.DataFrame({'text': ['fox']}), {'width': 3})['mean'].tolist())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=PACKAGES, env={"PYTHONHASHSEED": seed, "OPENBLAS_NUM_THREADS": "1"},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    here = compute_null("random-embeddings", pd.DataFrame({"text": ["fox"]}), {"width": 3})["mean"]
    assert found == {f"{here.tolist()}\n"}


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
    light += ["activations.nulls.embeddings", "activations.matched", "activations.localizer"]
    assert _heavy_imports(", ".join([*(f"brainalign.{name}" for name in light), *NULLS.values()])) == ""


def test_the_check_above_can_fail() -> None:
    assert _heavy_imports("scipy") == "scipy"
