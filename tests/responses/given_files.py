"""A small data set as plain files, to be spoilt by tests one file at a time."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

MATRIX = np.array([[0.1, 2.0, -1.0], [0.2, 1.0, 5.0], [0.4, 3.0, 1e-7], [0.3, 9.0, 1 / 3]])


def stimuli(**further: list[Any]) -> pd.DataFrame:
    columns: dict[str, list[Any]] = {
        "stimulus_id": ["007", "NA", "1e5", "null"],
        "text": list("abcd"),
        "context_group": ["p", "p", "q", "q"],
        "split_group": ["t1", "t1", "t2", "t2"],
    }
    return pd.DataFrame(columns | further)


def write(path: Path, content: Any) -> None:
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, str):
        path.write_text(content, encoding="utf-8")
    elif isinstance(content, dict):
        with h5py.File(path, "w") as file:
            for name, values in content.items():
                file[name] = values
    else:
        np.save(path, content, allow_pickle=True)
