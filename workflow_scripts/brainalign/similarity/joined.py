"""A study's tables of similarity put together."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from brainalign.study import differing_versions, read_record


def read_versions(path: Path) -> dict[str, str]:
    """Return the versions of the libraries that made a table, from the record beside it; nothing where it is gone.

    Raises
    ------
    UnreadableFileError : a record without versions.
    """
    record = path.with_name(path.name + ".provenance.json")
    return dict(read_record(record, ["versions"])["versions"]) if record.is_file() else {}


def join_similarities(tables: Sequence[pd.DataFrame], versions: Sequence[Mapping[str, str]]) -> pd.DataFrame:
    """Put tables under one another.

    Where they were made with different versions of a library, a column `versions` names each such library with the
    version that made the row.
    """
    joined = pd.concat(tables, ignore_index=True)
    differing = differing_versions(versions)
    if any(differing):
        joined["versions"] = np.repeat(differing, [len(table) for table in tables])
    return joined
