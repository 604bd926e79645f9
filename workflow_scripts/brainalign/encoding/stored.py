"""Encodings as variables of a file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from brainalign.encoding.encoder import Encoding
from brainalign.encoding.sampling import Sampling
from brainalign.encoding.settings import EncoderSettings
from brainalign.errors import UnreadableFileError
from brainalign.responses.samples import Columns
from brainalign.responses.stored import StoredResponses
from brainalign.storage import Variable, read_arrays

_SCORES = ("score_layer", "score_subject", "score_region")


def encoding_variables(encoding: Encoding, neuroids: Columns) -> dict[str, Variable]:
    """Return an encoding and the table of its neuroids as variables with named dimensions."""
    own = ("layer", "fold")
    arrays: dict[str, tuple[tuple[str, ...], np.ndarray]] = {
        "r": (("layer", "scored_fold", "neuroid"), encoding.r.astype(np.float32)),
        "r2": (("layer", "scored_fold", "neuroid"), encoding.r2.astype(np.float32)),
        "penalty": ((*own, "neuroid"), encoding.penalty.astype(np.float32)),
        "chosen_layer": (("fold", "choice_unit"), encoding.chosen_layer.astype(np.int64)),
        "inner_score": (own, encoding.inner_score),
        "constant_predictions": (("layer", "scored_fold"), encoding.constant_predictions.astype(np.int64)),
        "rank": (own, encoding.rank.astype(np.int64)),
        "edge_share": (own, encoding.edge_share),
        "aggregate_r": (_SCORES, encoding.aggregate_r),
        "aggregate_r2": (_SCORES, encoding.aggregate_r2),
        "aggregate_r2_test_mean": (_SCORES, encoding.aggregate_r2_test_mean),
        "group": (("group",), _text(encoding.group_names)),
        "contributions": (("group", *_SCORES), encoding.contributions.astype(np.float32)),
        "pairs": (("test_block", "block", *_SCORES), encoding.pairs.astype(np.float32)),
        "fold_of_block": (("block",), encoding.fold_of_block.astype(np.int64)),
        "width": (("layer",), encoding.width.astype(np.int64)),
        "replicates_r2": (("draw", "score_subject", "score_region"), encoding.replicates_r2.astype(np.float32)),
        "spread_r2": (("score_subject", "score_region"), encoding.spread_r2),
        "choice_spread": (("score_subject", "score_region"), encoding.choice_spread),
        "shift_p": (("score_subject", "score_region"), encoding.shift_p),
        "chosen_r": (("scored_fold", "neuroid"), encoding.chosen_r.astype(np.float32)),
        "chosen_r2": (("scored_fold", "neuroid"), encoding.chosen_r2.astype(np.float32)),
        "chosen_r2_test_mean": (("scored_fold", "neuroid"), encoding.chosen_r2_test_mean.astype(np.float32)),
        "train_rows": (("fold",), encoding.train_rows.astype(np.int64)),
        "replicates": (("draw", *_SCORES), encoding.replicates.astype(np.float32)),
        "layer": (("layer",), _text(encoding.layers)),
        "score_layer": (("score_layer",), _text(encoding.score_layers)),
        "score_subject": (("score_subject",), _text(encoding.score_subjects)),
        "score_region": (("score_region",), _text(encoding.score_regions)),
        "neuroid": (("neuroid",), _text(neuroids["neuroid"])),
        "subject": (("neuroid",), _text(neuroids["subject"])),
        "region": (("neuroid",), _text(neuroids["region"])),
    }
    return {name: Variable(dims, values) for name, (dims, values) in arrays.items()}


def encoding_facts(encoding: Encoding, data: StoredResponses) -> dict[str, str | int | float]:
    """Return what else is to be known of an encoding, as attributes of its file."""
    return {
        "samples": len(data.samples),
        "simulated": int(data.simulated),
        "resampled": encoding.resampled,
        "groups": encoding.groups,
        "dependence": encoding.dependence,
        "pair_share": encoding.pair_share,
    }


def sampling_of(data: StoredResponses, settings: EncoderSettings) -> Sampling | None:
    """Return how stimuli become samples, where something is fitted to stimuli; None where samples will do."""
    if settings.word_components is None:
        return None
    sample, stimulus, weight = (data.arrays[name] for name in ("map_sample", "map_stimulus", "map_weight"))
    return Sampling(sample, stimulus, weight, len(data.samples))


def features_of(data: StoredResponses, settings: EncoderSettings) -> Callable[[np.ndarray], np.ndarray]:
    """Return what makes the features that `encode` takes of a layer (stimulus, width): those of samples, if it can."""
    return data.features_of_samples if settings.word_components is None else np.asarray


def read_choice(path: Path) -> list[str]:
    """Read the layer that was chosen in each outer fold.

    Where every subject or neuroid has a layer of its own, it is the one that most of them have; of equals the first.

    Raises
    ------
    UnreadableFileError : not an encoding.
    """
    arrays = read_arrays(path, ["layer", "chosen_layer"])
    names, chosen = arrays["layer"], arrays["chosen_layer"]
    if chosen.ndim != 2 or not chosen.size or chosen.min() < 0 or chosen.max() >= len(names):
        raise UnreadableFileError(path, "it does not say which layer was chosen in each fold")
    return [str(names[np.bincount(row).argmax()]) for row in chosen]


def read_best_layer(path: Path) -> str:
    """Read the layer with the highest inner score, in the mean over outer folds.

    Raises
    ------
    UnreadableFileError : not an encoding, or one whose inner folds were not scored.
    """
    arrays = read_arrays(path, ["layer", "inner_score"])
    scores = arrays["inner_score"].mean(axis=1)
    if not np.isfinite(scores).any():
        raise UnreadableFileError(path, "its inner folds were not scored, so that no layer can be chosen by it")
    return str(arrays["layer"][np.nanargmax(scores)])


def _text(values: object) -> np.ndarray:
    return np.array(list(values), dtype=object)  # type: ignore[call-overload]
