import numpy as np
import pytest

from brainalign.encoding.layers import LayerChoice, frequencies
from brainalign.errors import InputError

INNER = np.array([[0.1, 0.5, 0.2], [0.3, 0.5, 0.1], [0.2, 0.9, 0.2]])  # (layer, fold)
TEST = [0.2, 0.4, 0.3]
NAMES = ["embeddings", "block_01", "final"]


def run(how: str, fixed: str | None = None) -> tuple[np.ndarray, list[list[bool]]]:
    choice = LayerChoice(how, 3, fixed)
    leads = [choice.update(i, NAMES[i], INNER[i], TEST[i]).tolist() for i in range(3)]
    return choice.chosen(NAMES), leads


def test_nested_takes_the_best_inner_layer_of_each_fold_and_the_first_of_equals() -> None:
    chosen, leads = run("nested")
    np.testing.assert_array_equal(chosen, [1, 2, 0])
    assert leads == [[True] * 3, [True, False, False], [False, True, False]]
    np.testing.assert_allclose(frequencies(chosen, 3), [1 / 3] * 3)


def test_best_takes_one_layer_by_its_test_score() -> None:
    np.testing.assert_array_equal(run("best")[0], [1, 1, 1])


def test_fixed_takes_the_named_layer() -> None:
    np.testing.assert_array_equal(run("fixed", "final")[0], [2, 2, 2])
    with pytest.raises(InputError, match="unknown layer 'finel'; did you mean 'final'"):
        run("fixed", "finel")
