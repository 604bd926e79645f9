"""The section `readouts`: how a part of a text becomes one vector per layer."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from brainalign.config.base import Column, Count, ExistingPath, Section, Seed


class Window(Section):
    window: Count = Field(description="how many words or tokens before the part")
    unit: Literal["words", "tokens"] = "words"


class ChatPrompt(Section):
    chat: Literal["user", "assistant"] = Field(description="whose message in the model's chat template holds the text")


class Match(Section):
    """One width for every layer, so that a model cannot score by being wide."""

    components: Count | None = Field(
        None, description="so many principal components of a layer, fitted to all stimuli of the data set"
    )
    projection: Count | None = Field(None, description="so many random projections of a layer")
    seed: Seed | None = Field(None, description="projection: seed of the random numbers, by default 0")
    localizer: Count | None = Field(
        None, description="so many units, those that respond more to `sentences` than to lists of non-words"
    )
    sentences: ExistingPath | None = Field(None, description="localizer: CSV, one text per row, and its condition")
    text: Column = "text"
    condition: Column = "condition"
    conditions: Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=2, max_length=2)] = Field(
        ["sentence", "non-word"],
        description="localizer: what the column `condition` holds for language and for control",
    )
    rank: Literal["t", "absolute-t", "t-of-magnitudes"] = Field(
        "t", description="localizer: units by Welch's t of their states, by its size, or by t of the states' sizes"
    )
    over: Literal["layer", "model"] = Field(
        "layer", description="localizer: so many units of each layer, or of all layers together, as one layer"
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [name for name in ("components", "projection", "localizer") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                "exactly one of components, projection, localizer must be given, but there is "
                f"{' and '.join(given) or 'none of them'}"
            )
        if self.seed is not None and not self.projection:
            raise ValueError(f"seed belongs to projection, not to {given[0]}")
        of_localizer = ("sentences", "text", "condition", "conditions", "rank", "over")
        further = [name for name in of_localizer if getattr(self, name) != type(self).model_fields[name].default]
        if further and not self.localizer:
            raise ValueError(f"{further[0]} belongs to localizer, not to {given[0]}")
        if self.localizer and not self.sentences:
            raise ValueError("localizer needs `sentences`, a table of sentences and non-words")
        if self.conditions[0] == self.conditions[1]:
            raise ValueError(f"conditions must be two, but both are {self.conditions[0]!r}")
        return self


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
    tokens: Literal["text", "random"] = Field(
        "text", description="the text's tokens, or a random one of the model's vocabulary in the place of each"
    )
    seed: Seed | None = Field(None, description="tokens, random: seed of the random numbers, by default 0")
    match: Match | None = Field(None, description="one width for every layer of every model")

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.seed is not None and self.tokens != "random":
            raise ValueError("seed belongs to tokens: random")
        if self.match and self.match.localizer and self.tokens == "random":
            raise ValueError("a localizer finds no language units where tokens are random; leave out one of both")
        return self
