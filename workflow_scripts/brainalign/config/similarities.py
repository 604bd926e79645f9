"""The section `similarities`: how features and responses are compared without an encoder."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from brainalign.config.base import Count, Section, Seed


class TestSamples(Section):
    """Shuffled splits, of which only the test samples are compared."""

    folds: Count = 10
    test: Annotated[float, Field(gt=0, lt=1)] = Field(0.9, description="fraction of the samples in each test set")
    seed: Seed = 1


class GroupDraws(Section):
    """Bootstrap over groups of stimuli."""

    draws: Annotated[int, Field(ge=20, le=100_000)] = 1000
    seed: Seed = 0


class Similarity(Section):
    """A metric of representational similarity between a layer and a subject's or region's responses."""

    metric: Literal["rsa", "cka"] = Field(
        description="correlated dissimilarities of pairs of samples; or linear centred kernel alignment"
    )
    kind: Literal["controlled", "as-published"] = Field(
        "controlled",
        description="controlled: no pairs within a split group, and CKA is debiased; as-published: as Brain-Score "
        "has them, on the test samples of shuffled splits",
    )
    distance: Literal["correlation", "cosine", "euclidean"] = Field(
        "correlation", description="rsa, controlled: dissimilarity of two samples over units"
    )
    compare: Literal["spearman", "pearson"] = Field(
        "spearman", description="rsa, controlled: how dissimilarities are correlated"
    )
    delay: Annotated[int, Field(ge=0, le=100)] = Field(
        0, description="samples by which features lead responses, for series only; ignored for single sentences"
    )
    split: TestSamples = Field(TestSamples(), description="as-published: the splits")
    bootstrap: GroupDraws = GroupDraws()

    @model_validator(mode="after")
    def _settings_of_its_own(self) -> Self:
        given = self.model_fields_set
        if self.metric == "cka" and given & {"distance", "compare"}:
            raise ValueError("cka has no dissimilarities: leave out distance and compare")
        if self.kind == "as-published" and (self.distance, self.compare) != ("correlation", "spearman"):
            raise ValueError("as published, rsa has distance: correlation and compare: spearman; leave them out")
        if self.kind == "controlled" and "split" in given:
            raise ValueError("controlled metrics are of all samples: leave out split")
        return self
