"""Numbers, intervals and lists in words; every sentence of a report is built from these."""

from collections.abc import Iterable, Sequence

from brainalign.number_texts import MINUS, NO_INTERVAL, count, interval, is_known, number, probability, with_interval

__all__ = [
    "MINUS",
    "NO_INTERVAL",
    "capital",
    "count",
    "interval",
    "is_known",
    "listing",
    "number",
    "percent_with_interval",
    "probability",
    "sentence",
    "some_of",
    "with_interval",
]

MOST_NAMED = 8


def percent_with_interval(value: float, low: float, high: float) -> str:
    """Return a share as per cent, with its interval.

    >>> percent_with_interval(0.383, 0.33, 0.42)
    '38 % [33, 42]'
    """
    if not is_known(value):
        return "–"
    found = interval(100 * low, 100 * high, 0)
    return f"{number(100 * value, 0)} % {f'({found})' if found == NO_INTERVAL else found}"


def listing(names: Iterable[object]) -> str:
    """Return names with commas and a last "and".

    >>> listing(["a", "b", "c"])
    'a, b and c'
    """
    words = [str(name) for name in names]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def some_of(names: Sequence[object]) -> str:
    """Return the names, or the first of them and how many there are besides.

    >>> some_of(list("abcdefghij"))
    'a, b, c, d, e, f, g, h and 2 others'
    """
    rest = len(names) - MOST_NAMED
    if rest <= 0:
        return listing(names)
    return listing([*names[:MOST_NAMED], count(rest, "other")])


def sentence(*parts: str) -> str:
    """Join what is not empty and end with a full stop; names at its beginning keep their case.

    >>> sentence("tiny-16", "", "is best")
    'tiny-16 is best.'
    """
    text = " ".join(part for part in parts if part)
    return text + ("" if text.endswith((".", "?", "!")) else ".")


def capital(text: str) -> str:
    """Return a text with its first letter in upper case.

    >>> capital("one LLaMA")
    'One LLaMA'
    """
    return text[:1].upper() + text[1:]
