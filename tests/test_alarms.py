"""Sentences that stand beside a score."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from brainalign.alarms import alarms
from brainalign.encoding.spectrum import FeatureSpace, least_squares
from brainalign.report.caveats_of_scores import AGAINST_NULLS
from brainalign.scored import Fits, Scores

LAYERS = ("one", "two", "chosen")
LEAK = "the null position scores higher, which has no text: the split leaks"
NO_HIGHER = "r is no higher than that of the null position"


def scores_of(
    r: float = 0.3,
    regression: str = "ridge",
    spread: float = 0.0,
    chosen: Any = (0, 0, 0),
    **fits: Any,
) -> Scores:
    shape = (3, 1, 1)
    known: dict[str, Any] = {
        "r2": np.zeros(shape),
        "r2_test_mean": np.zeros(shape),
        "replicates_r2": np.zeros((5, 1, 1)),
        "spread_r2": np.ones((1, 1)),
        "shift_p": np.full(shape[1:], np.nan),
        "edge_share": np.zeros(2),
        "constant_share": np.zeros(2),
        "widths": np.array([10, 400]),
        "ranks": np.tile([[10], [344]], 3),
        "train_rows": np.full(3, 345),
        "groups": 96,
        "contributions": np.full((4, *shape), np.nan),
        "pairs": np.full((4, 4, *shape), np.nan),
        "fold_of_block": np.arange(4),
        "pair_share": 1.0,
        "choice_spread": np.ones(shape[1:]),
        "dependence": "counted",
    }
    drawn = r + spread * np.linspace(-1, 1, 5)[:, None, None, None] * np.ones((5, *shape))
    return Scores(
        LAYERS,
        ("all",),
        ("all",),
        np.full(shape, r),
        drawn,
        np.array(chosen)[:, None],
        np.ones((1, 1)),
        9,
        False,
        {"regression": regression, "split": {"kind": "grouped"}},
        Fits(**known | fits),
    )


def said(scores: Scores, nulls: Any = None, text_free: Any = ()) -> list[str]:
    return alarms(scores, nulls or {}, text_free)[:, 0, 0].tolist()


def test_nothing_is_said_where_nothing_is_wrong() -> None:
    assert said(scores_of(), {"length": scores_of(0.1)}) == ["", "", ""]


def test_a_null_that_scores_higher() -> None:
    nulls = {"length": scores_of(0.4), "position": scores_of(0.5), "words": scores_of(0.2)}
    assert (
        said(scores_of(), nulls, ["position"])
        == ["the null length scores higher; the null position scores higher, which has no text: the split leaks"] * 3
    )


@pytest.mark.parametrize(
    ("r", "null", "expected"),
    [
        ((0.3, 0.01), (0.5, 0.02), LEAK),
        ((-0.02, 0.03), (-0.01, 0.05), NO_HIGHER),  # both predict nothing
        ((-0.5, 0.01), (0.0, 0.05), "the null position scores higher"),  # the null predicts nothing
        ((0.3, 0.01), (0.31, 0.05), NO_HIGHER),  # above 0, and not clearly higher
        ((0.3, np.nan), (0.5, np.nan), NO_HIGHER),  # no interval
        ((0.3, 0.01), (0.2, 0.01), ""),
    ],
)
def test_a_leak_needs_a_null_that_is_above_0_and_above_the_features(
    r: tuple[float, float], null: tuple[float, float], expected: str
) -> None:
    found = said(scores_of(r[0], spread=r[1]), {"position": scores_of(null[0], spread=null[1])}, ["position"])
    assert [sentence.replace("; too few groups are tested for an interval", "") for sentence in found] == [expected] * 3
    if expected:
        (meaning,) = [name for name, known in AGAINST_NULLS.items() if known.fullmatch(expected)]
        assert (meaning == "leak") == (expected == LEAK)


def test_each_layer_is_set_against_the_null_by_itself() -> None:
    scores, null = scores_of(0.3, spread=0.01), scores_of(0.4, spread=0.02)
    scores.r[1], scores.replicates[:, 1] = 0.5, scores.replicates[:, 1] + 0.2
    assert said(scores, {"position": null}, ["position"]) == [LEAK, "", LEAK]


@pytest.mark.parametrize(
    ("fits", "expected"),
    [
        ({"edge_share": np.array([0.1, 0.5])}, ["", "50% of neuroids have a penalty at the edge of the grid", ""]),
        ({"edge_share": np.array([np.nan, 0.25])}, ["", "", ""]),
        ({"constant_share": np.array([1.0, 0.2])}, ["100% of neuroids have a constant prediction", "", "as one"]),
        ({"constant_share": np.array([0.9, 0.7]), "chosen": (1, 1, 0)}, ["90% CONSTANT", "70% CONSTANT", "as one"]),
        ({"constant_share": np.array([0.9, 0.7]), "chosen": (1, 1, 1)}, ["90% CONSTANT", "70% CONSTANT", "as two"]),
        ({"constant_share": np.array([np.nan, 0.7]), "chosen": (0, 1, 0)}, ["", "70% CONSTANT", "as two"]),
        ({"left_out": "3 of 9 neuroids dropped (3 constant)"}, ["3 of 9 neuroids dropped (3 constant)"] * 3),
        ({"groups": 2}, ["there are only 2 groups of samples"] * 3),
    ],
)
def test_what_fits_say(fits: Any, expected: list[str]) -> None:
    one, two, chosen = (text.replace("CONSTANT", "of neuroids have a constant prediction") for text in expected)
    assert said(scores_of(**fits)) == [one, two, {"as one": one, "as two": two}.get(chosen, chosen)]


def test_the_chosen_layer_is_that_of_the_cell() -> None:
    """Two subjects that choose by themselves; a third layer is worse than both, and nobody's."""
    scores, shape = scores_of(), (4, 3, 2)
    fits = dataclasses.replace(scores.fits, edge_share=np.array([0.5, 0.3, 0.8]), constant_share=np.zeros(3))
    cells = np.array([[[True] * 2, [True] * 2, [False] * 2], [[True] * 2, [False] * 2, [True] * 2]])
    apart = dataclasses.replace(
        scores, layers=("one", "two", "three", "chosen"), r=np.full(shape, 0.3), replicates=np.full((5, *shape), 0.3),
        subjects=("all", "S1", "S2"), chosen_layer=np.array([[0, 1]] * 4), unit_cells=cells, fits=fits,
    )  # fmt: skip
    found = alarms(apart, {}, ())
    assert [text[:3] for text in found[3, :, 0]] == ["50%", "50%", "30%"]
    assert (found[3, :, 0] == found[3, :, 1]).all()
    assert [text[:3] for text in found[:3, 2, 1]] == ["50%", "30%", "80%"]
    nobody = dataclasses.replace(apart, chosen_layer=np.empty(0, dtype=int), unit_cells=None)
    assert set(alarms(nobody, {}, ())[3].ravel()) == {""}


