"""Kinds by name, as stored, and what they normalise."""

import json
import typing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from brainalign.alignment import alignment_table
from brainalign.ceilings.ceiling import BASES, KINDS, in_units_of_r
from brainalign.ceilings.kinds import estimate
from brainalign.ceilings.known import known_ceiling
from brainalign.ceilings.neuroids import normalise_neuroids
from brainalign.ceilings.other_subjects import leave_one_subject_out_ceiling
from brainalign.ceilings.repeats import repeats_ceiling
from brainalign.ceilings.split_half import split_half_ceiling
from brainalign.ceilings.stored import ceiling_variables
from brainalign.ceilings.subject_pool import subject_pool_ceiling
from brainalign.config import data as config_data
from brainalign.encoding.encoder import encode
from brainalign.encoding.scores import Units, aggregate
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.stored import encoding_facts, encoding_variables
from brainalign.errors import InputError
from brainalign.responses.samples import Samples
from brainalign.responses.stored import StoredResponses
from brainalign.scored import read_scores
from brainalign.scored_ceilings import Ceilings, NormalisedNeuroids, read_ceilings, read_neuroids
from brainalign.storage import write_arrays
from test_alignment import NAMES, small_scores

SETTINGS = EncoderSettings(split={"kind": "grouped", "folds": 5}, draws=25, grid=(0.1, 10.0, 1000.0))


@pytest.fixture
def repeated(shared: Any) -> StoredResponses:
    random = np.random.default_rng(1)
    values = shared.noise_free + random.normal(size=(3, *shared.noise_free.shape))
    arrays = {"noise_free": shared.noise_free}
    ids = np.arange(160).astype(str)
    path, values = Path("responses.h5"), values.astype(np.float32)
    return StoredResponses(path, values, shared.samples, shared.neuroids, ids, arrays, True)


def test_every_kind_is_found_stored_and_in_the_order_of_preference(repeated: StoredResponses) -> None:
    asked = {"subject-pool": {"pools": 1, "bootstraps": 20, "shifts": 2}} | {kind: {} for kind in KINDS[:-1]}
    given = np.linspace(0.2, 0.9, 24)
    ceilings = estimate(asked, repeated, SETTINGS, given)
    np.testing.assert_array_equal(ceilings[1].per_neuroid, given)
    assert [ceiling.kind for ceiling in ceilings] == list(KINDS)
    units = Units.from_table(repeated.neuroids)
    stored = ceiling_variables(ceilings, units, SETTINGS.draws)
    assert stored["ceiling_kind"].values.tolist() == list(KINDS)
    assert stored["ceiling_basis"].values.tolist() == ["truth"] + ["responses"] * 3 + ["encoder"] * 2
    assert stored["ceiling_units"].values.tolist() == ["r"] * 6
    for index, ceiling in enumerate(ceilings):
        np.testing.assert_array_equal(stored["ceiling_aggregate"].values[index], ceiling.aggregate)
        has_bounds = np.isfinite(stored["ceiling_per_neuroid_low"].values[index]).all()
        assert has_bounds == (ceiling.kind != "given")
        has_draws = np.isfinite(stored["ceiling_replicates"].values[:, index]).all()
        assert has_draws == (ceiling.kind not in ("given", "subject-pool"))
        assert np.isfinite(stored["ceiling_null"].values[index]).all() == (ceiling.kind == "subject-pool")
    known, reliable = ceilings[0].aggregate[0, 0], [ceilings[number].aggregate[0, 0] for number in (2, 3)]
    assert reliable == pytest.approx([known] * 2, abs=0.06)


def test_kinds_are_those_of_the_config() -> None:
    fields = config_data.Ceilings.model_fields
    assert tuple(field.alias or name for name, field in fields.items() if name != "normalise") == KINDS
    assert set(BASES) == set(KINDS)
    assert all(type(None) in typing.get_args(fields[kind.replace("-", "_")].annotation) for kind in KINDS)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("splithalf", "unknown kind of ceiling 'splithalf'; did you mean 'split-half'"),
        ("known", "a known ceiling needs the noise-free responses of a simulation"),
        ("given", "given ceilings were asked for, but there is no table of them"),
        ("repeats", "needs at least 2 repetitions, but the responses have no axis of them"),
    ],
)
def test_what_a_data_set_has_not_is_told(repeated: StoredResponses, kind: str, message: str) -> None:
    bare = replace(repeated, values=repeated.values[0], arrays={})
    with pytest.raises(InputError, match=message):
        estimate({kind: {}}, bare, SETTINGS)


