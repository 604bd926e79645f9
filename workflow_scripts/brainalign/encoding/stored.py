"""Encodings as variables of a file."""

import numpy as np

from brainalign.encoding.encoder import Encoding
from brainalign.responses.samples import Columns
from brainalign.storage import Variable

_SCORES = ("score_layer", "score_subject", "score_region")


def encoding_variables(encoding: Encoding, neuroids: Columns) -> dict[str, Variable]:
    """Return an encoding and the table of its neuroids as variables with named dimensions."""
    own = ("layer", "fold")
    arrays: dict[str, tuple[tuple[str, ...], np.ndarray]] = {
        "r": ((*own, "neuroid"), encoding.r.astype(np.float32)),
        "penalty": ((*own, "neuroid"), encoding.penalty.astype(np.float32)),
        "chosen_layer": (("fold",), encoding.chosen_layer.astype(np.int64)),
        "inner_score": (own, encoding.inner_score),
        "constant_predictions": (own, encoding.constant_predictions.astype(np.int64)),
        "rank": (own, encoding.rank.astype(np.int64)),
        "edge_share": (own, encoding.edge_share),
        "aggregate_r": (_SCORES, encoding.aggregate_r),
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


def _text(values: object) -> np.ndarray:
    return np.array(list(values), dtype=object)  # type: ignore[call-overload]
