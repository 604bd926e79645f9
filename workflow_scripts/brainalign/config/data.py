"""The section `datasets`: what is predicted."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from brainalign.config.base import Column, Count, ExistingPath, Name, Section, Seed


class SubjectPool(Section):
    """Ceiling from other subjects' responses, extrapolated to infinitely many subjects."""

    design: Literal["balanced", "brain-score"] = Field(
        "balanced", description="pools that each predict everybody outside them; or Brain-Score's random ones"
    )
    pools: Count = Field(
        3, description="random pools of other subjects for each size and held-out subject; brain-score: for each size"
    )
    held_out: Count | None = Field(None, description="brain-score: draws of who is held out of a pool, by default 5")
    seed: Seed = 0
    bootstraps: Annotated[int, Field(ge=20)] = Field(
        100, description="draws over groups of stimuli; brain-score: of the scores behind each curve"
    )
    fit: Literal["neuroid", "aggregate"] = Field(
        "neuroid", description="a curve for each neuroid, as Brain-Score; or for each subject and region"
    )
    shifts: Annotated[int, Field(ge=0)] = Field(
        19, description="of the responses along the samples, to say what ceiling noise alone would give"
    )

    @model_validator(mode="after")
    def _held_out_of_brain_score(self) -> Self:
        if self.held_out is not None and self.design != "brain-score":
            raise ValueError(f"held_out belongs to the design brain-score, not to {self.design}")
        return self


class LeaveOneSubjectOut(Section):
    """Ceiling from all other subjects' responses: what they predict, not extrapolated."""


class Repeats(Section):
    """Ceiling from the variance over repetitions of a stimulus; it belongs to the responses alone."""


class SplitHalf(Section):
    """Ceiling from random halves of the repetitions, corrected by Spearman-Brown; of the responses alone."""

    splits: Count = Field(10, description="random halves")
    seed: Seed = 0
    of: Literal["r", "reliability"] = Field(
        "r",
        description="ceiling of r, the root of the corrected reliability; or that itself, as Brain-Score, in units of "
        "r2; r is then divided by its root",
    )


class Known(Section):
    """Ceiling of a simulation: the noise-free response against the response."""


class Given(Section):
    """Ceilings from a table, one per neuroid."""

    table: ExistingPath
    neuroid: Column
    value: Column
    units: Literal["r", "r2"] = "r"
    basis: Literal["responses", "encoder"] = Field(
        "responses",
        description="whether they belong to the responses alone, or to an encoder, too, as what is extrapolated from "
        "other subjects does",
    )


class Ceilings(Section):
    """Ceilings to estimate; scores are normalised by the first of these kinds that is asked for."""

    known: Known | None = None
    given: Given | None = None
    repeats: Repeats | None = None
    split_half: SplitHalf | None = Field(None, alias="split-half")
    leave_one_subject_out: LeaveOneSubjectOut | None = Field(None, alias="leave-one-subject-out")
    subject_pool: SubjectPool | None = Field(None, alias="subject-pool")
    normalise: Literal["aggregate", "neuroid"] = Field(
        "aggregate",
        description="the aggregate r by the aggregate ceiling; or r by ceiling in each neuroid whose ceiling lies "
        "above 0 by its interval",
    )

    @model_validator(mode="after")
    def _bounds_of_neuroids(self) -> Self:
        kinds = [name for name in type(self).model_fields if name != "normalise" and getattr(self, name) is not None]
        without = {"given": "given ceilings have none"}
        if self.subject_pool and self.subject_pool.design == "brain-score":
            without["subject_pool"] = "the design brain-score does not resample stimuli; take balanced"
        if self.normalise == "neuroid" and (not kinds or kinds[0] in without):
            what = without[kinds[0]] if kinds else "there is none"
            raise ValueError(f"normalise: neuroid needs a ceiling with an interval for each neuroid, but {what}")
        return self


