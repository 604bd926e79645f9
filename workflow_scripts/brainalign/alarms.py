"""What may be wrong with a score, in sentences that stand beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from brainalign.intervals import percentile_interval
from brainalign.own_nulls import OwnNull, own_null_alarms

if TYPE_CHECKING:
    from brainalign.scored import Scores

EDGE_SHARE = 0.25  # of penalties at the grid's first or last, from which on the grid may be too narrow
CONSTANT_SHARE = 0.25  # of constant predictions
FEWEST_GROUPS = 3
PEAK = (0.8, 1.25)  # features over training samples, where least squares is near its interpolation peak


def alarms(
    scores: Scores,
    nulls: Mapping[str, Scores],
    text_free: Sequence[str],
    own_nulls: Mapping[str, OwnNull] | None = None,
) -> np.ndarray:
    """Return sentences joined by "; ", (layer, subject, region) of text, empty where nothing is to be said.

    - the features score no higher than a null, or lower beyond the paired interval: a split that leaks where that null
      has no text and its own interval lies above 0;
    - the model scores lower than its untrained twins, or than itself reading random tokens, beyond the paired interval,
      or not clearly higher;
    - the penalty of many neuroids is the first or last of the grid;
    - least squares with about as many features as training samples, where its predictions are least stable;
    - folds that are scored together although each chose its penalties, which biases r downwards;
    - neuroids that were dropped since they are constant or have NaN, or that a joined data set does not share;
    - fewer than three groups of samples are tested, so that intervals mean little;
    - constant predictions, which score 0.

    Parameters
    ----------
    nulls : name → scores under the same folds.
    text_free : names of the nulls that are computed without the text.
    own_nulls : kind → the scores over the model's own nulls of that kind.
    """
    result = np.full(scores.r.shape, "", dtype=object)
    for where, sentence in [*_found(scores, nulls, text_free), *own_null_alarms(own_nulls or {})]:
        place = np.broadcast_to(where, result.shape)
        result[place] = [f"{old}; {sentence}" if old else sentence for old in result[place]]
    return result


def _found(
    scores: Scores, nulls: Mapping[str, Scores], text_free: Sequence[str]
) -> list[tuple[np.ndarray | bool, str]]:
    found: list[tuple[np.ndarray | bool, str]] = []
    for name, null in nulls.items():
        found += _against_null(scores, name, null, name in text_free)
    fits = scores.fits
    if fits is None:
        return found
    for share, limit, what in (
        (fits.edge_share, EDGE_SHARE, "have a penalty at the edge of the grid"),
        (fits.constant_share, CONSTANT_SHARE, "have a constant prediction"),
    ):
        for layer in np.flatnonzero(share > limit):
            found.append((_only(int(layer), scores), f"{share[layer]:.0%} of neuroids {what}"))
    if isinstance(scores.encoder, dict) and scores.encoder.get("regression") == "ols":
        ratios = fits.widths / fits.train_rows
        for layer in np.flatnonzero((ratios > PEAK[0]) & (ratios < PEAK[1])):
            sentence = f"least squares is least stable here, with {ratios[layer]:.2f} features per training sample"
            found.append((_only(int(layer), scores), sentence))
    if _pools(scores.encoder) and np.isfinite(fits.edge_share).any():
        found.append((True, "folds with penalties of their own are scored together: r without a signal is below 0"))
    if fits.left_out:
        found.append((True, fits.left_out))
    if fits.groups < FEWEST_GROUPS:
        found.append((True, f"there are only {fits.groups} groups of samples"))
    if scores.replicates.size and not np.isfinite(scores.replicates).any():
        found.append((True, "too few groups are tested for an interval"))
    return found


def _pools(encoder: Any) -> bool:
    """Tell whether the predictions of all folds are scored together, by an encoder's settings as given."""
    split = encoder.get("split") if isinstance(encoder, dict) else None
    return isinstance(split, dict) and split.get("small_folds") == "pool"


def _against_null(scores: Scores, name: str, null: Scores, text_free: bool) -> list[tuple[np.ndarray | bool, str]]:
    """Say where a null's r is above that of the features, and whether that is more than chance.

    Where the interval of the difference, draw by draw, holds 0 or is not known, the features are "no higher". A null
    without text that predicts nothing may well lie above features that predict nothing, so that a leak needs a null
    that is above 0 beyond its own interval.
    """
    above = null.r[-1] > scores.r
    if not above.any():
        return []
    beyond = above & (percentile_interval(null.replicates[:, -1:] - scores.replicates)[0] > 0)
    leak = beyond & (percentile_interval(null.replicates[:, -1])[0] > 0) & text_free
    return [
        (leak, f"the null {name} scores higher, which has no text: the split leaks"),
        (beyond & ~leak, f"the null {name} scores higher"),
        (above & ~beyond, f"r is no higher than that of the null {name}"),
    ]


def _only(layer: int, scores: Scores) -> np.ndarray:
    return np.asarray(np.arange(len(scores.layers)) == layer)[:, None, None]
