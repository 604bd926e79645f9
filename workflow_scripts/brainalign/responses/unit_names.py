"""Names of subjects and regions, which stand in the tables of scores beside the name of all of them."""

import numpy as np

from brainalign.errors import InputError
from brainalign.responses.samples import Columns

ALL = "all"  # the subject of the scores of all subjects together, and the region of those of all regions


def refuse_the_name_of_all(neuroids: Columns, where: str = "") -> None:
    """Raise InputError for a subject or region whose scores would have the name of those of all together.

    Parameters
    ----------
    neuroids : columns neuroid, subject, region.
    where : the file that they are of, for the sentence.
    """
    for what in ("subject", "region"):
        taken = np.asarray(neuroids[what]).astype(str) == ALL
        if taken.any():
            first = str(np.asarray(neuroids["neuroid"])[np.argmax(taken)])
            raise InputError(
                f"{where}{': ' if where else ''}the neuroid {first!r} has the {what} {ALL!r}, which is the name of all "
                f"{what}s together in every table; give it another name."
            )
