"""What differs in the settings of two studies, and in what made their tables."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from brainalign.provenance import canonical

COLUMNS = ("kind", "name", "a", "b")
ABSENT = "—"
# What of a config a score's row depends on: its section, and the column that names the entry.
_SECTIONS = (
    ("datasets", "dataset"),
    ("published", "dataset"),
    ("encoders", "encoder"),
    ("readouts", "readout"),
    ("models", "features"),
    ("features", "features"),
    ("models", "model"),
)


def flatten(value: Any, prefix: str = "") -> dict[str, str]:
    """Return the settings of nested plain values by their dotted keys, each as text.

    >>> flatten({"split": {"folds": 8}, "layer": "best", "delays": [1, 2], "seed": None})
    {'split.folds': '8', 'layer': 'best', 'delays': '[1,2]', 'seed': 'null'}
    """
    if isinstance(value, Mapping) and value:
        return {key: text for name, part in value.items() for key, text in flatten(part, f"{prefix}{name}.").items()}
    return {prefix.removesuffix("."): value if isinstance(value, str) else canonical(value)}


def differing_settings(kind: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> pd.DataFrame:
    """Return one row for each setting that only one has or that is not the same in both; columns COLUMNS.

    Parameters
    ----------
    kind : what stands in the column `kind`, such as "config".
    a, b : nested plain values.
    """
    return _flat(kind, flatten(a) if a else {}, flatten(b) if b else {})


def differing_records(a: Mapping[str, Mapping[str, Any]], b: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return what differs between the records of what made the tables that both studies have.

    Kinds: "version", of Python or a library that both used; "code", the fingerprint of the stage; "digest", the SHA-256
    of the table.

    Parameters
    ----------
    a, b : table → {versions: {library: version}, code: …, digest: …}, each of them optional.
    """
    parts = [pd.DataFrame(columns=list(COLUMNS))]
    for table in [name for name in a if name in b]:
        of_a, of_b = (of[table].get("versions", {}) for of in (a, b))
        shared = [name for name in of_a if name in of_b]
        parts.append(_flat("version", *({f"{table}: {name}": of[name] for name in shared} for of in (of_a, of_b))))
        for kind in ("code", "digest"):
            parts.append(_flat(kind, *({table: of[table][kind]} if kind in of[table] else {} for of in (a, b))))
    return pd.concat(parts, ignore_index=True)


def settings_of_rows(rows: pd.DataFrame, differing: pd.DataFrame) -> list[str]:
    """Return, for each row of scores, the keys of the config that differ and that it depends on, apart by "; ".

    They are those of its data set, encoder, readout and features; that others differ, as another model's, is no reason
    for its score to differ.

    Parameters
    ----------
    rows : with any of the columns dataset, encoder, readout, features.
    differing : see `differing_settings`.
    """
    keys = differing.loc[differing["kind"] == "config", "name"].tolist()
    found = {}
    for section, column in _SECTIONS:
        if column in rows.columns:
            for entry in rows[column].unique():
                start = f"{section}.{entry}"
                found[section, entry] = [key for key in keys if key == start or key.startswith(f"{start}.")]
    records = rows.to_dict("records")
    return ["; ".join(dict.fromkeys(_of_row(record, found))) for record in records]


def _of_row(record: Mapping[Any, Any], found: Mapping[tuple[str, Any], list[str]]) -> Iterator[str]:
    for section, column in _SECTIONS:
        yield from found.get((section, record.get(column)), [])


def _flat(kind: str, a: Mapping[str, str], b: Mapping[str, str]) -> pd.DataFrame:
    rows = [
        (kind, name, a.get(name, ABSENT), b.get(name, ABSENT))
        for name in dict.fromkeys([*a, *b])
        if a.get(name) != b.get(name)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
