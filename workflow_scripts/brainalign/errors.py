"""The two ways in which input can be wrong, and how a sentence about it is made."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """What the user gave cannot be used; the message is one sentence that names the thing."""


class UnreadableFileError(Exception):
    """A file made by an earlier job is truncated, foreign or of another spec.

    Parameters
    ----------
    path : the file.
    reason : why it cannot be used, a clause without a full stop.
    """

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def nearest(name: str, allowed: Iterable[str]) -> str:
    """Return "; did you mean 'x'?" for the allowed name closest to `name`, or nothing.

    >>> nearest("pooling_", ["pooling", "context"])
    "; did you mean 'pooling'?"
    """
    matches = difflib.get_close_matches(str(name), [str(item) for item in allowed], n=1, cutoff=0.6)
    return f"; did you mean {matches[0]!r}?" if matches else ""


def unknown(kind: str, name: str, allowed: Iterable[str]) -> InputError:
    """Return the error for a name that is not among the allowed ones.

    >>> str(unknown("layer", "blok_01", ["block_01", "final"]))
    "unknown layer 'blok_01'; did you mean 'block_01'? Allowed: block_01, final."
    """
    names = list(allowed)
    hint = nearest(name, names)
    return InputError(f"unknown {kind} {name!r}{hint or '.'} Allowed: {', '.join(map(str, names))}.")
