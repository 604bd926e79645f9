"""How a part of a text becomes one vector per layer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from brainalign.errors import InputError, unknown

CONTEXTS = ("none", "group", "window")
POOLINGS = ("last", "mean", "sum", "first", "max")
OVERFLOWS = ("restart", "slide")


@dataclass(frozen=True)
class Readout:
    """What the model reads before a part, and how the part's tokens become one vector.

    context : "none" (the part alone), "group" (all earlier parts of its context group), or "window".
    words : for "window", how many words of the earlier parts of the group the model reads before the part.
    pooling : "last", "mean", "sum", "first" or "max" over the states of the part's own tokens.
    overflow : past the model's limit "restart" (begin again with the last half of the limit) or "slide" (cut each
        part's text from the left); see `windows`.
    """

    context: str = "group"
    words: int | None = None
    pooling: str = "last"
    overflow: str = "restart"

    def __post_init__(self) -> None:
        for kind, allowed in (("context", CONTEXTS), ("pooling", POOLINGS), ("overflow", OVERFLOWS)):
            if getattr(self, kind) not in allowed:
                raise unknown(kind, getattr(self, kind), allowed)
        if (self.context == "window") != (self.words is not None):
            raise InputError("a window of context needs its number of words, and no other context has one.")
        if self.words is not None and self.words < 1:
            raise InputError(f"a window of context has at least 1 word, but is given {self.words}.")

    @classmethod
    def from_mapping(cls, settings: Mapping[str, Any]) -> "Readout":
        """Return the readout of settings such as {"context": {"window": 20}, "pooling": "mean"}.

        Raises
        ------
        InputError : an unknown setting or value.
        """
        allowed = ("context", "pooling", "overflow")
        for name in settings:
            if name not in allowed:
                raise unknown("readout setting", name, allowed)
        given = dict(settings)
        context = given.pop("context", "group")
        if isinstance(context, Mapping):
            if list(context) != ["window"]:
                raise unknown("context", next(iter(context), ""), CONTEXTS)
            return cls("window", int(context["window"]), **given)
        return cls(context, **given)
