"""Layers matched in width one after the other, on disk, so that no more than one lies in memory."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from brainalign.activations.matching import (
    check_components,
    check_width,
    components,
    most_selective,
    projected,
    projection_matrix,
    selectivity,
)
from brainalign.activations.rows import Rows
from brainalign.errors import InputError
from brainalign.storage import Values

LOCALIZED = "localized"  # the one layer of units that were chosen from all layers
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Match:
    """What layers are matched to.

    kind : "components", "projection" or "localizer". count : units that are left.
    seed : of a projection.
    rank : how a localizer ranks units (`matching.RANKS`).
    over : whether it takes so many units of each "layer", or of the whole "model", as one layer.
    """

    kind: str
    count: int
    seed: int = 0
    rank: str = "t"
    over: str = "layer"

    def check(self, stimuli: int, width: int) -> None:
        """Raise InputError, before a model is read, where that can be foreseen.

        Parameters
        ----------
        stimuli : of the data set. width : of the model's hidden state.
        """
        if self.kind == "components":
            check_components(stimuli, self.count)
        if self.over == "layer" and width < self.count:
            raise InputError(f"the model's states have {width} units, and so cannot be matched to {self.count}.")


def match_layers(
    layers: Mapping[str, Values], stimuli: int, match: Match, folder: Path, is_language: np.ndarray | None = None
) -> tuple[dict[str, Values], dict[str, Any]]:
    """Match every layer to one width.

    Parameters
    ----------
    layers : name → states (row × width), the data set's stimuli first, then a localizer's texts.
    stimuli : how many rows are the data set's.
    match : what to match to.
    folder : for the matched layers; it is made.
    is_language : (text,) of the localizer's texts, which of them are the language condition.

    Returns
    -------
    name → matched states (stimulus × count) on disk, in the same order ("localized" alone where units were chosen
    over the whole model); and what was done, in values that JSON has.

    Raises
    ------
    InputError : a layer narrower than that, fewer stimuli than components, or too few units that vary.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if match.kind == "localizer":
        assert is_language is not None
        return _localized(layers, stimuli, match, folder, is_language)
    found: dict[str, Values] = {}
    ranks: dict[str, int] = {}
    for name, states in layers.items():
        check_width(name, states.shape[1], match.count)
        if match.kind == "components":
            matched, rank = components(states[:stimuli], match.count)
            if rank < match.count:
                ranks[name] = rank
                _logger.warning("the layer %s has %d components only; the others are zeros", name, rank)
        else:
            matrix = projection_matrix(name, states.shape[1], match.count, match.seed)
            matched = projected(states[:stimuli], matrix)
        found[name] = _on_disk(folder, len(found), matched)
    done: dict[str, Any] = {"kind": match.kind, "count": match.count, "stimuli": stimuli}
    done |= {"ranks_below_count": ranks} if match.kind == "components" else {"seed": match.seed}
    return found, done


def _localized(
    layers: Mapping[str, Values], stimuli: int, match: Match, folder: Path, is_language: np.ndarray
) -> tuple[dict[str, Values], dict[str, Any]]:
    """Keep the units that respond more to language, of each layer or of all layers together."""
    values: dict[str, np.ndarray] = {}
    for name, states in layers.items():
        if match.over == "layer":
            check_width(name, states.shape[1], match.count)
        texts = states[stimuli:]
        values[name] = selectivity(texts[is_language], texts[~is_language], match.rank)
    if match.over == "model":
        chosen = dict(zip(values, most_selective(list(values.values()), match.count, "the model"), strict=True))
    else:
        chosen = {name: most_selective([value], match.count, f"the layer {name}")[0] for name, value in values.items()}
    found: dict[str, Values] = {}
    if match.over == "model":
        taken = [layers[name][:stimuli][:, units] for name, units in chosen.items() if len(units)]
        found[LOCALIZED] = _on_disk(folder, 0, np.hstack(taken))
    else:
        for name, units in chosen.items():
            found[name] = _on_disk(folder, len(found), layers[name][:stimuli][:, units])
    done = {
        "kind": match.kind,
        "count": match.count,
        "rank": match.rank,
        "over": match.over,
        "language_texts": int(is_language.sum()),
        "control_texts": int((~is_language).sum()),
        "units": {name: len(units) for name, units in chosen.items()},
        "lowest_value": {name: float(values[name][units].min()) for name, units in chosen.items() if len(units)},
    }
    return found, done


def _on_disk(folder: Path, place: int, matched: np.ndarray) -> Rows:
    rows = Rows(folder / f"layer_{place:04d}.float32", (matched.shape[0], matched.shape[1]), is_new=True)
    rows.put(0, np.ascontiguousarray(matched, dtype=np.float32))
    return rows
