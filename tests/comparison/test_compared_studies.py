"""Two finished studies compared: what is paired, which settings are named, and the command's exit status."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest

from brainalign.__main__ import main
from brainalign.comparison.settings import differing_records, differing_settings, settings_of_rows
from brainalign.comparison.studies import compare_studies, find_study, read_study_folder
from brainalign.comparison.tables import BEYOND, IDENTICAL, ONLY_A, PAIRED
from brainalign.errors import InputError
from brainalign.tables import read_table
from invented_study import DRAWS, ENCODERS, invent

PACKAGES = Path(__file__).parents[2] / "workflow_scripts"
CONFIG: dict[str, Any] = {
    "study": "invented",
    "datasets": {name: {"loader": "simulated", "seed": 1} for name in ("passages", "stories")},
    "encoders": {name: {"split": {"folds": folds}, "grid": {"count": 9}, "bootstrap": {"draws": DRAWS, "seed": 0}}
                 for name, (_, folds) in ENCODERS.items()},
    "models": {"tiny-1": {"dtype": "float32"}, "tiny-2": {"dtype": "float32"}},
}  # fmt: skip


@pytest.fixture(scope="module")
def _finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = invent(tmp_path_factory.mktemp("finished"))
    study.finish()
    (study.study / "config.json").write_text(json.dumps(CONFIG))
    return study.study


@pytest.fixture
def studies(_finished: Path, tmp_path: Path) -> Path:
    """A folder with the same study twice, `one` and `two`."""
    for name in ("one", "two"):
        shutil.copytree(_finished, tmp_path / name)
    return tmp_path


def change_config(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text())
    change(config)
    path.write_text(json.dumps(config))


def lower(folder: Path, by: float, **cell: str) -> None:
    """Take something off one cell's r, its interval and its replicates."""
    table = read_table(folder / "alignment.csv")
    rows = np.logical_and.reduce([table[name] == value for name, value in cell.items()])
    table.loc[rows, ["r", "r_low", "r_high"]] -= by
    table.to_csv(folder / "alignment.csv", index=False)
    with h5py.File(folder / "replicates.h5", "r+") as file:
        here = np.logical_and.reduce([file[name].asstr()[()] == value for name, value in cell.items()])
        file["r"][:] = file["r"][()] - by * here


CELL = {"dataset": "passages", "encoder": "controlled", "readout": "last-token", "features": "tiny-2"}


def compared(studies: Path) -> pd.DataFrame:
    return compare_studies(*(read_study_folder(studies / name) for name in ("one", "two"))).scores


def test_a_study_and_its_copy_are_identical(studies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = compared(studies)
    assert set(scores["verdict"]) == {IDENTICAL}
    assert set(scores["table"]) == {"alignment", "averages", "properties"}
    assert main(["compare", "one", "two", "--studies", str(studies)]) == 0
    said = capsys.readouterr().out
    assert "Settings, code, versions and files: no difference found." in said
    assert "All numbers are identical." in said


def test_a_score_that_moved_is_told_with_a_paired_interval(studies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lower(studies / "two", 0.004, **CELL)
    scores = compared(studies)
    told = scores[scores["verdict"] == BEYOND]
    assert told["features"].tolist() == ["tiny-2"]  # the paired one alone: independent intervals are much wider
    row = told.iloc[0]
    assert (row["measure"], row["subject"], row["region"], row["interval"]) == ("r", "all", "all", PAIRED)
    assert row["difference"] == pytest.approx(-0.004)
    assert (row["difference_low"], row["difference_high"]) == pytest.approx((-0.004, -0.004), abs=1e-6)
    assert main(["compare", str(studies / "one"), str(studies / "two"), "--out", str(studies / "out")]) == 1
    assert "passages / controlled / last-token / tiny-2 / all / all r:" in capsys.readouterr().out
    written = pd.read_csv(studies / "out" / "scores.csv", keep_default_na=False)
    assert len(written) == len(scores)
    assert pd.read_csv(studies / "out" / "settings.csv")["kind"].tolist() == ["digest"]
    assert main(["compare", "one", "two", "--studies", str(studies), "--tolerance", "0.01"]) == 0


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config["encoders"]["controlled"]["bootstrap"].update(seed=1),
        lambda config: config["encoders"]["controlled"]["split"].update(folds=5),
        lambda config: config["datasets"]["passages"].update(seed=2),
        lambda config: config.update(encoders={}),
    ],
    ids=["seed", "folds", "data", "no encoders"],
)
def test_other_draws_are_not_paired(studies: Path, change: Callable[[dict[str, Any]], None]) -> None:
    change_config(studies / "two", change)
    scores = compared(studies)
    of_cell = scores[np.logical_and.reduce([scores[name] == value for name, value in CELL.items()])]
    row = of_cell[(of_cell["subject"] == "all") & (of_cell["region"] == "all") & (of_cell["measure"] == "r")].iloc[0]
    assert row["interval"] == "independent"
    change_config(studies / "two", lambda config: config.update(CONFIG))
    assert PAIRED in set(compared(studies)["interval"])