UNITS = Units(np.arange(6).astype(str), np.repeat(["S1", "S2"], 3), np.array(["a", "a", "b", "a", "b", "b"]))


@pytest.mark.parametrize("name", ["mean", "schrimpf", "brain-score"])
def test_neuroids_are_normalised_one_by_one(name: str) -> None:
    random = np.random.default_rng(0)
    r, ceiling = random.normal(0.2, 0.1, size=(2, 3, 6)), random.uniform(0.3, 0.9, size=6)
    chosen = np.stack([r[0, 0], r[1, 1], r[0, 2]])
    low = np.array([0.1, -0.1, 0.2, 0.1, np.nan, 0.0])  # S2 has no neuroid of region b left
    found, counts = normalise_neuroids(r, chosen, UNITS, ceiling, low, name)
    kept = [0, 2, 3]
    own = Units(UNITS.neuroid[kept], UNITS.subject[kept], UNITS.region[kept])
    for layer, values in enumerate([r[0], r[1], chosen]):
        np.testing.assert_allclose(found[layer], aggregate(values[:, kept] / ceiling[kept], own, name))
    assert counts.tolist() == [[3, 2, 1], [2, 1, 1], [1, 1, 0]]
    assert np.isnan(found[:, 2, 2]).all()
    assert np.isfinite(found[:, :2]).all()


def written(
    folder: Path,
    shared: Any,
    settings: EncoderSettings,
    spec: dict[str, Any],
    asked: dict[str, Any],
    given: np.ndarray | None = None,
) -> tuple[Path, Path]:
    """Write the encoding of two layers that are as good as each other, and ceilings."""
    data = StoredResponses(
        folder / "responses.h5",
        np.stack([shared.responses, shared.responses + np.random.default_rng(0).normal(size=(160, 24))]),
        shared.samples,
        shared.neuroids,
        np.arange(160).astype(str),
        {"noise_free": shared.noise_free},
        True,
    )
    noise = 0.8 * np.random.default_rng(3).normal(size=(2, 160, 24))
    layers = [("one", shared.noise_free + noise[0]), ("other", shared.noise_free + noise[1])]
    encoding = encode(layers, data.values, shared.samples, shared.neuroids, settings)
    write_arrays(
        folder / "encoding.h5",
        encoding_variables(encoding, shared.neuroids),
        {"spec": json.dumps(spec), **encoding_facts(encoding, data)},
    )
    ceilings = estimate(asked, data, settings, given)
    found = ceiling_variables(ceilings, Units.from_table(shared.neuroids), settings.draws)
    write_arrays(folder / "ceilings.h5", found, {"spec": json.dumps({"encoder": spec})})
    return folder / "encoding.h5", folder / "ceilings.h5"


@pytest.mark.parametrize("layer", ["nested", {"nested": "subject"}])
def test_the_chosen_score_is_of_the_predictions_of_all_folds_that_chose(
    shared: Any, tmp_path: Path, layer: Any
) -> None:
    """Also where folds that chose other layers are scored together, whose r together is no layer's."""
    spec = {"layer": layer, "split": {"kind": "grouped", "folds": 10, "small_folds": "pool"}, "aggregate": "mean"}
    spec |= {"bootstrap": {"draws": 25, "seed": 0}}
    settings = EncoderSettings.from_mapping(spec)
    encoding, ceilings = written(tmp_path, shared, settings, spec, {"known": {}})
    scores = read_scores(encoding)
    assert settings.pools
    assert len(np.unique(scores.chosen_layer)) == 2
    found = read_neuroids(encoding, ceilings, scores)
    assert np.isfinite(found.normalised[-1]).all()
    with h5py.File(encoding) as file, h5py.File(ceilings) as of_ceilings:
        ratio = file["chosen_r"][0] / of_ceilings["ceiling_per_neuroid"][0]
        kept = of_ceilings["ceiling_per_neuroid_low"][0] > 0
    assert found.neuroids[0, 0] == kept.sum()
    by_subject = [ratio[kept & (shared.neuroids["subject"] == name)].mean() for name in scores.subjects[1:]]
    assert found.normalised[-1, 0, 0] == pytest.approx(np.mean(by_subject), abs=1e-6)


