"""Finished scores against numbers computed from the files by other means."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.stats import median_abs_deviation

from brainalign.alignment import alignment_table
from brainalign.errors import UnreadableFileError
from brainalign.inference.shared_training import shared_variance
from brainalign.inference.sign_flip import sign_flip_test
from brainalign.inference.simultaneous import simultaneous_interval
from brainalign.intervals import percentile_interval
from brainalign.scored import Scores, read_null, read_scores
from brainalign.scored_ceilings import Ceilings, read_ceilings
from brainalign.tables import read_table
from invented_study import DRAWS, LAYERS, NULLS, WrittenStudy

NAMES = {
    "dataset": "d",
    "collection": "c",
    "encoder": "e",
    "readout": "r",
    "features": "f",
    "features_kind": "model",
    "layer_choice": "nested",
}


@pytest.fixture
def study(invent_study: Callable[..., WrittenStudy]) -> WrittenStudy:
    return invent_study()


def cell(study: WrittenStudy, folder: str, ending: str, features: str = "tiny-1", readout: str = "last-token") -> Path:
    return study.root / folder / "controlled" / readout / features / f"passages.{ending}"


def row_of(table: pd.DataFrame, layer: str, subject: str, region: str) -> pd.Series:
    found = table[(table["layer"] == layer) & (table["subject"] == subject) & (table["region"] == region)]
    assert len(found) == 1
    return found.iloc[0]


@pytest.mark.parametrize(
    ("layer", "subject", "region"), [("block_02", "all", "all"), ("chosen", "S2", "b"), ("embeddings", "all", "a")]
)
def test_a_row_is_what_the_files_say(study: WrittenStudy, layer: str, subject: str, region: str) -> None:
    row = row_of(read_table(cell(study, "alignment", "csv")), layer, subject, region)
    at = (
        [*LAYERS, "chosen"].index(layer),
        ["all", "S1", "S2", "S3"].index(subject),
        ["all", "a", "b"].index(region),
    )
    with h5py.File(cell(study, "encoding", "h5")) as file:
        r, drawn = file["aggregate_r"][at], file["replicates"][(slice(None), *at)].astype(float)
    with h5py.File(study.root / "ceilings" / "controlled" / "passages.h5") as file:
        ceilings = file["ceiling_aggregate"][(slice(None), *at[1:])]
        ceiling_drawn = file["ceiling_replicates"][(slice(None), 0, *at[1:])].astype(float)
    chosen_nulls = {}
    for null in NULLS:
        with h5py.File(cell(study, "encoding", "h5", null, "none")) as file:
            chosen_nulls[null] = (file["aggregate_r"][(-1, *at[1:])], file["replicates"][(slice(None), -1, *at[1:])])
    best = max(chosen_nulls, key=lambda name: chosen_nulls[name][0])
    best_r, best_drawn = chosen_nulls[best]

    def both(values: np.ndarray) -> list[float]:
        return [float(np.percentile(values, 2.5)), float(np.percentile(values, 97.5))]

    assert row["r"] == pytest.approx(r)
    assert [row["r_low"], row["r_high"]] == pytest.approx(both(drawn))
    assert row["ceiling_kind"] == "known"
    assert [row["ceiling"], row["ceiling_known"], row["ceiling_subject_pool"]] == pytest.approx(
        [ceilings[0], ceilings[0], ceilings[1]]
    )
    assert np.isnan(row["ceiling_given"])
    assert row["normalised"] == pytest.approx(r / ceilings[0])
    assert [row["normalised_low"], row["normalised_high"]] == pytest.approx(both(drawn / ceiling_drawn))
    assert row["best_null"] == best
    assert row["over_null"] == pytest.approx(r - best_r)
    assert [row["over_null_low"], row["over_null_high"]] == pytest.approx(both(drawn - best_drawn))
    assert (row["folds"], row["samples"], row["draws"], row["simulated"]) == (6, 384, DRAWS, 1)
    assert row["neuroids"] == (12 if subject == "all" else 4) // (1 if region == "all" else 2)


def test_every_layer_subject_and_region_has_a_row(study: WrittenStudy) -> None:
    table = read_table(cell(study, "alignment", "csv"))
    assert len(table) == (len(LAYERS) + 1) * 4 * 3
    assert not table.duplicated(["layer", "subject", "region"]).any()


def test_subjects_differ_by_scipys_median_absolute_deviation(study: WrittenStudy) -> None:
    table = read_table(cell(study, "alignment", "csv"))
    for (layer, region), rows in table.groupby(["layer", "region"]):
        own = rows.loc[rows["subject"] != "all", "r"]
        assert len(own) == 3
        expected = median_abs_deviation(own)  # unscaled
        assert row_of(table, layer, "all", region)["r_subject_mad"] == pytest.approx(expected, rel=1e-12)
    assert table.loc[table["subject"] != "all", "r_subject_mad"].isna().all()


def test_subjects_without_a_score_do_not_count_and_one_alone_does_not_differ() -> None:
    scores = small_scores()
    r = np.array([[0.3, 0.2], [0.1, np.nan], [0.2, np.nan], [0.7, 0.2]])  # (subject, region); "b" has one subject
    drawn, counts = np.zeros((41, 2, 4, 2)), np.isfinite(r).astype(int)
    named = {"subjects": ("all", "S1", "S2", "S3"), "regions": ("all", "b"), "neuroids": counts}
    several = dataclasses.replace(scores, r=np.broadcast_to(r, (2, 4, 2)), replicates=drawn, **named)
    none = Ceilings((), *(np.empty((0, 4, 2)),) * 3, np.empty((41, 0, 4, 2)))
    table = alignment_table(several, none, {}, NAMES)
    assert row_of(table, "chosen", "all", "all")["r_subject_mad"] == pytest.approx(0.1)  # |.1 .2 .7 - .2| = .1 0 .5
    assert np.isnan(row_of(table, "chosen", "all", "b")["r_subject_mad"])


def test_layer_share_counts_folds(study: WrittenStudy) -> None:
    table = read_table(cell(study, "alignment", "csv"))
    rows = table[(table["subject"] == "all") & (table["region"] == "all") & (table["layer"] != "chosen")]
    with h5py.File(cell(study, "encoding", "h5")) as file:
        chosen = file["chosen_layer"][:, 0]
    assert rows["layer_share"].tolist() == pytest.approx([np.mean(chosen == index) for index in range(len(LAYERS))])
    assert rows["layer_index"].tolist() == list(range(len(LAYERS)))
    assert sorted(rows["layer_share"])[-2:] == pytest.approx([1 / 6, 5 / 6])


def chosen_by_units(path: Path, chosen: np.ndarray) -> None:
    """Put other choices of layer (fold, unit) into an encoding."""
    with h5py.File(path, "r+") as file:
        del file["chosen_layer"]
        file["chosen_layer"] = chosen


def test_layer_share_of_a_subject_counts_its_own_folds(study: WrittenStudy) -> None:
    """In the mean over subjects for "all"; the regions of a subject have one layer."""
    path = cell(study, "encoding", "h5")
    chosen = np.array([[0, 1, 1], [0, 1, 2], [0, 3, 2], [0, 3, 2], [0, 4, 2], [0, 1, 2]])
    chosen_by_units(path, chosen)
    table = alignment_table(read_scores(path), ceiling_free(), {}, NAMES)
    shares = np.stack([(chosen == layer).mean(axis=0) for layer in range(len(LAYERS))])  # (layer, subject)
    for region in ("all", "a", "b"):
        for number, subject in enumerate(("S1", "S2", "S3")):
            rows = table[(table["subject"] == subject) & (table["region"] == region) & (table["layer"] != "chosen")]
            assert rows["layer_share"].tolist() == pytest.approx(shares[:, number].tolist())
        rows = table[(table["subject"] == "all") & (table["region"] == region) & (table["layer"] != "chosen")]
        assert rows["layer_share"].tolist() == pytest.approx(shares.mean(axis=1).tolist())
    assert table.loc[table["layer"] == "chosen", "layer_share"].isna().all()


def test_layer_share_of_a_region_counts_its_own_neuroids(study: WrittenStudy) -> None:
    """Neuroids of three subjects by four, whose regions are a, b, a, b."""
    path = cell(study, "encoding", "h5")
    chosen = np.random.default_rng(0).integers(0, len(LAYERS), (6, 12))
    chosen_by_units(path, chosen)
    table = alignment_table(read_scores(path), ceiling_free(), {}, NAMES)
    for subject, region, own in (("S2", "b", [5, 7]), ("all", "a", list(range(0, 12, 2))), ("S3", "all", range(8, 12))):
        for number, layer in enumerate(LAYERS):
            found = row_of(table, layer, subject, region)["layer_share"]
            assert found == pytest.approx(np.mean(chosen[:, own] == number))


def test_layers_of_units_that_are_neither_subjects_nor_neuroids_are_refused(study: WrittenStudy) -> None:
    path = cell(study, "encoding", "h5")
    chosen_by_units(path, np.zeros((6, 5), dtype=np.int64))
    with pytest.raises(UnreadableFileError, match="it has layers of 5 units, but 12 neuroids of 3 subjects"):
        read_scores(path)


def test_a_null_stands_beside_no_null(study: WrittenStudy) -> None:
    table = read_table(cell(study, "alignment", "csv", "position", "none"))
    assert set(table["best_null"]) == {""}
    assert table[["best_null_r", "over_null", "over_null_low", "over_null_high"]].isna().all(axis=None)
    assert set(table["features_kind"]) == {"null"}


def small_scores(r: float = 0.3, neuroids: int = 1) -> Scores:
    shape = (2, 1, 1)
    drawn = r + np.linspace(-0.1, 0.1, 41)[:, None, None, None] * np.ones(shape)
    counts = np.full((1, 1), neuroids)
    return Scores(
        ("one", "chosen"), ("all",), ("all",), np.full(shape, r), drawn, np.zeros(3, int), counts, 9, True, {}
    )


def ceiling_of(value: float, drawn: np.ndarray | None = None) -> Ceilings:
    replicates = np.full((41, 1, 1, 1), np.nan) if drawn is None else drawn[:, None, None, None]
    one = np.full((1, 1, 1), value)
    return Ceilings(("given",), one, one, one, replicates)


def test_scores_over_the_ceiling_are_not_clipped() -> None:
    table = alignment_table(small_scores(0.3), ceiling_of(0.2), {}, NAMES)
    assert table["normalised"].tolist() == pytest.approx([1.5, 1.5])


def test_a_ceiling_without_draws_is_held_fixed() -> None:
    table = alignment_table(small_scores(0.3), ceiling_of(0.5), {}, NAMES)
    assert table["normalised_low"].tolist() == pytest.approx([(0.3 - 0.095) / 0.5] * 2)
    assert table["normalised_high"].tolist() == pytest.approx([(0.3 + 0.095) / 0.5] * 2)


@pytest.mark.parametrize("value", [0.0, -0.1, np.nan])
def test_a_ceiling_that_is_not_above_zero_normalises_nothing(value: float) -> None:
    table = alignment_table(small_scores(), ceiling_of(value, np.full(41, 0.5)), {}, NAMES)
    assert table[["normalised", "normalised_low", "normalised_high"]].isna().all(axis=None)
    assert table["r"].notna().all()


def test_without_ceilings_the_columns_are_there_and_empty() -> None:
    none = Ceilings((), *(np.empty((0, 1, 1)),) * 3, np.empty((41, 0, 1, 1)))
    table = alignment_table(small_scores(), none, {}, NAMES)
    assert table["ceiling_kind"].tolist() == ["", ""]
    assert table[["ceiling", "normalised", "normalised_low"]].isna().all(axis=None)
    assert table.columns.tolist() == alignment_table(small_scores(), ceiling_of(0.5), {}, NAMES).columns.tolist()


def test_the_best_null_is_chosen_for_each_region() -> None:
    scores = small_scores()
    shape, drawn = (2, 1, 2), np.zeros((41, 2, 1, 2))

    def two_regions(values: list[float]) -> Scores:
        return dataclasses.replace(
            scores, regions=("all", "a"), r=np.broadcast_to(values, shape), replicates=drawn, neuroids=np.ones((1, 2))
        )

    nulls = {"length": two_regions([0.2, np.nan]), "position": two_regions([0.1, 0.4])}
    none = Ceilings((), *(np.empty((0, 1, 2)),) * 3, np.empty((41, 0, 1, 2)))
    table = alignment_table(two_regions([0.3, 0.3]), none, nulls, NAMES)
    assert table["best_null"].tolist() == ["length", "position"] * 2
    assert table["over_null"].tolist() == pytest.approx([0.1, -0.1] * 2)


def test_a_cell_without_neuroids_has_no_row() -> None:
    assert alignment_table(small_scores(neuroids=0), ceiling_of(0.5), {}, NAMES).empty


def test_draws_that_are_not_finite_are_left_out_and_counted() -> None:
    scores = small_scores()
    scores.replicates[:5] = np.nan
    table = alignment_table(scores, ceiling_of(0.5), {}, NAMES)
    assert table["draws"].tolist() == [36, 36]
    assert table["r_low"][0] == pytest.approx(np.percentile(scores.replicates[5:, 0, 0, 0], 2.5))


def test_draws_without_a_ceiling_above_zero_are_counted_out() -> None:
    drawn = np.linspace(-0.2, 0.6, 41)
    table = alignment_table(small_scores(), ceiling_of(0.2, drawn), {}, NAMES)
    above = int((drawn > 0).sum())
    assert above < 41
    assert table["draws"].tolist() == [41, 41]
    assert table["normalised_draws"].tolist() == [above, above]
    kept = small_scores().replicates[drawn > 0, 0, 0, 0] / drawn[drawn > 0]
    assert table["normalised_high"][0] == pytest.approx(np.percentile(kept, 97.5))
    none = Ceilings((), *(np.empty((0, 1, 1)),) * 3, np.empty((41, 0, 1, 1)))
    assert alignment_table(small_scores(), none, {}, NAMES)["normalised_draws"].tolist() == [0, 0]


def test_percentile_interval_of_nothing_finite_is_nan() -> None:
    low, high = percentile_interval(np.full((5, 2), np.nan))
    assert np.isnan([low, high]).all()


def edit(path: Path, **attributes: str | int) -> None:
    with h5py.File(path, "r+") as file:
        file.attrs.update(attributes)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"bootstrap": {"draws": DRAWS, "seed": 1}}, "it is of another encoder than the scores beside it (bootstrap)"),
        ({"split": {"kind": "kfold"}}, "it is of another encoder than the scores beside it (split)"),
    ],
)
def test_a_null_of_another_encoder_is_refused(study: WrittenStudy, change: dict, reason: str) -> None:
    scores, path = read_scores(cell(study, "encoding", "h5")), cell(study, "encoding", "h5", "position", "none")
    edit(path, spec=json.dumps(scores.encoder | change))
    with pytest.raises(UnreadableFileError) as error:
        read_null(path, scores)
    assert (error.value.path, error.value.reason) == (path, reason)


def test_a_null_with_other_samples_is_refused(study: WrittenStudy) -> None:
    path = cell(study, "encoding", "h5", "position", "none")
    edit(path, samples=383)
    with pytest.raises(UnreadableFileError, match="it has 383 samples in 6 folds, but the scores beside it have 384"):
        read_null(path, read_scores(cell(study, "encoding", "h5")))


def test_ceilings_with_other_draws_are_refused(study: WrittenStudy) -> None:
    path = study.ceilings(np.random.default_rng(0), "controlled", "passages", draws=DRAWS - 1)
    with pytest.raises(UnreadableFileError, match=f"it has {DRAWS - 1} draws"):
        read_ceilings(path, read_scores(cell(study, "encoding", "h5")))


def test_an_encoding_without_its_spec_is_refused(study: WrittenStudy) -> None:
    path = cell(study, "encoding", "h5")
    with h5py.File(path, "r+") as file:
        del file.attrs["spec"]
    with pytest.raises(UnreadableFileError, match="it has no attribute 'spec'"):
        read_scores(path)


def test_what_features_explain_beyond_the_nulls(study: WrittenStudy) -> None:
    own = read_scores(cell(study, "encoding", "h5"))
    nulls, joint = (read_scores(cell(study, "encoding", "h5", null, "none")) for null in ("position", "length"))
    assert own.fits is not None
    assert nulls.fits is not None
    assert joint.fits is not None
    table = alignment_table(own, ceiling_free(), {}, NAMES, together=[nulls, joint])
    row = row_of(table, "chosen", "S2", "b")
    at = (2, 2)
    expected = joint.fits.r2[-1][at] - nulls.fits.r2[-1][at]
    of_joint, of_nulls = joint.fits.replicates_r2[:, 2, 2], nulls.fits.replicates_r2[:, 2, 2]
    contributions, pairs = (
        getattr(joint.fits, name)[..., -1, 2, 2] - getattr(nulls.fits, name)[..., -1, 2, 2]
        for name in ("contributions", "pairs")
    )
    shared = float(shared_variance(pairs[..., None], own.fits.fold_of_block, own.fits.pair_share)[0])
    spread = np.sqrt(1 + max(shared, 0) / (contributions**2).sum()) * own.fits.choice_spread[2, 2]
    alone = (of_joint - of_nulls - (of_joint - of_nulls).mean()) / 1.2  # as a bootstrap with the fits held gives it
    drawn = (of_joint - of_nulls).mean() + spread * alone
    assert row["unique_r2"] == pytest.approx(expected)
    assert [row["unique_r2_low"], row["unique_r2_high"]] == pytest.approx(np.percentile(drawn, [2.5, 97.5]))
    assert [row["nulls_r2"], row["joint_r2"]] == pytest.approx([nulls.fits.r2[-1][at], joint.fits.r2[-1][at]])
    layers = table[table["layer"] != "chosen"]
    assert layers[["unique_r2", "nulls_r2", "joint_r2", "r2_low"]].isna().all(axis=None)
    assert layers["r2"].notna().all()
    alone = alignment_table(own, ceiling_free(), {}, NAMES)
    assert alone[["unique_r2", "nulls_r2", "joint_r2"]].isna().all(axis=None)


def ceiling_free() -> Ceilings:
    nothing = np.empty((0, 4, 3))
    return Ceilings((), nothing, nothing, nothing, np.empty((DRAWS, 0, 4, 3)))


def test_scores_are_tested_by_what_groups_contribute(study: WrittenStudy) -> None:
    own = read_scores(cell(study, "encoding", "h5"))
    null = read_scores(cell(study, "encoding", "h5", "length", "none"))
    assert own.fits is not None
    assert null.fits is not None
    table = alignment_table(own, ceiling_free(), {"length": null}, NAMES)
    row = row_of(table, "block_02", "all", "a")
    at = (slice(None), LAYERS.index("block_02"), 0, 1)
    options = {"draws": 1999, "alternative": "greater"}

    def spread(contributions: np.ndarray, pairs: np.ndarray) -> np.ndarray:
        shared = shared_variance(pairs, own.fits.fold_of_block, own.fits.pair_share)
        return np.sqrt(1 + np.maximum(shared, 0) / (contributions**2).sum(axis=0))

    contributions, pairs = own.fits.contributions[at], own.fits.pairs[(slice(None), *at)]
    of_null, null_pairs = null.fits.contributions[:, -1, 0, 1], null.fits.pairs[:, :, -1, 0, 1]
    given = contributions[:, None]
    assert row["r_p"] == sign_flip_test(given, spread=spread(contributions, pairs), **options).p[0]
    given = (contributions - of_null)[:, None]
    by = spread(contributions - of_null, pairs - null_pairs)
    assert row["over_null_p"] == sign_flip_test(given, spread=by, **options).p[0]
    layers = own.fits.contributions[:, :-1, 0, 1]
    by = spread(layers, own.fits.pairs[:, :, :-1, 0, 1])
    family = sign_flip_test(layers, statistic="studentised", spread=by, **options).p_family
    assert row["r_p_layers"] == family[LAYERS.index("block_02")]
    alike = np.ones_like(contributions)[:, None]
    assert row["smallest_p"] == sign_flip_test(alike, spread=spread(contributions, pairs), **options).p[0]
    assert row["dependence"] == "counted"
    assert np.isnan(row_of(table, "chosen", "all", "a")["r_p_layers"])


def test_p_of_a_layer_chosen_by_its_test_score_is_that_of_the_family(invent_study: Callable[..., WrittenStudy]) -> None:
    """Under another choice of the same layer p is that of the layer alone, and nothing else is changed."""
    study = invent_study({"tiny": (4.0,)}, tuned=False, nulls=("length",))
    own, null = read_scores(cell(study, "encoding", "h5")), read_scores(cell(study, "encoding", "h5", "length", "none"))
    assert own.fits is not None
    index = int(own.r[:-1, 0, 0].argmax())
    contributions, pairs = own.fits.contributions.copy(), own.fits.pairs.copy()
    contributions[:, -1], pairs[:, :, -1] = contributions[:, index], pairs[:, :, index]
    contributions -= contributions[:, -1:].mean(axis=0) * 0.9
    plain = np.ones_like(own.fits.choice_spread)
    fits = dataclasses.replace(own.fits, contributions=contributions, pairs=pairs, choice_spread=plain)
    own = dataclasses.replace(own, fits=fits, chosen_layer=np.full_like(own.chosen_layer, index))
    tables = {
        choice: alignment_table(own, ceiling_free(), {"length": null}, NAMES | {"layer_choice": choice})
        for choice in ("nested", "best")
    }
    places = ["subject", "region"]
    rows = {
        (choice, layer): table[table["layer"] == layer].set_index(places)
        for choice, table in tables.items()
        for layer in ("chosen", LAYERS[index])
    }
    best, nested, layer = rows["best", "chosen"], rows["nested", "chosen"], rows["best", LAYERS[index]]
    for name in ("r_p", "over_null_p"):
        assert (best[name] == layer[f"{name}_layers"]).all()
        assert (best[name] >= layer[name]).all()
        assert (best[name] > nested[name]).any()
        assert (nested[name] == layer[name]).all()
        assert best[f"{name}_layers"].isna().all()
    assert best["r_p_shift"].isna().all()
    assert nested["r_p_shift"].notna().all()
    rest = [name for name in best if name not in ("r_p", "over_null_p", "r_p_shift", "layer_choice")]
    pd.testing.assert_frame_equal(best[rest], nested[rest])
    others = [name for name in tables["best"] if name != "layer_choice"]
    pd.testing.assert_frame_equal(*(table.loc[table["layer"] != "chosen", others] for table in tables.values()))


def test_doubtful_fits_of_layers_that_were_chosen_are_logged(
    invent_study: Callable[..., WrittenStudy], caplog: pytest.LogCaptureFixture
) -> None:
    study = invent_study({"tiny": (4.0,)}, tuned=False, nulls=())
    path = cell(study, "encoding", "h5")
    for folds, said in (
        ([0.9] * 6, ["over all subjects and regions: 90% of neuroids have a penalty at the edge of the grid"]),
        ([0.1] * 6, []),
    ):
        with h5py.File(path, "r+") as file:
            file["edge_share"][int(file["chosen_layer"][0, 0])] = folds
        caplog.clear()
        study.alignment(path, study.root / "ceilings" / "controlled" / "passages.h5", [])
        assert caplog.messages == said


def test_what_is_not_known_to_be_shared_is_taken_for_the_most(study: WrittenStudy) -> None:
    own = read_scores(cell(study, "encoding", "h5"))
    assert own.fits is not None
    unknown = dataclasses.replace(own.fits, pairs=np.full_like(own.fits.pairs, np.nan))
    row = row_of(
        alignment_table(dataclasses.replace(own, fits=unknown), ceiling_free(), {}, NAMES), "block_02", "all", "a"
    )
    contributions = own.fits.contributions[:, LAYERS.index("block_02"), 0, 1]
    widest = sign_flip_test(contributions[:, None], draws=1999, alternative="greater", spread=2**0.5)
    assert row["r_p"] == widest.p[0]


def test_groups_of_one_fold_depend_on_no_other(study: WrittenStudy) -> None:
    own = read_scores(cell(study, "encoding", "h5"))
    assert own.fits is not None
    alone = dataclasses.replace(own, fits=dataclasses.replace(own.fits, dependence="one fold"))
    row = row_of(alignment_table(alone, ceiling_free(), {}, NAMES), "block_02", "all", "a")
    contributions = own.fits.contributions[(slice(None), LAYERS.index("block_02"), 0, 1)]
    lost = np.sqrt(len(contributions) / (len(contributions) - 1))  # by deviations from the groups' own mean
    plain = sign_flip_test(contributions[:, None], draws=1999, alternative="greater", spread=lost)
    assert row["r_p"] == plain.p[0]
    assert row["r_p"] < row_of(alignment_table(own, ceiling_free(), {}, NAMES), "block_02", "all", "a")["r_p"]


def test_groups_of_several_folds_have_no_test(study: WrittenStudy) -> None:
    own = read_scores(cell(study, "encoding", "h5"))
    assert own.fits is not None
    unknown = dataclasses.replace(own.fits, contributions=np.full_like(own.fits.contributions, np.nan))
    table = alignment_table(dataclasses.replace(own, fits=unknown), ceiling_free(), {}, NAMES)
    assert table[["r_p", "r_p_layers", "smallest_p"]].isna().all(axis=None)


def test_the_band_holds_every_layers_interval_about(study: WrittenStudy) -> None:
    own = read_scores(cell(study, "encoding", "h5"))
    table = alignment_table(own, ceiling_free(), {}, NAMES)
    low, high, _ = simultaneous_interval(own.replicates[:, :-1, 0, 0])
    rows = table[(table["subject"] == "all") & (table["region"] == "all") & (table["layer"] != "chosen")]
    np.testing.assert_allclose(rows["r_band_low"], low)
    np.testing.assert_allclose(rows["r_band_high"], high)
    assert table.loc[table["layer"] == "chosen", "r_band_low"].isna().all()
