import numpy as np
import pytest

from brainalign.activations.windows import window_starts
from brainalign.errors import InputError


def test_within_the_limit_everything_is_read() -> None:
    assert window_starts([3, 6, 10], 10, "restart") == [0, 0, 0]
    assert window_starts([3, 6, 10], 10, "slide") == [0, 0, 0]
    assert window_starts([3, 600], None, "restart") == [0, 0]


def test_slide_keeps_as_much_as_fits() -> None:
    assert window_starts([4, 8, 12, 30], 10, "slide") == [0, 0, 2, 20]


def test_restart_begins_with_the_last_half_of_the_limit() -> None:
    assert window_starts([4, 8, 12, 13, 14], 10, "restart") == [0, 0, 3, 3, 8]


def test_a_long_part_takes_the_room_that_it_needs() -> None:
    assert window_starts([8, 16], 10, "restart") == [0, 6]
    assert window_starts([8, 30, 31], 10, "restart") == [0, 20, 25]
    assert window_starts([30], 10, "restart") == [20]


@pytest.mark.parametrize("overflow", ["restart", "slide"])
def test_every_window_fits_and_holds_the_end_of_its_part(overflow: str) -> None:
    random = np.random.default_rng(0)
    for capacity in (1, 2, 7, 50):
        counts = np.cumsum(random.integers(1, 12, size=100)).tolist()
        starts = window_starts(counts, capacity, overflow)
        assert all(0 < count - start <= capacity or start == 0 for count, start in zip(counts, starts, strict=True))
        assert all(count - start <= capacity for count, start in zip(counts, starts, strict=True))
        assert starts == sorted(starts)


def test_no_room() -> None:
    with pytest.raises(InputError, match="leaves room for 0 tokens"):
        window_starts([1], 0, "slide")
