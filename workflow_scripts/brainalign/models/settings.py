"""The settings of a training and of a tuning."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from brainalign.errors import InputError, unknown


@dataclass(frozen=True, kw_only=True)
class Optimisation:
    """How weights are updated.

    steps : updates; 0 leaves the weights as initialised.
    batch : sequences in one update.
    learning_rate : the highest, reached after a twentieth of the steps; a half cosine leads down to a tenth of it.
    seed : of the initial weights and of the order of the texts.
    """

    steps: int
    batch: int = 16
    learning_rate: float = 3e-3
    seed: int = 0

    @classmethod
    def from_mapping(cls, settings: Mapping[str, Any]) -> Self:
        """Return the settings with defaults filled in. Raises InputError for unknown or impossible ones."""
        allowed = [field.name for field in fields(cls)]
        for name in settings:
            if name not in allowed:
                raise unknown("training setting", name, allowed)
        try:
            result = cls(**settings)
        except TypeError as error:
            raise InputError(f"training settings are incomplete: {error}.") from error
        if result.steps < 0 or result.batch < 1 or result.learning_rate <= 0:
            raise InputError(
                "steps must be 0 or more, batch 1 or more and learning_rate positive, but they are "
                f"{result.steps}, {result.batch} and {result.learning_rate}."
            )
        return result


@dataclass(frozen=True, kw_only=True)
class Training(Optimisation):
    """A model trained from scratch: its sizes (see `architectures.make_config`) and how weights are updated."""

    architecture: str
    width: int
    layers: int
    heads: int
    context: int


@dataclass(frozen=True, kw_only=True)
class Tuning(Optimisation):
    """An instruction-tuning."""

    learning_rate: float = 1e-3