class DatasetBase(Section):
    collection: Name | None = Field(None, description="averages go over collections; by default the data set itself")
    citation: str | None = Field(None, description="how to cite the data")
    coordinates: Literal["MNI"] | None = Field(
        None, description="the space of the neuroids' x, y and z, in millimetres; brains are drawn where it is given"
    )
    control_region: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="a region outside of the language network, over whose scores those of the other regions are given",
    )
    ceilings: Ceilings = Ceilings()


class SimulatedDataset(DatasetBase):
    """Responses generated from the world's own features, with known truth."""

    loader: Literal["simulated"]
    kind: Literal["passages", "stories"]
    world: Seed = Field(0, description="seed of the world")
    seed: Seed = Field(description="seed of texts, weights and noise")
    passages: Annotated[int, Field(ge=2)] = Field(96, description="kind passages: how many")
    sentences: Count = Field(4, description="kind passages: sentences in each")
    stories: Annotated[int, Field(ge=2)] = Field(12, description="kind stories: how many")
    time_points: Annotated[int, Field(ge=20)] = Field(50, description="kind stories: 2-s time points in each")
    subjects: Count = 6
    neuroids: Annotated[int, Field(ge=2)] = Field(50, description="per subject")
    control_region: Literal["region-a", "region-b"] | None = Field(
        None, description="a region over whose scores those of the other are given; the simulated ones are alike"
    )

    @model_validator(mode="after")
    def _no_repetitions(self) -> Self:
        if self.ceilings.repeats or self.ceilings.split_half:
            kind = "repeats" if self.ceilings.repeats else "split-half"
            raise ValueError(f"ceilings.{kind} needs repetitions, which simulated data have not")
        return self


# Names that a table of samples, or the file of the responses, has for something of its own.
_KEPT = frozenset("sample_id stimulus_id neuroid_id text context_group split_group run onset_s dataset".split())
_KEPT |= frozenset("sample stimulus neuroid responses repetition entry subject region ceiling noise_free".split())
_KEPT |= frozenset("map_sample map_stimulus map_weight".split())


class TableDataset(DatasetBase):
    """Your own data: plain files whose columns you name."""

    loader: Literal["table"]
    stimuli: ExistingPath = Field(description="CSV, one row per stimulus")
    text: Column = "text"
    id: Column | None = Field(None, description="column of stimulus ids; rows are numbered without it")
    group: Column | None = Field(None, description="column at whose changes a model's context resets")
    split: Column | None = Field(None, description="column of what is held out together; by default `group`")
    run: Column | None = None
    onset_s: Column | None = Field(None, description="column of onsets in seconds; makes the data a series")
    order: Column | None = Field(None, description="column of numbers that gives the presentation order")
    columns: list[Column] = Field(
        [], description="further columns of `samples`, or of the stimuli without it, that a split may go by"
    )
    responses: ExistingPath = Field(description="CSV, NPY or HDF5; rows of a matrix are in presentation order")
    responses_id: Column | None = Field(None, description="CSV: column of sample ids; by default `id`")
    responses_key: str | None = Field(None, description="HDF5: the data set's name")
    neuroids: list[Column] | None = Field(None, description="CSV: the columns to use; by default all numeric ones")
    neuroid_table: ExistingPath | None = Field(None, description="CSV, one row per column of the matrix")
    neuroid: Column = Field("neuroid_id", description="neuroid table: column of ids")
    subject: Column = Field("subject", description="neuroid table: column of subjects")
    region: Column = Field("region", description="neuroid table: column of regions")
    region_per_neuroid: bool = Field(False, description="without a neuroid table: each neuroid is a region")
    samples: ExistingPath | None = Field(None, description="CSV, one row per sample, where samples are not stimuli")
    map: ExistingPath | None = Field(None, description="CSV: sample_id, stimulus_id, weight")
    bad_neuroids: Literal["refuse", "drop"] = Field(
        "refuse", description="neuroids that are constant or have NaN or infinite responses: refused, or left out"
    )

    @property
    def responses_by_ids(self) -> bool:
        """Whether the responses are a table, joined by the ids of samples, whose columns name the neuroids."""
        return self.responses.lower().endswith((".csv", ".tsv", ".txt"))

    @model_validator(mode="after")
    def _ids_needed(self) -> Self:
        if self.responses_by_ids and not (self.id or self.responses_id):
            raise ValueError("a CSV of responses is joined by ids: name the stimuli's column as `id`")
        if self.order and not self.samples and not self.responses_by_ids:
            raise ValueError("`order` moves the stimuli, but not the rows of a matrix; give both in presentation order")
        if self.samples and not self.map:
            raise ValueError("`samples` needs `map`, which says what stimuli each sample goes with")
        if self.ceilings.known:
            raise ValueError("ceilings.known exists for simulated data only")
        for column in self.columns:
            self._may_be_brought(column)
        return self

    def _may_be_brought(self, column: str) -> None:
        """Refuse a column that the sample table has under another name, or whose name stands for something else."""
        if self.columns.count(column) > 1:
            raise ValueError(f"`columns` names {column!r} more than once")
        if not self.samples:
            for role in ("id", "text", "group", "split", "run", "onset_s"):
                if getattr(self, role) == column:
                    raise ValueError(f"`columns` names {column!r}, which is the data set's `{role}` already")
        if column in _KEPT:
            raise ValueError(f"`columns` names {column!r}, a name that is kept; rename it in the table")


