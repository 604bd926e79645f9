"""The sections `texts`, `models` and `losses`: everything that has weights, and what it reads."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from brainalign.config.base import Count, ExistingPath, Name, Section, Seed
from brainalign.config.published import PublishedModel

Kind = Literal["vanilla", "instruction-tuned", "untrained"]
DataType = Literal["float32", "float16", "bfloat16"]
Weights = Literal["safetensors", "bin"]


class _Text(Section):
    citation: str | None = Field(None, min_length=1, description="how to cite the text")


class SimulatedText(_Text):
    """A text about the generated world: stories and passages, or questions with answers."""

    loader: Literal["simulated"]
    kind: Literal["documents", "questions"] = Field(description="running text, or question and answer pairs")
    world: Seed = Field(0, description="seed of the world that the text is about")
    seed: Seed
    count: Count = Field(description="documents or questions")


class FileText(_Text):
    """A UTF-8 text file, documents separated by blank lines; in .jsonl, each the `text` of a line."""

    loader: Literal["file"]
    file: ExistingPath
    kind: Literal["documents"] = "documents"


class WikiText(_Text):
    """A file of WikiText (WikiText-2, WikiText-103); its articles are the documents."""

    loader: Literal["wikitext"]
    file: ExistingPath
    kind: Literal["documents"] = "documents"
    detokenise: bool = Field(
        False, description="whether words are put together again (1 @,@ 000 → 1,000); otherwise the text stays as it is"
    )


Text = Annotated[SimulatedText | FileText | WikiText, Field(discriminator="loader")]


class Training(Section):
    """A small transformer trained from scratch on one text."""

    text: Name = Field(description="an entry of `texts` with kind: documents")
    vocabulary: list[Name] = Field([], description="further entries of `texts` whose words the vocabulary holds")
    architecture: Literal["llama", "gpt2"] = "llama"
    width: Annotated[int, Field(ge=2, le=4096)]
    layers: Annotated[int, Field(ge=1, le=128)]
    heads: Count
    context: Annotated[int, Field(ge=8, le=65536)] = Field(256, description="tokens that the model can see")
    steps: Annotated[int, Field(ge=0)] = Field(description="updates; 0 leaves the weights as initialised")
    batch: Count = Field(16, description="sequences in one update")
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 3e-3
    seed: Seed = 0

    @model_validator(mode="after")
    def _heads_divide_width(self) -> Self:
        if self.width % (2 * self.heads):
            raise ValueError(f"width {self.width} must be a multiple of twice the heads, which are {self.heads}")
        return self


class Tuning(Section):
    """Instruction-tuning of the model named as `base` on questions and answers; only answers count in the loss."""

    text: Name = Field(description="an entry of `texts` with kind: questions")
    steps: Annotated[int, Field(ge=0)]
    batch: Count = 16
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 1e-3
    seed: Seed = 0


class Untrained(Section):
    """Twins with the same architecture and random weights, one per seed."""

    seeds: Annotated[list[Seed], Field(min_length=1)]

    @model_validator(mode="after")
    def _different(self) -> Self:
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"seeds {self.seeds} must be different numbers")
        return self


class TrainingTokens(Section):
    """How many tokens a model was trained on, as its authors state."""

    tokens: Annotated[float, Field(ge=1, multiple_of=1)]
    source: Annotated[str, Field(min_length=1)] = Field(description="where they state it")


_COMMIT = re.compile(r"[0-9a-f]{40}")


def _is_path(source: str) -> bool:
    return source.startswith(("/", "~", ".")) or source.count("/") > 1


class Model(Section):
    """Something with weights: from the Hub or a folder (`source`), trained here (`train`) or tuned here (`tune`).

    Or something of which only published numbers are at hand (`published`).
    """

    source: str | None = Field(None, min_length=1, description="Hub repository, or path of a folder")
    revision: str | None = Field(None, min_length=1, description="commit of the Hub repository")
    weights: Weights = Field("safetensors", description="format of the source's weight files; bin is PyTorch's own")
    delta_of: Name | None = Field(None, description="the model to which the source's weights are to be added")
    remote_code: bool = Field(False, description="whether the source's own Python may run on this machine")
    train: Training | None = None
    tune: Tuning | None = None
    published: PublishedModel | None = Field(None, description="no weights: only published scores, and these sizes")
    family: Name = Field(description="models that differ in size or tuning only")
    kind: Kind
    base: Name | None = Field(None, description="the vanilla model that an instruction-tuned one came from")
    dtype: DataType = Field("float32", description="number format of weights and computation, on every device")
    untrained: Untrained | None = Field(None, description="twins with random weights")
    training_tokens: TrainingTokens | None = Field(None, description="where stated, a property of the model")

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        origins = [name for name in ("source", "train", "tune", "published") if getattr(self, name) is not None]
        if len(origins) != 1:
            given = " and ".join(origins) or "none of them"
            raise ValueError(f"exactly one of source, train, tune, published must be given, but there is {given}")
        if self.tune and not self.base:
            raise ValueError("tune needs `base`, the model to start from")
        if self.kind == "instruction-tuned" and not self.base:
            raise ValueError("an instruction-tuned model needs `base`, the vanilla model that it came from")
        self._check_source()
        if self.published and (self.untrained or "dtype" in self.model_fields_set):
            raise ValueError("a published model has no weights here, and so neither untrained twins nor a dtype")
        if self.untrained and self.tune:
            raise ValueError("untrained twins belong to the base, not to a tuned model")
        return self

    def _check_source(self) -> None:
        if not self.source:
            for name in ("revision", "weights", "delta_of", "remote_code"):
                if getattr(self, name) != type(self).model_fields[name].default:
                    what = "a Hub source" if name == "revision" else "a source"
                    raise ValueError(f"{name} belongs to {what}, but the model is made here")
            return
        folder = Path(self.source).expanduser().is_dir()
        if not folder and _is_path(self.source):
            raise ValueError(f"source {self.source!r} is no Hub repository (owner/name), and there is no such folder")
        if self.revision and folder:
            raise ValueError("revision belongs to a Hub source, but the source is a folder")
        if self.remote_code and not folder and not _COMMIT.fullmatch(self.revision or ""):
            raise ValueError(
                "remote_code needs as `revision` a full commit (40 hexadecimal digits), so that no other code runs "
                "than what was there when it was chosen"
            )
        if self.untrained and not folder and not self.revision:
            raise ValueError("untrained twins of a Hub model need `revision`, so that they are of the same commit")


class Loss(Section):
    """Next-word loss on one text; of an encoder with a decoder (T5), the loss of spans cut out of the text."""

    text: Name = Field("wikitext2", description="an entry of `texts` with kind: documents")
    window: Annotated[int, Field(ge=2)] = Field(256, description="tokens that a prediction can see at most")
    stride: Count | None = Field(
        None, description="tokens from one window to the next, below the window; half the window unless given"
    )
    seed: Seed = Field(0, description="which spans are cut out for an encoder with a decoder")

    @model_validator(mode="after")
    def _windows_overlap(self) -> Self:
        if self.stride is not None and self.stride >= self.window:
            raise ValueError(f"stride {self.stride} must be below the window, which is {self.window}")
        return self
