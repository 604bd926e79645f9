"""Words of a text, as tables of word vectors have them."""

import re
from typing import NamedTuple

_EDGES = re.compile(r"^\W+|\W+$")


class Word(NamedTuple):
    """A word without the punctuation at its two ends, and as it is written ("mill", "mill.")."""

    bare: str
    written: str


def words_of(text: str, lower: bool) -> list[Word]:
    """Return the words of a text, in lower case if asked for; what stands between white space is a word.

    Marks without a letter or digit are no words.

    >>> words_of("The U.S. mill -- old.", lower=True)[1:]
    [Word(bare='u.s', written='u.s.'), Word(bare='mill', written='mill'), Word(bare='old', written='old.')]
    """
    written = (text.lower() if lower else text).split()
    found = (Word(_EDGES.sub("", word), word) for word in written)
    return [word for word in found if word.bare]
