"""Whether a tokenizer cuts its text in front of every space between two words, whatever else the text holds.

At an anchor, a single space between the end of one word and the beginning of the next, the tokens of a text are to be
those of what precedes it and, independent of them, those of what follows. A tokenizer works in four steps, and each
has to do so: added tokens are found, the text is normalised, cut into pieces, and the model cuts each piece.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from brainalign.activations.word_patterns import cuts_before_words, stays_inside_words

_MARK = "▁"
_WORD_AND_SPACE = re.compile(r"(?<!\S)\S*[\w,.;:!?] (?=\w)")
_PUNCTUATION = ",.;:!?"  # may stand in front of an anchor
_LETTERS_AND_DIGITS = ("Lu", "Ll", "Lt", "Lo", "Nd")
_MALAYALAM_DOT_REPH = "\u0d4e"  # forms one cluster with what follows, alone among these in the first plane

# Steps that change characters one by one, or clusters of a character and its marks, and leave words and spaces be.
_LOCAL_NORMALISERS = {
    *("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "BertNormalizer"),
    *("Nmt", "Precompiled", "Prepend", "Strip"),
}
_CUTS_AT_WHITE_SPACE = {"WhitespaceSplit", "Whitespace", "BertPreTokenizer"}
_DETERMINISTIC_MODELS = {"BPE", "WordPiece", "WordLevel", "Unigram"}
_KEPT_BEHAVIOURS = {"Isolated", "Removed"}


def anchors(text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of anchors in a text, each with the place where the word in front of it begins.

    Words end with a letter, a digit or one of , . ; : ! ? and begin with a letter or a digit, of those that no
    normaliser turns into, or joins with, white space.
    """
    for match in _WORD_AND_SPACE.finditer(text):
        space = match.end() - 1
        if (text[space - 1] in _PUNCTUATION or _is_plain(text[space - 1])) and _is_plain(text[space + 1]):
            yield match.start(), space


@lru_cache(maxsize=4096)
def _is_plain(character: str) -> bool:
    """Tell whether a letter or digit is the same in all normal forms but for marks behind it, and stands alone."""
    return (
        unicodedata.category(character) in _LETTERS_AND_DIGITS
        and unicodedata.normalize("NFKC", character) == character
        and character <= "\uffff"
        and character != _MALAYALAM_DOT_REPH
    )