def test_least_squares_near_its_peak() -> None:
    sentence = "least squares is least stable here, with 1.16 features per training sample"
    assert said(scores_of(regression="ols")) == ["", sentence, ""]
    assert said(scores_of(regression="ols", chosen=(0, 0, 1))) == ["", sentence, sentence]
    far = {"widths": np.array([4000, 100]), "ranks": np.tile([[344], [100]], 3)}
    assert said(scores_of(regression="ols", **far)) == ["", "", ""]
    assert said(scores_of(regression="ridge", chosen=(1, 1, 1))) == ["", "", ""]


@pytest.mark.parametrize("constant", [True, False], ids=["constant", "repeated"])
@pytest.mark.parametrize(("independent", "width", "warned"), [(90, 300, True), (30, 100, False), (100, 100, True)])
def test_features_that_add_no_direction_are_not_counted(
    constant: bool, independent: int, width: int, warned: bool
) -> None:
    """At the rank that least squares themselves find, where the width would hide the peak or fake one."""
    random = np.random.default_rng(0)
    x = random.normal(size=(100, independent))
    more = width - independent
    x = np.concatenate([x, np.ones((100, more)) if constant else x[:, np.arange(more) % independent]], axis=1)
    rank = least_squares(FeatureSpace(x), np.arange(98), np.arange(98, 100)).rank
    fits = {"widths": np.array([width, 4000]), "ranks": np.array([[rank] * 3, [97] * 3]), "train_rows": np.full(3, 98)}
    assert [bool(text) for text in said(scores_of(regression="ols", **fits))] == [warned, False, warned]
