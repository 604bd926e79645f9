from typing import Any

import pytest

from brainalign.activations.prompts import prompt_of
from brainalign.activations.readout import Readout
from brainalign.errors import InputError
from brainalign.models.tokenisation import Prompt

TURNS = "{{ bos_token }}{% for turn in messages %}[{{ turn.role }}] {{ turn.content | trim }} [/]{% endfor %}"


def _chat(tokenizer: Any, template: str | None, monkeypatch: pytest.MonkeyPatch) -> Prompt:
    monkeypatch.setattr(tokenizer, "chat_template", template)
    return prompt_of(Readout(chat="user"), tokenizer)


def test_a_prompt_of_ones_own(byte_tokenizer: Any) -> None:
    assert prompt_of(Readout(), byte_tokenizer) == Prompt()
    assert prompt_of(Readout(prompt="Read this:"), byte_tokenizer) == Prompt("Read this: ")
    assert prompt_of(Readout(prompt="Read this:\n"), byte_tokenizer) == Prompt("Read this:\n")


def test_what_a_chat_template_writes_before_a_message(byte_tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _chat(byte_tokenizer, TURNS, monkeypatch) == Prompt("<s>[user] ", special_tokens=False)


def test_the_date_in_a_template_is_the_same_every_day(byte_tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    template = "{{ strftime_now('%d %b %Y') }}: {{ messages[0].content }}"
    assert _chat(byte_tokenizer, template, monkeypatch).text == "26 Jul 2024: "


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        (None, "the model's tokenizer has no chat template; give the readout a prompt of its own instead."),
        ("{{ raise_exception('no system here') }}", "cannot hold a message of the role 'user': no system here"),
        ("{{ messages[0].content | upper | lower }}", "changes what a message says"),
        ("{% if %}", "cannot hold a message of the role 'user'"),
    ],
)
def test_templates_that_cannot_be_used(
    byte_tokenizer: Any, monkeypatch: pytest.MonkeyPatch, template: str | None, sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        _chat(byte_tokenizer, template, monkeypatch)