def test_what_data_are_cited_or_normalised_by_is_no_other_draw(studies: Path) -> None:
    change_config(studies / "two", lambda config: config["datasets"]["passages"].update(citation="us", ceilings={}))
    scores = compared(studies)
    of_passages = scores[(scores["dataset"] == "passages") & (scores["interval"] == PAIRED)]
    assert len(of_passages) == len(scores[(scores["dataset"] == "stories") & (scores["interval"] == PAIRED)]) > 0


def test_settings_are_named_beside_the_rows_that_depend_on_them(studies: Path) -> None:
    def change(config: dict[str, Any]) -> None:
        config["encoders"]["controlled"]["grid"]["count"] = 13
        config["models"]["tiny-1"]["dtype"] = "bfloat16"

    change_config(studies / "two", change)
    comparison = compare_studies(*(read_study_folder(studies / name) for name in ("one", "two")))
    assert comparison.settings[["kind", "name", "a", "b"]].to_numpy().tolist() == [
        ["config", "encoders.controlled.grid.count", "9", "13"],
        ["config", "models.tiny-1.dtype", "float32", "bfloat16"],
    ]
    rows = comparison.scores.drop_duplicates(["encoder", "features", "model"])
    found = {(row.encoder, row.features or row.model): row.settings for row in rows.itertuples()}
    assert found["controlled", "tiny-2"] == "encoders.controlled.grid.count"
    assert found["controlled", "tiny-1"] == "encoders.controlled.grid.count; models.tiny-1.dtype"
    assert found["as-published", "tiny-1"] == found["", "tiny-1"] == "models.tiny-1.dtype"
    assert found["as-published", "tiny-2"] == ""


def test_names_that_begin_alike_are_told_apart() -> None:
    rows = pd.DataFrame({"encoder": ["ridge", "ridge.big"]})
    differing = differing_settings("config", {"encoders": {"ridge": {"x": 1}}}, {"encoders": {"ridge": {"x": 2}}})
    assert settings_of_rows(rows, differing) == ["encoders.ridge.x", ""]


def test_versions_code_and_digests_that_differ_are_told() -> None:
    a = {"alignment": {"versions": {"numpy": "2.3", "scipy": "1"}, "code": "s@1", "digest": "aa"}, "properties": {}}
    b = {"alignment": {"versions": {"numpy": "2.4", "h5py": "3"}, "code": "s@1", "digest": "bb"}}
    assert differing_records(a, b).to_numpy().tolist() == [
        ["version", "alignment: numpy", "2.3", "2.4"],
        ["digest", "alignment", "aa", "bb"],
    ]


