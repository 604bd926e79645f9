"""Tables on disk: CSV with full words in the header, read back as they were written.

Columns of identifiers and labels (TEXT_COLUMNS) are text even where they look like numbers ("007", "1e5", "NA",
"null" stay what they are); empty cells are missing values in numeric columns only.
"""

import csv
import json
from pathlib import Path
from typing import Literal

import pandas as pd

from brainalign.errors import UnreadableFileError
from brainalign.provenance import Provenance
from brainalign.storage import replacing, write_json

TEXT_COLUMNS = frozenset(
    "stimulus_id sample_id neuroid_id text context_group split_group run subject region model features family kind "
    "features_kind base tuned dataset collection encoder readout layer layer_choice ceiling_kind ceiling_basis "
    "ceiling_units best_null twins random_tokens control_region normalised_by property models over analysis given "
    "correction left_out untrained_excluded reason versions source task task_version filter metric weighting harness "
    "origin date row alarms dependence similarity over_subjects features_distance".split()
)


def write_table(path: Path, table: pd.DataFrame, provenance: Provenance) -> None:
    """Write a CSV (UTF-8, "\\n", shortest exact floats) and, beside it, the record of what made it."""
    with replacing(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n", quoting=_quoting(table))
    write_provenance(path, provenance)


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV that this project wrote.

    Raises
    ------
    UnreadableFileError : not a CSV with a header.
    """
    try:
        header = pd.read_csv(path, nrows=0)
        text = [name for name in header.columns if name in TEXT_COLUMNS]
        table = pd.read_csv(
            path,
            dtype=dict.fromkeys(text, str),
            keep_default_na=False,
            na_values={name: ["", "nan"] for name in header.columns if name not in text},
            skip_blank_lines=False,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UnreadableFileError(path, f"it is not a whole CSV table ({error})") from error
    return table


def write_provenance(path: Path, provenance: Provenance) -> None:
    """Write `<name>.provenance.json` beside a file that cannot carry attributes."""
    record = {key: _plain(value) for key, value in provenance.attributes().items()}
    write_json(path.with_name(path.name + ".provenance.json"), record)


def _plain(value: str) -> object:
    return json.loads(value) if value[:1] in "{[" else value


def _quoting(table: pd.DataFrame) -> Literal[0, 2]:
    """Quote all text where a cell holds a bare carriage return, which would otherwise end the row."""
    texts = table.select_dtypes(exclude="number")
    bare = any(texts[name].astype(str).str.contains("\r", regex=False).any() for name in texts)
    return csv.QUOTE_NONNUMERIC if bare else csv.QUOTE_MINIMAL
