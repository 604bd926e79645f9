"""What may be wrong with a score, in sentences that stand beside it."""

from collections.abc import Mapping, Sequence

import numpy as np

from brainalign.control_regions import OverControl, control_alarms
from brainalign.intervals import percentile_interval
from brainalign.own_nulls import OwnNull, own_null_alarms
from brainalign.scored import Fits, Scores, layer_shares

EDGE_SHARE = 0.25  # of penalties at the grid's first or last, from which on the grid may be too narrow
CONSTANT_SHARE = 0.25  # of constant predictions
FEWEST_GROUPS = 3
PEAK = (0.8, 1.25)  # features over training samples, where least squares is near its interpolation peak


def alarms(
    scores: Scores,
    nulls: Mapping[str, Scores],
    text_free: Sequence[str],
    own_nulls: Mapping[str, OwnNull] | None = None,
    control: OverControl | None = None,
) -> np.ndarray:
    """Return sentences joined by "; ", (layer, subject, region) of text, empty where nothing is to be said.

    - the features score no higher than a null, or lower beyond the paired interval: a split that leaks where that null
      has no text and its own interval lies above 0;
    - the model scores lower than its untrained twins, or than itself reading random tokens, beyond the paired interval,
      or not clearly higher;
    - a region's r is lower than that of the control region beyond the paired interval, or not clearly higher;
    - the penalty of many neuroids is the first or last of the grid;
    - least squares with about as many linearly independent features as training samples, where its predictions are
      least stable (see `features_per_sample`);
    - neuroids that were dropped since they are constant or have NaN, or that a joined data set does not share;
    - fewer than three groups of samples are tested, so that intervals mean little;
    - constant predictions, which score 0.

    What is said of a layer's fits is said of "chosen", too, in the cells where some fold chose the layer; of several
    such layers, what is said of the worst.

    Parameters
    ----------
    nulls : name → scores under the same folds.
    text_free : names of the nulls that are computed without the text.
    own_nulls : kind → the scores over the model's own nulls of that kind.
    control : the scores over those of the control region, where the data set has one.
    """
    result = np.full(scores.r.shape, "", dtype=object)
    found = [*_found(scores, nulls, text_free), *own_null_alarms(own_nulls or {}), *control_alarms(control)]
    for where, sentence in found:
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
        sentences = {int(layer): f"{share[layer]:.0%} of neuroids {what}" for layer in np.flatnonzero(share > limit)}
        found += _of_layers(sentences, share, scores)
    if isinstance(scores.encoder, dict) and scores.encoder.get("regression") == "ols":
        ratios = features_per_sample(fits)
        sentences = {
            int(layer): f"least squares is least stable here, with {ratios[layer]:.2f} features per training sample"
            for layer in np.flatnonzero((ratios > PEAK[0]) & (ratios < PEAK[1]))
        }
        found += _of_layers(sentences, -np.abs(np.log(ratios)), scores)
    if fits.left_out:
        found.append((True, fits.left_out))
    if fits.groups < FEWEST_GROUPS:
        found.append((True, f"there are only {fits.groups} groups of samples"))
    if scores.replicates.size and not np.isfinite(scores.replicates).any():
        found.append((True, "too few groups are tested for an interval"))
    return found


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


def features_per_sample(fits: Fits) -> np.ndarray:
    """Return features per training sample of each layer (layer,), in the fold where that is nearest to 1.

    Constant and repeated features do not count: there are as many as the rank. Only where the rank is the most that the
    training samples allow, it does not tell how many more there are, and the width is taken. (So features whose
    independent ones are a few more than the samples, and whose width is more than PEAK, go unnoticed.)
    """
    rows = np.asarray(fits.train_rows, dtype=np.float64)
    independent = np.where(fits.ranks < rows - 1, fits.ranks, fits.widths[:, None])  # (layer, fold)
    ratios = np.maximum(independent, 1) / rows
    nearest = np.abs(np.log(ratios)).argmin(axis=1)
    return np.asarray(np.take_along_axis(ratios, nearest[:, None], axis=1)[:, 0])


def _of_layers(sentences: Mapping[int, str], badness: np.ndarray, scores: Scores) -> list[tuple[np.ndarray, str]]:
    """Say of each layer its sentence, and of "chosen" that of the worst layer that some fold chose, cell by cell.

    Parameters
    ----------
    sentences : number of the layer → what is to be said of it; badness : (layer,).
    """
    shares = layer_shares(scores)  # (layer, subject, region)
    found = [(_only(layer, scores), sentence) for layer, sentence in sentences.items()]
    unsaid = np.ones(shares.shape[1:], dtype=bool)
    for layer in sorted(sentences, key=lambda layer: -badness[layer]):
        here = unsaid & (shares[layer] > 0)
        found.append((_only(len(scores.layers) - 1, scores) & here, sentences[layer]))
        unsaid &= ~here
    return found


def _only(layer: int, scores: Scores) -> np.ndarray:
    return np.asarray(np.arange(len(scores.layers)) == layer)[:, None, None]
