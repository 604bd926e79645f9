"""The section `published`: scores that others measured, and models of which only these are at hand."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from brainalign.config.base import Count, ExistingPath, Name, Section

Column = Annotated[str, Field(min_length=1, description="a column of the table")]


class PublishedScores(Section):
    """One data set's published scores of models, one number each."""

    table: ExistingPath = Field(
        description="CSV, one row per model; those that the study does not name are passed over"
    )
    model: Column = "model"
    score: Column
    units: Literal["r", "normalised"] = Field("r", description="whether the score is r, or r over the ceiling")
    ceiling: Annotated[float, Field(gt=0, le=1)] | None = Field(None, description="the published ceiling, in r")
    ceiling_basis: Literal["responses", "encoder"] = Field(
        "responses",
        description="whether it belongs to the responses alone, or to an encoder, too, as what is extrapolated from "
        "other subjects does",
    )
    encoder: Name = Field("published", description="the name of the method; averages go over the data sets of one")
    collection: Name | None = Field(None, description="averages go over collections; by default the data set itself")
    citation: str | None = Field(None, description="how to cite the scores")

    @model_validator(mode="after")
    def _normalised_by_something(self) -> Self:
        if self.units == "normalised" and self.ceiling is None:
            raise ValueError("units: normalised needs `ceiling`, by which the scores were divided")
        return self


class PublishedModel(Section):
    """What is stated of a model whose weights are not used here."""

    parameters: Count | None = None
    width: Count | None = Field(None, description="units of the hidden state")
    depth: Count | None = Field(None, description="blocks; of an encoder–decoder, those of both")
    vocabulary: Count | None = Field(None, description="tokens")
