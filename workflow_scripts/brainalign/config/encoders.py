"""The section `encoders`: how features are mapped to responses and scored."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StrictFloat, StrictInt, StrictStr, model_validator

from brainalign.config.base import Count, Name, Section, Seed
from brainalign.config.encoder_presets import PRESETS, changed_preset

Folds = Annotated[int, Field(ge=2)]
SampleColumn = Annotated[
    str,
    Field(
        min_length=1,
        description="a column of the samples: split_group, run, one of a table's `columns`, or, of joined data, "
        "`dataset`",
    ),
]
SmallFolds = Annotated[
    Literal["refuse", "pool"],
    Field(
        description="test sets of fewer than 20 samples: refused, or r of the predictions of all folds together, each "
        "less the mean of the samples that trained it, at one scale for all folds"
    ),
]
Label = StrictStr | StrictInt | StrictFloat


class InnerFolds(Section):
    """Inner folds made of the training samples alone."""

    folds: Folds = 5
    by: SampleColumn | None = Field(
        None, description="groups that stay whole; without it, blocks of consecutive samples"
    )


class SplitBase(Section):
    inner: InnerFolds | None = Field(
        None,
        description="inner folds of the training samples; by default the other outer folds, or for the kind shuffle 5 "
        "shuffled folds, for fixed 5 folds by split_group, for contiguous as published 10 consecutive blocks. "
        "Where one has fewer than 20 samples, layers are chosen by r of the predictions of all inner folds together",
    )


class ShuffleSplit(SplitBase):
    kind: Literal["shuffle"]
    folds: Folds = 10
    test: Annotated[float, Field(gt=0, lt=1)] = Field(0.1, description="fraction of the samples in each test set")
    seed: Seed = 1


class KFoldSplit(SplitBase):
    kind: Literal["kfold"]
    folds: Folds = 5
    seed: Seed | None = Field(None, description="seed of the shuffling; without it rows are cut in order")
    small_folds: SmallFolds = "refuse"


class GroupedSplit(SplitBase):
    kind: Literal["grouped"]
    by: SampleColumn = "split_group"
    folds: Folds = 10
    seed: Seed | None = Field(None, description="seed of the shuffling of groups")
    small_folds: SmallFolds = "refuse"


class LeaveOneGroupOut(SplitBase):
    kind: Literal["leave-one-group-out"]
    by: SampleColumn = "split_group"
    small_folds: SmallFolds = "refuse"


class ContiguousSplit(SplitBase):
    """Blocks of neighbouring samples."""

    kind: Literal["contiguous"]
    folds: Folds = 5
    gap: Annotated[float, Field(ge=0)] = Field(description="what keeps a training set apart from the held-out block")
    unit: Literal["samples", "seconds"] = Field("samples", description="of the gap")
    at: Literal["train", "published"] = Field(
        "train",
        description="train: samples of a run within the gap of the block are left out of the training set; published: "
        "as the code of Wehbe et al. has it",
    )
    small_folds: SmallFolds = "refuse"

    @model_validator(mode="after")
    def _gap_of_samples(self) -> Self:
        if self.unit == "samples" and self.gap != int(self.gap):
            raise ValueError(f"the gap of {self.gap:g} samples must be a whole number; or give unit: seconds")
        if self.at == "published" and self.unit != "samples":
            raise ValueError("the published rule counts its gap in samples: leave out `unit`")
        return self


class FixedSplit(SplitBase):
    """One training set and one test set."""

    kind: Literal["fixed"]
    column: SampleColumn
    train: Label | Annotated[list[Label], Field(min_length=1)] = Field(description="the column's value or values")
    test: Label | Annotated[list[Label], Field(min_length=1)] = Field(description="the column's value or values")

    @model_validator(mode="after")
    def _apart(self) -> Self:
        train, test = ({*given} if isinstance(given, list) else {given} for given in (self.train, self.test))
        shared = sorted(map(str, train & test))
        if shared:
            raise ValueError(f"train and test must be different values of {self.column!r}, but both hold {shared[0]!r}")
        return self


Split = Annotated[
    ShuffleSplit | KFoldSplit | GroupedSplit | LeaveOneGroupOut | ContiguousSplit | FixedSplit,
    Field(discriminator="kind"),
]


class Grid(Section):
    """Penalties, evenly spaced in log10."""

    log10_min: Annotated[float, Field(ge=-30, le=30)] = -4
    log10_max: Annotated[float, Field(ge=-30, le=30)] = 8
    count: Count = 13
    scale: Literal["relative", "absolute"] = Field(
        "relative", description="relative: times trace(K)/n of the samples' centred Gram matrix K"
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.log10_min > self.log10_max:
            raise ValueError(f"log10_min {self.log10_min:g} must not be above log10_max {self.log10_max:g}")
        if (self.log10_min == self.log10_max) != (self.count == 1):
            raise ValueError(
                f"count {self.count} does not go with log10_min {self.log10_min:g} and log10_max {self.log10_max:g}: "
                "one penalty has equal ends, several have different ones"
            )
        return self


class LayerChoice(Section):
    """One of three ways to choose a layer other than nested or best for all."""

    fixed: str | None = Field(None, description="the layer of this name")
    nested: Literal["subject", "neuroid"] | None = Field(
        None, description="chosen inside the training folds, for each subject or for each neuroid"
    )
    dataset: Name | None = Field(None, description="the layer that is best inside the training folds of this data set")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_dump(exclude_none=True)) != 1:
            raise ValueError("exactly one of fixed, nested, dataset is needed")
        return self


class Bootstrap(Section):
    draws: Annotated[int, Field(ge=20, le=100_000)] = 1000
    seed: Seed = 0


class Encoder(Section):
    """Sampling, regression, split and layer choice."""

    preset: Literal["aw2023", "wehbe2014", "brain-score"] | None = Field(
        None,
        description="a published pipeline's encoder, with its faults. Further keys change it: those of `grid`, and of "
        "a `split` of the same kind, one by one, the others as a whole; with regression: ols its penalties are left "
        "out",
    )
    regression: Literal["ridge", "ols", "pca-ridge"]
    components: Count | None = Field(None, description="pca-ridge: principal components of the training samples")
    kernel: Literal["linear", "rbf", "polynomial"] = Field("linear", description="non-linear maps are for a ridge")
    bandwidths: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)] = Field(
        [0.25, 0.5, 1.0, 2.0, 4.0], description="rbf: times the median distance; chosen with the penalty"
    )
    degrees: Annotated[list[Annotated[int, Field(ge=2, le=9)]], Field(min_length=1)] = Field(
        [2, 3], description="polynomial: chosen with the penalty"
    )
    penalties: Literal["per-neuroid", "shared"] | Annotated[float, Field(gt=0)] = Field(
        "per-neuroid",
        description="one penalty for each neuroid, one for all, or a fixed number, which is multiplied by trace(K)/n "
        "unless grid: {scale: absolute}",
    )
    grid: Grid = Grid()
    inner: Literal["folds", "leave-one-out"] = Field(
        "folds",
        description="how penalties are chosen; leave-one-out: samples left out one by one, each with what a contiguous "
        "split has in the gap around it",
    )
    criterion: Literal["squared-error", "r2"] = Field(
        "squared-error", description="what inner folds choose by: summed squared error, or the sum of their R2"
    )
    zscore: bool = Field(False, description="z-score features within each run")
    delays: list[Annotated[int, Field(ge=0, le=100)]] = Field(
        [],
        description="delays in samples, for series only (data with onsets); left out for single sentences, which the "
        "log tells",
    )
    word_components: Count | None = Field(
        None, description="principal components of the training samples' words or other stimuli, before the sample map"
    )
    word_rule: Literal["own", "published"] = Field(
        "own",
        description="which words components are fitted to. published: as in the code of Toneva & Wehbe 2019, those "
        "that it looks up for the training samples by a number that is off by one; and a sample without words makes "
        "all columns that it reaches 0 in its run",
    )
    trim: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=2, max_length=2)] = Field(
        [0, 0],
        description="samples dropped at the start and the end of each run, after delays; for series only, as these",
    )
    zscore_delayed: bool = Field(False, description="z-score features within each run after delays and trimming")
    standardize: Literal["none", "training", "fold"] = Field(
        "none",
        description="z-score features and responses in each fold. training: by mean and SD of the training samples, "
        "so that no feature counts for more because its numbers are large; fold: training and test samples each by "
        "their own, as some published code does",
    )
    intercept: bool = Field(True, description="false: standardised responses are fitted without one")
    split: Split
    layer: Literal["nested", "best"] | LayerChoice = Field(
        "nested",
        description="chosen inside the training folds; on test scores, as published; named; for each subject or "
        "neuroid; or by another data set",
    )
    aggregate: Literal["mean", "schrimpf", "brain-score"] = Field(
        "mean",
        description="how r of neuroids and folds becomes one number: mean of both; schrimpf: median over a subject's "
        "neuroids, then over subjects; brain-score: median over the neuroids of all subjects",
    )
    bootstrap: Bootstrap = Bootstrap()
    precision: Literal["float32", "float64"] = Field(
        "float32", description="of products; factorisations are in float64 whatever it says"
    )
    beyond_nulls: bool = Field(
        True, description="whether a linear ridge is fitted to features and nulls together, for R2 beyond the nulls"
    )
    mixtures: Count = Field(
        25,
        description="how many weightings are tried, at most, of feature spaces that are joined, as with the nulls; at "
        "least each space alone and a mixture, and beside nulls those of the nulls with and without the features",
    )
    datasets: Annotated[list[Name], Field(min_length=1)] | None = Field(
        None, description="data sets that it is for; by default all that have responses and are not joined of others"
    )

    @property
    def can_join(self) -> bool:
        """Whether it can predict from several feature spaces together: a linear ridge with an intercept."""
        return self.intercept and (self.regression, self.kernel) == ("ridge", "linear")

    @property
    def joins(self) -> bool:
        """Whether feature spaces are joined with the nulls."""
        return self.beyond_nulls and self.can_join

    @model_validator(mode="after")
    def _penalties_of_ridge(self) -> Self:
        unused = (self.penalties, self.grid, self.inner, self.criterion)
        if self.regression == "ols" and unused != ("per-neuroid", Grid(), "folds", "squared-error"):
            raise ValueError("ols has no penalties: leave out penalties, grid, inner and criterion")
        if len(set(self.delays)) != len(self.delays):
            raise ValueError(f"delays {self.delays} must be different numbers")
        return self

    @model_validator(mode="before")
    @classmethod
    def _from_preset(cls, given: Any) -> Any:
        preset = given.get("preset") if isinstance(given, dict) else None
        return changed_preset(preset, given) if isinstance(preset, str) and preset in PRESETS else given

    @model_validator(mode="after")
    def _in_the_fold(self) -> Self:
        if not self.intercept and self.standardize == "none":
            raise ValueError("intercept: false needs standardize: training or fold")
        if self.word_rule == "published" and (self.word_components is None or not self.zscore_delayed):
            raise ValueError("word_rule: published needs word_components and zscore_delayed: true")
        if self.beyond_nulls and not self.intercept:
            raise ValueError("beyond_nulls needs a fit with an intercept: set it to false")
        return self

    @model_validator(mode="after")
    def _of_a_kind(self) -> Self:
        if (self.regression == "pca-ridge") != (self.components is not None):
            needed = "needs `components`" if self.components is None else "has no components"
            raise ValueError(f"{self.regression} {needed}")
        if self.kernel != "linear" and self.regression != "ridge":
            raise ValueError(f"the kernel {self.kernel} is for ridge, not for {self.regression}")
        for name, kernel in (("bandwidths", "rbf"), ("degrees", "polynomial")):
            if self.kernel != kernel and getattr(self, name) != type(self).model_fields[name].default:
                raise ValueError(f"{name} belong to kernel: {kernel}")
        if self.criterion == "r2" and self.inner == "leave-one-out":
            raise ValueError("criterion: r2 needs inner folds of several samples, not inner: leave-one-out")
        return self
