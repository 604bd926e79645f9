"""The section `analyses`: what is computed from the joined tables."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from brainalign.config.base import ExistingPath, Name, Section, Seed

LOGARITHM = "log10_"
Analysis = Literal["pearson", "partial", "semi-partial", "within family", "without family", "mixed model"]
Names = Annotated[list[str], Field(min_length=1)]


class ModelSet(Section):
    """Models over which something is correlated; those that belong to every list given. Untrained twins never do."""

    kinds: Annotated[list[Literal["vanilla", "instruction-tuned"]], Field(min_length=1)] | None = None
    families: Names | None = None
    models: Names | None = None
    without: list[str] = Field([], description="models that are left out")


class Controlled(Section):
    """A partial and semi-partial correlation."""

    property: str
    given: Names = Field(description="the properties that are held fixed")

    @model_validator(mode="after")
    def _different(self) -> Self:
        if len({self.property, *self.given}) <= len(self.given):
            raise ValueError(f"property and given must be different, but there are {[self.property, *self.given]}")
        return self


class Correction(Section):
    """Tests over which p is corrected (Benjamini–Hochberg): all of the analysis that every list given holds."""

    analysis: Literal["pearson", "partial", "semi-partial", "within family", "without family", "mixed model"] = (
        "pearson"
    )
    properties: Names | None = None
    over: Names | None = None
    datasets: Names | None = Field(None, description="data sets, or `average`")
    encoders: Names | None = None
    readouts: Names | None = None


class GivenCorrelations(Section):
    """Correlations that were published, to be tested and corrected together."""

    n: Annotated[int, Field(ge=4)] = Field(description="models")
    r: Annotated[dict[str, Annotated[float, Field(ge=-1, le=1)]], Field(min_length=1)] = Field(description="test → r")


class Analyses(Section):
    """What is computed from the joined tables."""

    correlate: list[str] = Field(
        ["log10_parameters"],
        description="log10_parameters, parameters, width, depth, an entry of `losses` or of `properties`, or "
        "log10_ before one of these",
    )
    over: Annotated[dict[Name, ModelSet], Field(min_length=1)] = Field(
        {"all": ModelSet()}, description="sets of models, each with its own correlations; figures show the first"
    )
    partial: list[Controlled] = Field([], description="partial and semi-partial correlations")
    mixed: list[str] = Field([], description="properties whose slope beyond families is fitted, with bases random")
    corrections: dict[Name, Correction] = Field({}, description="families of tests")
    given: dict[Name, GivenCorrelations] = Field({}, description="published correlations, each entry a family of tests")
    reproduce: ExistingPath | None = Field(None, description="CSV of published figures to set beside this study's")
    few_subjects: Literal["show", "resample"] = Field(
        "show",
        description="a pair's difference over fewer than 6 subjects: without an interval, each subject's score being "
        "in the table; or with one, from resampling at least 2",
    )
    draws: Annotated[int, Field(ge=100, le=100_000)] = Field(2000, description="bootstrap draws of models")
    orders: Annotated[int, Field(ge=99, le=1_000_000)] = Field(9999, description="random orders of bases, if over 7")
    seed: Seed = 0

    @model_validator(mode="after")
    def _one_meaning(self) -> Self:
        for name in sorted(set(self.corrections) & set(self.given)):
            raise ValueError(f"{name!r} is the name of an entry of `corrections` and of one of `given`; rename one")
        return self


def references(
    analyses: Analyses, properties: Sequence[str], families: Sequence[str], models: Sequence[str]
) -> Iterator[tuple[str, str, list[str], str]]:
    """Yield (key, name, allowed, what it must be the name of) for every name that the section refers to."""

    def known(name: str) -> str:  # log10_mmlu is known where mmlu is
        return name.removeprefix(LOGARITHM) if name not in properties else name

    kind = "property or loss"
    for name in (*analyses.correlate, *analyses.mixed):
        key = "analyses.correlate" if name in analyses.correlate else "analyses.mixed"
        yield key, name if known(name) not in properties else known(name), list(properties), kind
    for number, entry in enumerate(analyses.partial):
        for key, name in (("property", entry.property), *(("given", name) for name in entry.given)):
            held = known(name) if known(name) in properties else name
            yield f"analyses.partial.{number}.{key}", held, list(properties), kind
    for name, models_of in analyses.over.items():
        for family in models_of.families or []:
            yield f"analyses.over.{name}.families", family, list(families), "family"
        for key, named in (("models", models_of.models or []), ("without", models_of.without)):
            for model in named:
                yield f"analyses.over.{name}.{key}", model, list(models), "model"
    for name, correction in analyses.corrections.items():
        for of in correction.over or []:
            yield f"analyses.corrections.{name}.over", of, list(analyses.over), "set of models"
