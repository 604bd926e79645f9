"""The section `figures`: what is drawn, by name."""

from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticKnownError

# The module of a figure has its name, with "_" for "-": brainalign/figures/over_nulls.py draws over-nulls.
FIGURES = (
    "alignment",
    "over-nulls",
    "split-policies",
    "layers",
    "layers-of-families",
    "ceilings",
    "scaling",
    "width-and-size",
    "losses",
    "benchmarks",
    "correlations",
    "tuned-against-base",
    "gains",
    "pairs",
    "training-runs",
    "behavior",
)
OF_EVERY_MODEL = ("cards", "brains")  # a figure for each model, which alone is drawn when a model is added
OF_ONE_MODEL = ("card-", "brain-")


def _known(name: str) -> str:
    if name not in (*FIGURES, *OF_EVERY_MODEL) and not name.startswith(OF_ONE_MODEL):
        allowed = [*FIGURES, *OF_EVERY_MODEL, *(f"{start}<model>" for start in OF_ONE_MODEL)]
        raise PydanticKnownError("literal_error", {"expected": ", ".join(map(repr, allowed))})
    return name


Figure = Annotated[
    str,
    AfterValidator(_known),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": [*FIGURES, *OF_EVERY_MODEL], "type": "string"},
                {"pattern": f"^({'|'.join(OF_ONE_MODEL)}).+$", "type": "string"},
            ]
        }
    ),
]


def figure_references(figures: Sequence[str], models: Sequence[str]) -> Iterable[tuple[str, str, list[str], str]]:
    """Yield (key, name, allowed names, what it is) of each model that a figure is of."""
    for number, figure in enumerate(figures):
        for start in OF_ONE_MODEL:
            if figure.startswith(start):
                yield f"figures.{number}", figure.removeprefix(start), list(models), "model with weights"