class StimuliDataset(DatasetBase):
    """New stimuli without responses, for which `predictions` are made; its samples are its stimuli."""

    loader: Literal["stimuli-only"]
    stimuli: ExistingPath = Field(description="CSV, one row per stimulus")
    text: Column = "text"
    id: Column | None = Field(None, description="column of stimulus ids; rows are numbered without it")
    group: Column | None = Field(None, description="column at whose changes a model's context resets")
    split: Column | None = Field(None, description="column of what belongs together; by default `group`")
    run: Column | None = None
    onset_s: Column | None = Field(None, description="column of onsets in seconds; makes the data a series")
    order: Column | None = Field(None, description="column of numbers that gives the presentation order")

    @model_validator(mode="after")
    def _nothing_of_responses(self) -> Self:
        given = next((name for name in ("collection", "control_region") if getattr(self, name)), "ceilings")
        if given != "ceilings" or self.ceilings != Ceilings():
            raise ValueError(f"{given} belongs to responses, which a data set of stimuli has not; leave it out")
        return self


class JoinedDataset(DatasetBase):
    """Tables of the same neuroids as one data set, so that an encoder may train on one and be tested on another.

    Its samples are those of all parts, told apart by the column `dataset`; its neuroids are those that all parts have,
    by their ids. Give it, and encoders that split by `dataset`, to one another by the encoders' `datasets`. Averages
    over data sets count it as one more: give it the `collection` of its parts.
    """

    loader: Literal["joined"]
    datasets: list[Name] = Field(description="its parts: two or more data sets of the loader table, in this order")

    @model_validator(mode="after")
    def _of_several(self) -> Self:
        twice = [name for name in self.datasets if self.datasets.count(name) > 1]
        if twice:
            raise ValueError(f"`datasets` names {twice[0]!r} more than once; a data set is not joined with itself")
        if len(self.datasets) < 2:
            raise ValueError(f"`datasets` names {len(self.datasets)}, but joining needs at least 2")
        return self

    @model_validator(mode="after")
    def _ceilings_of_test_part(self) -> Self:
        if self.ceilings.known:
            raise ValueError("ceilings.known exists for simulated data only")
        for kind in ("given", "repeats", "split_half"):
            if getattr(self.ceilings, kind):
                raise ValueError(
                    f"ceilings.{kind.replace('_', '-')} is of one data set's responses, not of those of a part that "
                    "another predicts; leave-one-subject-out and subject-pool are"
                )
        return self


Dataset = Annotated[SimulatedDataset | TableDataset | StimuliDataset | JoinedDataset, Field(discriminator="loader")]
