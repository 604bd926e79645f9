"""All scores of a study as one long table: one row for each number, with its names, interval, p and units."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from brainalign.errors import InputError
from brainalign.storage import replacing
from brainalign.tables import TEXT_COLUMNS

# What a row is about; empty where it does not apply.
NAMES = (
    "dataset collection encoder scoring similarity readout features features_kind model family kind base tuned subject "
    "region layer layer_choice ceiling_kind normalised_by best_null twins random_tokens control_region row over "
    "analysis property given correction metric over_subjects"
).split()
# How many things a number is from, and the settings of its draws; empty where it does not apply.
COUNTS = (
    "n bases pairs subjects datasets collections folds samples neuroids normalised_neuroids groups draws "
    "normalised_draws seed layer_index"
).split()
FURTHER = [f"{bound}_over_{what}" for what in ("models", "stimuli", "bases", "layers") for bound in ("low", "high")]
NUMBERS = ["value", "low", "high", "p", *FURTHER, "simulated"]
TEXT = ["reason", "alarms", "models", "left_out"]
LONG = ["study", "table", *NAMES, "measure", "value", "units", "low", "high", "interval", "p"]
LONG += [*FURTHER, *COUNTS, "simulated", *TEXT]

_STIMULI, _ANALYTIC, _SUBJECTS = "95 % over stimuli", "95 % analytic", "95 % over subjects"
# Intervals that are not told by a measure's own name: table → beginning of the two columns → measure, where they stand.
_INTERVALS: dict[str, dict[str, tuple[str, str, str]]] = {
    "alignment": {"r_band_": ("r", "_over_layers", "")},
    "correlations": {
        "fisher_": ("pearson_r", "", _ANALYTIC),
        "over_models_": ("pearson_r", "_over_models", ""),
        "over_stimuli_": ("pearson_r", "_over_stimuli", ""),
    },
    "controlled_correlations": {
        "": ("estimate", "", _ANALYTIC),
        "over_models_": ("estimate", "_over_models", ""),
        "over_stimuli_": ("estimate", "_over_stimuli", ""),
    },
    "pairs": {
        "over_subjects_": ("subject_difference", "", _SUBJECTS),
        "over_bases_": ("difference", "_over_bases", ""),
    },
}
_P = {"r_p": "r", "over_null_p": "over_null", "pearson_p": "pearson_r", "spearman_p": "spearman_rho", "p": "estimate"}
_P |= {"difference_p": "difference"}
# The measure that has a row even where it is missing, since its reason is told there.
_MAIN = {
    "alignment": "r",
    "similarity": "value",
    "correlations": "pearson_r",
    "controlled_correlations": "estimate",
    "pairs": "difference",
}
_UNITS = (
    (r".*_(nats|bits)_per_(.*)", r"\1 per \2"),
    (r"percent_pairs|.*_higher|.*_orders|.*_tests|ceiling_above_noise", ""),
    (r"percent.*", "per cent"),
    (r".*normalised.*", "share of the ceiling"),
    (r"log10_.*", "log10"),
    (r".*share.*", "share"),
    (r"(.*_)?r2", "R2"),
    (r"(.*_)?[pq](_.*)?", "probability"),
    (r"r|ceiling.*|.*null.*|r_.*|.*_r_(lowest|highest)|over_.*|.*difference|.*_r|spearman_rho|estimate", "r"),
)


def long_table(study: str, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return one row for each number of each table that is neither a name nor a count; columns LONG.

    value : the number, in `units`: "r" for correlations and for differences of them, empty where there is none.
    low, high : its interval, and `interval` what it is over. Further intervals of the same number stand in pairs of
        columns that say what they are over: `low_over_models` … `high_over_layers`.
    p : of the number itself, where the table has one; other p values are rows of their own.

    A number that is missing has no row, but for the main one of each row of `alignment` (r), `similarity` (value),
    `correlations`, `controlled_correlations` and `pairs` (difference), whose `reason` says why there is none. `alarms`
    stand beside r. A row of `properties` is about a `model`.

    Parameters
    ----------
    study : its name.
    tables : name → table. Others than those named here are taken the same way: columns of numbers are measures, and
        `<measure>_low` and `<measure>_high` their interval over stimuli.

    Raises
    ------
    InputError : no table.
    """
    if not tables:
        raise InputError("there is no table to export.")
    parts = [part for name, table in tables.items() for part in _melted(study, name, table)]
    joined = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    joined = joined.reindex(columns=LONG)
    text = [name for name in LONG if name not in (*NUMBERS, *COUNTS)]
    for name in text:
        joined[name] = joined[name].astype(object).where(joined[name].notna(), "").astype(str)
    return joined.astype({**dict.fromkeys(NUMBERS, "float64"), **dict.fromkeys(COUNTS, "Int64")})


