"""Numbers, intervals and p values as they are shown to readers, in sentences as well as in figures."""

import math

MINUS = "−"
NO_INTERVAL = "no interval"


def is_known(*values: float) -> bool:
    """Tell whether all values are finite numbers."""
    return all(value is not None and math.isfinite(value) for value in values)


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


def with_interval(value: float, low: float, high: float, decimals: int = 3, unknown: str = f"({NO_INTERVAL})") -> str:
    """Return a number and its interval, or what is said where that is not known.

    >>> with_interval(0.2, 0.1, float("nan"))
    '0.200 (no interval)'
    >>> with_interval(0.2, 0.1, float("nan"), unknown="")
    '0.200'
    """
    found = interval(low, high, decimals) if is_known(low, high) else unknown
    return f"{number(value, decimals)} {found}".rstrip()


def probability(p: float, unknown: str = "") -> str:
    """Return "p = …" or "p < 0.001", or what is said where there is no p.

    >>> probability(0.0005), probability(0.1234), probability(float("nan"))
    ('p < 0.001', 'p = 0.123', '')
    """
    if not is_known(p):
        return unknown
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def count(n: float, thing: str, several: str = "") -> str:
    """Return a whole number with a noun in the singular or plural.

    >>> count(1, "model"), count(3.0, "model"), count(0, "story", "stories")
    ('1 model', '3 models', 'no stories')
    """
    word = thing if n == 1 else several or f"{thing}s"
    return f"{int(n) or 'no'} {word}"
