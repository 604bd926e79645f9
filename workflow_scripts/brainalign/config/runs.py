"""The section `runs`: models along a training or tuning."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

from pydantic import Field

from brainalign.config.base import Name, Section


class Run(Section):
    """One training or tuning, as a list of models: checkpoints, or trainings of growing length."""

    unit: str = Field(description="what the places count, as steps, epochs or tokens")
    models: Annotated[dict[Name, Annotated[float, Field(ge=0)]], Field(min_length=2)] = Field(
        description="model → its place along the run"
    )


def run_references(runs: Mapping[str, Run], models: Sequence[str]) -> Iterable[tuple[str, str, list[str], str]]:
    """Yield (key, name, allowed names, what it is) of each model of a run."""
    for name, run in runs.items():
        for model in run.models:
            yield f"runs.{name}.models", model, list(models), "model"
