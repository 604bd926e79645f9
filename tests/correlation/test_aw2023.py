"""The shipped study of published numbers gives what follows from them, and what the paper says where the two agree."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from brainalign import study_specs
from brainalign.checksums import Checksums
from brainalign.config.study import Study, read_study
from brainalign.provenance import Provenance, canonical
from brainalign.stages.compare_pairs import compare_pairs
from brainalign.stages.correlate_properties import correlate_properties
from brainalign.stages.join_study import join_study
from brainalign.stages.reproduce_published import reproduce_published
from brainalign.stages.take_published import take_published
from brainalign.tables import read_table

ROOT = Path(__file__).parents[2]
PROVENANCE = Provenance("tests", {}, "tests@0")
PRINTED = {"encoder": "printed-average", "dataset": "average-as-printed"}
TUNED = {"over": "instruction-tuned"}


@pytest.fixture(scope="module")
def study() -> Study:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return read_study(yaml.safe_load((ROOT / "studies/aw2023-published.yaml").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def folder(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study's tables, made by its stages from its specs, as the rules call them."""
    out = tmp_path_factory.mktemp("aw2023")
    digest = Checksums(out / "checksums.json")

    def plain(spec: dict) -> dict:
        return json.loads(canonical(spec))

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        taken = []
        for name, entry in study.published.items():
            taken.append(out / "published" / f"{name}.csv")
            take_published(plain(study_specs.published(study, name, digest)), PROVENANCE, Path(entry.table), taken[-1])
        joined = [out / name for name in ("alignment.csv", "properties.csv", "replicates.h5")]
        known, sources = plain(study_specs.properties(study, digest)), out / "property_sources.csv"
        join_study(known, PROVENANCE, [], [], [], [], taken, *joined, sources, [], [])
        spec = plain(study_specs.correlation(study)) | {"draws": 100, "orders": 99}
        tables = [out / name for name in ("correlations.csv", "controlled.csv", "pairs.csv")]
        correlate_properties(spec, PROVENANCE, *joined, *tables[:2], out / "averages.csv")
        compare_pairs(plain(study_specs.pairs(study)) | {"draws": 100}, PROVENANCE, *joined, tables[2])
        claims = Path(study.analyses.reproduce or "")
        spec = plain(study_specs.reproduction(study, digest))
        reproduce_published(spec, PROVENANCE, claims, *tables, out / "reproduced.csv")
    return out


@pytest.fixture(scope="module")
def tables(folder: Path) -> dict[str, pd.DataFrame]:
    return {path.stem: read_table(path) for path in folder.glob("*.csv")}


def one(table: pd.DataFrame, **wanted: str) -> pd.Series:
    for column, value in wanted.items():
        table = table[table[column] == value]
    assert len(table) == 1, f"{len(table)} rows"
    return table.iloc[0]


def test_the_study_says_what_the_published_table_says(study: Study, tables: dict[str, pd.DataFrame]) -> None:
    published = read_table(ROOT / "studies/aw2023/published.csv").set_index("model")
    assert list(study.models) == published.index.tolist()
    assert len(published) == 33
    found = tables["properties"].set_index("model").loc[published.index]
    for column in ("family", "kind", "base"):
        assert found[column].tolist() == published[column].tolist()
    for column, of in (("parameters",) * 2, ("width",) * 2, ("depth",) * 2, ("mmlu",) * 2, ("bbh",) * 2):
        pd.testing.assert_series_equal(found[column], published[of], check_dtype=False)
    pd.testing.assert_series_equal(found["wikitext2-loss"], published["wikitext2_loss"], check_names=False)
    r = tables["alignment"].pivot(index="features", columns="dataset", values="r").loc[published.index]
    for dataset in ("pereira2018", "blank2014", "wehbe2014"):
        assert r[dataset].tolist() == published[f"{dataset}_r"].tolist()
    assert r["futrell2018"].tolist() == pytest.approx((0.858 * published["futrell2018_normalised"]).tolist())


@pytest.mark.parametrize(
    ("dataset", "encoder", "column", "expected"),
    [
        ("pereira2018", "published", "percent_mean_over_pairs", 6.99),
        ("blank2014", "published", "percent_mean_over_pairs", 7.99),
        ("wehbe2014", "published", "percent_mean_over_pairs", 3.97),
        ("average", "published", "percent_mean_over_datasets", 6.32),
        ("average-as-printed", "printed-average", "percent_mean_over_pairs", 5.98),
        ("average-as-printed", "printed-average", "percent_of_mean_r", 4.99),
        ("average-as-printed", "printed-average", "wilcoxon_approximate_p_pairs", 0.0052),
        ("average-as-printed", "printed-average", "wilcoxon_p_pairs", 0.0035),
        ("average-as-printed", "printed-average", "wilcoxon_p_bases", 0.078),
    ],
)
def test_gains(tables: dict[str, pd.DataFrame], dataset: str, encoder: str, column: str, expected: float) -> None:
    row = one(tables["pairs"], dataset=dataset, encoder=encoder, row="mean of the pairs", **TUNED)
    assert (row["pairs"], row["bases"], row["percent_pairs"]) == (17, 8, 17)
    assert row[column] == pytest.approx(expected, abs=0.5 * 10.0 ** -len(str(expected).partition(".")[2]))


