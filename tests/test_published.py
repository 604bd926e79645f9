"""Published scores become rows like any others, and whatever is wrong with a table is said."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainalign.errors import InputError
from brainalign.published import published_table, read_published, take_models
from brainalign.stages.take_published import take_published
from brainalign.storage import file_digest
from brainalign.tables import read_table
from invented_study import PROVENANCE, WrittenStudy, invent

NAMES = {"dataset": "brain", "collection": "brain", "encoder": "published"}


def table(folder: Path, text: str) -> Path:
    path = folder / "published.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_scores_are_read_by_model(tmp_path: Path) -> None:
    path = table(tmp_path, "model,r\na,0.25\nb,\nc,-0.1\n")
    found = read_published(path, "model", "r", "r", None)
    assert (found["a"], found["c"]) == (0.25, -0.1)
    assert math.isnan(found["b"])
    assert read_published(path, "model", "r", "normalised", 0.4)["a"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model,r\na,0.2\na,0.3\n", "published.csv: the model 'a' comes more than once."),
        ("model,r\na,0.2\n,0.3\n", "published.csv: the column 'model' is empty in row 2."),
        ("model,r\na,high\n", "published.csv: 'r' of the model 'a' holds 'high'; a number is needed."),
        (
            "model,r\na,0.2\nb,43.6\n",
            "published.csv: 'r' of the model 'b' is 43.6; r lies between −1 and 1; "
            "a percentage has to be divided by 100.",
        ),
        ("model,r\na,436\n", "published.csv: 'r' of the model 'a' is 436; r lies between −1 and 1."),
        ("model,rr\na,0.2\n", "published.csv: unknown column 'r'; did you mean 'rr'? Allowed: model, rr."),
    ],
)
def test_what_is_wrong_with_a_table(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        read_published(table(tmp_path, text), "model", "r", "r", None)
    assert str(error.value) == message


def test_a_normalised_score_may_be_above_the_ceiling_but_its_r_not_above_1(tmp_path: Path) -> None:
    path = table(tmp_path, "model,r\na,1.08\n")
    assert read_published(path, "model", "r", "normalised", 0.5)["a"] == pytest.approx(0.54)
    with pytest.raises(InputError, match="lies between"):
        read_published(path, "model", "r", "normalised", 0.95)


def test_rows_have_the_columns_of_every_alignment(tmp_path: Path) -> None:
    study = invent(tmp_path / "invented")
    rows = published_table({"a": 0.2, "b": math.nan}, 0.4, NAMES)
    assert rows.columns.tolist() == read_table(study.alignments[0]).columns.tolist()
    assert rows["features"].tolist() == ["a", "b"]
    assert rows.loc[0, "normalised"] == pytest.approx(0.5)
    assert (rows["draws"] == 0).all()
    assert rows[["r_low", "r_high", "over_null", "folds", "samples", "neuroids", "layer_index"]].isna().all(axis=None)
    assert set(rows["ceiling_basis"]) == {"responses"}
    assert set(published_table({"a": 0.2}, 0.4, NAMES, "encoder")["ceiling_basis"]) == {"encoder"}
    without = published_table({"a": 0.2}, None, NAMES, "encoder")
    assert without.loc[0, "ceiling_basis"] == ""
    assert np.isnan(without.loc[0, "normalised"])
    assert without.loc[0, "ceiling_kind"] == ""


def test_a_study_takes_its_own_models() -> None:
    tables = [published_table({"a": 0.2, "b": 0.3, "other": 0.1}, None, NAMES)]
    assert take_models(tables, {"b": {}, "a": {}}, ["a"])[0]["features"].tolist() == ["a", "b"]
    with pytest.raises(InputError, match=r"the model 'c' has neither weights nor a row in a table of published scores"):
        take_models(tables, {"c": {}}, ["c"])


def test_the_stage_refuses_a_table_that_changed_after_the_run_was_planned(tmp_path: Path) -> None:
    path, out = table(tmp_path, "model,r\na,0.25\n"), tmp_path / "out.csv"
    spec = {"model": "model", "score": "r", "units": "r", "ceiling": None, "ceiling_basis": "responses"}
    spec |= {"names": NAMES, "sha256": file_digest(path)}
    take_published(spec, PROVENANCE, path, out)
    assert read_table(out)["r"].tolist() == [0.25]
    table(tmp_path, "model,r\na,0.26\n")
    with pytest.raises(InputError, match="changed after the run was planned"):
        take_published(spec, PROVENANCE, path, out)


def test_published_scores_stand_beside_cells_of_the_study(tmp_path: Path) -> None:
    study: WrittenStudy = invent(tmp_path / "invented")
    from brainalign.stages.join_study import join_study

    path = tmp_path / "published.csv"
    published_table({"tiny-1": 0.2, "tiny-2": 0.3, "elsewhere": 0.4}, 0.5, NAMES).to_csv(path, index=False)
    manifests, losses = study.write_properties()
    models = study.models | {"elsewhere": {"family": "far", "kind": "vanilla", "base": None}}
    models["elsewhere"]["sizes"] = {"parameters": 7_000_000_000, "width": 4096, "depth": None}
    out = [tmp_path / name for name in ("alignment.csv", "properties.csv", "replicates.h5", "property_sources.csv")]
    spec = {"models": models, "properties": {}, "files": {}}
    join_study(spec, PROVENANCE, study.alignments, study.encodings, manifests, losses, [path], *out, [], [])
    joined = read_table(out[0])
    own = joined[joined["encoder"] == "published"]
    assert own["features"].tolist() == ["tiny-1", "tiny-2", "elsewhere"]
    alone = pd.concat([read_table(path) for path in study.alignments], ignore_index=True)
    rest = joined[joined["encoder"] != "published"]
    pd.testing.assert_frame_equal(rest[alone.columns], alone, check_dtype=False)
    sizes = read_table(out[1]).set_index("model")
    assert sizes.loc["elsewhere", "parameters"] == 7_000_000_000
    assert sizes.loc["elsewhere", "log10_parameters"] == pytest.approx(math.log10(7e9))
    assert np.isnan(sizes.loc["elsewhere", "depth"])
