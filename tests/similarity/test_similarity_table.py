"""The tables of similarity, the stages that write them, and their settings."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainalign import specs
from brainalign.activations.stored import write_activations
from brainalign.config.study import read_study
from brainalign.errors import InputError, UnreadableFileError
from brainalign.provenance import Provenance
from brainalign.responses.matrix import Responses
from brainalign.similarity.settings import SimilaritySettings
from brainalign.stages.join_similarity import join_similarity
from brainalign.stages.measure_similarity import measure_similarity
from brainalign.storage import write_arrays
from brainalign.tables import read_table

PROVENANCE = Provenance("tests", {}, "tests@0")
NAMES = {
    "similarity": "rsa",
    "readout": "last",
    "features": "gpt2",
    "dataset": "d",
    "collection": "c",
    "features_kind": "model",
}
SPEC = {"settings": {"metric": "rsa", "bootstrap": {"draws": 20, "seed": 0}}, "names": NAMES}
CONFIG = {
    "study": "s",
    "features": {"length": {"control": "length"}},
    "datasets": {"d": {"loader": "simulated", "kind": "passages", "seed": 1, "collection": "c"}},
    "encoders": {"e": {"regression": "ols", "split": {"kind": "kfold"}}},
}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Activations and responses of 30 stimuli in 10 groups, the last without a sample."""
    random = np.random.default_rng(0)
    ids = np.array([f"s{number}" for number in range(30)], dtype=object)
    write_activations(
        tmp_path / "a.h5",
        tmp_path / "a.json",
        ids,
        {"block_01": random.normal(size=(30, 6)), "final": random.normal(size=(30, 6))},
        {},
    )
    samples = pd.DataFrame({"sample_id": ids[:29], "split_group": [f"g{number // 3}" for number in range(29)]})
    neuroids = pd.DataFrame(
        {"neuroid_id": [f"n{n}" for n in range(7)], "subject": ["1"] * 3 + ["2"] * 4, "region": list("aaaaaab")}
    )
    entry = np.arange(28)  # the last sample has no stimulus
    responses = Responses(random.normal(size=(29, 7)), samples, neuroids, ids, entry, entry, np.ones(28))
    write_arrays(tmp_path / "r.h5", responses.variables(), {"simulated": 1})
    return tmp_path / "a.h5", tmp_path / "r.h5"


def test_the_stage_writes_a_row_for_each_layer_subject_and_region(files, tmp_path):
    out = tmp_path / "similarity.csv"
    measure_similarity(SPEC, PROVENANCE, *files, out)
    table = read_table(out)
    assert len(table) == 2 * (3 + 2 + 3)  # subject 1 has no neuroid in b
    assert not table.duplicated(["layer", "subject", "region"]).any()
    assert set(table["samples"]) == {28}
    assert set(table["groups"]) == {10}
    assert set(table["simulated"]) == {1}
    undefined = table[table["region"] == "b"]
    assert undefined["value"].isna().all()
    assert set(undefined["reason"]) == {"the responses have 1 unit, but correlation distances need 3"}
    rest = table[table["region"] != "b"]
    assert (rest["value_low"] < rest["value"]).all()
    assert set(rest["reason"]) == {""}
    assert rest.loc[rest["subject"] == "all", "over_subjects"].eq("mean").all()
    assert {name: set(table[name]) for name in ("metric", "kind", "features_distance")} == {
        "metric": {"rsa"},
        "kind": {"controlled"},
        "features_distance": {"correlation"},
    }
    assert {name: set(table[name]) for name in NAMES} == {name: {value} for name, value in NAMES.items()}
    again = tmp_path / "again.csv"
    measure_similarity(SPEC, PROVENANCE, *files, again)
    assert again.read_bytes() == out.read_bytes()


def test_the_kind_and_the_pooling_of_published_metrics_stand_in_every_row(files, tmp_path):
    spec = {"settings": {"metric": "cka", "kind": "as-published", "bootstrap": {"draws": 20}}, "names": NAMES}
    measure_similarity(spec, PROVENANCE, *files, tmp_path / "t.csv")
    table = read_table(tmp_path / "t.csv")
    assert set(table["kind"]) == {"as-published"}
    assert table.loc[table["subject"] == "all", "over_subjects"].eq("pooled").all()
    assert table["value"].notna().all()


