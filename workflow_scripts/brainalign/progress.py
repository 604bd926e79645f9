"""How far long work has come: a bar on a terminal, a plain line now and then in a log."""

import logging
import sys
import time
from types import TracebackType
from typing import Any, Self

_EVERY = 15.0  # seconds between two lines in a log
_logger = logging.getLogger(__name__)


class Progress:
    """A count towards a total, used in a `with` block.

    what : what is counted, in the plural, such as "stimuli".
    total, done : how many there are, and how many of them were finished earlier.
    """

    def __init__(self, what: str, total: int, done: int = 0) -> None:
        self._what, self._total, self._done, self._before = what, total, done, done
        self._begun = self._said = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=self._total, initial=self._done, unit=f" {self._what}", leave=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        elif kind is None:
            self._say()

    def advance(self, count: int) -> None:
        """Count further ones as finished."""
        self._done += count
        if self._bar is not None:
            self._bar.update(count)
        elif time.monotonic() - self._said >= _EVERY:
            self._say()

    def _say(self) -> None:
        now = time.monotonic()
        self._said = now
        seconds, finished = now - self._begun, self._done - self._before
        left = f", about {seconds / finished * (self._total - self._done):.0f} s left" if finished else ""
        left = left if self._done < self._total else ""
        _logger.info("%d of %d %s after %.0f s%s", self._done, self._total, self._what, seconds, left)
