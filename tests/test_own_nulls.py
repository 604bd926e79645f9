"""What a score is worth over a model's untrained twins and over random tokens, against loops over cells and draws."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from brainalign.alarms import alarms
from brainalign.alignment import alignment_table
from brainalign.own_nulls import OwnNull, over_own_null
from brainalign.report.caveats_of_scores import AGAINST_OWN_NULLS
from brainalign.scored import Scores
from brainalign.scored_ceilings import Ceilings
from brainalign.stages.score_alignment import score_alignment
from brainalign.tables import read_table
from invented_study import PROVENANCE, invent

LAYERS, SUBJECTS, REGIONS = ("one", "two", "chosen"), ("all", "S1", "S2"), ("all", "a")
SHAPE = (len(LAYERS), len(SUBJECTS), len(REGIONS))
NAMES = {name: name for name in ("dataset", "collection", "encoder", "readout", "features", "layer_choice")}
NAMES |= {"features_kind": "model"}
NO_CEILING = Ceilings((), *(np.empty((0, *SHAPE[1:])),) * 3, np.empty((60, 0, *SHAPE[1:])))
SAID = ("r is below that of", "r is not clearly above that of")


def scores_of(seed: int, level: float = 0.2, layers: int = 3) -> Scores:
    """Scores of which a large part of the draws is shared, as stimuli are."""
    random, shared = np.random.default_rng(seed), np.random.default_rng(99).normal(0, 0.05, (60, 1, *SHAPE[1:]))
    r = level + random.normal(0, 0.02, (layers, *SHAPE[1:]))
    drawn = r + shared + random.normal(0, 0.01, (60, *r.shape))
    ones = np.ones(SHAPE[1:], dtype=int)
    names = LAYERS[-layers:]
    return Scores(names, SUBJECTS, REGIONS, r, drawn, np.zeros(4, int), ones, 9, True, {})


@pytest.mark.parametrize("seeds", [1, 3])
def test_the_columns_are_those_of_plain_loops(seeds: int) -> None:
    model = scores_of(0)
    twins = {f"f-untrained-{seed}": scores_of(10 + seed, 0.1, layers=2) for seed in range(seeds)}
    random = {"random": scores_of(20, 0.15)}
    table = alignment_table(model, NO_CEILING, {}, NAMES, twins=twins, random_tokens=random)
    assert len(table) == np.prod(SHAPE)
    for _, row in table.iterrows():
        at = (SUBJECTS.index(row["subject"]), REGIONS.index(row["region"]))
        layer = LAYERS.index(row["layer"])
        for kind, names, others in (("twin", "twins", twins), ("random_tokens", "random_tokens", random)):
            chosen = [other.r[-1][at] for other in others.values()]
            assert row[names] == " ".join(others)
            assert row[f"{kind}_r"] == pytest.approx(sum(chosen) / len(chosen))
            assert (row[f"{kind}_r_lowest"], row[f"{kind}_r_highest"]) == (min(chosen), max(chosen))
            assert row[f"over_{kind}"] == pytest.approx(row["r"] - row[f"{kind}_r"])
            drawn = [
                model.replicates[(draw, layer, *at)]
                - sum(other.replicates[(draw, -1, *at)] for other in others.values()) / len(others)
                for draw in range(60)
            ]
            ends = [row[f"over_{kind}_low"], row[f"over_{kind}_high"]]
            assert ends == pytest.approx(np.percentile(drawn, [2.5, 97.5]))
            assert ends[1] - ends[0] < 0.5 * (row["r_high"] - row["r_low"])  # paired: what they share falls out


def test_the_spread_of_seeds_is_shown_and_no_part_of_the_interval() -> None:
    model, near = scores_of(0), [scores_of(seed, 0.1) for seed in (1, 2)]
    twins = dict(zip("ab", near, strict=True))
    before = over_own_null(model, twins)
    for scores, shift in zip(near, (-0.3, 0.3), strict=True):
        scores.r[:] += shift
        scores.replicates[:] += shift
    after = over_own_null(model, twins)
    for name in ("r", "over", "low", "high"):
        np.testing.assert_allclose(getattr(after, name), getattr(before, name), atol=1e-12)
    assert (after.highest - after.lowest > 0.5).all()


def test_without_own_nulls_the_columns_are_there_and_empty() -> None:
    table = alignment_table(scores_of(0), NO_CEILING, {}, NAMES)
    given = alignment_table(scores_of(0), NO_CEILING, {}, NAMES, twins={"t": scores_of(1)})
    assert table.columns.tolist() == given.columns.tolist()
    assert set(table["twins"]) == set(table["random_tokens"]) == set(given["random_tokens"]) == {""}
    numbers = [name for name in table if "twin_" in name or "random_tokens_" in name or name.startswith("over_twin")]
    assert len(numbers) == 3 + 3 + 3 + 2
    assert table[numbers].isna().all(axis=None)
    assert set(table["alarms"]) == {""}


@pytest.mark.parametrize(
    ("over", "interval", "said"),
    [
        (-0.1, (-0.2, -0.05), SAID[0]),
        (-0.1, (-0.2, 0.0), SAID[1]),
        (0.1, (-0.05, 0.2), SAID[1]),
        (0.1, (0.05, 0.2), None),
        (0.1, (np.nan, np.nan), None),
        (-0.1, (np.nan, np.nan), SAID[1]),
        (np.nan, (np.nan, np.nan), None),
    ],
)
@pytest.mark.parametrize(
    ("kind", "names", "what"),
    [
        ("twin", ("t",), "its untrained twin"),
        ("twin", ("t", "u"), "its untrained twins"),
        ("random_tokens", ("random",), "the model reading random tokens"),
    ],
)
def test_what_is_not_beaten_beyond_the_interval_is_an_alarm(
    over: float, interval: tuple[float, float], said: str | None, kind: str, names: Any, what: str
) -> None:
    nothing = np.zeros(SHAPE[1:])
    low, high = (np.full(SHAPE, end) for end in interval)
    own = {kind: OwnNull(names, nothing, nothing, nothing, np.full(SHAPE, over), low, high)}
    found = set(alarms(scores_of(0), {}, (), own).ravel())
    assert found == ({""} if said is None else {f"{said} {what}"})
    assert all(AGAINST_OWN_NULLS.fullmatch(sentence) for sentence in found - {""})


def test_each_layer_is_set_against_the_twins_by_itself() -> None:
    model, twin = scores_of(0), scores_of(1, 0.15)
    model.r[1], model.replicates[:, 1] = 0.0, model.replicates[:, 1] - 0.2
    table = alignment_table(model, NO_CEILING, {}, NAMES, twins={"t": twin})
    below = table["alarms"].str.contains(f"{SAID[0]} its untrained twin")
    assert below.tolist() == (table["layer"] == "two").tolist()


def test_the_stage_names_twins_by_folder_and_random_tokens_by_readout(tmp_path: Path) -> None:
    study = invent(tmp_path, {"tiny": (4.0,)})
    (path,) = [p for p in study.encodings if p.parts[-4:] == ("controlled", "last-token", "tiny-1", "passages.h5")]
    kept = tmp_path / "encoding" / "controlled" / "random" / "tiny-1" / "passages.h5"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(path.read_bytes())
    twin = path.parents[1] / "tiny-1-untrained-0" / "passages.h5"
    ceilings, out = tmp_path / "ceilings" / "controlled" / "passages.h5", tmp_path / "out.csv"
    score_alignment(study.names(path), PROVENANCE, path, ceilings, [], [], [twin], [kept], out)
    table = read_table(out)
    assert set(table["twins"]) == {"tiny-1-untrained-0"}
    assert set(table["random_tokens"]) == {"random"}
    chosen = table[(table["layer"] == "chosen") & (table["subject"] == "all") & (table["region"] == "all")].iloc[0]
    with h5py.File(path) as model, h5py.File(twin) as untrained:
        expected = model["aggregate_r"][-1, 0, 0] - untrained["aggregate_r"][-1, 0, 0]
    assert chosen["over_twin"] == pytest.approx(expected)
    ends = ["over_random_tokens", "over_random_tokens_low", "over_random_tokens_high"]
    assert chosen[ends].tolist() == [0.0, 0.0, 0.0]  # the same file: paired draw by draw
