"""Numbers, intervals and lists in words; every sentence of a report is built from these."""

import math
from collections.abc import Iterable, Sequence

MINUS = "−"
NO_INTERVAL = "no interval"
MOST_NAMED = 8


def number(value: float, decimals: int = 3) -> str:
    """Return a number with a fixed number of decimals and a true minus, or a dash where it is missing.

    A number that would be rounded to 0 keeps its first digit, so that its sign is seen.

    >>> number(-0.02831)
    '−0.028'
    >>> number(-0.00032)
    '−0.0003'
    >>> number(float("nan"))
    '–'
    """
    if value is None or math.isnan(value):
        return "–"
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = f"{value:.1g}" if value else text.lstrip("-")  # not 0, and on one side of it
    return text.replace("-", MINUS)


def interval(low: float, high: float, decimals: int = 3) -> str:
    """Return "[low, high]", or that there is none.

    >>> interval(0.1, 0.25)
    '[0.100, 0.250]'
    """
    if not is_known(low, high):
        return NO_INTERVAL
    return f"[{number(low, decimals)}, {number(high, decimals)}]"


def with_interval(value: float, low: float, high: float, decimals: int = 3) -> str:
    """Return a number and its interval.

    >>> with_interval(0.2, 0.1, float("nan"))
    '0.200 (no interval)'
    """
    found = interval(low, high, decimals)
    return f"{number(value, decimals)} {f'({found})' if found == NO_INTERVAL else found}"


def percent_with_interval(value: float, low: float, high: float) -> str:
    """Return a share as per cent, with its interval.

    >>> percent_with_interval(0.383, 0.33, 0.42)
    '38 % [33, 42]'
    """
    if not is_known(value):
        return "–"
    found = interval(100 * low, 100 * high, 0)
    return f"{number(100 * value, 0)} % {f'({found})' if found == NO_INTERVAL else found}"


def probability(p: float) -> str:
    """Return "p = …" or "p < 0.001", or nothing where there is no p.

    >>> probability(0.0005), probability(0.1234), probability(float("nan"))
    ('p < 0.001', 'p = 0.123', '')
    """
    if not is_known(p):
        return ""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def is_known(*values: float) -> bool:
    """Tell whether all values are finite numbers."""
    return all(value is not None and math.isfinite(value) for value in values)


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


def count(n: int, thing: str, several: str = "") -> str:
    """Return a number with a noun in the singular or plural.

    >>> count(1, "model"), count(3, "model"), count(0, "story", "stories")
    ('1 model', '3 models', 'no stories')
    """
    word = thing if n == 1 else several or f"{thing}s"
    return f"{n or 'no'} {word}"


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
