"""Work on batches of columns side by side, each on one thread of the linear algebra library.

Elementwise work, which NumPy does on one thread, then shares the cores as products do; and since every batch is
computed by one thread, results do not depend on how many there are.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from threadpoolctl import ThreadpoolController

Work = Callable[[slice], None]
Value = TypeVar("Value")

_found: dict[int, ThreadpoolController] = {}  # by how many modules were imported when they were looked for


class Threads:
    """As many threads as the linear algebra library is allowed when this is made (OMP_NUM_THREADS and its kin)."""

    def __init__(self) -> None:
        self._libraries = _libraries()
        self.count = max((library["num_threads"] for library in self._libraries.info()), default=1)

    @contextmanager
    def pool(self) -> Iterator[Callable[[Work, Sequence[slice]], None]]:
        """Yield a function that calls some work for every batch, and returns when all are done."""
        with self._libraries.limit(limits=1):
            if self.count == 1:
                yield _one_by_one
                return
            with ThreadPoolExecutor(self.count) as executor:

                def side_by_side(work: Work, batches: Sequence[slice]) -> None:
                    for _ in executor.map(work, batches):
                        pass

                yield side_by_side


class kept_property(Generic[Value]):
    """A property that is computed when it is first asked for, and kept, for objects that threads make side by side.

    `functools.cached_property` has a lock in Python 3.11, which all objects of a class share: they would wait for each
    other. Without a lock, threads that ask one object for the same at once compute it several times.
    """

    def __init__(self, compute: Callable[[Any], Value]) -> None:
        self._compute, self.__doc__ = compute, compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, holder: Any, owner: type | None = None) -> Value:
        value = holder.__dict__[self._name] = self._compute(holder)
        return value


def _libraries() -> ThreadpoolController:
    """Return the linear algebra libraries in use; to find them takes 3 ms, and is done again after further imports."""
    imported = len(sys.modules)
    if imported not in _found:
        _found.clear()
        _found[imported] = ThreadpoolController().select(user_api="blas")
    return _found[imported]


def batches(size: int, at_once: int) -> list[slice]:
    """Return consecutive slices of at most `at_once`, together all of `size`."""
    return [slice(start, min(start + at_once, size)) for start in range(0, size, at_once)]


def _one_by_one(work: Work, pieces: Sequence[slice]) -> None:
    for piece in pieces:
        work(piece)