@pytest.mark.parametrize(
    ("dataset", "over", "name", "n", "expected"),
    [
        ("average-as-printed", "instruction-tuned", "log10_parameters", 17, 0.946),
        ("average-as-printed", "main", "log10_parameters", 25, 0.920),
        ("average-as-printed", "instruction-tuned", "mmlu", 17, 0.805),
        ("average-as-printed", "instruction-tuned", "bbh", 17, 0.379),
        ("average-as-printed", "instruction-tuned", "wikitext2-loss", 17, 0.545),
        ("average-as-printed", "instruction-tuned", "log10_width", 17, 0.968),
        ("pereira2018", "instruction-tuned", "mmlu", 17, 0.774),
        ("blank2014", "instruction-tuned", "mmlu", 17, 0.191),
        ("wehbe2014", "instruction-tuned", "mmlu", 17, 0.504),
        ("pereira2018", "instruction-tuned", "log10_parameters", 17, 0.908),
        ("blank2014", "instruction-tuned", "log10_parameters", 17, 0.192),
        ("wehbe2014", "instruction-tuned", "log10_parameters", 17, 0.662),
    ],
)
def test_correlations(
    tables: dict[str, pd.DataFrame], dataset: str, over: str, name: str, n: int, expected: float
) -> None:
    row = one(tables["correlations"], dataset=dataset, over=over, property=name)
    assert row["pearson_r"] == pytest.approx(expected, abs=0.0005)
    assert (row["n"], row["bases"]) == (n, 8)
    assert len(row["models"].split()) == n


@pytest.mark.parametrize(
    ("name", "r", "p"), [("mmlu", 0.08, 0.764), ("log10_parameters", 0.26, 0.313)], ids=["mmlu", "size"]
)
def test_behavior(tables: dict[str, pd.DataFrame], name: str, r: float, p: float) -> None:
    row = one(tables["correlations"], dataset="futrell2018", property=name, **TUNED)
    assert row["pearson_r"] == pytest.approx(r, abs=0.005)
    assert row["pearson_p"] == pytest.approx(p, abs=0.001)


@pytest.mark.parametrize(
    ("dataset", "family", "name", "n", "expected"),
    [
        ("average-as-printed", "t5", "wikitext2-loss", 12, -0.59),
        ("average-as-printed", "llama", "wikitext2-loss", 5, -0.69),
        ("average-as-printed", "t5", "mmlu", 12, 0.85),
        ("average-as-printed", "llama", "mmlu", 5, -0.09),
        ("futrell2018", "t5", "wikitext2-loss", 12, -0.20),
        ("futrell2018", "llama", "wikitext2-loss", 5, 0.67),
    ],
)
def test_within_families(
    tables: dict[str, pd.DataFrame], dataset: str, family: str, name: str, n: int, expected: float
) -> None:
    row = one(tables["controlled"], dataset=dataset, family=family, property=name, analysis="within family", **TUNED)
    assert row["estimate"] == pytest.approx(expected, abs=0.005)
    assert row["n"] == n


@pytest.mark.parametrize(
    ("name", "given", "r", "p"),
    [("mmlu", "log10_parameters", -0.16, 0.557), ("log10_parameters", "mmlu", 0.84, 4.5e-5)],
    ids=["mmlu", "size"],
)
def test_partial_correlations(tables: dict[str, pd.DataFrame], name: str, given: str, r: float, p: float) -> None:
    row = one(tables["controlled"], property=name, given=given, analysis="partial", **PRINTED, **TUNED)
    assert row["estimate"] == pytest.approx(r, abs=0.005)
    assert row["p"] == pytest.approx(p, rel=0.01)
    assert row["n"] == 17


def test_the_corrected_p_of_table_2(tables: dict[str, pd.DataFrame]) -> None:
    rows = tables["controlled"].query("analysis == 'given r'").set_index("property")
    assert set(rows["corrected_tests"]) == {11}
    # The poster's, which go back to correlations with more digits than were printed.
    poster = {"mmlu": 0.000329, "bbh": 0.177, "bbh-algorithmic": 0.558, "bbh-language-understanding": 0.585}
    poster |= {"bbh-world-knowledge": 0.005, "bbh-multilingual": 0.895, "bbh-others": 0.083}
    for name, p in poster.items():
        assert rows.loc[name, "corrected_p"] == pytest.approx(p, rel=0.02), name


def test_published_and_here(tables: dict[str, pd.DataFrame]) -> None:
    table = tables["reproduced"].set_index("statement")
    assert table["here"].notna().all()
    stated = table.dropna(subset=["published"])
    assert len(stated) >= 25
    other_sign = stated["here"] * stated["published"] < 0
    assert stated.index[other_sign].tolist() == [
        "r of average alignment with next-word loss, 17 models (the sign is the other one)"
    ]
    near = stated[~other_sign]
    relative = (near["difference"] / near["published"]).abs()
    assert (relative < 0.15).all()


def test_no_encoder_of_this_workflow_chose_the_layers(tables: dict[str, pd.DataFrame]) -> None:
    for name in ("alignment", "averages", "correlations", "pairs"):
        assert set(tables[name]["layer_choice"]) == {"published"}, name
    given = tables["controlled"]["analysis"] == "given r"
    assert set(tables["controlled"].loc[~given, "layer_choice"]) == {"published"}
    assert set(tables["controlled"].loc[given, "layer_choice"]) == {""}


def test_there_are_no_intervals_over_stimuli_and_it_is_said(tables: dict[str, pd.DataFrame]) -> None:
    assert tables["alignment"][["r_low", "r_high", "over_null"]].isna().all(axis=None)
    assert tables["correlations"]["over_stimuli_low"].isna().all()
    pairs = tables["pairs"][tables["pairs"]["row"] == "pair"]
    assert pairs["percent_change"].notna().all()
    assert pairs["reason"].str.startswith("the interval of the base's r is not known").all()
