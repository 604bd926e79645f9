"""The section `features`: nulls and given tables, which no language model computes, and feature spaces together."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_validator

from brainalign.config.base import Count, ExistingPath, Name, Section, Seed
from brainalign.errors import nearest


class PositionNull(Section):
    """Index of the sentence in its group."""

    control: Literal["position"]


class LengthNull(Section):
    """Characters, words and marks, which are punctuation and symbols."""

    control: Literal["length"]


class WordRateNull(Section):
    """Words per part and, where onsets are known, per second."""

    control: Literal["word-rate"]


# The widths of the published autocorrelation models, 0 to 4.8.
PUBLISHED_SIGMAS = [step / 10 for step in range(49)]


def _published(sigmas: Any) -> Any:
    """Put the published widths in the place of their name."""
    if isinstance(sigmas, str) and sigmas != "published":
        raise ValueError(f"holds {sigmas!r}; a list of numbers or 'published' is needed")
    return PUBLISHED_SIGMAS if sigmas == "published" else sigmas


class AutocorrelationNull(Section):
    """Smoothed identity inside each group (OASM): what neighbours share, without any text."""

    control: Literal["autocorrelation"]
    sigmas: Annotated[
        list[Annotated[float, Field(ge=0)]],
        Field(min_length=1, description="widths in parts; `published` stands for 0 to 4.8 in steps of 0.1"),
        BeforeValidator(_published, json_schema_input_type=list[float] | Literal["published"]),
    ] = [0.5, 1.0, 2.0]


class EmbeddingsNull(Section):
    """Vectors of a part's words, from a file: what words mean by themselves."""

    control: Literal["embeddings"]
    file: ExistingPath = Field(description="text format of GloVe, word2vec or fastText, plain or gzip")
    pooling: Literal["mean", "sum"] = Field("mean", description="over the words of a part that the file has")
    lower: bool = Field(True, description="whether words are looked up in lower case")


class RandomEmbeddingsNull(Section):
    """The mean of fixed random vectors, one for each different word: which words, and nothing of what they mean."""

    control: Literal["random-embeddings"]
    width: Count = 100
    seed: Seed = 0


class RandomNull(Section):
    """Gaussian random numbers."""

    control: Literal["random"]
    width: Count = 32
    seed: Seed = 0


TEXT_FREE = ("position", "autocorrelation", "random")  # computed from where a text stands, never from the text


class FeatureTable(Section):
    """A stimulus × width table of numbers."""

    table: ExistingPath
    match: Literal["stimulus_id", "text"] = Field(
        "stimulus_id", description="the table's column that says which stimulus, by its id or by its text"
    )
    datasets: list[Name] | None = Field(None, description="data sets that it covers; by default all")
    as_null: bool = Field(False, description="whether every score is to stand beside it, as beside the nulls")


class JointFeatures(Section):
    """Feature spaces that predict together, each with a weight of its own (see `encoding.joint`)."""

    joint: list[Name] = Field(
        min_length=2, max_length=6, description="models, untrained twins among them, or other entries of `features`"
    )
    datasets: list[Name] | None = Field(
        None, min_length=1, description="data sets that it is for; by default all that its members have in common"
    )

    @field_validator("joint")
    @classmethod
    def _different(cls, members: list[str]) -> list[str]:
        repeated = [name for number, name in enumerate(members) if name in members[:number]]
        if repeated:
            raise ValueError(f"holds {repeated[0]!r} twice; each feature space is joined once")
        return members


# The tags of a table and of joint features; they must be no keys, so that mistakes are told under the right one.
GIVEN, JOINT = "given features", "joint features"


def _which_features(entry: Any) -> str | None:
    """The tag of a features entry: the null's name, GIVEN, or JOINT where a key is `joint` or misspells it."""
    given = entry if isinstance(entry, dict) else getattr(entry, "__dict__", {})
    if "control" in given:
        return str(given["control"])
    return JOINT if "table" not in given and any(nearest(str(key), ["joint"]) for key in given) else GIVEN


Features = Annotated[
    Annotated[PositionNull, Tag("position")]
    | Annotated[LengthNull, Tag("length")]
    | Annotated[WordRateNull, Tag("word-rate")]
    | Annotated[AutocorrelationNull, Tag("autocorrelation")]
    | Annotated[EmbeddingsNull, Tag("embeddings")]
    | Annotated[RandomEmbeddingsNull, Tag("random-embeddings")]
    | Annotated[RandomNull, Tag("random")]
    | Annotated[FeatureTable, Tag(GIVEN)]
    | Annotated[JointFeatures, Tag(JOINT)],
    Discriminator(_which_features),
]