def test_r_is_divided_by_the_root_of_a_ceiling_of_r2(shared: Any, tmp_path: Path) -> None:
    spec = {"split": {"kind": "grouped", "folds": 5}, "bootstrap": {"draws": 25, "seed": 0}}
    encoding, ceilings = written(
        tmp_path, shared, SETTINGS, spec, {"split-half": {"of": "reliability"}, "leave-one-subject-out": {}}
    )
    with h5py.File(ceilings) as file:
        assert file["ceiling_units"].asstr()[:].tolist() == ["r2", "r"]
        stored, neuroids = file["ceiling_aggregate"][:], file["ceiling_per_neuroid"][0]
        drawn = file["ceiling_replicates"][:]
    scores = read_scores(encoding)
    found = read_ceilings(ceilings, scores)
    np.testing.assert_allclose(found.r, [np.sign(stored[0]) * np.sqrt(np.abs(stored[0])), stored[1]])
    np.testing.assert_allclose(np.abs(found.replicates[:, 0]) ** 2, np.abs(drawn[:, 0]), rtol=1e-5)
    np.testing.assert_array_equal(found.replicates[:, 1], drawn[:, 1])
    table = alignment_table(scores, found, {}, NAMES)
    assert set(table["ceiling_units"]) == {"r"}
    np.testing.assert_allclose(table["ceiling_split_half"], table["ceiling"])
    np.testing.assert_allclose(table["normalised"], table["r"] / np.sqrt(np.tile(stored[0].ravel(), 3)))
    of_neuroids = read_neuroids(encoding, ceilings, scores)
    with h5py.File(encoding) as file:
        r = file["r"][0].mean(axis=0)
    assert (neuroids > 0).all()
    by_subject = (r / np.sqrt(neuroids)).reshape(6, 4).mean(axis=1)
    assert of_neuroids.neuroids[0, 0] == 24
    assert of_neuroids.normalised[0, 0, 0] == pytest.approx(by_subject.mean(), abs=1e-6)


@pytest.mark.parametrize("basis", ["responses", "encoder"])
def test_the_table_says_what_a_given_ceiling_belongs_to(shared: Any, tmp_path: Path, basis: str) -> None:
    spec = {"split": {"kind": "grouped", "folds": 5}, "bootstrap": {"draws": 25, "seed": 0}}
    asked = {"subject-pool": {"pools": 1, "shifts": 0}, "given": {"basis": basis}}
    encoding, ceilings = written(tmp_path, shared, SETTINGS, spec, asked, np.full(24, 0.5))
    scores = read_scores(encoding)
    table = alignment_table(scores, read_ceilings(ceilings, scores), {}, NAMES)
    assert set(table["ceiling_kind"]) == {"given"}
    assert set(table["ceiling_basis"]) == {basis}


def test_ceilings_in_other_units_than_r_are_refused() -> None:
    squared = replace(ceiling_of("split-half", 0.4, np.nan), units="r2")
    with pytest.raises(InputError, match="r cannot be divided by ceilings in units of 'r2'; take their signed root"):
        alignment_table(small_scores(), squared, {}, NAMES)
    converted = in_units_of_r(np.array([[0.25, -0.25], [0.3, np.nan]]), ("r2", "r"))
    np.testing.assert_allclose(converted, [[0.5, -0.5], [0.3, np.nan]])


def test_where_no_neuroid_is_left_nothing_is_normalised() -> None:
    found, counts = normalise_neuroids(np.ones((1, 2, 6)), np.zeros((2, 6)), UNITS, np.ones(6), -np.ones(6), "mean")
    assert np.isnan(found).all()
    assert not counts.any()


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match=r"r has shape \(1, 2, 5\)"):
        normalise_neuroids(np.ones((1, 2, 5)), np.ones((2, 5)), UNITS, np.ones(6), np.ones(6), "mean")
    with pytest.raises(InputError, match=r"chosen layers has shape \(1, 6\), but that of a layer \(2, 6\)"):
        normalise_neuroids(np.ones((1, 2, 6)), np.ones((1, 6)), UNITS, np.ones(6), np.ones(6), "mean")


