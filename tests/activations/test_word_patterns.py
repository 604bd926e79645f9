import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Regex, pre_tokenizers

from brainalign.activations.word_independence import anchors
from brainalign.activations.word_patterns import cuts_before_words, stays_inside_words

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CUTTING = {
    "gpt2": GPT2,
    "llama 3": (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
        r"|\s+(?!\S)|\s+"
    ),
    "cl100k": (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]"
        r"|\s+(?!\S)|\s"
    ),
    "o200k": (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}{1,3}"
        r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
    "deepseek 3": (
        r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
    "bloom": " ?[^(\\s|[.,!?…。，、।۔،])]+",
}
STAYING = [
    r"\s?\p{L}+",
    r"\p{N}{1,3}",
    "[一-龥぀-ゟ゠-ヿ]+",
    r"[\r\n]",
    r"\s{2,}|\S+",
    r"\s+(?!\S)|\S",
    r"[a-z\-]+",
    r"[\t-\r]x",
]
CROSSING = [
    r"\w+ \w+|\s+",
    r".+|\s+",
    r"[^a]+|\s+",
    r"[^a]{2}|\s+",
    r"[^a]{1,3}|\s+",
    r"[\S\s]+",
    r"\S+\s|\s+",
    r"\S+[!-/ ]|\s+",
    r"x[\t-~]|\s+",
    r"x\x20|\s+",
    r"x\u0020y|\s+",
    r"x\P{L}|\s+",
    r"x\p{Z}|\s+",
    r"x\p{^L}|\s+",
    r"x\D|\s+",
    r"x[^y]|\s+",
    r"(?: ?a)+|\s+",
    r"(?:a| )+|\s+",
]
NOT_READ = [
    r"(?<=a)b|\s+",
    r"(?=a)b|\s+",
    r"a(?!\S)|\s+",
    r"(a)\1|\s+",
    r"a\b|\s+",
    r"^a|\s+",
    r"a$|\s+",
    r"$|\s+",
    r"\s+(?!\S)\s|\s+",
    r"[[a]b]|\s+",
    r"[a&&b]|\s+",
    r"a*|\s+",
    r"|\s+",
    r"[a|\s+",
    r"(?:a|\s+",
    r"a)|\s+",
    r"a{2}{3}|\s+",
    r"a**|\s+",
]
WORDS = st.sampled_from(
    ["red", "fox's", "12345", "日本", "e\u0301a", "The,", "(x)", "“a", "b”", "'ll", "a.b", "\u0301c"]
)
TEXTS = st.lists(st.tuples(WORDS, st.sampled_from([" ", " ", "  ", "\n", " \t", ""])), max_size=10).map(
    lambda pairs: "".join(map("".join, pairs))
)


@pytest.mark.parametrize("name", CUTTING)
@settings(derandomize=True, deadline=None, max_examples=200)
@given(text=TEXTS)
def test_the_pattern_cuts_where_it_is_said_to(name: str, text: str) -> None:
    assert cuts_before_words(CUTTING[name])
    assert stays_inside_words(CUTTING[name])
    split = pre_tokenizers.Split(Regex(CUTTING[name]), "isolated")
    starts = {start for _, (start, _) in split.pre_tokenize_str(text)}
    assert {space for _, space in anchors(text)} <= starts


@pytest.mark.parametrize("pattern", STAYING)
def test_patterns_that_need_not_cut(pattern: str) -> None:
    assert stays_inside_words(pattern)
    assert not cuts_before_words(pattern)


@pytest.mark.parametrize("pattern", [*CROSSING, *NOT_READ])
def test_patterns_that_may_cross(pattern: str) -> None:
    assert not stays_inside_words(pattern)
    assert not cuts_before_words(pattern)
