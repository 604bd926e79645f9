"""A real tokenizer: the tokens of a growing story, against those of each of its beginnings."""

import re

import pytest

from brainalign.activations import prefixes
from brainalign.activations.prefixes import prefix_tokens
from brainalign.activations.word_independence import words_are_independent
from brainalign.models.loading import load_tokenizer
from brainalign.models.tokenisation import NONE, Prompt, tokenise
from real.data import DATA

FOLDER = DATA / "models" / "stories260k"


@pytest.mark.parametrize("prompt", [NONE, Prompt("Once upon a ti")])
def test_prefixes_of_a_story(prompt: Prompt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefixes, "DIRECT_CHARACTERS", 0)
    tokenizer = load_tokenizer(FOLDER)
    assert words_are_independent(tokenizer)
    text = (FOLDER / "stories260K.md").read_text(encoding="utf-8") + " naïve 🙂 e\u0301 日本 語  x"
    stops = [match.end() for match in re.finditer(r"\S+", text)] + list(range(1, 400))
    found = prefix_tokens(tokenizer, text, stops, prompt)
    for tokens, expected in zip(found, tokenise(tokenizer, [text[:stop] for stop in stops], prompt), strict=True):
        assert (tokens.before, tokens.after) == (expected.before, expected.after)
        assert tokens.ids.tolist() == expected.ids.tolist()
        assert tokens.ends.tolist() == expected.ends.tolist()
    assert sum(len(tokens.tail) for tokens in found) < 10 * len(stops)
