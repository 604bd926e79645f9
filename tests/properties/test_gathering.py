"""Values from all sources, each with what it is of; two sources for one value are an error unless one is chosen."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainalign.errors import InputError
from brainalign.properties.gathering import gather, joined_properties, measured_values, stated_values, with_values
from brainalign.properties.sources import COLUMNS, sources_table
from brainalign.properties.unchanged import check_unchanged
from brainalign.storage import file_digest
from brainalign.tables import read_table
from invented_study import invent
from properties.result_files import MMLU, result, write

MODELS = {
    "a": {"family": "f", "kind": "vanilla", "base": None},
    "b": {"family": "f", "kind": "vanilla", "base": None},
    "c": {"family": "f", "kind": "instruction-tuned", "base": "b"},
    "a-untrained-0": {"family": "f", "kind": "untrained", "base": "a"},
}


def files(tmp_path: Path, *models: str) -> dict[str, Path]:
    """Result files whose MMLU score is .3, .4, …"""
    found = {}
    for number, model in enumerate(models):
        scores = {f"mmlu_{subject}": 0.3 + 0.1 * number for subject in MMLU}
        found[f"{model}.json"] = write(tmp_path / f"{model}.json", result(scores, model=f"hub/{model}"))
    return found


def lm_eval(**settings: Any) -> dict[str, Any]:
    return {"task": "mmlu", "metric": "acc", "filter": "none", "shots": 5, "files": {}} | settings


def test_every_source_with_what_it_is_of(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("llm,score,date,shots\na,0.5,2024-02-03,3\nstranger,0.1,,\nb,,,\n")
    there = files(tmp_path, "a", "b") | {"t.csv": tmp_path / "t.csv"}
    properties = {
        "mmlu": {"lm_eval": lm_eval(files={"a": "a.json", "b": "b.json"}), "units": "fraction"},
        "table": {"table": {"file": "t.csv", "model": "llm", "value": "score"}, "source": "a paper"},
        "given": {"values": {"c": 4.5}, "source": "Table 7", "task_version": "1", "shots": 5, "date": "2023-12-01"},
        "here": {"lm_eval": lm_eval(evaluation="five")},
    }
    run = tmp_path / "evaluations" / "five"
    run.mkdir(parents=True)
    (run / "c.json").write_bytes(there["b.json"].read_bytes())
    found = gather(MODELS, properties, there, [run / "c.json"])
    table = sources_table(found, list(MODELS))
    assert table.columns.tolist() == COLUMNS
    assert COLUMNS[:9] == "model property value source task_version shots filter items date".split()
    rows = {(row["model"], row["property"]): row for row in table.to_dict("records")}
    assert set(rows) == {("a", "mmlu"), ("b", "mmlu"), ("a", "table"), ("c", "given"), ("c", "here")}
    mmlu = rows["b", "mmlu"]
    assert mmlu["value"] == pytest.approx(0.4)
    assert [mmlu[key] for key in ("source", "task_version", "shots", "filter", "items", "date")] == [
        *("b.json", "2", 5, "none", 5700, "2026-11-21"),
    ]
    of_table = rows["a", "table"]
    assert [of_table[key] for key in ("value", "source", "shots", "date")] == [0.5, "a paper (t.csv)", 3, "2024-02-03"]
    given = rows["c", "given"]
    assert [given[key] for key in ("value", "source", "task_version", "shots", "date")] == [
        *(4.5, "Table 7", "1", 5, "2023-12-01")
    ]
    assert (rows["c", "here"]["source"], rows["c", "here"]["origin"]) == ("evaluations/five/c.json", "evaluation")


def test_models_without_a_value_are_named_but_not_twins(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    gather(MODELS, {"given": {"values": {"b": 1.0}}}, {}, [])
    assert "no given is known of a, c" in caplog.text


def two_sources(tmp_path: Path) -> tuple[dict[str, Any], dict[str, Path]]:
    (tmp_path / "t.csv").write_text("model,score\na,0.35\n")
    there = files(tmp_path, "a", "b") | {"t.csv": tmp_path / "t.csv"}
    table = {"file": "t.csv", "model": "model", "value": "score"}
    return {"table": table, "lm_eval": lm_eval(files={"a": "a.json", "b": "b.json"})}, there


def test_two_sources_are_an_error_that_says_how_to_choose(tmp_path: Path) -> None:
    entry, there = two_sources(tmp_path)
    with pytest.raises(InputError) as caught:
        gather(MODELS, {"mmlu": entry}, there, [])
    assert str(caught.value) == (
        "the property 'mmlu' of the model 'a' has two sources, t.csv (0.35) and a.json (0.3); leave one out, or say "
        "which counts: `prefer: table` or `prefer: files`."
    )


@pytest.mark.parametrize(("prefer", "expected"), [("table", 0.35), ("files", 0.3)])
def test_the_source_that_is_chosen_counts(tmp_path: Path, prefer: str, expected: float) -> None:
    entry, there = two_sources(tmp_path)
    found = gather(MODELS, {"mmlu": entry | {"prefer": prefer}}, there, [])
    assert {value.model: value.value for value in found} == pytest.approx({"a": expected, "b": 0.4})


def test_the_one_chosen_of_three_counts(tmp_path: Path) -> None:
    entry, there = two_sources(tmp_path)
    found = gather(MODELS, {"mmlu": entry | {"values": {"a": 0.9}, "prefer": "files"}}, there, [])
    assert {value.model: value.source for value in found} == {"a": "a.json", "b": "b.json"}


def test_files_given_and_made_here_must_agree(tmp_path: Path) -> None:
    there = files(tmp_path, "a")
    made = result({f"mmlu_{subject}": 0.4 for subject in MMLU}, model="hub/b", shots=0)
    write(tmp_path / "five" / "b.json", made)
    entry = {"lm_eval": lm_eval(files={"a": "a.json"}, evaluation="five", shots=None)}
    with pytest.raises(InputError, match=r"a\.json and .*five/b\.json differ in the shots of mmlu, 5 and 0"):
        gather(MODELS, {"mmlu": entry}, there, [tmp_path / "five" / "b.json"])


MISTAKES = {
    "a percentage": (
        "model,score\na,35.2\n",
        "the property 'mmlu' of the model 'a' is 35.2 (t.csv); a fraction lies between 0 and 1; a percentage has to be "
        "divided by 100.",
    ),
    "below nothing": (
        "model,score\na,-0.1\n",
        "the property 'mmlu' of the model 'a' is -0.1 (t.csv); a fraction lies between 0 and 1.",
    ),
    "words": ("model,score\na,high\n", "t.csv: 'score' of the model 'a' holds 'high'; a finite number is needed."),
    "no number": ("model,score\na,nan\n", "t.csv: 'score' of the model 'a' holds 'nan'; a finite number is needed."),
    "shots": (
        "model,score,shots\na,1,few\n",
        "t.csv: 'shots' of the model 'a' holds 'few'; a finite number is needed.",
    ),
    "a model twice": ("model,score\na,0.1\na,0.2\n", "t.csv: the model 'a' comes more than once."),
    "no column": ("model,scor\na,0.1\n", "t.csv: unknown column 'score'; did you mean 'scor'? Allowed: model, scor."),
    "no model": ("model,score\nx,0.1\n", "t.csv: none of its models (x, …) is one of the study's."),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_in_a_table_is_told(tmp_path: Path, case: str) -> None:
    text, sentence = MISTAKES[case]
    (tmp_path / "t.csv").write_text(text)
    entry = {"table": {"file": "t.csv", "model": "model", "value": "score"}, "units": "fraction"}
    with pytest.raises(InputError) as caught:
        gather(MODELS, {"mmlu": entry}, {"t.csv": tmp_path / "t.csv"}, [])
    assert str(caught.value) == sentence


def test_fractions_beside_percentages_are_refused_unless_told_to_be_numbers() -> None:
    values = {"a": 0.3, "b": 41.9, "c": 0.0}
    with pytest.raises(InputError) as caught:
        gather(MODELS, {"mmlu": {"values": values}}, {}, [])
    assert str(caught.value) == (
        "the property 'mmlu' is 0.3 of the model 'a' (the study's config), but 41.9 of 'b' (the study's config), as if "
        "one were a fraction and the other a percentage; give both in one unit, or say `units: number` if they are."
    )
    assert len(gather(MODELS, {"mmlu": {"values": values, "units": "number"}}, {}, [])) == 3


@pytest.mark.parametrize(
    "values", [[0.3, 0.0, 1.0], [41.9, 35.0, 0.0], [0.593, 4.6, 1.2], [0.5, 12.0, 400.0], [0.5, 41.9, -3.0], []]
)
def test_losses_ratios_and_values_of_one_unit_pass(values: list[float]) -> None:
    given = dict(zip(MODELS, values, strict=False))
    assert len(gather(MODELS, {"number": {"values": given}}, {}, [])) == len(values)


def test_what_is_known_is_joined_into_a_row_for_each_model_and_one_for_each_number(tmp_path: Path) -> None:
    sizes = {"a": {"parameters": 100, "width": 2, "depth": 1, "vocabulary": 7}, "b": {}}
    next_word = {"nats_per_token": 3.0, "nats_per_word": 4.0, "nats_per_byte": 1.0, "tokens": 9}
    spans = {"span_nats_per_token": 0.5, "span_nats_per_word": 0.7, "span_nats_per_byte": 0.1, "bytes": 12}
    losses = {"wiki": {"a": next_word, "b": spans}}
    table, sources = joined_properties(MODELS, {"mmlu": {"values": {"b": 0.5}}}, sizes, losses, {}, [])
    rows = table.set_index("model")
    assert rows.loc["a", ["log10_parameters", "wiki_nats_per_token"]].tolist() == [2.0, 3.0]
    assert rows.loc["b", ["mmlu", "wiki_span_nats_per_byte"]].tolist() == [0.5, 0.1]
    assert rows["wiki_nats_per_token"].dropna().index.tolist() == ["a"]
    assert rows["wiki_span_nats_per_token"].dropna().index.tolist() == ["b"]
    assert sorted(zip(sources["model"], sources["property"], strict=True)) == sorted(
        [("a", size) for size in sizes["a"]]
        + [("a", f"wiki_{unit}") for unit in list(next_word)[:3]]
        + [("b", f"wiki_{unit}") for unit in list(spans)[:3]]
        + [("b", "mmlu")]
    )
    for row in sources.itertuples():
        assert rows.loc[row.model, row.property] == pytest.approx(row.value)


def test_a_file_that_changed_after_planning_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("1")
    digest = file_digest(path)
    check_unchanged({"t.csv": digest}, {"t.csv": path})
    path.write_text("2")
    with pytest.raises(InputError, match=r"the file t\.csv changed after the run was planned"):
        check_unchanged({"t.csv": digest}, {"t.csv": path})


def test_sizes_losses_and_training_tokens_have_sources(tmp_path: Path) -> None:
    models = {"a": MODELS["a"] | {"training_tokens": {"tokens": 1.4e12, "source": "a paper"}}, "b": MODELS["b"]}
    manifest = {"parameters": 7, "width": 2, "source": "hub", "repository": "o/n", "commit": "0123456789abcdef"}
    found = stated_values(models, {"a": manifest, "b": {"parameters": 9, "width": None}}, ("parameters", "width"))
    assert [(value.model, value.property, value.value, value.source) for value in found] == [
        ("a", "parameters", 7.0, "config and headers of the weights, o/n at 0123456789ab"),
        ("a", "width", 2.0, "config and headers of the weights, o/n at 0123456789ab"),
        ("a", "training_tokens", 1.4e12, "a paper"),
        ("b", "parameters", 9.0, "stated by the study"),
    ]
    record = {"span_nats_per_byte": 0.9, "bytes": 12, "objective": "span corruption", "window": 8, "seed": 1}
    (loss,) = measured_values({"wiki": {"b": record}})
    assert (loss.property, loss.value, loss.items) == ("wiki_span_nats_per_byte", 0.9, 12)
    assert loss.metric == "span nats per byte"
    assert loss.source == "measured here, span corruption, window 8, seed 1"
    assert with_values(models, found[:1])["a"]["training_tokens"] == 1.4e12
    assert with_values(models, [])["b"]["training_tokens"] is None


def test_the_joined_tables_hold_them(tmp_path: Path) -> None:
    study = invent(tmp_path / "results", properties={"mmlu": {"tiny-1": 0.25}})
    study.models["tiny-1"] |= {"training_tokens": {"tokens": 3e11, "source": "a card"}}
    study.join()
    table = read_table(study.study / "properties.csv").set_index("model")
    assert (table["vocabulary"] == 512).all()
    assert table.loc["tiny-1", "training_tokens"] == 300_000_000_000
    assert np.isnan(table.loc["tiny-2", "training_tokens"])
    record = json.loads((study.root / "losses" / "world-loss" / "tiny-1.json").read_text())
    assert table.loc["tiny-1", "world-loss_nats_per_byte"] == pytest.approx(record["nats_per_byte"])
    sources = read_table(study.study / "property_sources.csv")
    own = sources[sources["model"] == "tiny-1"].set_index("property")
    assert own.index.tolist() == [
        *("parameters", "width", "depth", "vocabulary", "training_tokens"),
        *(f"world-loss_nats_per_{unit}" for unit in ("token", "word", "byte")),
        "mmlu",
    ]
    for name in own.index:
        assert own.loc[name, "value"] == pytest.approx(table.loc["tiny-1", name])
