"""A control region is one of the data set's regions, which is said before any job where it can be known."""

from pathlib import Path
from typing import Any

import pytest

from brainalign import specs
from brainalign.config.claims import conflicts, record
from brainalign.config.study import read_study
from brainalign.errors import InputError
from brainalign.simulation.brain import REGIONS

TABLE = {"loader": "table", "stimuli": "s.csv", "responses": "r.npy", "id": "item", "split": "topic"}
NAMED = TABLE | {"neuroid_table": "n.csv", "region": "roi"}
BOTH = {"loader": "joined", "datasets": ["one", "two"]}
ACROSS = {
    "regression": "ridge",
    "split": {"kind": "fixed", "column": "dataset", "train": "one", "test": "two"},
    "datasets": ["both"],
}
NO_REGIONS = (
    "datasets.one.control_region: holds 'v1', but the data set 'one' has no regions; give a `neuroid_table` whose "
    "column datasets.one.region names them."
)


@pytest.fixture(autouse=True)
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("s.csv", "r.npy", "r.csv"):
        (tmp_path / name).write_text("")
    (tmp_path / "n.csv").write_text("\ufeffneuroid_id,roi\n1,ifg\n2,v1\n3,ifg\n", encoding="utf-8")
    (tmp_path / "m.tsv").write_text('neuroid_id\troi\n1\tifg\n2\t"a, b"\n', encoding="utf-8")
    (tmp_path / "latin.csv").write_bytes("neuroid_id,roi\n1,é\n".encode("latin-1"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (NAMED | {"control_region": "v1"}, None),
        (
            NAMED | {"control_region": "v1_"},
            "datasets.one.control_region: holds 'v1_', which is the name of no region of the data set 'one'; did you "
            "mean 'v1'? Allowed: ifg, v1.",
        ),
        (NAMED | {"neuroid_table": "m.tsv", "control_region": "a, b"}, None),
        (
            NAMED | {"neuroid_table": "m.tsv", "control_region": "v1"},
            "datasets.one.control_region: holds 'v1', which is the name of no region of the data set 'one'. Allowed: "
            "ifg, a, b.",
        ),
        (TABLE | {"control_region": "v1"}, NO_REGIONS),
        (NAMED | {"region": "region", "control_region": "v1"}, NO_REGIONS),
        (TABLE | {"responses": "r.csv", "region_per_neuroid": True, "control_region": "known when read"}, None),
        (NAMED | {"neuroid_table": "latin.csv", "control_region": "told when read"}, None),
    ],
)
def test_regions_of_tables(changed: Any, entry: dict[str, Any], said: str | None) -> None:
    told(changed({"datasets.one": entry}), said)


def test_regions_of_simulated_data(changed: Any) -> None:
    key = "datasets.simulated-passages.control_region"
    for name in REGIONS:
        told(changed({key: name}), None)
    told(changed({key: "v1"}), f"{key}: holds 'v1'; one of {', '.join(map(repr, REGIONS))} is needed.")


def test_regions_of_joined_data_are_those_of_all_parts(changed: Any) -> None:
    two = NAMED | {"neuroid_table": "m.tsv"}
    changes = {"datasets.one": NAMED, "datasets.two": two, "encoders.across": ACROSS}
    told(changed(changes | {"datasets.both": BOTH | {"control_region": "ifg"}}), None)
    told(
        changed(changes | {"datasets.both": BOTH | {"control_region": "v1"}}),
        "datasets.both.control_region: holds 'v1', which is the name of no region of the data set 'both'. "
        "Allowed: ifg.",
    )


def test_stimuli_without_responses_have_no_regions(changed: Any) -> None:
    told(
        changed({"datasets.new": {"loader": "stimuli-only", "stimuli": "s.csv", "control_region": "v1"}}),
        "datasets.new: control_region belongs to responses, which a data set of stimuli has not; leave it out.",
    )


def test_alignment_alone_knows_it_and_two_studies_must_agree(changed: Any, tmp_path: Path) -> None:
    before = read_study(changed({"datasets.one": NAMED}))
    after = read_study(changed({"datasets.one": NAMED | {"control_region": "v1"}, "study": "second"}))
    names = ("controlled", "last-token", "tiny-16", "one")
    assert specs.alignment(after, *names) == specs.alignment(before, *names) | {"control_region": "v1"}
    assert specs.responses(after, "one") == specs.responses(before, "one")
    record(before, tmp_path / "studies")
    (said,) = conflicts(after, tmp_path / "studies")
    assert said.startswith("datasets.one means two things: control_region is ")


def told(config: dict[str, Any], said: str | None) -> None:
    if said is None:
        read_study(config)
        return
    with pytest.raises(InputError) as caught:
        read_study(config)
    assert str(caught.value) == said
