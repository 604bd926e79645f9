import numpy as np
import pytest

from brainalign.activations.windows import window_starts
from brainalign.errors import InputError


def starts(counts: list[int], capacity: int | None, overflow: str) -> list[int]:
    return window_starts(counts, [capacity] * len(counts), overflow)


def test_within_the_limit_everything_is_read() -> None:
    assert starts([3, 6, 10], 10, "restart") == [0, 0, 0]
    assert starts([3, 6, 10], 10, "slide") == [0, 0, 0]
    assert starts([3, 600], None, "restart") == [0, 0]


def test_slide_keeps_as_much_as_fits() -> None:
    assert starts([4, 8, 12, 30], 10, "slide") == [0, 0, 2, 20]


def test_restart_begins_with_the_last_half_of_the_limit() -> None:
    assert starts([4, 8, 12, 13, 14], 10, "restart") == [0, 0, 3, 3, 8]


def test_a_long_part_takes_the_room_that_it_needs() -> None:
    assert starts([8, 16], 10, "restart") == [0, 6]
    assert starts([8, 30, 31], 10, "restart") == [0, 20, 25]
    assert starts([30], 10, "restart") == [20]


@pytest.mark.parametrize("overflow", ["restart", "slide"])
def test_every_window_fits_and_holds_the_end_of_its_part(overflow: str) -> None:
    random = np.random.default_rng(0)
    for capacity in (1, 2, 7, 50):
        counts = np.cumsum(random.integers(1, 12, size=100)).tolist()
        found = starts(counts, capacity, overflow)
        assert all(0 < count - start <= capacity or start == 0 for count, start in zip(counts, found, strict=True))
        assert all(count - start <= capacity for count, start in zip(counts, found, strict=True))
        assert found == sorted(found)


def test_no_room() -> None:
    with pytest.raises(InputError, match="leaves room for 0 tokens"):
        starts([1], 0, "slide")


def test_every_part_has_a_capacity_of_its_own() -> None:
    assert window_starts([4, 8, 12], [10, 8, 7], "slide") == [0, 0, 5]
    assert window_starts([4, 8, 12, 13], [10, 6, 10, 10], "restart") == [0, 2, 2, 7]
