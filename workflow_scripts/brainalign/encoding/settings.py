"""What an encoder is: regression, penalties, inner folds, preprocessing, split, layer choice, aggregate."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from brainalign.encoding.scores import AGGREGATES
from brainalign.encoding.splits import is_pooled
from brainalign.errors import InputError, unknown

REGRESSIONS = ("ridge", "ols", "pca-ridge")
PENALTIES = ("per-neuroid", "shared")
GRID_SCALES = ("relative", "absolute")
INNER = ("folds", "leave-one-out")
KERNELS = ("linear", "rbf", "polynomial")
CRITERIA = ("squared-error", "r2")
WORD_RULES = ("own", "published")
STANDARDS = ("none", "fold", "training")
PRECISIONS = ("float32", "float64")
LAYER_CHOICES = ("nested", "best", "fixed")
LAYER_UNITS = ("all", "subject", "neuroid")
DEFAULT_GRID = tuple(float(value) for value in np.logspace(-4, 8, 13))
DEFAULT_SPLIT = MappingProxyType({"kind": "grouped", "by": "split_group", "folds": 10, "seed": None})


@dataclass(frozen=True)
class EncoderSettings:
    """Settings of an encoder; the defaults are exact nested grouped cross-validation of a ridge.

    Parameters
    ----------
    regression : "ridge", "ols" (minimum norm where it is not unique), or "pca-ridge" (a ridge on the first
        `components` principal components of the training rows).
    kernel : "linear", or the non-linear maps "rbf" and "polynomial", for a ridge; see `kernels`.
    bandwidths : of "rbf", in units of the median distance between samples; chosen with the penalty.
    degrees : of "polynomial", chosen with the penalty.
    penalties : "per-neuroid", "shared" (one for all neuroids), or a number (fixed); each is multiplied as `grid_scale`
        says. Chosen in every training set by the error of held-out inner predictions, see `criterion`.
    grid : the penalties to choose from, rising.
    grid_scale : "relative" (times trace(K) / n of the samples' centred Gram matrix K), or "absolute".
    criterion : "squared-error", summed over inner folds, or "r2", of each inner fold, summed.
    components : of "pca-ridge", fitted to the training rows and held through their inner folds.
    inner : "folds" (the remaining outer folds; for shuffled splits see `splits.inner_blocks`) or "leave-one-out" (with
        each row the others within the gap of a contiguous split).
    word_components : first principal components of the features of stimuli, fitted to the stimuli of each outer fold's
        training samples and held through its inner folds, before the sample map; None keeps the features.
    word_rule : "own": components are of the training samples' own stimuli, and the features of a sample without any are
        0; or "published", with two faults that are kept for a rerun (see `published_words`), where the features of
        stimuli have components and are z-scored once more after delays.
    zscore : z-score the features within each run, before delays.
    delays : in samples; applied where the samples have onsets, else left out, which is logged. None where empty.
    trim : samples dropped at the start and the end of each run, after delays, where the samples have onsets; they are
        in no fold and in no score.
    zscore_delayed : z-score the features within each run once more, after delays and trimming.
    standardize : "training": in each outer fold z-score features and responses with the mean and SD of its training
        rows, those of test rows too; "fold": those of training and of test rows each with their own mean and SD, as
        some published code does; or "none". Inner folds are not standardised again, and predictions are given back in
        the responses' units.
    intercept : False: standardised responses are fitted as they are, and inner folds are not centred again.
    split : see `splits.make_folds`.
    layer : "nested" (per outer fold, by the mean over inner folds of r, or by r of all their predictions together where
        some inner fold has fewer than 20 rows, see `training.TrainingFold`), "best" (by test scores, as published) or
        "fixed".
    layer_for : one nested layer for "all" neuroids of a fold, for each "subject", or for each "neuroid".
    fixed_layer : the layer's name where `layer` is "fixed".
    aggregate : see `scores.aggregate`.
    draws, seed : of the bootstrap.
    precision : "float32" lets products be in it where that changes r by less than 1e-5; "float64" does not.
    mixtures : of joint spaces, how many sets of weights are tried, at most; see `joint`.

    Raises
    ------
    InputError : a value that is not allowed.
    """

    regression: str = "ridge"
    kernel: str = "linear"
    bandwidths: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0, 4.0)
    degrees: tuple[int, ...] = (2, 3)
    penalties: str | float = "per-neuroid"
    grid: tuple[float, ...] = DEFAULT_GRID
    grid_scale: str = "relative"
    criterion: str = "squared-error"
    components: int | None = None
    inner: str = "folds"
    word_components: int | None = None
    word_rule: str = "own"
    zscore: bool = False
    delays: tuple[int, ...] = ()
    trim: tuple[int, int] = (0, 0)
    zscore_delayed: bool = False
    standardize: str = "none"
    intercept: bool = True
    split: Mapping[str, Any] = field(default_factory=lambda: dict(DEFAULT_SPLIT))
    layer: str = "nested"
    layer_for: str = "all"
    fixed_layer: str | None = None
    aggregate: str = "mean"
    draws: int = 1000
    seed: int = 0
    precision: str = "float32"
    mixtures: int = 25

    def __post_init__(self) -> None:
        _one_of("regression", self.regression, REGRESSIONS)
        _one_of("kernel", self.kernel, KERNELS)
        if self.kernel != "linear" and self.regression != "ridge":
            raise InputError(f"the kernel {self.kernel!r} is for a ridge, not for {self.regression!r}.")
        if not self.bandwidths or not all(0 < value < np.inf for value in self.bandwidths):
            raise InputError(f"bandwidths must be numbers above 0, but are {list(self.bandwidths)}.")
        if not self.degrees or min(self.degrees) < 2:
            raise InputError(f"degrees of a polynomial must be whole numbers from 2, but are {list(self.degrees)}.")
        _one_of("scale of the grid", self.grid_scale, GRID_SCALES)
        _one_of("way to choose penalties", self.inner, INNER)
        _one_of("criterion", self.criterion, CRITERIA)
        _one_of("precision", self.precision, PRECISIONS)
        _one_of("choice of layer", self.layer, LAYER_CHOICES)
        _one_of("unit of the choice of layer", self.layer_for, LAYER_UNITS)
        if self.layer_for != "all" and self.layer != "nested":
            raise InputError(f"a layer for each {self.layer_for} is chosen nested, not {self.layer!r}.")
        if self.criterion == "r2" and self.inner == "leave-one-out":
            raise InputError("the criterion 'r2' needs inner folds of several rows, not rows left out one by one.")
        _one_of("aggregate", self.aggregate, AGGREGATES)
        if isinstance(self.penalties, str):
            _one_of("rule of penalties", self.penalties, PENALTIES)
        elif not 0 < self.penalties < np.inf:
            raise InputError(
                f"a fixed penalty must be a finite number above 0, but is {self.penalties:g}; without one take 'ols'."
            )
        if not self.grid or min(self.grid) <= 0 or list(self.grid) != sorted(set(self.grid)):
            raise InputError(f"the grid of penalties must be rising numbers above 0, but is {list(self.grid)}.")
        if (self.regression == "pca-ridge") != (self.components is not None):
            raise InputError(f"the regression {self.regression!r} does not go with {self.components} components.")
        if self.components is not None and self.components < 1:
            raise InputError(f"a pca-ridge needs at least 1 component, but is given {self.components}.")
        if any(delay < 0 for delay in self.delays) or len(set(self.delays)) != len(self.delays):
            raise InputError(f"delays must be different whole numbers of at least 0, but are {list(self.delays)}.")
        if self.word_components is not None and self.word_components < 1:
            raise InputError(f"stimuli need at least 1 component, but are given {self.word_components}.")
        _one_of("rule of words", self.word_rule, WORD_RULES)
        if self.word_rule == "published" and (self.word_components is None or not self.zscore_delayed):
            raise InputError("word_rule: published needs word_components and zscore_delayed: true.")
        if len(self.trim) != 2 or min(self.trim) < 0:
            raise InputError(
                f"trim must be two whole numbers of at least 0, for start and end, but is {list(self.trim)}."
            )
        _one_of("way to standardize", self.standardize, STANDARDS)
        if not self.intercept and (self.standardize == "none" or self.kernel != "linear"):
            raise InputError(
                "a fit without an intercept needs features and responses of mean 0 and a linear kernel, but "
                f"standardize is {self.standardize!r} and the kernel {self.kernel!r}."
            )
        if (self.layer == "fixed") != (self.fixed_layer is not None):
            raise InputError(
                f"the choice of layer {self.layer!r} does not go with the fixed layer {self.fixed_layer!r}."
            )
        if self.mixtures < 1:
            raise InputError(f"joint spaces need at least 1 set of weights, but are given {self.mixtures}.")
        if self.draws < 1:
            raise InputError(f"the bootstrap needs at least 1 draw, but is given {self.draws}.")

    @classmethod
    def from_mapping(cls, settings: Mapping[str, Any]) -> Self:
        """Read settings as a config writes them: `grid: {values, scale}`, `bootstrap: {draws, seed}`,
        `layer: nested | best | {nested: subject | neuroid} | {fixed: name}`; anything left out has its default.

        Raises
        ------
        InputError : an unknown setting, or a value that is not allowed.
        """
        flat = {name: value for name, value in settings.items() if name not in ("grid", "bootstrap", "layer")}
        grid, bootstrap = settings.get("grid", {}), settings.get("bootstrap", {})
        _known("setting of the grid", grid, ("values", "scale"))
        _known("setting of the bootstrap", bootstrap, ("draws", "seed"))
        own = [
            item.name
            for item in fields(cls)
            if item.name not in ("grid", "grid_scale", "fixed_layer", "layer_for", "draws", "seed")
        ]
        _known("setting of an encoder", flat, [*own, "grid", "bootstrap", "layer"])
        if "values" in grid:
            flat["grid"] = tuple(float(value) for value in grid["values"])
        if "scale" in grid:
            flat["grid_scale"] = grid["scale"]
        for name, kind in (("delays", int), ("trim", int), ("degrees", int), ("bandwidths", float)):
            if name in flat:
                flat[name] = tuple(kind(value) for value in flat[name])
        return cls(**flat, **bootstrap, **_layer(settings.get("layer", "nested")))

    @property
    def pools(self) -> bool:
        """Whether r is of the predictions of all folds together."""
        return is_pooled(self.split)

    @property
    def chooses_penalty(self) -> bool:
        """Whether a penalty is chosen from the grid."""
        return self.regression != "ols" and isinstance(self.penalties, str)

    @property
    def fits_features(self) -> bool:
        """Whether features are made for each outer fold by itself."""
        return self.word_components is not None or self.standardize != "none"

    @property
    def penalty_values(self) -> tuple[float, ...]:
        """The penalties that are tried, before scaling: the grid, the fixed one, or 0 for ols."""
        if self.regression == "ols":
            return (0.0,)
        return self.grid if isinstance(self.penalties, str) else (float(self.penalties),)


def _layer(layer: str | Mapping[str, str]) -> dict[str, Any]:
    if isinstance(layer, str):
        return {"layer": layer}
    _known("choice of layer", layer, ("fixed", "nested"))
    if "nested" in layer:
        return {"layer": "nested", "layer_for": str(layer["nested"])}
    return {"layer": "fixed", "fixed_layer": str(layer["fixed"])}


def _one_of(kind: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise unknown(kind, value, allowed)


def _known(kind: str, settings: Mapping[str, Any], allowed: tuple[str, ...] | list[str]) -> None:
    for name in settings:
        if name not in allowed:
            raise unknown(kind, name, allowed)
