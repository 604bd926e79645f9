"""Scores of models per data set and their average over collections."""

import numpy as np
import pandas as pd
import pytest

from brainalign.correlation.controlled import controlled_correlations
from brainalign.correlation.pairs import compare_pairs
from brainalign.correlation.properties import correlations
from brainalign.correlation.scores import average_weights, averages_table, model_scores
from brainalign.study import CELL

DATASETS = {"one": "first", "two": "first", "three": "second"}
MODELS = ("a", "b", "c")


def tables(missing: tuple[str, str] | None = None) -> tuple[pd.DataFrame, dict[tuple[str, ...], np.ndarray]]:
    random = np.random.default_rng(0)
    rows, replicates = [], {}
    for dataset, collection in DATASETS.items():
        for model in MODELS:
            if (dataset, model) == missing:
                continue
            names = {"dataset": dataset, "encoder": "e", "readout": "r", "features": model}
            rows.append(
                names
                | {"collection": collection, "features_kind": "model", "simulated": int(dataset == "one")}
                | {"layer": "chosen", "subject": "all", "region": "all", "ceiling": random.uniform(0.3, 0.6)}
                | {"r": random.uniform(0.1, 0.3)}
            )
            replicates[tuple(names[name] for name in CELL)] = random.normal(0.2, 0.1, 20)
    null = rows[0] | {"features": "position", "features_kind": "null", "readout": "none"}
    return pd.DataFrame([*rows, null, rows[0] | {"layer": "final"}, rows[0] | {"subject": "S1"}]), replicates


def test_the_average_goes_over_collections() -> None:
    alignment, replicates = tables()
    *single, average = model_scores(alignment, replicates)
    assert [scores.dataset for scores in single] == list(DATASETS)
    assert average.dataset == "average"
    for number, model in enumerate(average.models):
        r = [scores.r[number] for scores in single]
        assert average.r[number] == pytest.approx(((r[0] + r[1]) / 2 + r[2]) / 2)
        drawn = [replicates[(dataset, "e", "r", model)] for dataset in DATASETS]
        np.testing.assert_allclose(average.replicates[:, number], ((drawn[0] + drawn[1]) / 2 + drawn[2]) / 2)
        normalised = [scores.normalised[number] for scores in single]
        assert average.normalised[number] == pytest.approx(np.dot([0.25, 0.25, 0.5], normalised))
    assert average.simulated == pytest.approx(1 / 3)


def test_the_table_of_averages_is_that_of_plain_loops() -> None:
    alignment, replicates = tables(missing=("two", "b"))
    found = averages_table(model_scores(alignment, replicates))
    assert found[["dataset", "encoder", "readout", "features"]].to_numpy().tolist() == [
        ["average", "e", "r", "a"],
        ["average", "e", "r", "c"],
    ]
    assert found[["datasets", "collections"]].to_numpy().tolist() == [[3, 2], [3, 2]]
    assert found["simulated"].tolist() == pytest.approx([1 / 3, 1 / 3])
    summary = alignment[(alignment["layer"] == "chosen") & (alignment["subject"] == "all")]
    for _, row in found.iterrows():
        own = summary[summary["features"] == row["features"]].set_index("dataset")
        for measure, divisor in (("r", dict.fromkeys(DATASETS, 1.0)), ("normalised", own["ceiling"])):
            value = {name: own.loc[name, "r"] / divisor[name] for name in DATASETS}
            assert row[measure] == pytest.approx(((value["one"] + value["two"]) / 2 + value["three"]) / 2)
            drawn = {name: replicates[name, "e", "r", row["features"]] / divisor[name] for name in DATASETS}
            means = [((one + two) / 2 + three) / 2 for one, two, three in zip(*drawn.values(), strict=True)]
            ends = [row[f"{measure}_low"], row[f"{measure}_high"]]
            assert ends == pytest.approx(list(np.quantile(means, [0.025, 0.975])))


def test_a_single_data_set_has_no_average_of_its_own() -> None:
    alignment, replicates = tables()
    found = averages_table(model_scores(alignment[alignment["dataset"] == "one"], replicates))
    assert found.empty
    assert found.columns.tolist() == averages_table(model_scores(alignment, replicates)).columns.tolist()


def test_only_models_at_the_chosen_layer_over_everything_are_taken() -> None:
    scores = list(model_scores(*tables()))
    assert {(s.encoder, s.readout, s.models) for s in scores} == {("e", "r", MODELS)}


