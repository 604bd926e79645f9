"""Regions over the control region, against loops over cells and draws."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from brainalign.alarms import alarms
from brainalign.alignment import alignment_table
from brainalign.control_regions import OverControl, not_above_control, over_control_region
from brainalign.errors import InputError
from brainalign.scored import Scores
from brainalign.scored_ceilings import Ceilings
from brainalign.stages.score_alignment import score_alignment
from brainalign.tables import read_table
from invented_study import PROVENANCE, invent

LAYERS, SUBJECTS, REGIONS = ("one", "two", "chosen"), ("all", "S1", "S2"), ("all", "ifg", "v1", "stg")
SHAPE = (len(LAYERS), len(SUBJECTS), len(REGIONS))
NAMES = {name: name for name in ("dataset", "collection", "encoder", "readout", "features", "layer_choice")}
NAMES |= {"features_kind": "model"}
NO_CEILING = Ceilings((), *(np.empty((0, *SHAPE[1:])),) * 3, np.empty((60, 0, *SHAPE[1:])))
COLUMNS = ["control_r", "over_control", "over_control_low", "over_control_high"]


def scores_of() -> Scores:
    """Scores of which a large part of the draws is shared, as stimuli are; S2 has no neuroids in v1."""
    random = np.random.default_rng(0)
    r = 0.2 + random.normal(0, 0.02, SHAPE)
    r[:, 2, 2] = np.nan
    drawn = r + random.normal(0, 0.05, (60, 1, *SHAPE[1:2], 1)) + random.normal(0, 0.01, (60, *SHAPE))
    neuroids = np.ones(SHAPE[1:], dtype=int)
    neuroids[2, 2] = 0
    return Scores(LAYERS, SUBJECTS, REGIONS, r, drawn, np.zeros(4, int), neuroids, 9, True, {})


def test_the_columns_are_those_of_plain_loops() -> None:
    scores = scores_of()
    table = alignment_table(scores, NO_CEILING, {}, NAMES | {"control_region": "v1"})
    assert len(table) == np.prod(SHAPE) - len(LAYERS)
    for _, row in table.iterrows():
        layer, subject = LAYERS.index(row["layer"]), SUBJECTS.index(row["subject"])
        if row["region"] in ("all", "v1") or row["subject"] == "S2":
            assert row["control_region"] == ""
            assert row[COLUMNS].isna().all()
            continue
        region = REGIONS.index(row["region"])
        assert row["control_region"] == "v1"
        assert row["control_r"] == scores.r[layer, subject, 2]
        assert row["over_control"] == pytest.approx(row["r"] - row["control_r"])
        drawn = [draw[layer, subject, region] - draw[layer, subject, 2] for draw in scores.replicates]
        ends = [row["over_control_low"], row["over_control_high"]]
        assert ends == pytest.approx(np.percentile(drawn, [2.5, 97.5]))
        assert ends[1] - ends[0] < 0.5 * (row["r_high"] - row["r_low"])  # paired: what they share falls out


def test_without_a_control_region_the_columns_are_there_and_empty() -> None:
    table = alignment_table(scores_of(), NO_CEILING, {}, NAMES)
    given = alignment_table(scores_of(), NO_CEILING, {}, NAMES | {"control_region": "v1"})
    assert table.columns.tolist() == given.columns.tolist()
    assert set(table["control_region"]) == {""}
    assert table[COLUMNS].isna().all(axis=None)
    assert set(table["alarms"]) == {""}
    assert not_above_control(table).empty


@pytest.mark.parametrize("name", ["V1", "all"])
def test_a_region_that_there_is_not_is_told(name: str) -> None:
    with pytest.raises(InputError, match=rf"unknown control_region '{name}'.* Allowed: ifg, v1, stg\.$"):
        over_control_region(scores_of(), name)


@pytest.mark.parametrize(
    ("over", "interval", "said"),
    [
        (-0.1, (-0.2, -0.05), "r is below that of the control region v1"),
        (0.1, (-0.05, 0.2), "r is not clearly above that of the control region v1"),
        (0.1, (0.05, 0.2), ""),
        (0.1, (np.nan, np.nan), ""),
        (-0.1, (np.nan, np.nan), "r is not clearly above that of the control region v1"),
    ],
)
def test_what_is_not_beyond_the_control_region_is_an_alarm(
    over: float, interval: tuple[float, float], said: str
) -> None:
    values = [np.full(SHAPE, value) for value in (0.1, over, *interval)]
    assert set(alarms(scores_of(), {}, (), None, OverControl("v1", *values)).ravel()) == {said}


def test_the_stage_warns_of_regions_and_writes_the_columns(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    study = invent(tmp_path, {"tiny": (4.0,)})
    (path,) = [p for p in study.encodings if p.parts[-4:] == ("controlled", "last-token", "tiny-1", "passages.h5")]
    with h5py.File(path, "r+") as file:
        file["aggregate_r"][..., 1] -= 0.2
        file["replicates"][..., 1] -= 0.2
    ceilings, out = tmp_path / "ceilings" / "controlled" / "passages.h5", tmp_path / "out.csv"
    names = study.names(path) | {"control_region": "b"}
    score_alignment(names, PROVENANCE, path, ceilings, [], [], [], [], out)
    table = read_table(out)
    assert set(table.loc[table["control_region"] == "b", "region"]) == {"a"}
    assert (table.loc[table["region"] == "a", "over_control_high"] < 0).all()
    assert [record.getMessage() for record in caplog.records if "control" in record.getMessage()] == [
        "region a, over all subjects: r is not above that of the control region"
    ]
