"""The methods follow from the settings, and say what was done."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from brainalign import study_specs
from brainalign.config.encoder_presets import PRESETS
from brainalign.config.study import read_study
from brainalign.correlation import bases
from brainalign.inference import p_values
from brainalign.report.encoders import encoder_paragraph
from brainalign.report.inference import DEPENDENCE
from brainalign.report.methods import as_text, methods
from report.conftest import Invented, settings

ROOT = Path(__file__).parents[2]


def text(study: Invented, config: dict[str, Any] | None = None) -> str:
    tables = study.tables
    return as_text(methods(tables.alignment, tables.properties, tables.pairs, config or study.config))


def encoder(**changes: Any) -> str:
    entry = {"regression": "ridge", "split": {"kind": "grouped", "folds": 6}} | changes
    return encoder_paragraph("mine", settings(encoders={"mine": entry})["config"]["encoders"]["mine"])


def test_numbers_are_those_of_the_study(invented: Invented) -> None:
    said = text(invented)
    for piece in (
        "passages: SIMULATED responses to 96 passages of 4 sentences",
        "(3 subjects, 12 neuroids and 384 samples). Source: Nobody 2026.",
        "3 vanilla models and 3 instruction-tuned models of the family tiny.",
        "3 untrained twins",
        "200 draws (seed 0)",
        "300 bootstrap samples of bases",
        "Intervals of controlled and as-published count that folds train each other",
        "Scores are divided by the ceiling known, not clipped.",
    ):
        assert piece in said, piece


def test_encoders_stand_in_the_order_of_trust(invented: Invented) -> None:
    said = text(invented)
    assert said.index("Encoder controlled:") < said.index("Encoder as-published:")


@pytest.mark.parametrize(
    ("changes", "piece"),
    [
        ({}, "Groups of samples (the column split_group) are held out whole, in 6 folds."),
        ({"split": {"kind": "shuffle", "test": 0.2, "seed": 7}}, "20 % of them held out each time (seed 7)"),
        (
            {"split": {"kind": "kfold", "folds": 4}},
            "Blocks of consecutive samples, in the table's order, are held out in 4 folds, without a gap.",
        ),
        ({"split": {"kind": "kfold", "seed": 3}}, "Single samples are held out in 5 folds, shuffled (seed 3)."),
        ({"split": {"kind": "leave-one-group-out", "by": "run"}}, "(the column run) are held out whole, one at a time"),
        ({"split": {"kind": "contiguous", "gap": 3}}, "with a gap of 3 samples that is in no training set"),
        ({"regression": "ols"}, "by ordinary least squares"),
        ({"regression": "pca-ridge", "components": 9}, "9 principal components"),
        ({"kernel": "rbf"}, "Gaussian kernels of 0.25, 0.5, 1, 2 and 4 times the median distance"),
        ({"penalties": 10.0}, "The penalty is 10 times trace(K)/n"),
        ({"penalties": "shared"}, "chosen for all neuroids together"),
        ({"layer": "best"}, "highest test score"),
        ({"layer": {"fixed": "block_02"}}, "The layer is block_02 in every model."),
        ({"aggregate": "brain-score"}, "the median over neuroids of all subjects in each fold"),
        ({"delays": [1, 2]}, "at delays of 1 and 2 samples"),
        (
            {"word_components": 10, "word_rule": "published", "zscore_delayed": True},
            "10 principal components of the training samples, looked up as in the published code",
        ),
        ({"trim": [20, 15]}, "20 samples at the start and 15 at the end"),
        ({"standardize": "training"}, "standardised by the mean and SD of the training samples"),
    ],
)
def test_what_an_encoder_does_is_told(changes: dict[str, Any], piece: str) -> None:
    datasets = {"stories": {"loader": "simulated", "kind": "stories", "seed": 2}}
    entry = {"regression": "ridge", "split": {"kind": "grouped", "folds": 6}} | changes
    config = settings(encoders={"mine": entry}, datasets=datasets)["config"]
    assert piece in encoder_paragraph("mine", config["encoders"]["mine"])


@pytest.mark.parametrize("aggregate", ["mean", "schrimpf", "brain-score"])
def test_scores_of_pooled_predictions_are_no_average_over_folds(aggregate: str) -> None:
    split = {"kind": "grouped", "folds": 6}
    assert "averaged over folds" in encoder(split=split, aggregate=aggregate)
    pooled = encoder(split=split | {"small_folds": "pool"}, aggregate=aggregate)
    assert "r of the held-out predictions of all folds together" in pooled
    assert "averaged over folds" not in pooled
    assert "in each fold" not in pooled.partition("Scores are")[2]


def test_methods_tell_what_a_study_has_and_nothing_else(unlike: tuple[str, Invented]) -> None:
    way, study = unlike
    said = text(study)
    assert bool(re.search(r"\bnulls?\b(?! distribution)", said, re.IGNORECASE)) == (way != "without nulls")
    assert ("The best null of a score" in said) == (way != "without nulls")
    assert ("widened by what groups share by training each other" in said) == (way != "of one fold")
    assert ("has an interval over bases" in said) == (way != "of one base")
    assert ("has no interval over bases" in said) == (way == "of one base")
    assert "flipping the signs" in said
    assert "beyond the nulls" not in said  # no feature space was fitted together with them


def test_a_layer_taken_by_its_test_score_is_told_with_its_p_and_intervals(invented: Invented) -> None:
    told = (
        "and so are those of as-published, where the layer was taken by its test score",
        "No interval of as-published counts that the layer was taken by its test score, which raises r.",
    )
    said = text(invented)
    assert all(sentence in said for sentence in told)
    nested = text(invented.changed(alignment=invented.tables.alignment.assign(layer_choice="nested")))
    assert not any(sentence in nested for sentence in told)


def test_control_regions_false_discoveries_and_nested_layers_are_told_where_they_are(invented: Invented) -> None:
    table = invented.tables.alignment
    told = text(
        invented.changed(alignment=table.assign(control_region="x", over_control=0.1, r_q=0.01, layer_choice="nested"))
    )
    none = text(
        invented.changed(
            alignment=table.assign(over_control=float("nan"), r_q=float("nan"), layer_choice="fixed: final")
        )
    )
    for sentence in (
        "control region (x of ",
        "r_q and over_null_q are false discovery rates (B",
        "by what choosing the layer again",
    ):
        assert sentence in told
        assert sentence not in none


def test_p_of_equal_contributions_is_told(invented: Invented) -> None:
    table = invented.tables.alignment
    assert "(where all groups contribute alike, p is 0.0005);" in text(
        invented.changed(alignment=table.assign(smallest_p=0.0005))
    )
    some = table.assign(smallest_p=0.001)
    some.loc[some["encoder"] == "controlled", "smallest_p"] = 0.02
    assert "(where all groups contribute alike, p is 0.001 to 0.02);" in text(invented.changed(alignment=some))


def test_what_stands_beside_scores_is_told_where_it_was_computed(invented: Invented) -> None:
    beside = "Scores are set beside those of untrained twins (the model's architecture with random weights)"
    assert f"{beside}: the difference" in text(invented)
    table = invented.tables.alignment
    both = text(invented.changed(alignment=table.assign(over_random_tokens=0.1)))
    assert f"{beside} and of the same model reading random tokens: the difference" in both
    assert "the median absolute deviation of their own r" in both
    none = text(invented.changed(alignment=table.assign(over_twin=float("nan"), r_subject_mad=float("nan"))))
    assert "Scores are set beside" not in none
    assert "median absolute deviation" not in none


def test_shifts_are_told_of_series_only(invented: Invented) -> None:
    assert "shifting predictions round inside each run" in text(invented)
    table = invented.tables.alignment.assign(r_p_shift=float("nan"))
    assert "shifting predictions" not in text(invented.changed(alignment=table))


def test_what_is_beyond_nulls_is_told_where_it_was_computed(invented: Invented) -> None:
    table = invented.tables.alignment.copy()
    table.loc[table["encoder"] == "controlled", "unique_r2"] = 0.01
    assert text(invented.changed(alignment=table)).count("What features explain beyond the nulls") == 1


@pytest.mark.parametrize("kind", p_values.KINDS)
def test_every_way_in_which_folds_depend_is_told(invented: Invented, kind: str) -> None:
    assert set(DEPENDENCE) == set(p_values.KINDS)
    every = invented.tables.alignment.assign(dependence=kind)
    assert f"Intervals of controlled and as-published {DEPENDENCE[kind]}." in text(invented.changed(alignment=every))
    some = invented.tables.alignment.copy()
    some.loc[(some["encoder"] == "controlled") & (some["dataset"] == "passages"), "dependence"] = kind
    told = text(invented.changed(alignment=some))
    if kind != "counted":
        assert f"Some intervals of controlled {DEPENDENCE[kind]}." in told
        assert f"Some intervals of controlled {DEPENDENCE['counted']}." in told
    assert ("(not where controlled has one fold)" in told) == (kind == "one fold")


def test_scores_without_an_interval_are_told(invented: Invented) -> None:
    table = invented.tables.alignment.copy()
    missing = "have no interval, since too few groups of stimuli are tested to be resampled."
    assert missing not in text(invented)
    table.loc[table["dataset"] == "passages", ["r_low", "r_high"]] = float("nan")
    said = text(invented.changed(alignment=table))
    assert f"Scores of controlled on passages and of as-published on passages {missing}" in said
    assert "95 % percentile intervals" in said
    table[["r_low", "r_high"]] = float("nan")
    said = text(invented.changed(alignment=table))
    assert "Scores of controlled on passages and stories" in said
    assert "95 % percentile intervals of a bootstrap with" not in said


@pytest.mark.parametrize(
    ("features", "heading", "told", "untold"),
    [
        ({"length": {"control": "length"}}, "Nulls", "beside nulls", "tables of numbers"),
        ({"g": {"table": "T"}}, "Given features", "like the models are given tables of numbers: g.", "null"),
        ({"g": {"table": "T", "as_null": True}}, "Nulls", "beside nulls", "like the models"),
        (
            {"length": {"control": "length"}, "g": {"table": "T"}},
            "Nulls and given features",
            "length, the numbers of characters, words and punctuation marks of a part. The best null",
            "g, a given",
        ),
        ({"j": {"joint": ["tiny-1", "tiny-2"]}}, "Joint features", "j (tiny-1 and tiny-2)", "null"),
    ],
)
def test_nulls_are_told_apart_from_other_features(
    features: dict[str, Any], heading: str, told: str, untold: str, invented: Invented, tmp_path: Path
) -> None:
    table = tmp_path / "table.csv"
    table.write_text("stimulus_id,a\n")
    given = {name: {k: str(table) if v == "T" else v for k, v in entry.items()} for name, entry in features.items()}
    config = settings(features=given)["config"]
    tables = invented.tables
    sections = methods(tables.alignment, tables.properties, tables.pairs, config)
    (own,) = [section for section in sections if section.heading == heading]
    assert told in " ".join(own.paragraphs)
    assert untold not in " ".join(own.paragraphs)


def test_the_numbers_of_bases_are_those_of_the_permutation(invented: Invented) -> None:
    assert f"all orders up to {bases.EXACT_UP_TO} bases" in text(invented)


def test_where_properties_are_from_is_told(invented: Invented) -> None:
    scores = {"task": "mmlu", "metric": "acc", "shots": 5, "category": "mmlu-stem", "files": {"tiny-1": __file__}}
    properties = {
        "mmlu": {"values": {"tiny-1": 0.25}, "source": "a paper, Table 7", "shots": 5},
        "stem": {"lm_eval": scores},
        "nowhere": {"values": {"tiny-1": 1.0}},
    }
    said = text(invented, settings(properties=properties)["config"])
    assert "The property mmlu is given (a paper, Table 7; 5-shot)." in said
    assert "The property stem is mmlu-stem of mmlu from lm-evaluation-harness (acc, filter none, 5-shot)." in said
    assert "The property nowhere is given, without a source." in said


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_told_by_what_they_do(preset: str) -> None:
    entry = settings(
        encoders={"mine": {"preset": preset}}, datasets={"s": {"loader": "simulated", "kind": "stories", "seed": 2}}
    )
    said = encoder_paragraph("mine", entry["config"]["encoders"]["mine"])
    assert {"aw2023": "ordinary least squares", "wehbe2014": "ridge", "brain-score": "left out one by one"}[
        preset
    ] in said


@pytest.mark.parametrize("study", ["config.yaml", "studies/aw2023-published.yaml", "studies/miniature-training.yaml"])
def test_every_shipped_study_has_methods(
    study: str, invented: Invented, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever tables there are: settings alone must never break the text."""
    monkeypatch.chdir(ROOT)
    config = study_specs.report(read_study(yaml.safe_load((ROOT / study).read_text())), {})["config"]
    said = text(invented, config)
    for name in (*config["datasets"], *config["published"], *config["encoders"], *config["readouts"]):
        assert name in said
    assert "{" not in said
    assert "None" not in said


def test_a_published_study_promises_no_intervals(invented: Invented) -> None:
    table = invented.tables.alignment.assign(r_low=float("nan"), dependence="", smallest_p=float("nan"))
    pairs = invented.tables.pairs.assign(difference_low=float("nan"))
    said = text(invented.changed(alignment=table, pairs=pairs), invented.config | {"encoders": {}})
    assert "The scores have no intervals" in said
    assert "over stimuli from the same draws" not in said
    assert "flipping the signs" not in said