def test_rows_of_one_study_alone_and_files_that_lack_are_told(
    studies: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = read_table(studies / "two" / "alignment.csv")
    table[table["features"] != "tiny-2"].to_csv(studies / "two" / "alignment.csv", index=False)
    for name in ("properties.csv", "replicates.h5", "config.json"):
        (studies / "two" / name).unlink()
    scores = compared(studies)
    alone = scores[scores["verdict"] == ONLY_A]
    assert set(alone["features"]) | set(alone["model"]) >= {"tiny-2", "tiny-1-instruct"}
    assert PAIRED not in set(scores["interval"])
    assert main(["compare", str(studies / "one"), str(studies / "two")]) == 1
    said = capsys.readouterr().out
    for name in ("properties.csv", "replicates.h5", "config.json"):
        assert f"b has no {name}." in said
    assert "Only in a:" in said


def test_a_table_of_reading_times_is_compared_where_there_is_one(studies: Path) -> None:
    for name, r in (("one", 0.4), ("two", 0.6)):
        row = {"dataset": "futrell", "scoring": "s", "analysis": "r", "model": "tiny-1", "r": r, "n": 10}
        pd.DataFrame([row | {"r_low": r - 0.05, "r_high": r + 0.05}]).to_csv(
            studies / name / "behavior.csv", index=False
        )
    row = compared(studies).query("table == 'behavior' and measure == 'r'").iloc[0]
    assert (row["dataset"], row["analysis"], row["verdict"]) == ("futrell", "r", BEYOND)


def test_a_study_that_is_not_there_is_told_with_the_nearest_name(
    studies: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", "onne", "two", "--studies", str(studies)]) == 2
    said = capsys.readouterr().err
    assert said == "brainalign compare: unknown study 'onne'; did you mean 'one'? Allowed: one, two.\n"
    with pytest.raises(InputError, match=r"no study 'one' lies in .*nowhere, nor does another"):
        find_study("one", studies / "nowhere")
    (studies / "empty").mkdir()
    with pytest.raises(InputError, match=r"holds no alignment\.csv, which every finished study has"):
        find_study(str(studies / "empty"), studies)


def test_paths_are_paths_and_names_are_names(studies: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of one name in the working directory and among the studies is told apart by how it is written."""
    work = studies / "two"
    shutil.copytree(studies / "one", work / "one")
    monkeypatch.chdir(work)
    assert find_study("one", studies).resolve() == studies / "one"
    assert find_study("./one", studies).resolve() == work / "one"
    assert find_study("../one", work).resolve() == studies / "one"
    assert find_study(".", studies).resolve() == work
    with pytest.raises(InputError, match=r"'\./three' is no folder\.$"):
        find_study("./three", studies)
    with pytest.raises(InputError, match=r"no study 'one' lies in .*; the folder of that name is '\./one'"):
        find_study("one", studies / "nowhere")


@pytest.mark.parametrize(
    ("table", "column"), [("alignment", "layer"), ("alignment", "readout"), ("properties", "model"), ("averages", "r")]
)
def test_a_table_without_a_column_that_is_needed_is_told(
    studies: Path, capsys: pytest.CaptureFixture[str], table: str, column: str
) -> None:
    path = studies / "two" / f"{table}.csv"
    read_table(path).drop(columns=column).to_csv(path, index=False)
    assert main(["compare", "one", "two", "--studies", str(studies)]) == 2
    assert capsys.readouterr().err == f"brainalign compare: {path} cannot be used: it has no column {column!r}.\n"


def test_an_archive_without_columns_that_are_not_needed_is_compared(studies: Path) -> None:
    path = studies / "two" / "alignment.csv"
    read_table(path)[[*CELL, "subject", "region", "layer", "r"]].to_csv(path, index=False)
    scores = compared(studies)
    of_r = scores[(scores["table"] == "alignment") & (scores["measure"] == "r")]
    assert len(of_r)
    assert of_r["difference"].abs().max() == 0
    assert set(scores.loc[scores["measure"] == "over_null", "verdict"]) == {ONLY_A}


def test_averages_are_compared_where_both_studies_have_them(studies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = studies / "two" / "averages.csv"
    table = read_table(path)
    table.loc[table["features"] == "tiny-2", ["r", "r_low", "r_high"]] += 0.5
    table.to_csv(path, index=False)
    told = compared(studies).query("verdict == @BEYOND")
    assert set(told["table"]) == {"averages"}
    assert told[["dataset", "features", "measure"]].drop_duplicates().to_numpy().tolist() == [
        ["average", "tiny-2", "r"]
    ]
    path.unlink()
    assert main(["compare", "one", "two", "--studies", str(studies)]) == 0
    assert "b has no averages.csv." in capsys.readouterr().out


def test_a_damaged_file_is_told_and_left_where_it_is(studies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (studies / "two" / "replicates.h5").write_text("no HDF5")
    assert main(["compare", "one", "two", "--studies", str(studies)]) == 2
    assert "replicates.h5 cannot be used: HDF5 cannot read it" in capsys.readouterr().err
    assert (studies / "two" / "replicates.h5").read_text() == "no HDF5"


def test_as_a_user_types_it(studies: Path) -> None:
    command = [sys.executable, "-m", "brainalign", "compare", "one", "two", "--studies", str(studies)]
    environment = os.environ | {"PYTHONPATH": str(PACKAGES)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    wrong = subprocess.run([*command[:3], "compair"], capture_output=True, text=True, env=environment, check=False)
    assert wrong.returncode == 2
