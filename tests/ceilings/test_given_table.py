"""Tables of given ceilings: matched by the neuroids' ids, in units of r, and their faults told in one sentence."""

from pathlib import Path

import numpy as np
import pytest

from brainalign.ceilings.given_table import read_given_ceilings
from brainalign.errors import InputError

NEUROIDS = np.array(["a", "007", "c"], dtype=object)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ceilings.csv"


@pytest.mark.parametrize(("units", "expected"), [("r", [0.25, 1.0, 0.64]), ("r2", [0.5, 1.0, 0.8])])
def test_ceilings_are_correlations_or_their_squares(units: str, expected: list[float], path: Path) -> None:
    """Rows may stand in another order, and be of neuroids that are not asked for, whatever they hold."""
    path.write_text("n,r\n007,1\nc,0.64\na,0.25\ndropped,7\n")
    assert read_given_ceilings(path, NEUROIDS, "n", "r", units).tolist() == pytest.approx(expected)


PERCENT = "; a percentage has to be divided by 100"
BAD = {
    "a neuroid without a ceiling": ("n,r\na,0.5\nc,0.5\n", "ceilings.csv has no ceiling for the neuroid '007'."),
    "an id that is no number": ("n,r\na,0.5\n7,0.5\nc,1\n", "ceilings.csv has no ceiling for the neuroid '007'."),
    "two ceilings": ("n,r\na,0.5\na,0.6\n", "ceilings.csv: n 'a' comes more than once."),
    "a misspelt column": ("n,rr\na,0.5\n", "ceilings.csv: unknown column 'r'; did you mean 'rr'? Allowed: n, rr."),
    "a word": ("n,r\na,1\n007,high\n", "ceilings.csv: column 'r' holds 'high' in row 2, not a finite number."),
    "nothing": ("n,r\na,0.5\n007,\n", "ceilings.csv: column 'r' holds nothing in row 2, not a finite number."),
} | {
    f"a ceiling of {value}": (
        f"n,r\na,0.5\n007,{value}\nc,1\n",
        f"ceilings.csv: the ceiling of '007' is {value}; a number above 0 and at most 1 is needed{hint}.",
    )
    for value, hint in {"0": "", "-0.2": "", "1.01": PERCENT, "35.9": PERCENT, "359": ""}.items()
}


@pytest.mark.parametrize("case", BAD)
def test_a_table_that_cannot_be_used_is_told_in_one_sentence(case: str, path: Path) -> None:
    content, sentence = BAD[case]
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        read_given_ceilings(path, NEUROIDS, "n", "r", "r")
    assert str(caught.value) == sentence
