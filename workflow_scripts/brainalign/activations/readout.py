"""How a part of a text becomes one vector per layer."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from brainalign.errors import InputError, unknown

_ALLOWED = {
    "context": ("none", "group", "window"),
    "unit": ("words", "tokens"),
    "pooling": ("last", "mean", "sum", "first", "max"),
    "overflow": ("restart", "slide"),
    "join": ("spaces", "punctuation"),
    "special_tokens": ("none", "part"),
    "decoder_input": ("text", "start"),
    "tokens": ("text", "random"),
}


@dataclass(frozen=True)
class Readout:
    """What the model reads before a part, and how the part's tokens become one vector.

    context : "none" (the part alone), "group" (all earlier parts of its context group), or "window".
    window, unit : for "window", how many words or tokens of the earlier parts the model reads before the part.
    pooling : "last", "mean", "sum", "first" or "max" over the states of the part's own tokens.
    overflow : past the model's limit "restart" (begin again with the last half of the limit) or "slide" (cut each
        part's text from the left); see `windows`.
    limit : tokens that the model may read at once where its own limit is higher; None keeps its own.
    prompt : text before the context, kept in front of every window; None is none.
    chat : the role ("user") whose message in the model's chat template holds the text; what the template writes
        before that text is the prompt, what it writes after is not read.
    join : parts are joined by single spaces; "punctuation" then removes white space in front of , . ! ? ; and :.
    special_tokens : what the tokenizer adds (BOS, EOS, CLS, SEP) belongs to "none" of the parts, or to the "part"
        that it touches: at the end always, at the beginning where no context and no prompt stands between.
    decoder_input : what the decoder of an encoder–decoder reads while the encoder reads context and part: its start
        token and the same "text", read at the part's tokens, or the "start" token alone, read there.
    tokens : the tokens of the "text", or in the place of each a "random" one of the vocabulary (`random_tokens`).
    seed : of the random ones.
    """

    context: str = "group"
    window: int | None = None
    unit: str = "words"
    pooling: str = "last"
    overflow: str = "restart"
    limit: int | None = None
    prompt: str | None = None
    chat: str | None = None
    join: str = "spaces"
    special_tokens: str = "none"
    decoder_input: str = "text"
    tokens: str = "text"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, allowed in _ALLOWED.items():
            if getattr(self, name) not in allowed:
                raise unknown(name, getattr(self, name), allowed)
        if (self.context == "window") != (self.window is not None):
            raise InputError("a window of context needs its size, and no other context has one.")
        for name in ("window", "limit"):
            given = getattr(self, name)
            if given is not None and given < 1:
                raise InputError(f"the {name} of a readout is at least 1, but is given {given}.")
        if self.prompt is not None and self.chat is not None:
            raise InputError("a readout has a prompt of its own or that of the chat template, not both.")

    @classmethod
    def from_mapping(cls, settings: Mapping[str, Any]) -> "Readout":
        """Return the readout of settings such as {"context": "window", "window": 20, "pooling": "mean"}.

        Raises
        ------
        InputError : an unknown setting or value.
        """
        allowed = [field.name for field in fields(cls)]
        for name in settings:
            if name not in allowed:
                raise unknown("readout setting", name, allowed)
        return cls(**settings)
