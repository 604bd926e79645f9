"""The similarities of one feature space as a table."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from brainalign.similarity.measure import Similarity
from brainalign.similarity.settings import SimilaritySettings

NAMES = ("dataset", "collection", "similarity", "readout", "features", "features_kind")


def similarity_table(
    similarity: Similarity, settings: SimilaritySettings, names: Mapping[str, str], simulated: bool
) -> pd.DataFrame:
    """Return one row for each layer x subject x region that has neuroids.

    Columns: NAMES; `metric`, `kind`; `value` with `value_low` and `value_high`, empty where undefined, and `reason`;
    `over_subjects`: how the subject "all" is made ("mean" or "pooled"), empty for a subject; `features_distance`: the
    distance that was taken for the features; how many units, neuroids, samples, groups and draws.

    Parameters
    ----------
    names : NAMES to the names that stand in the table.
    """
    shape = similarity.value.shape
    columns: dict[str, Any] = {name: np.array(names[name], dtype=object) for name in NAMES}
    over = "pooled" if settings.kind == "as-published" else "mean"
    columns |= {
        "simulated": np.array(int(simulated)),
        "metric": np.array(settings.metric, dtype=object),
        "kind": np.array(settings.kind, dtype=object),
        "subject": np.array(similarity.subjects, dtype=object)[:, None],
        "region": np.array(similarity.regions, dtype=object),
        "layer": np.array(similarity.layers, dtype=object)[:, None, None],
        "layer_index": np.arange(shape[0])[:, None, None],
        "value": similarity.value,
        "value_low": similarity.low,
        "value_high": similarity.high,
        "reason": similarity.reason,
        "over_subjects": np.array([over] + [""] * (shape[1] - 1), dtype=object)[:, None],
        "features_distance": np.array(similarity.distance, dtype=object)[:, None, None],
        "width": np.array(similarity.width)[:, None, None],
        "neuroids": similarity.neuroids,
        "samples": np.array(similarity.samples),
        "groups": np.array(similarity.groups),
        "draws": similarity.draws,
    }
    table = pd.DataFrame({name: np.broadcast_to(values, shape).ravel() for name, values in columns.items()})
    return table[table["neuroids"] > 0].reset_index(drop=True)
