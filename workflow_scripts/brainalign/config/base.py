"""What every section of a study shares: strictness, names, paths."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
RESERVED_READOUT = "none"

Name = Annotated[str, Field(pattern=f"^{NAME}$", max_length=100)]
Seed = Annotated[int, Field(ge=0, lt=2**32, description="seed of the random numbers")]
Count = Annotated[int, Field(ge=1)]


def _exists(path: str) -> str:
    if not Path(path).expanduser().exists():
        raise ValueError(f"there is nothing at {path!r}, seen from {Path.cwd()}")
    return path


ExistingPath = Annotated[
    str, AfterValidator(_exists), Field(description="path, relative to the folder in which snakemake runs")
]


class Section(BaseModel):
    """A part of the config: unknown keys are refused, values are not changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
