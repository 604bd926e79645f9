"""What a tokenizer's pattern does at a space between two words.

Read are patterns such as GPT-2's and its successors': alternatives of characters, classes and groups of them, with
quantifiers, and behind white space a look at what follows. Anything else is refused.
"""

import re
from dataclasses import dataclass

# BLOOM's pattern: a space, then anything but white space, brackets, "|" and marks of punctuation; letters are among it.
_LIKEWISE = {" ?[^(\\s|[.,!?…。，、।۔،])]+"}

_QUANTIFIER = re.compile(r"(\?|\*|\+|\{(\d+)(,?)(\d*)\})([?+]?)")
_LITERAL = re.compile(r"\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})|\\x\{([0-9A-Fa-f]+)\}|\\([^\w\s])|([^\\])", re.S)
_ESCAPES = {"\\n": "\n", "\\r": "\r", "\\t": "\t", "\\f": "\f", "\\v": "\v"}
_PROPERTY = re.compile(r"\\[pP]\{(\^?)(\w+)\}")
_SHORTHANDS = {"\\s": True, "\\W": True, "\\D": True, "\\S": False, "\\w": False, "\\d": False}  # with a space or not


class _Unread(ValueError):
    """A construct that is not read here."""


@dataclass(frozen=True)
class _Piece:
    """What a piece of an alternative may match.

    space : U+0020; other : a character that is not white space.
    least, many : how many characters it matches at least; whether it may match more than one.
    looks : it matches nothing, and only looks at what follows.
    """

    space: bool
    other: bool
    least: int = 1
    many: bool = False
    looks: bool = False


def cuts_before_words(pattern: str) -> bool:
    """Tell whether a pattern's matches always meet in front of a space that stands between two words.

    A word's last and first characters are not white space. Yes means that (1) no match holds a space behind a
    character that is not white space, so that none covers both sides; (2) one alternative is white space of any
    length, so that a match begins at the space; (3) what is matched on one side does not depend on the other, as
    nothing looks back, and only white space looks ahead, which a word's end bounds.
    """
    if pattern in _LIKEWISE:
        return True
    try:
        alternatives = _Reader(pattern).read()
    except _Unread:
        return False
    return all(_stays_inside(pieces) for pieces in alternatives) and any(
        len(pieces) == 1 and pieces[0].space and not pieces[0].other and pieces[0].least == 1 for pieces in alternatives
    )


def stays_inside_words(pattern: str) -> bool:
    """Tell whether (1) and (3) of `cuts_before_words` hold."""
    if pattern in _LIKEWISE:
        return True
    try:
        return all(_stays_inside(pieces) for pieces in _Reader(pattern).read())
    except _Unread:
        return False


def _stays_inside(pieces: list[_Piece]) -> bool:
    in_word = False
    for place, piece in enumerate(pieces):
        if piece.looks and (in_word or place == 0 or place < len(pieces) - 1):
            return False
        if piece.space and (in_word or (piece.other and piece.many)):
            return False
        in_word = in_word or piece.other
    return sum(piece.least for piece in pieces) > 0


class _Reader:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def read(self) -> list[list[_Piece]]:
        alternatives = self._alternatives()
        if self.at < len(self.pattern):
            raise _Unread
        return alternatives

    def _next(self, text: str) -> bool:
        found = self.pattern.startswith(text, self.at)
        self.at += len(text) if found else 0
        return found

    def _match(self, expression: re.Pattern[str]) -> re.Match[str] | None:
        found = expression.match(self.pattern, self.at)
        self.at = found.end() if found else self.at
        return found

    def _alternatives(self) -> list[list[_Piece]]:
        alternatives: list[list[_Piece]] = [[]]
        while self.at < len(self.pattern) and self.pattern[self.at] != ")":
            if self._next("|"):
                alternatives.append([])
            else:
                alternatives[-1].append(self._piece())
        return alternatives

    def _piece(self) -> _Piece:
        if self._next("(?!\\S)") or self._next("$"):
            return _Piece(False, False, least=0, looks=True)
        if self._next("(?i:") or self._next("(?:"):
            return self._quantified(self._group())
        if self._next("["):
            return self._quantified(self._class())
        if self.pattern[self.at] in ".^(?*+{":
            raise _Unread
        space, other, _ = self._item()
        return self._quantified(_Piece(space, other))

    def _quantified(self, piece: _Piece) -> _Piece:
        found = self._match(_QUANTIFIER)
        if found is None:
            return piece
        sign, least, comma, most, suffix = found.groups()
        if self._match(_QUANTIFIER):
            raise _Unread
        times = {"?": 0, "*": 0, "+": 1}.get(sign[0], int(least or 0))
        # In Oniguruma's default syntax the + of {1,3}+ repeats, where in others, and behind ? * +, it is possessive.
        repeated = sign[0] == "{" and (suffix == "+" or bool(comma and not most) or int(most or least) > 1)
        many = sign[0] in "*+" or repeated
        return _Piece(piece.space, piece.other, piece.least * times, many or piece.many)

    def _group(self) -> _Piece:
        alternatives = self._alternatives()
        if not self._next(")"):
            raise _Unread
        pieces = [piece for alternative in alternatives for piece in alternative]
        space, other = any(piece.space for piece in pieces), any(piece.other for piece in pieces)
        if (space and other) or any(piece.looks for piece in pieces):
            raise _Unread
        least = min(sum(piece.least for piece in alternative) for alternative in alternatives)
        return _Piece(space, other, least, many=True)

    def _class(self) -> _Piece:
        negated = self._next("^")
        items: list[tuple[bool, bool, bool]] = []
        while not self._next("]"):
            if self.at >= len(self.pattern) or self.pattern[self.at] == "[" or self.pattern.startswith("&&", self.at):
                raise _Unread
            items.append(self._item(in_class=True))
        if not items:
            raise _Unread
        if negated:
            return _Piece(not any(surely for _, _, surely in items), True)
        return _Piece(any(space for space, _, _ in items), any(other for _, other, _ in items))

    def _item(self, in_class: bool = False) -> tuple[bool, bool, bool]:
        """Return whether one character's item may match a space, may match a word's character, matches any space."""
        shorthand = self.pattern[self.at : self.at + 2]
        if shorthand in _SHORTHANDS:
            self.at += 2
            return _SHORTHANDS[shorthand], shorthand != "\\s", _SHORTHANDS[shorthand]
        found = self._match(_PROPERTY)
        if found:
            known = found[0].startswith("\\p") and not found[1] and found[2][0] in "LMNPS" and len(found[2]) <= 2
            return not known, True, False
        first = last = self._character()
        if in_class and self._next("-"):
            if self.pattern.startswith("]", self.at):
                self.at -= 1
            else:
                last = self._character()
        holds_space = first <= " " <= last
        return holds_space, first != last or not first.isspace(), holds_space

    def _character(self) -> str:
        escape = self.pattern[self.at : self.at + 2]
        if escape in _ESCAPES:
            self.at += 2
            return _ESCAPES[escape]
        found = self._match(_LITERAL)
        if found is None:
            raise _Unread
        code = found[1] or found[2] or found[3]
        return chr(int(code, 16)) if code else found[4] or found[5]
