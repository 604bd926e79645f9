"""The sections `datasets`, `features` and `readouts`: what is predicted, and from what."""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from brainalign.config.base import Count, ExistingPath, Name, Section, Seed

Column = Annotated[str, Field(min_length=1, description="a column of the table")]


class SubjectPool(Section):
    """Ceiling from other subjects' responses, extrapolated to infinitely many subjects."""

    pools: Count = Field(3, description="random pools of other subjects for each pool size and held-out subject")
    seed: Seed = 0


class Known(Section):
    """Ceiling of a simulation: the noise-free response against the response."""


class Given(Section):
    """Ceilings from a table, one per neuroid; they belong to the responses alone, not to an encoder."""

    table: ExistingPath
    neuroid: Column
    value: Column
    units: Literal["r", "r2"] = "r"


class Ceilings(Section):
    """Ceilings to estimate; scores are normalised by the first of known, given, subject-pool that is asked for."""

    known: Known | None = None
    given: Given | None = None
    subject_pool: SubjectPool | None = Field(None, alias="subject-pool")


class DatasetBase(Section):
    collection: Name | None = Field(None, description="averages go over collections; by default the data set itself")
    citation: str | None = Field(None, description="how to cite the data")
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


def _joined_by_ids(responses: str) -> bool:
    return responses.lower().endswith((".csv", ".tsv", ".txt"))


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

    @model_validator(mode="after")
    def _ids_needed(self) -> Self:
        if _joined_by_ids(self.responses) and not (self.id or self.responses_id):
            raise ValueError("a CSV of responses is joined by ids: name the stimuli's column as `id`")
        if self.order and not self.samples and not _joined_by_ids(self.responses):
            raise ValueError("`order` moves the stimuli, but not the rows of a matrix; give both in presentation order")
        if self.samples and not self.map:
            raise ValueError("`samples` needs `map`, which says what stimuli each sample goes with")
        if self.ceilings.known:
            raise ValueError("ceilings.known exists for simulated data only")
        return self


Dataset = Annotated[SimulatedDataset | TableDataset, Field(discriminator="loader")]


class Window(Section):
    window: Count = Field(description="how many words or tokens before the part")
    unit: Literal["words", "tokens"] = "words"


class ChatPrompt(Section):
    chat: Literal["user", "assistant"] = Field(description="whose message in the model's chat template holds the text")


class Readout(Section):
    """How a part of a text becomes one vector per layer."""

    preset: Literal["brain-score", "wehbe"] | None = Field(
        None, description="a published pipeline's readout; further keys change it"
    )
    context: Literal["none", "group"] | Window = Field(
        "group", description="what the model reads before a part: nothing, all earlier parts of its group, {window: k}"
    )
    pooling: Literal["last", "mean", "sum", "first", "max"] = Field("last", description="over the part's own tokens")
    overflow: Literal["restart", "slide"] = Field(
        "restart", description="past the model's limit: begin again with its last half, or cut from the left"
    )
    limit: Count | None = Field(None, description="tokens that a model may read at once, where it could read more")
    prompt: str | ChatPrompt | None = Field(
        None, description="text before the context: your own, or what the model's chat template writes, {chat: user}"
    )
    join: Literal["spaces", "punctuation"] = Field(
        "spaces", description="parts are joined by single spaces; or by those, with none before punctuation"
    )
    special_tokens: Literal["none", "part"] = Field(
        "none", description="whether BOS, EOS and SEP belong to no part, or to the part that they touch"
    )
    decoder_input: Literal["text", "start"] = Field(
        "text", description="encoder–decoders: the decoder reads the same text, or its start token alone"
    )


class PositionNull(Section):
    """Index of the sentence in its group."""

    control: Literal["position"]


class LengthNull(Section):
    """Characters and words."""

    control: Literal["length"]


class AutocorrelationNull(Section):
    """Smoothed identity inside each group (OASM): what neighbours share, without any text."""

    control: Literal["autocorrelation"]
    sigmas: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)] = [0.5, 1.0, 2.0]


class RandomNull(Section):
    """Gaussian random numbers."""

    control: Literal["random"]
    width: Count = 32
    seed: Seed = 0


class FeatureTable(Section):
    """A stimulus × width table of numbers."""

    table: ExistingPath
    match: Literal["stimulus_id", "text"] = Field(
        "stimulus_id", description="the table's column that says which stimulus, by its id or by its text"
    )
    datasets: list[Name] | None = Field(None, description="data sets that it covers; by default all")
    as_null: bool = Field(False, description="whether every score is to stand beside it, as beside the nulls")


GIVEN = "given features"  # the tag of a table; it must be no key, so that mistakes are told under the right one


def _which_features(entry: Any) -> str | None:
    """The tag of a features entry: the null's name, or GIVEN."""
    given = entry if isinstance(entry, dict) else getattr(entry, "__dict__", {})
    return str(given["control"]) if "control" in given else GIVEN


Features = Annotated[
    Annotated[PositionNull, Tag("position")]
    | Annotated[LengthNull, Tag("length")]
    | Annotated[AutocorrelationNull, Tag("autocorrelation")]
    | Annotated[RandomNull, Tag("random")]
    | Annotated[FeatureTable, Tag(GIVEN)],
    Discriminator(_which_features),
]
