"""What an encoder is: regression, penalties, inner folds, preprocessing, split, layer choice, aggregate."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from brainalign.encoding.scores import AGGREGATES
from brainalign.errors import InputError, unknown

REGRESSIONS = ("ridge", "ols")
PENALTIES = ("per-neuroid", "shared")
GRID_SCALES = ("relative", "absolute")
INNER = ("folds", "leave-one-out")
LAYER_CHOICES = ("nested", "best", "fixed")
DEFAULT_GRID = tuple(float(value) for value in np.logspace(-4, 8, 13))
DEFAULT_SPLIT = MappingProxyType({"kind": "grouped", "by": "split_group", "folds": 10, "seed": None})


@dataclass(frozen=True)
class EncoderSettings:
    """Settings of an encoder; the defaults are exact nested grouped cross-validation of a ridge.

    Parameters
    ----------
    regression : "ridge", or "ols" (minimum norm where it is not unique).
    penalties : "per-neuroid", "shared" (one for all neuroids), or a number (fixed); each is multiplied as `grid_scale`
        says. Chosen in every training set by the summed squared error of held-out inner predictions.
    grid : the penalties to choose from, rising.
    grid_scale : "relative" (times trace(K) / n of the training rows' centred Gram matrix K), or "absolute".
    inner : "folds" (the remaining outer folds; for shuffled splits see `splits.inner_blocks`) or "leave-one-out".
    zscore : z-score the features within each run, before delays.
    delays : in samples; applied where the samples have onsets. None where empty.
    split : see `splits.make_folds`.
    layer : "nested" (per outer fold, by inner scores), "best" (by test scores, as published) or "fixed".
    fixed_layer : the layer's name where `layer` is "fixed".
    aggregate : see `scores.aggregate`.
    draws, seed : of the bootstrap.

    Raises
    ------
    InputError : a value that is not allowed.
    """

    regression: str = "ridge"
    penalties: str | float = "per-neuroid"
    grid: tuple[float, ...] = DEFAULT_GRID
    grid_scale: str = "relative"
    inner: str = "folds"
    zscore: bool = False
    delays: tuple[int, ...] = ()
    split: Mapping[str, Any] = field(default_factory=lambda: dict(DEFAULT_SPLIT))
    layer: str = "nested"
    fixed_layer: str | None = None
    aggregate: str = "mean"
    draws: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        _one_of("regression", self.regression, REGRESSIONS)
        _one_of("scale of the grid", self.grid_scale, GRID_SCALES)
        _one_of("way to choose penalties", self.inner, INNER)
        _one_of("choice of layer", self.layer, LAYER_CHOICES)
        _one_of("aggregate", self.aggregate, AGGREGATES)
        if isinstance(self.penalties, str):
            _one_of("rule of penalties", self.penalties, PENALTIES)
        elif not 0 < self.penalties < np.inf:
            raise InputError(
                f"a fixed penalty must be a finite number above 0, but is {self.penalties:g}; without one take 'ols'."
            )
        if not self.grid or min(self.grid) <= 0 or list(self.grid) != sorted(set(self.grid)):
            raise InputError(f"the grid of penalties must be rising numbers above 0, but is {list(self.grid)}.")
        if any(delay < 0 for delay in self.delays) or len(set(self.delays)) != len(self.delays):
            raise InputError(f"delays must be different whole numbers of at least 0, but are {list(self.delays)}.")
        if (self.layer == "fixed") != (self.fixed_layer is not None):
            raise InputError(
                f"the choice of layer {self.layer!r} does not go with the fixed layer {self.fixed_layer!r}."
            )
        if self.draws < 1:
            raise InputError(f"the bootstrap needs at least 1 draw, but is given {self.draws}.")

    @classmethod
    def from_mapping(cls, settings: Mapping[str, Any]) -> Self:
        """Read settings as a config writes them: `grid: {values, scale}`, `bootstrap: {draws, seed}`,
        `layer: nested | best | {fixed: name}`; anything left out has its default.

        Raises
        ------
        InputError : an unknown setting, or a value that is not allowed.
        """
        flat = {name: value for name, value in settings.items() if name not in ("grid", "bootstrap", "layer")}
        grid, bootstrap = settings.get("grid", {}), settings.get("bootstrap", {})
        _known("setting of the grid", grid, ("values", "scale"))
        _known("setting of the bootstrap", bootstrap, ("draws", "seed"))
        own = [
            item.name for item in fields(cls) if item.name not in ("grid", "grid_scale", "fixed_layer", "draws", "seed")
        ]
        _known("setting of an encoder", flat, [*own, "grid", "bootstrap", "layer"])
        if "values" in grid:
            flat["grid"] = tuple(float(value) for value in grid["values"])
        if "scale" in grid:
            flat["grid_scale"] = grid["scale"]
        if "delays" in flat:
            flat["delays"] = tuple(int(value) for value in flat["delays"])
        return cls(**flat, **bootstrap, **_layer(settings.get("layer", "nested")))

    @property
    def chooses_penalty(self) -> bool:
        """Whether a penalty is chosen from the grid."""
        return self.regression == "ridge" and isinstance(self.penalties, str)

    @property
    def penalty_values(self) -> tuple[float, ...]:
        """The penalties that are tried, before scaling: the grid, the fixed one, or 0 for ols."""
        if self.regression == "ols":
            return (0.0,)
        return self.grid if isinstance(self.penalties, str) else (float(self.penalties),)


def _layer(layer: str | Mapping[str, str]) -> dict[str, Any]:
    if isinstance(layer, str):
        return {"layer": layer}
    _known("choice of layer", layer, ("fixed",))
    return {"layer": "fixed", "fixed_layer": str(layer["fixed"])}


def _one_of(kind: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise unknown(kind, value, allowed)


def _known(kind: str, settings: Mapping[str, Any], allowed: tuple[str, ...] | list[str]) -> None:
    for name in settings:
        if name not in allowed:
            raise unknown(kind, name, allowed)
