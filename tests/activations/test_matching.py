import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import ttest_ind
from sklearn.decomposition import PCA

from brainalign.activations.matching import (
    components,
    most_selective,
    projected,
    projection_matrix,
    selectivity,
)
from brainalign.errors import InputError

PACKAGES = Path(__file__).parents[2] / "workflow_scripts"


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize(("stimuli", "width", "count"), [(40, 200, 10), (200, 40, 40), (60, 60, 59), (5, 9, 1)])
def test_components_are_scikit_learns(random, stimuli, width, count) -> None:
    """With large means and unequal scales, as hidden states have them."""
    states = random.standard_normal((stimuli, width)) * np.logspace(0, 2, width) + random.normal(0, 1000, width)
    states = states.astype(np.float32)
    found, rank = components(states, count)
    expected = PCA(count, svd_solver="full").fit_transform(states.astype(np.float64))
    expected *= np.sign(expected[np.abs(expected).argmax(axis=0), range(count)])
    assert (rank, found.dtype, found.shape) == (count, np.float32, (stimuli, count))
    error = np.linalg.norm(found - expected, axis=0) / np.linalg.norm(expected, axis=0)
    assert error.max() < 1e-5
    assert (found[np.abs(found).argmax(axis=0), range(count)] > 0).all()


def test_components_span_what_the_layer_spans(random) -> None:
    states = random.standard_normal((30, 8)).astype(np.float32)
    found, _ = components(states, 8)
    centred = states - states.mean(axis=0)
    np.testing.assert_allclose(found @ found.T, centred @ centred.T, atol=1e-4)


@pytest.mark.parametrize("width", [6, 100])
@pytest.mark.parametrize("rank", [0, 1, 3])
def test_columns_beyond_the_rank_are_zeros(random, width, rank) -> None:
    """As of the embeddings at a last token that is a full stop nearly everywhere."""
    kinds = np.round(random.standard_normal((rank + 1, width)), 2) + 1000
    states = kinds[np.arange(50) % (rank + 1)].astype(np.float32)
    found, measured = components(states, 5)
    assert measured == rank
    assert not found[:, rank:].any()
    assert (np.abs(found[:, :rank]).max(axis=0) > 0.01).all()


@pytest.mark.parametrize("stimuli", [1, 5])
def test_components_of_too_few_stimuli(stimuli) -> None:
    with pytest.raises(InputError, match=f"{stimuli} stimuli have no more than {stimuli - 1} components, but .* 5"):
        components(np.zeros((stimuli, 20), np.float32), 5)


def test_a_projection_keeps_lengths_on_average(random) -> None:
    states = random.standard_normal((3, 300)).astype(np.float32)
    lengths = [
        (projected(states, projection_matrix("block_01", 300, 50, seed)) ** 2).sum(axis=1) for seed in range(200)
    ]
    ratio = np.mean(lengths, axis=0) / (states**2).sum(axis=1)
    np.testing.assert_allclose(ratio, 1, atol=5 * np.sqrt(2 / 50 / 200))


def test_a_projection_is_a_product(random) -> None:
    states = (random.standard_normal((2500, 40)) + 100).astype(np.float32)
    matrix = projection_matrix("final", 40, 7, 3)
    expected = [[sum(a * b for a, b in zip(row, column, strict=True)) for column in matrix.T] for row in states[:5]]
    found = projected(states, matrix)
    np.testing.assert_allclose(found[:5], expected, rtol=1e-5)
    np.testing.assert_allclose(found, states.astype(float) @ matrix, rtol=1e-6, atol=1e-5)
    assert found.dtype == np.float32


def test_a_projection_follows_from_layer_width_and_seed() -> None:
    first = projection_matrix("block_01", 30, 8, 0)
    np.testing.assert_array_equal(first, projection_matrix("block_01", 30, 8, 0))
    np.testing.assert_allclose(first[:, :3] * np.sqrt(8 / 3), projection_matrix("block_01", 30, 3, 0))
    for other in (("block_02", 30, 8, 0), ("block_01", 30, 8, 1)):
        assert abs(np.corrcoef(first.ravel(), projection_matrix(*other).ravel())[0, 1]) < 0.2
    code = (
        "from brainalign.activations.matching import projection_matrix as p; print(repr(p('block_01', 30, 8, 0).sum()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PACKAGES, env={"PYTHONHASHSEED": "1", "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == repr(first.sum())


@pytest.mark.parametrize(("rank", "change"), [("t", lambda x: x), ("t-of-magnitudes", np.abs)])
def test_selectivity_is_welchs_t(random, rank, change) -> None:
    language = (random.standard_normal((30, 12)) * np.arange(1, 13) + random.normal(0, 50, 12)).astype(np.float32)
    control = (random.standard_normal((11, 12)) + random.normal(0, 50, 12)).astype(np.float32)
    expected = ttest_ind(change(language.astype(float)), change(control.astype(float)), equal_var=False).statistic
    np.testing.assert_allclose(selectivity(language, control, rank), expected, rtol=1e-10)
    if rank == "t":
        np.testing.assert_allclose(selectivity(language, control, "absolute-t"), np.abs(expected), rtol=1e-10)


@pytest.mark.parametrize("rank", ["t", "absolute-t", "t-of-magnitudes"])
def test_units_that_do_not_vary_are_never_chosen(random, rank) -> None:
    language, control = random.standard_normal((2, 9, 3)).astype(np.float32)
    language[:, 1], control[:, 1] = 0.1, -300.0  # far apart, without any variance
    language[:, 2] = control[:, 2] = 0.3
    values = selectivity(language, control, rank)
    assert np.isfinite(values).tolist() == [True, False, False]
    assert most_selective([values], 1, "it")[0].tolist() == [0]
    with pytest.raises(InputError, match=r"the layer x has 1 units that vary over the localizer's texts, but .* 2"):
        most_selective([values], 2, "the layer x")


def test_the_most_selective_over_layers_and_of_equal_ones_the_first() -> None:
    values = [np.array([1.0, 3.0, 2.0]), np.array([3.0, -5.0]), np.array([-np.inf, 2.0, 2.0])]
    chosen = {count: [units.tolist() for units in most_selective(values, count, "it")] for count in (1, 2, 3, 4)}
    assert chosen == {
        1: [[1], [], []],
        2: [[1], [0], []],
        3: [[1, 2], [0], []],
        4: [[1, 2], [0], [1]],
    }