def ceiling_of(kind: str, low: float, null_high: float) -> Ceilings:
    one = np.ones((1, 1, 1))
    drawn = np.full((41, 1, 1, 1), np.nan)
    return Ceilings((kind,), 0.5 * one, low * one, 0.6 * one, drawn, 0.1 * one, null_high * one)


@pytest.mark.parametrize(
    ("low", "null_high", "above"),
    [(0.4, 0.3, 1), (0.3, 0.3, 0), (0.2, 0.3, 0), (0.1, np.nan, 1), (-0.1, np.nan, 0), (np.nan, np.nan, np.nan)],
)
def test_the_table_says_whether_a_ceiling_stands_out_from_noise(low: float, null_high: float, above: float) -> None:
    table = alignment_table(small_scores(neuroids=9), ceiling_of("subject-pool", low, null_high), {}, NAMES)
    np.testing.assert_array_equal(table["ceiling_above_noise"], [above, above])
    assert table["ceiling_basis"].tolist() == ["encoder"] * 2
    assert table["normalised_by"].tolist() == ["aggregate"] * 2
    assert table["normalised_neuroids"].tolist() == [9, 9]


def test_neuroids_stand_in_the_place_of_aggregates() -> None:
    neuroids = NormalisedNeuroids(np.array([[[0.7]], [[0.8]]]), np.array([[4]]))
    table = alignment_table(small_scores(neuroids=9), ceiling_of("repeats", 0.4, np.nan), {}, NAMES, neuroids)
    assert table["normalised"].tolist() == [0.7, 0.8]
    assert table[["normalised_low", "normalised_high"]].isna().all(axis=None)
    assert table["normalised_by"].tolist() == ["neuroid"] * 2
    assert table["normalised_neuroids"].tolist() == [4, 4]
    assert table["ceiling_basis"].tolist() == ["responses"] * 2


@pytest.mark.parametrize("preset", ["wehbe", "trimmed"])
def test_ceilings_of_a_series_are_of_the_samples_that_trimming_leaves(preset: str) -> None:
    random = np.random.default_rng(0)
    runs = np.repeat(["a", "b", "c", "d"], 40)
    samples = Samples({"split_group": runs, "run": runs, "onset_s": np.tile(2.0 * np.arange(40), 4)})
    signal = random.normal(size=(160, 6))
    values = signal + random.normal(size=(3, 160, 6))
    neuroids = {"neuroid": list("abcdef"), "subject": ["S1", "S1", "S2", "S2", "S3", "S3"], "region": ["x"] * 6}
    own: dict[str, Any] = {"trim": (3, 2), "split": {"kind": "contiguous", "folds": 4, "gap": 2, "at": "published"}}
    if preset == "wehbe":
        own |= {"standardize": "fold", "intercept": False, "zscore_delayed": True, "word_components": 2}
        own["word_rule"] = "published"
    settings = EncoderSettings(**own, draws=20, layer="best", grid=(1.0, 10.0), grid_scale="absolute")
    kept = np.flatnonzero((np.arange(160) % 40 >= 3) & (np.arange(160) % 40 < 38))
    cut = Samples({name: column[kept] for name, column in samples.columns.items()})
    plain = replace(settings, trim=(0, 0))
    values[:, np.setdiff1d(np.arange(160), kept)] = np.nan  # what is trimmed may hold anything
    for make, arguments in (
        (known_ceiling, (signal, values)),
        (repeats_ceiling, (values,)),
        (split_half_ceiling, (values,)),
        (leave_one_subject_out_ceiling, (values,)),
        (partial(subject_pool_ceiling, pools=1, bootstraps=20, shifts=2), (values,)),
    ):
        ours = make(*arguments, samples, neuroids, settings)
        theirs = make(*(array[..., kept, :] for array in arguments), cut, neuroids, plain)
        np.testing.assert_allclose(ours.aggregate, theirs.aggregate, atol=1e-6)
        np.testing.assert_allclose(ours.per_neuroid, theirs.per_neuroid, atol=1e-6)
        if ours.null is not None and theirs.null is not None:
            np.testing.assert_allclose(ours.null, theirs.null, atol=1e-6)