def write_parquet(path: Path, table: pd.DataFrame) -> None:
    """Write a long table as Parquet: text as dictionaries, numbers with missing values. Equal tables, equal bytes."""
    from fastparquet import write

    text = [name for name in table.columns if name not in (*NUMBERS, *COUNTS)]
    with replacing(path) as temporary:
        write(str(temporary), table.astype(dict.fromkeys(text, "category")), compression="SNAPPY", write_index=False)


def _melted(study: str, name: str, table: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield the rows of one measure after another."""
    bounds = _bounds(name, table)
    own_p = {of: column for column, of in _P.items() if {column, of} <= set(table.columns)}
    beside = {column for pairs in bounds.values() for low, high, _, _ in pairs for column in (low, high)}
    labels = {*NAMES, *COUNTS, *TEXT, *TEXT_COLUMNS, "simulated"} - ({"value"} if name == "similarity" else set())
    kept = [column for column in LONG if column in table.columns and column in labels]
    for measure in table.select_dtypes("number").columns:
        if measure in labels or measure in beside or measure in own_p.values():
            continue
        found: dict[str, Any] = {"study": study, "table": name, "measure": measure, "value": table[measure]}
        found["interval"] = ""
        for low, high, where, over in bounds.get(measure, []):
            found |= {f"low{where}": table[low], f"high{where}": table[high]}
            found["interval"] = table[low].notna().map({True: over, False: ""}) if over else found["interval"]
        if measure in own_p:
            found["p"] = table[own_p[measure]]
        found["units"] = _unit(measure, table)
        rows = table[kept].assign(**found)
        if measure != _MAIN.get(name):
            rows = rows[rows["value"].notna()].drop(columns="alarms", errors="ignore")
        yield rows


def _bounds(name: str, table: pd.DataFrame) -> dict[str, list[tuple[str, str, str, str]]]:
    """Return measure → (column of the lower bound, of the upper one, ending of the long columns, what it is over)."""
    wanted = {f"{column}_": (column, "", _STIMULI) for column in table.columns} | _INTERVALS.get(name, {})
    found: dict[str, list[tuple[str, str, str, str]]] = {}
    for stem, (measure, where, over) in wanted.items():
        if {f"{stem}low", f"{stem}high", measure} <= set(table.columns):
            found.setdefault(measure, []).append((f"{stem}low", f"{stem}high", where, over))
    return found


def _unit(measure: str, table: pd.DataFrame) -> Any:
    """Return the unit of a measure; of a mixed model's slope it is another than of the correlations beside it."""
    if "model" in table.columns and not re.fullmatch(r"log10_.*|.*_(nats|bits)_per_.*", measure):
        return ""
    if measure == "estimate" and "analysis" in table.columns:
        return (table["analysis"] == "mixed model").map({True: "SD per SD", False: "r"})
    for pattern, unit in _UNITS:
        found = re.fullmatch(pattern, measure)
        if found:
            return found.expand(unit)
    return ""