def test_a_model_that_lacks_a_data_set_has_no_average() -> None:
    *single, average = model_scores(*tables(missing=("two", "b")))
    assert np.isnan(average.r).tolist() == [False, True, False]
    assert np.isnan(single[1].r).tolist() == [False, True, False]
    assert np.isfinite(single[0].r).all()


def test_subjects_stand_in_rows_of_their_own() -> None:
    alignment, replicates = tables()
    chosen = alignment[
        (alignment["layer"] == "chosen") & (alignment["subject"] == "all") & (alignment["dataset"] == "one")
    ]
    chosen = chosen[chosen["features_kind"] == "model"]
    own = [chosen.assign(subject=name, r=chosen["r"] + shift) for name, shift in (("S2", 0.2), ("S1", 0.1))]
    parts = pd.concat([alignment[alignment["subject"] == "all"], *own])
    first, second, _, average = model_scores(parts, replicates)
    np.testing.assert_allclose(first.subject_r, first.r + np.array([[0.1], [0.2]]))
    assert second.subject_r.shape == average.subject_r.shape == (0, 3)
    assert [(part.dataset, weight) for part, weight in average.parts] == [("one", 0.25), ("two", 0.25), ("three", 0.5)]


def test_scores_that_are_normalised_neuroid_by_neuroid_are_taken_as_they_are() -> None:
    alignment, replicates = tables()
    alignment["normalised"] = alignment["r"] / alignment["ceiling"]
    alignment["normalised_by"] = np.where(alignment["dataset"] == "two", "neuroid", "aggregate")
    alignment.loc[alignment["dataset"] == "two", "normalised"] = 0.75
    first, second, third, average = model_scores(alignment, replicates)
    for aggregate in (first, third):
        own = alignment[(alignment["dataset"] == aggregate.dataset) & (alignment["features"] == "b")]
        own = own[(own["layer"] == "chosen") & (own["subject"] == "all")].iloc[0]
        assert aggregate.normalised[aggregate.of("b")] == pytest.approx(own["r"] / own["ceiling"])
        assert np.isfinite(aggregate.normalised_replicates).all()
    assert second.normalised.tolist() == [0.75] * 3
    assert np.isnan(second.normalised_replicates).all()
    np.testing.assert_allclose(
        average.normalised, 0.25 * first.normalised + 0.25 * 0.75 + 0.5 * third.normalised, rtol=1e-12
    )
    assert np.isnan(average.normalised_replicates).all()
    assert np.isfinite(average.replicates).all()


def test_a_pair_normalised_neuroid_by_neuroid_has_a_difference_without_an_interval() -> None:
    alignment, replicates = tables()
    alignment = alignment.assign(normalised=np.where(alignment["features"] == "b", 0.8, 0.5), normalised_by="neuroid")
    compared = compare_pairs(model_scores(alignment, replicates), {"b": "a"}, 100, 0)
    row = compared[(compared["dataset"] == "one") & (compared["row"] == "pair")].iloc[0]
    assert row["difference_normalised"] == pytest.approx(0.3)
    assert row[["difference_normalised_low", "difference_normalised_high"]].isna().all()
    assert row[["difference_low", "difference_high"]].notna().all()


@pytest.mark.parametrize(
    ("choices", "of_average"),
    [
        ({"one": "best", "two": "best", "three": "best"}, "best"),
        ({"one": "best", "two": "nested", "three": "best"}, "mixed: best, nested"),
    ],
)
def test_every_table_says_how_layers_were_chosen(choices: dict[str, str], of_average: str) -> None:
    alignment, replicates = tables()
    groups = list(model_scores(alignment.assign(layer_choice=alignment["dataset"].map(choices)), replicates))
    kinds = {"family": "f", "kind": "vanilla", "base": "", "size": [1.0, 2.0, 4.0]}
    properties = pd.DataFrame({"model": MODELS, **kinds})
    given = {"published": {"n": 9, "r": {"size": 0.5}}}
    controlled = controlled_correlations(groups, properties, ["size"], mixed=["size"], given_r=given)
    expected = choices | {"average": of_average}
    for table in (
        averages_table(groups),
        correlations(groups, properties, ["size"], 50, 0),
        controlled[controlled["analysis"] != "given r"],
        compare_pairs(groups, {"b": "a"}, 50, 0),
    ):
        assert len(table)
        assert table["layer_choice"].tolist() == table["dataset"].map(expected).tolist()
    assert (controlled.loc[controlled["analysis"] == "given r", "layer_choice"] == "").all()


def test_weights_sum_to_one() -> None:
    assert average_weights(list("aabbbc")).tolist() == pytest.approx([1 / 6, 1 / 6, 1 / 9, 1 / 9, 1 / 9, 1 / 3])
