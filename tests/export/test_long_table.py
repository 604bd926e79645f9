"""The long table holds every number of the tables, once, with its interval, and the same in CSV and Parquet."""

import itertools
from collections.abc import Collection
from pathlib import Path

import fastparquet
import numpy as np
import pandas as pd
import pytest

from brainalign.errors import InputError
from brainalign.export.scores import COUNTS, LONG, NUMBERS, long_table, write_parquet
from brainalign.provenance import Provenance
from brainalign.stages.export_scores import export_scores
from brainalign.tables import TEXT_COLUMNS, read_table
from invented_study import WrittenStudy, invent

NAMES = ("alignment", "averages", "properties", "correlations", "controlled_correlations", "pairs")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> WrittenStudy:
    return invent(tmp_path_factory.mktemp("study")).finish()


@pytest.fixture(scope="module")
def tables(study: WrittenStudy) -> dict[str, pd.DataFrame]:
    return {name: read_table(study.study / f"{name}.csv") for name in NAMES}


@pytest.fixture(scope="module")
def long(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return long_table("invented", tables)


# Columns that are no measure of their own: table → column → the measure beside which they stand, and in which column.
BESIDE = {
    "alignment": {
        "r_p": ("r", "p"), "over_null_p": ("over_null", "p"),
        "r_band_low": ("r", "low_over_layers"), "r_band_high": ("r", "high_over_layers"),
    },
    "correlations": {
        "pearson_p": ("pearson_r", "p"), "spearman_p": ("spearman_rho", "p"),
        "fisher_low": ("pearson_r", "low"), "fisher_high": ("pearson_r", "high"),
    },
    "controlled_correlations": {
        "p": ("estimate", "p"), "low": ("estimate", "low"), "high": ("estimate", "high"),
    },
    "pairs": {
        "over_subjects_low": ("subject_difference", "low"), "over_subjects_high": ("subject_difference", "high"),
        "difference_p": ("difference", "p"),
        "over_bases_low": ("difference", "low_over_bases"), "over_bases_high": ("difference", "high_over_bases"),
    },
}  # fmt: skip
for _table, _measure in (("correlations", "pearson_r"), ("controlled_correlations", "estimate")):
    for _of, _end in itertools.product(("models", "stimuli"), ("low", "high")):
        BESIDE[_table][f"over_{_of}_{_end}"] = (_measure, f"{_end}_over_{_of}")


def place_of(name: str, column: str, columns: Collection[str]) -> tuple[str, str]:
    """The measure and the column of the long table under which a column of numbers is to be found."""
    for end in ("low", "high"):
        if column.endswith(f"_{end}") and column.removesuffix(f"_{end}") in columns:
            return column.removesuffix(f"_{end}"), end
    return BESIDE.get(name, {}).get(column, (column, "value"))


@pytest.mark.parametrize("name", NAMES)
def test_every_number_of_every_table_is_in_its_place(
    tables: dict[str, pd.DataFrame], long: pd.DataFrame, name: str
) -> None:
    """Looked up by the row's names and the measure, a cell at a time; and nothing else is there."""
    table, part = tables[name], long[long["table"] == name]
    keys = [column for column in LONG if column in table and column in TEXT_COLUMNS - {"alarms", "reason", "left_out"}]
    row_names = list(table[keys].fillna("").astype(str).itertuples(index=False, name=None))
    assert len(set(row_names)) == len(table)
    found: dict[str, dict[tuple[object, ...], float]] = {column: {} for column in NUMBERS}
    for row in part.to_dict("records"):
        for column, cells in found.items():
            key = (*(row[name] for name in keys), row["measure"])
            assert key not in cells
            cells[key] = row[column]
    counted = dict.fromkeys(NUMBERS, 0)
    for column in table.select_dtypes("number"):
        if column in COUNTS or column == "simulated":
            continue
        measure, place = place_of(name, column, table.columns)
        for of, value in zip(row_names, table[column], strict=True):
            if pd.notna(value):
                assert found[place][*of, measure] == value, (column, of)
                counted[place] += 1
    there = {column: int(part[column].notna().sum()) for column in NUMBERS if column != "simulated"}
    assert {column: n for column, n in counted.items() if column != "simulated"} == there
    assert long.columns.tolist() == LONG
    assert (long["study"] == "invented").all()


def test_a_score_has_one_row_with_all_its_intervals(tables: dict[str, pd.DataFrame], long: pd.DataFrame) -> None:
    names = ["dataset", "encoder", "readout", "features", "subject", "region", "layer"]
    r = long[(long["table"] == "alignment") & (long["measure"] == "r")]
    assert not r.duplicated(names).any()
    joined = r.merge(tables["alignment"], on=names, validate="one_to_one", suffixes=("", "_there"))
    assert len(joined) == len(tables["alignment"])
    pairs = {"value": "r", "low": "r_low", "high": "r_high", "p": "r_p", "low_over_layers": "r_band_low"}
    for column, there in pairs.items():
        np.testing.assert_array_equal(joined[column], joined[there])
    assert set(r["interval"]) == {"95 % over stimuli"}
    assert set(r["units"]) == {"r"}

    correlation = long[(long["table"] == "correlations") & (long["measure"] == "pearson_r")]
    assert len(correlation) == len(tables["correlations"])
    here, there = correlation.iloc[0], tables["correlations"].iloc[0]
    assert here["interval"] in ("95 % analytic", "")
    assert (here["low_over_stimuli"], here["high_over_models"]) == (
        there["over_stimuli_low"],
        there["over_models_high"],
    )
    assert (here["n"], here["models"]) == (there["n"], there["models"])

    summary = long[(long["row"] == "mean of the pairs") & (long["measure"] == "difference")].iloc[0]
    there = tables["pairs"][tables["pairs"]["row"] == "mean of the pairs"].iloc[0]
    assert (summary["low"], summary["low_over_bases"]) == (there["difference_low"], there["over_bases_low"])


def test_units(long: pd.DataFrame) -> None:
    units = {(row.table, row.measure): row.units for row in long.drop_duplicates(["table", "measure"]).itertuples()}
    assert units["alignment", "normalised"] == "share of the ceiling"
    assert units["alignment", "r2"] == "R2"
    assert units["alignment", "ceiling_known"] == units["pairs", "difference"] == "r"
    for measure in ("over_twin", "twin_r", "twin_r_lowest", "twin_r_highest", "r_subject_mad"):
        assert units["alignment", measure] == "r"
    assert units["properties", "world-loss_nats_per_token"] == "nats per token"
    assert units["properties", "log10_parameters"] == "log10"
    assert units["properties", "width"] == ""
    assert units["pairs", "percent_change"] == "per cent"
    assert units["pairs", "wilcoxon_p_pairs"] == units["alignment", "r_q"] == "probability"
    assert units["alignment", "over_null_q"] == units["pairs", "difference_smallest_p"] == "probability"
    made_up = pd.DataFrame(
        {"permutation_p": [0.1], "detectable_r": [0.5], "percent_pairs": [3], "x_bits_per_byte": [1]}
    )
    found = long_table("s", {"correlations": made_up}).set_index("measure")["units"].to_dict()
    assert found.pop("pearson_r", "") == ""
    assert list(found.values()) == ["probability", "r", "", "bits per byte"]


def test_a_mixed_model_s_slope_is_no_correlation() -> None:
    table = pd.DataFrame({"analysis": ["partial", "mixed model"], "estimate": [0.5, 0.6], "low": [0.1, 0.2]})
    found = long_table("s", {"controlled_correlations": table.assign(high=0.9, p=[0.01, 0.02], reason="")})
    assert found["units"].tolist() == ["r", "SD per SD"]
    assert found[["low", "high", "p"]].to_numpy().tolist() == [[0.1, 0.9, 0.01], [0.2, 0.9, 0.02]]


def test_a_missing_correlation_keeps_its_row_and_its_reason_other_missing_numbers_have_none() -> None:
    table = pd.DataFrame({"property": ["a", "b"], "pearson_r": [np.nan, 0.5], "spearman_rho": [np.nan, 0.4]})
    found = long_table("s", {"correlations": table.assign(n=[2, 9], reason=["fewer than 3 models", ""])})
    assert found[["measure", "property", "reason", "n"]].to_numpy().tolist() == [
        ["pearson_r", "a", "fewer than 3 models", 2],
        ["pearson_r", "b", "", 9],
        ["spearman_rho", "b", "", 9],
    ]


def test_similarity_and_tables_that_come_later_are_taken_too() -> None:
    similarity = pd.DataFrame({"similarity": ["rsa"], "metric": ["rsa"], "layer": ["final"], "value": [0.2]})
    behavior = pd.DataFrame({"dataset": ["futrell"], "model": ["m"], "r": [0.3], "r_low": [0.1], "r_high": [0.4]})
    found = long_table("s", {"similarity": similarity.assign(value_low=0.1, value_high=0.3), "behavior": behavior})
    assert found[["table", "measure", "value", "low", "high"]].to_numpy().tolist() == [
        ["similarity", "value", 0.2, 0.1, 0.3],
        ["behavior", "r", 0.3, 0.1, 0.4],
    ]


def test_alarms_stand_beside_r() -> None:
    table = pd.DataFrame({"features": ["m"], "r": [0.3], "normalised": [0.6], "alarms": ["a null does as well"]})
    found = long_table("s", {"alignment": table})
    assert dict(zip(found["measure"], found["alarms"], strict=True)) == {"r": "a null does as well", "normalised": ""}


def test_parquet_holds_the_same_as_the_csv_and_both_are_the_same_bytes_again(
    study: WrittenStudy, tmp_path: Path
) -> None:
    written = []
    for number in range(2):
        out, parquet = tmp_path / f"{number}" / "scores.csv", tmp_path / f"{number}" / "scores.parquet"
        provenance = Provenance("export_scores", {"study": "invented"}, "c")
        export_scores({"study": "invented"}, provenance, [study.study / f"{name}.csv" for name in NAMES], out, parquet)
        written.append((out.read_bytes(), parquet.read_bytes()))
    assert written[0] == written[1]
    from_csv = pd.read_csv(out, keep_default_na=False, na_values={name: [""] for name in (*NUMBERS, *COUNTS)})
    from_parquet = fastparquet.ParquetFile(str(parquet)).to_pandas()
    assert from_parquet.columns.tolist() == from_csv.columns.tolist() == LONG
    assert len(from_parquet) == len(from_csv)
    for name in LONG:
        if name in (*NUMBERS, *COUNTS):
            np.testing.assert_array_equal(from_csv[name].to_numpy(float, na_value=np.nan),
                                          from_parquet[name].astype("float64").to_numpy())  # fmt: skip
        else:
            assert from_csv[name].astype(str).tolist() == from_parquet[name].astype(str).tolist(), name
    assert len(parquet.read_bytes()) < len(out.read_bytes()) / 3


def test_text_that_looks_missing_stays_text(tmp_path: Path) -> None:
    table = pd.DataFrame({"features": ["NA", 'é, "x"'], "r": [0.1, 0.2]})
    path = tmp_path / "t.parquet"
    write_parquet(path, long_table("null", {"alignment": table}))
    back = fastparquet.ParquetFile(str(path)).to_pandas()
    assert back["features"].astype(str).tolist() == ["NA", 'é, "x"']
    assert back["study"].astype(str).tolist() == ["null", "null"]


def test_no_table_is_refused() -> None:
    with pytest.raises(InputError, match="there is no table to export"):
        long_table("s", {})