def words_are_independent(tokenizer: Any) -> bool:
    """Tell whether the tokens on the two sides of each of a text's `anchors` do not depend on each other.

    Yes is a proof from what the tokenizer consists of, and no may mean that something in it is not known here.

    - Added tokens: none holds white space, or takes the white space beside it at an anchor.
    - Normalisers: known ones, that work on single characters or clusters; one may write the space as ▁.
    - Either a step cuts in front of the space, and all steps before it stay inside words (see `word_patterns`).
    - Or nothing cuts there, and the model is BPE without a token in which ▁ follows another character, so that no
      merge can cross. Of all paths of a Unigram model the best would be the best ones of both sides too, but sums of
      log-probabilities are rounded differently behind another beginning, and paths tie.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        return False
    try:
        normalisers, cuts = _steps(backend.normalizer), _steps(backend.pre_tokenizer)
    except Exception as error:  # the only class that tokenizers has for a step written in Python
        if "cannot be serialized" in str(error):
            return False
        raise
    if type(backend.model).__name__ not in _DETERMINISTIC_MODELS or not _is_deterministic(backend.model):
        return False
    if not all(_added_token_keeps_to_words(token, backend) for token in backend.get_added_tokens_decoder().values()):
        return False
    space = _space_after(normalisers)
    if space is None:
        return False
    padded = any(step["type"] == "BertNormalizer" for step in normalisers)  # which puts spaces around ideographs
    for step in cuts:
        if _cuts(step, space) and not (padded and step["type"] not in _CUTS_AT_WHITE_SPACE):
            return True
        if not _stays_inside(step, space):
            return False
        if step["type"] == "Metaspace":
            space = step["replacement"]
    return space == _MARK and _merges_inside_words(backend)


def _steps(component: Any) -> list[dict[str, Any]]:
    """Return the settings of a normaliser's or pre-tokenizer's steps in their order."""
    if component is None:
        return []
    return list(_flat(json.loads(component.__getstate__())))


def _flat(step: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if step["type"] != "Sequence":
        yield step
        return
    for part in step.get("normalizers", step.get("pretokenizers")) or []:
        yield from _flat(part)


def _is_deterministic(model: Any) -> bool:
    return not any(getattr(model, name, None) for name in ("dropout", "alpha", "nbest_size"))


def _added_token_keeps_to_words(token: Any, backend: Any) -> bool:
    """Tell whether an added token, found anywhere in a text, leaves the spaces at anchors alone."""
    if not _keeps_to_words(token.content, token.lstrip, token.rstrip):
        return False
    if not token.normalized or backend.normalizer is None:
        return True
    content = backend.normalizer.normalize_str(token.content)
    if content.startswith(_MARK):  # put there by Prepend; what follows an anchor's mark is no such content
        content = content[1:]
        if _is_edge(content[:1]):
            return False
    return _keeps_to_words(content, token.lstrip, token.rstrip)


def _keeps_to_words(content: str, takes_left: bool, takes_right: bool) -> bool:
    if not content or _MARK in content or any(character.isspace() for character in content):
        return False
    return not (takes_left and _is_edge(content[0])) and not (takes_right and _is_edge(content[-1]))


def _is_edge(character: str) -> bool:
    """Tell whether a character may, normalised, stand beside an anchor."""
    return character.isalnum() or character in _PUNCTUATION or unicodedata.combining(character) > 0


def _space_after(normalisers: list[dict[str, Any]]) -> str | None:
    """Return what the normalisers make of a space at an anchor, None where that or its neighbours are not sure."""
    space = " "
    for step in normalisers:
        if step["type"] == "Replace":
            pattern, content = step["pattern"], step["content"]
            if pattern == {"String": " "} and content == _MARK:
                space = _MARK
            elif not _replaces_inside_words(pattern, content):
                return None
        elif step["type"] not in _LOCAL_NORMALISERS:
            return None
    return space


def _replaces_inside_words(pattern: Mapping[str, str], content: str) -> bool:
    """Tell whether a replacement touches neither a space between words, nor their last and first characters."""
    if "Regex" in pattern:
        return pattern["Regex"] == " {2,}" and content in (" ", _MARK)
    return bool(pattern["String"]) and not any(
        _is_edge(character) or character.isspace() or character == _MARK for character in pattern["String"]
    )


def _cuts(step: Mapping[str, Any], space: str) -> bool:
    """Tell whether a step cuts for sure in front of a space at an anchor."""
    kind = step["type"]
    if kind == "Metaspace":
        return bool(step.get("split", True)) and space in (" ", step["replacement"])
    if space != " ":
        return False
    if kind == "Split":
        pattern = step["pattern"].get("Regex")
        return pattern is not None and step["behavior"] in _KEPT_BEHAVIOURS and cuts_before_words(pattern)
    return kind in _CUTS_AT_WHITE_SPACE or (kind == "ByteLevel" and step.get("use_regex", True))


def _stays_inside(step: Mapping[str, Any], space: str) -> bool:
    """Tell whether a step that may not cut at an anchor cuts the same on its two sides, whatever the other holds."""
    kind = step["type"]
    if kind == "Metaspace":
        return space in (" ", step["replacement"])
    if kind == "Digits":
        return True
    if kind == "Punctuation":
        return step["behavior"] in {"Isolated", "Removed", "Contiguous"}
    if kind != "Split" or step["behavior"] not in _KEPT_BEHAVIOURS | {"MergedWithPrevious"}:
        return False
    pattern = step["pattern"]
    if "String" in pattern:
        return space != " " and pattern["String"] == " "  # nothing is left to be found
    return step["behavior"] in _KEPT_BEHAVIOURS and space == " " and stays_inside_words(pattern["Regex"])


def _merges_inside_words(backend: Any) -> bool:
    """Tell whether a BPE model that is given several words at once merges only inside them, and drops nothing."""
    model = backend.model
    if type(model).__name__ != "BPE" or model.continuing_subword_prefix or model.end_of_word_suffix:
        return False
    vocabulary = backend.get_vocab(with_added_tokens=False)
    # A character that is dropped would shift the offsets of all that follow in the piece.
    bytes_known = model.byte_fallback and all(f"<0x{byte:02X}>" in vocabulary for byte in range(256))
    if _MARK not in vocabulary or not (bytes_known or model.unk_token in vocabulary):
        return False
    return not any(_MARK in token.lstrip(_MARK) for token in vocabulary)
