import numpy as np
import pytest

from brainalign.encoding.layers import LayerChoice, check_fixed_layer
from brainalign.errors import InputError

INNER = np.array([[0.1, 0.5, 0.2], [0.3, 0.5, 0.1], [0.2, 0.9, 0.2]])  # (layer, fold)
TEST = [0.2, 0.4, 0.3]
NAMES = ["embeddings", "block_01", "final"]


def run(how: str, fixed: str | None = None) -> tuple[np.ndarray, list[list[bool]]]:
    choice = LayerChoice(how, 3, fixed)
    leads = [choice.update(i, NAMES[i], INNER[i][:, None], TEST[i])[:, 0].tolist() for i in range(3)]
    return choice.chosen(NAMES)[:, 0], leads


def test_nested_takes_the_best_inner_layer_of_each_fold_and_the_first_of_equals() -> None:
    chosen, leads = run("nested")
    np.testing.assert_array_equal(chosen, [1, 2, 0])
    assert leads == [[True] * 3, [True, False, False], [False, True, False]]


def test_best_takes_one_layer_by_its_test_score() -> None:
    np.testing.assert_array_equal(run("best")[0], [1, 1, 1])


def test_fixed_takes_the_named_layer() -> None:
    np.testing.assert_array_equal(run("fixed", "final")[0], [2, 2, 2])
    with pytest.raises(InputError, match="unknown layer 'finel'; did you mean 'final'"):
        run("fixed", "finel")


def test_every_unit_has_a_layer_of_its_own() -> None:
    choice = LayerChoice("nested", 2, n_units=2)
    choice.update(0, "a", np.array([[0.1, 0.5], [0.2, 0.2]]), 0.0)
    leads = choice.update(1, "b", np.array([[0.2, 0.4], [0.1, 0.2]]), 0.0)
    np.testing.assert_array_equal(leads, [[True, False], [False, False]])
    np.testing.assert_array_equal(choice.chosen(["a", "b"]), [[1, 0], [0, 0]])


def test_a_fixed_layer_is_looked_for_before_anything_is_fitted() -> None:
    check_fixed_layer("final", NAMES)
    check_fixed_layer(None, NAMES)
    with pytest.raises(InputError, match="unknown layer 'finel'; did you mean 'final'"):
        check_fixed_layer("finel", NAMES)
