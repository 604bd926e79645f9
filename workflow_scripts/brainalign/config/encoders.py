"""The section `encoders`: how features are mapped to responses and scored."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from brainalign.config.base import Count, Section, Seed

Folds = Annotated[int, Field(ge=2)]


class ShuffleSplit(Section):
    kind: Literal["shuffle"]
    folds: Folds = 10
    test: Annotated[float, Field(gt=0, lt=1)] = Field(0.1, description="fraction of the samples in each test set")
    seed: Seed = 1


class KFoldSplit(Section):
    kind: Literal["kfold"]
    folds: Folds = 5
    seed: Seed | None = Field(None, description="seed of the shuffling; without it rows are cut in order")


class GroupedSplit(Section):
    kind: Literal["grouped"]
    by: Literal["split_group", "run"] = "split_group"
    folds: Folds = 10
    seed: Seed | None = Field(None, description="seed of the shuffling of groups")


class LeaveOneGroupOut(Section):
    kind: Literal["leave-one-group-out"]
    by: Literal["split_group", "run"] = "split_group"


Split = Annotated[ShuffleSplit | KFoldSplit | GroupedSplit | LeaveOneGroupOut, Field(discriminator="kind")]


class Grid(Section):
    """Penalties, evenly spaced in log10."""

    log10_min: Annotated[float, Field(ge=-30, le=30)] = -4
    log10_max: Annotated[float, Field(ge=-30, le=30)] = 8
    count: Count = 13
    scale: Literal["relative", "absolute"] = Field(
        "relative", description="relative: times trace(K)/n of the training rows' centred Gram matrix K"
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.log10_min > self.log10_max:
            raise ValueError(f"log10_min {self.log10_min:g} must not be above log10_max {self.log10_max:g}")
        return self


class FixedLayer(Section):
    fixed: str


class Bootstrap(Section):
    draws: Annotated[int, Field(ge=20, le=100_000)] = 1000
    seed: Seed = 0


class Encoder(Section):
    """Sampling, regression, split and layer choice."""

    regression: Literal["ridge", "ols"]
    penalties: Literal["per-neuroid", "shared"] | Annotated[float, Field(gt=0)] = Field(
        "per-neuroid", description="one penalty for each neuroid, one for all, or a fixed number"
    )
    grid: Grid = Grid()
    inner: Literal["folds", "leave-one-out"] = Field("folds", description="how penalties are chosen")
    zscore: bool = Field(False, description="z-score features within each run")
    delays: list[Annotated[int, Field(ge=0, le=100)]] = Field(
        [], description="delays in samples, for series only (data with onsets); ignored for single sentences"
    )
    split: Split
    layer: Literal["nested", "best"] | FixedLayer = Field(
        "nested", description="chosen inside the training folds; on test scores, as published; or named"
    )
    aggregate: Literal["mean", "schrimpf", "brain-score"] = "mean"
    bootstrap: Bootstrap = Bootstrap()

    @model_validator(mode="after")
    def _penalties_of_ridge(self) -> Self:
        unused = (self.penalties, self.grid, self.inner) != ("per-neuroid", Grid(), "folds")
        if self.regression == "ols" and unused:
            raise ValueError("ols has no penalties: leave out penalties, grid and inner")
        if len(set(self.delays)) != len(self.delays):
            raise ValueError(f"delays {self.delays} must be different numbers")
        return self
