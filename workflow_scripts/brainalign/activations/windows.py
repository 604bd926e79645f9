"""Which tokens a part is read with where its text is longer than the model can see.

Let C be the capacity: the model's limit less the tokens that the tokenizer adds. Let n(i) be the number of tokens
of the text up to the end of part i, tokenised by itself. The model reads tokens s(i) … n(i) of that text, the added
tokens put around them, with

- slide:    s(i) = max(0, n(i) − C)
- restart:  s(i) = s(i−1) while n(i) − s(i−1) ≤ C, and otherwise max(n(i−1) − ⌊C/2⌋, n(i) − C, 0);
            s = 0 before the first part.

So with "slide" a part has as much context as fits, and past the limit every part is read by itself; with "restart" a
text is read in long passes, each of which begins with the last half of the limit (less where the part itself is
longer than the other half). A part that alone is longer than C loses its first tokens either way.
"""

from collections.abc import Sequence

from brainalign.errors import InputError


def window_starts(counts: Sequence[int], capacity: int | None, overflow: str) -> list[int]:
    """Return s(i) for the parts of one context group.

    Parameters
    ----------
    counts : n(i), tokens of the text up to the end of each part.
    capacity : C; None is no limit.
    overflow : "slide" or "restart".

    Raises
    ------
    InputError : a capacity below 1.
    """
    if capacity is None:
        return [0] * len(counts)
    if capacity < 1:
        raise InputError(f"the model's limit leaves room for {capacity} tokens of text.")
    if overflow == "slide":
        return [max(0, count - capacity) for count in counts]
    starts: list[int] = []
    start = before = 0
    for count in counts:
        if count - start > capacity:
            start = max(before - capacity // 2, count - capacity, 0)
        starts.append(start)
        before = count
    return starts