def test_activations_of_other_stimuli_are_refused(files, tmp_path):
    write_activations(tmp_path / "b.h5", tmp_path / "b.json", np.array(["x"], object), {"l": np.ones((1, 2))}, {})
    with pytest.raises(UnreadableFileError, match="its stimuli are not those of the responses"):
        measure_similarity(SPEC, PROVENANCE, tmp_path / "b.h5", files[1], tmp_path / "t.csv")


def test_the_joined_table_is_the_cells_under_one_another_with_differing_versions(files, tmp_path):
    paths = []
    for metric in ("rsa", "cka"):
        spec = {"settings": SPEC["settings"] | {"metric": metric}, "names": NAMES | {"similarity": f"{metric}-own"}}
        paths.append(tmp_path / f"{metric}.csv")
        measure_similarity(spec, PROVENANCE, *files, paths[-1])
    join_similarity(PROVENANCE, paths, tmp_path / "joined.csv")
    joined = read_table(tmp_path / "joined.csv")
    cells = pd.concat([read_table(path) for path in paths], ignore_index=True)
    pd.testing.assert_frame_equal(joined, cells, check_dtype=False)
    record = Path(f"{paths[1]}.provenance.json")
    record.write_text(json.dumps(json.loads(record.read_text()) | {"versions": {"numpy": "0.1"}}))
    join_similarity(PROVENANCE, paths, tmp_path / "joined.csv")
    versions = read_table(tmp_path / "joined.csv")["versions"]
    assert versions.iloc[-1] == "numpy 0.1"
    assert versions.iloc[0] == f"numpy {np.__version__}"


def similarities(**entry: object) -> dict:
    return CONFIG | {"similarities": {"mine": entry}}


def test_a_spec_holds_what_the_metric_and_the_kind_read_and_is_valid():
    expected = {
        ("rsa", "controlled"): {"metric", "kind", "distance", "compare", "delay", "bootstrap"},
        ("rsa", "as-published"): {"metric", "kind", "distance", "compare", "delay", "bootstrap", "split"},
        ("cka", "controlled"): {"metric", "kind", "delay", "bootstrap"},
        ("cka", "as-published"): {"metric", "kind", "delay", "bootstrap", "split"},
    }
    for (metric, kind), settings in expected.items():
        study = read_study(similarities(metric=metric, kind=kind))
        spec = specs.similarity(study, "mine", "none", "length", "d")
        assert set(spec["settings"]) == settings
        assert SimilaritySettings.from_mapping(spec["settings"]) == SimilaritySettings(metric, kind)
        assert spec["names"] == {
            "similarity": "mine",
            "readout": "none",
            "features": "length",
            "dataset": "d",
            "collection": "c",
            "features_kind": "null",
        }


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"metric": "rda"}, "similarities.mine.metric"),
        ({"metric": "cka", "compare": "spearman"}, "cka has no dissimilarities: leave out distance and compare"),
        (
            {"metric": "rsa", "kind": "as-published", "distance": "cosine"},
            "as published, rsa has distance: correlation and compare: spearman; leave them out",
        ),
        ({"metric": "rsa", "split": {"folds": 3}}, "controlled metrics are of all samples: leave out split"),
        ({"metric": "rsa", "bootstrap": {"draw": 3}}, "similarities.mine.bootstrap: unknown key 'draw'"),
        ({"metric": "rsa", "delay": -1}, "similarities.mine.delay"),
    ],
)
def test_a_mistake_in_the_config_is_told(entry, message):
    with pytest.raises(InputError) as caught:
        read_study(similarities(**entry))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "a similarity needs a metric. Allowed: rsa, cka."),
        ({"metric": "cca"}, "unknown metric of similarity 'cca'; did you mean 'cka'? Allowed: rsa, cka."),
        ({"metric": "rsa", "kind": "plain"}, "unknown kind of similarity 'plain'. Allowed: controlled, as-published."),
        (
            {"metric": "rsa", "split": {"fold": 1}},
            "unknown setting of the splits 'fold'; did you mean 'folds'? Allowed: folds, test, seed.",
        ),
        ({"metric": "rsa", "split": {"test": 1.0}}, "the share of test samples must lie between 0 and 1, but is 1."),
        ({"metric": "rsa", "delay": -1}, "the delay must be a whole number of samples of at least 0, but is -1."),
        (
            {"metric": "rsa", "bootstrap": {"draws": 0}},
            "there must be at least 1 draw of the bootstrap, but there are 0.",
        ),
    ],
)
def test_a_mistake_in_the_settings_is_one_sentence(settings, message):
    with pytest.raises(InputError) as caught:
        SimilaritySettings.from_mapping(settings)
    assert str(caught.value) == message
