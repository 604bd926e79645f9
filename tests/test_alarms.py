"""Sentences that stand beside a score."""

from typing import Any

import numpy as np
import pytest

from brainalign.alarms import alarms
from brainalign.report.caveats_of_scores import AGAINST_NULLS
from brainalign.scored import Fits, Scores

LAYERS = ("one", "two", "chosen")
LEAK = "the null position scores higher, which has no text: the split leaks"
NO_HIGHER = "r is no higher than that of the null position"


def scores_of(
    r: float = 0.3, regression: str = "ridge", spread: float = 0.0, small_folds: str = "refuse", **fits: Any
) -> Scores:
    shape = (3, 1, 1)
    known: dict[str, Any] = {
        "r2": np.zeros(shape),
        "r2_test_mean": np.zeros(shape),
        "replicates_r2": np.zeros((5, 1, 1)),
        "shift_p": np.full(shape[1:], np.nan),
        "edge_share": np.zeros(2),
        "constant_share": np.zeros(2),
        "widths": np.array([10, 400]),
        "train_rows": 345.6,
        "groups": 96,
        "contributions": np.full((4, *shape), np.nan),
        "pairs": np.full((4, 4, *shape), np.nan),
        "fold_of_block": np.arange(4),
        "pair_share": 1.0,
        "dependence": "counted",
    }
    drawn = r + spread * np.linspace(-1, 1, 5)[:, None, None, None] * np.ones((5, *shape))
    return Scores(
        LAYERS,
        ("all",),
        ("all",),
        np.full(shape, r),
        drawn,
        np.zeros((3, 1), dtype=int),
        np.ones((1, 1)),
        9,
        False,
        {"regression": regression, "split": {"kind": "grouped", "small_folds": small_folds}},
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
        ({"constant_share": np.array([1.0, 0.2])}, ["100% of neuroids have a constant prediction", "", ""]),
        ({"left_out": "3 of 9 neuroids dropped (3 constant)"}, ["3 of 9 neuroids dropped (3 constant)"] * 3),
        ({"groups": 2}, ["there are only 2 groups of samples"] * 3),
    ],
)
def test_what_fits_say(fits: Any, expected: list[str]) -> None:
    assert said(scores_of(**fits)) == expected


def test_least_squares_near_its_peak() -> None:
    sentence = "least squares is least stable here, with 1.16 features per training sample"
    assert said(scores_of(regression="ols")) == ["", sentence, ""]
    assert said(scores_of(regression="ols", widths=np.array([4000, 100]))) == ["", "", ""]


def test_folds_scored_together_with_penalties_of_their_own() -> None:
    sentence = "folds with penalties of their own are scored together: r without a signal is below 0"
    assert said(scores_of(small_folds="pool")) == [sentence] * 3
    assert said(scores_of(small_folds="pool", edge_share=np.full(2, np.nan))) == [""] * 3
    assert said(scores_of()) == [""] * 3
