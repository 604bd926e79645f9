"""The text that a model reads before context and part."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Self

from brainalign.activations.readout import Readout
from brainalign.errors import InputError
from brainalign.models.tokenisation import Prompt

_TEXT = "BRAINALIGN-TEXT"  # stands for context and part while a template is filled in
_TEMPLATE_DATE = (2024, 7, 26)  # the one that Llama 3's template writes where it cannot ask


def prompt_of(readout: Readout, tokenizer: Any) -> Prompt:
    """Return the prompt of a readout.

    A prompt of one's own is followed by a space unless it ends with white space. Of a chat template it is all that
    the template writes before the message of `readout.chat`, the special tokens that it brings included; then the
    tokenizer adds none of its own. A template that asks for today's date is given 26 July 2024.

    Raises
    ------
    InputError : a tokenizer without a chat template, or a template that does not hold the message as it is.
    """
    if readout.prompt:
        return Prompt(readout.prompt if readout.prompt[-1].isspace() else f"{readout.prompt} ")
    return Prompt() if readout.chat is None else _chat_prompt(readout.chat, tokenizer)


def _chat_prompt(role: str, tokenizer: Any) -> Prompt:
    from jinja2 import TemplateError

    if not getattr(tokenizer, "chat_template", None):
        raise InputError("the model's tokenizer has no chat template; give the readout a prompt of its own instead.")
    try:
        with _fixed_date():
            written = tokenizer.apply_chat_template([{"role": role, "content": _TEXT}], tokenize=False)
    except (TemplateError, TypeError, ValueError) as error:
        raise InputError(f"the model's chat template cannot hold a message of the role {role!r}: {error}.") from error
    before, found, _ = written.partition(_TEXT)
    if not found:
        raise InputError("the model's chat template changes what a message says, so that no text can be read in it.")
    return Prompt(before, special_tokens=False)


class _FixedDate(datetime):
    @classmethod
    def now(cls, tz: Any = None) -> Self:
        return cls(*_TEMPLATE_DATE, tzinfo=tz)


@contextmanager
def _fixed_date() -> Iterator[None]:
    """Let templates in the block be told the same date on every day: with today's, no text could be read twice."""
    from transformers.utils import chat_template_utils as templates

    before = templates.datetime
    templates.datetime = _FixedDate
    try:
        yield
    finally:
        templates.datetime = before
