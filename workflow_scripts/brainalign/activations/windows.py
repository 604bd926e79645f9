"""Which tokens a part is read with where its text is longer than the model can see.

Let C(i) be the capacity: the model's limit less the tokens of the prompt and those that the tokenizer adds. Let n(i)
be the number of tokens of the text up to the end of part i, tokenised by itself. The model reads tokens s(i) … n(i)
of that text, the added tokens put around them, with

- slide:    s(i) = max(0, n(i) − C(i))
- restart:  s(i) = s(i−1) while n(i) − s(i−1) ≤ C(i), and otherwise max(n(i−1) − ⌊C(i)/2⌋, n(i) − C(i), 0);
            s = 0 before the first part.

So with "slide" a part has as much context as fits, and past the limit every part is read by itself; with "restart" a
text is read in long passes, each of which begins with the last half of the limit (less where the part itself is
longer than the other half). A part that alone is longer than C loses its first tokens either way.
"""

from collections.abc import Sequence

from brainalign.errors import InputError


def window_starts(counts: Sequence[int], capacities: Sequence[int | None], overflow: str) -> list[int]:
    """Return s(i) for the parts of one context group.

    Parameters
    ----------
    counts : n(i), tokens of the text up to the end of each part.
    capacities : C(i); None is no limit.
    overflow : "slide" or "restart".

    Raises
    ------
    InputError : a capacity below 1.
    """
    starts: list[int] = []
    start = before = 0
    for count, capacity in zip(counts, capacities, strict=True):
        if capacity is not None and capacity < 1:
            raise InputError(f"the model's limit leaves room for {max(capacity, 0)} tokens of text.")
        if capacity is None:
            start = 0
        elif overflow == "slide":
            start = max(0, count - capacity)
        elif count - start > capacity:
            start = max(before - capacity // 2, count - capacity, 0)
        starts.append(start)
        before = count
    return starts
