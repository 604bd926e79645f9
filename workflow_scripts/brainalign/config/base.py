"""What every section of a study shares: strictness, names, paths."""

from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticKnownError

from brainalign.errors import nearest

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
RESERVED_READOUT = "none"


def _no_truth_value(number: Any) -> Any:
    """Refuse `seed: yes`, which would be read as 1."""
    if isinstance(number, bool):
        raise PydanticKnownError("int_type")
    return number


Name = Annotated[str, Field(pattern=f"^{NAME}$", max_length=100)]
Seed = Annotated[int, Field(ge=0, lt=2**32, description="seed of the random numbers"), BeforeValidator(_no_truth_value)]
Count = Annotated[int, Field(ge=1), BeforeValidator(_no_truth_value)]
Column = Annotated[str, Field(min_length=1, description="a column of the table")]


def _exists(path: str) -> str:
    file = Path(path).expanduser()
    if not file.is_file():
        there = "is a folder; a file is needed" if file.is_dir() else f"is no file, seen from {Path.cwd()}"
        raise ValueError(f"holds {path!r}, which {there}")
    return path


ExistingPath = Annotated[
    str, AfterValidator(_exists), Field(description="path, relative to the folder in which snakemake runs")
]


class _Nothing:
    """What stands for the value of a key that was written without one."""

    def __repr__(self) -> str:
        return "nothing"


NOTHING = _Nothing()


class Section(BaseModel):
    """A part of the config: unknown keys are refused, values are not changed once read.

    A key that is written without a value, such as `subject-pool:`, asks for its section with the defaults; where it
    takes anything else, it is refused like any other value of a wrong type. It is not what `null` says, the default of
    many keys.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _with_defaults(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        asked = {field.alias or name for name, field in cls.model_fields.items() if _takes_a_section_alone(field)}
        return {key: {} if value is NOTHING and key in asked else value for key, value in given.items()}


def _takes_a_section_alone(field: FieldInfo) -> bool:
    forms = [form for form in get_args(field.annotation) or (field.annotation,) if form is not NoneType]
    return len(forms) == 1 and isinstance(forms[0], type) and issubclass(forms[0], Section)


def refers(key: str, name: str, allowed: list[str], what: str) -> Iterator[str]:
    """Yield a sentence where a key holds a name that is not among the allowed ones, which are names of `what`."""
    if name not in allowed:
        rest = f"{nearest(name, allowed) or '.'} Allowed: {', '.join(allowed)}." if allowed else "; there is none."
        yield f"{key}: holds {name!r}, which is the name of no {what}{rest}"
