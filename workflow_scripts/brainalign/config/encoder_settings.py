"""An entry of `encoders` as the library's settings: what stages are told of it, and what the library would refuse."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from brainalign.config.base import RESERVED_READOUT
from brainalign.config.encoders import Encoder
from brainalign.encoding.settings import EncoderSettings
from brainalign.errors import InputError

if TYPE_CHECKING:
    from brainalign.config.study import Study


def told_settings(entry: Encoder) -> dict[str, Any]:
    """An encoder's settings without its choice of layer, what its regression does not read and what only joins read."""
    unread = {"preset", "layer", "grid", "beyond_nulls", "mixtures", "datasets"}
    unread |= {name for name, kernel in (("bandwidths", "rbf"), ("degrees", "polynomial")) if entry.kernel != kernel}
    unread |= {"components"} if entry.components is None else set()
    if entry.regression == "ols":
        return entry.model_dump(exclude=unread | {"penalties", "inner", "criterion", "kernel"}, exclude_none=True)
    grid: dict[str, Any] = {"scale": entry.grid.scale}
    if isinstance(entry.penalties, str):
        exponents = np.linspace(entry.grid.log10_min, entry.grid.log10_max, entry.grid.count)
        grid["values"] = np.power(10.0, exponents).tolist()
    return entry.model_dump(exclude=unread) | {"grid": grid}


def told_layer(entry: Encoder, readout: str, dataset: str) -> dict[str, Any]:
    """The choice of layer; a null's settings, and the layers of the data set that others go by, are chosen nested."""
    if isinstance(entry.layer, str):
        return {"layer": entry.layer}
    layer = entry.layer.model_dump(exclude_none=True)
    named = "fixed" in layer or "dataset" in layer
    if layer.get("dataset") == dataset or (named and readout == RESERVED_READOUT):
        return {"layer": "nested"}
    return {"layer": layer}


def library_settings(entry: Encoder) -> EncoderSettings:
    """Return what a stage makes of an entry; a layer that another data set chooses is as one chosen nested.

    Raises
    ------
    InputError : settings that do not go together.
    """
    by = None if isinstance(entry.layer, str) else entry.layer.dataset
    layer = told_layer(entry, "", "") if by is None else {"layer": "nested"}
    return EncoderSettings.from_mapping(told_settings(entry) | layer)


def impossible_settings(study: "Study") -> Iterator[str]:
    """Yield a sentence for each encoder that the library would refuse when its first job begins."""
    for name, entry in study.encoders.items():
        try:
            library_settings(entry)
        except InputError as error:
            yield f"encoders.{name}: {error}"
