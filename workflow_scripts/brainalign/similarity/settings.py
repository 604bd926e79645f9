"""What a measure of representational similarity is: metric, kind, distance, comparison, delay, splits, bootstrap."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from brainalign.errors import InputError, unknown

METRICS = ("rsa", "cka")
KINDS = ("controlled", "as-published")
DISTANCES = ("correlation", "cosine", "euclidean")
COMPARISONS = ("spearman", "pearson")


@dataclass(frozen=True)
class SimilaritySettings:
    """Settings of one measure of similarity between features and responses.

    Parameters
    ----------
    metric : "rsa" (dissimilarities of all pairs of samples, compared) or "cka" (linear centred kernel alignment).
    kind : "controlled" (pairs of samples within a split group are left out, and CKA is debiased) or "as-published"
        (all pairs of a shuffled split's test samples, plain CKA, as Brain-Score has them).
    distance : of the dissimilarities, for rsa: "correlation" (1 - Pearson r over units), "cosine" or "euclidean".
    compare : how dissimilarities are correlated, for rsa: "spearman" or "pearson".
    delay : samples by which features lead responses; applied where the samples have onsets.
    folds, test, split_seed : number, share of test samples and seed of the shuffled splits of "as-published".
    draws, seed : of the bootstrap over groups.

    Raises
    ------
    InputError : a value that is not allowed.
    """

    metric: str
    kind: str = "controlled"
    distance: str = "correlation"
    compare: str = "spearman"
    delay: int = 0
    folds: int = 10
    test: float = 0.9
    split_seed: int = 1
    draws: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        _one_of("metric of similarity", self.metric, METRICS)
        _one_of("kind of similarity", self.kind, KINDS)
        _one_of("distance", self.distance, DISTANCES)
        _one_of("comparison of dissimilarities", self.compare, COMPARISONS)
        if self.delay < 0:
            raise InputError(f"the delay must be a whole number of samples of at least 0, but is {self.delay}.")
        if not 0 < self.test < 1:
            raise InputError(f"the share of test samples must lie between 0 and 1, but is {self.test:g}.")
        for what, number in (("split", self.folds), ("draw of the bootstrap", self.draws)):
            if number < 1:
                raise InputError(f"there must be at least 1 {what}, but there are {number}.")

    @classmethod
    def from_mapping(cls, settings: Mapping[str, Any]) -> Self:
        """Read settings as a config writes them: `split: {folds, test, seed}`, `bootstrap: {draws, seed}`.

        Raises
        ------
        InputError : an unknown setting, or a value that is not allowed.
        """
        own = ("metric", "kind", "distance", "compare", "delay")
        _known("setting of a similarity", settings, (*own, "split", "bootstrap"))
        split, bootstrap = settings.get("split", {}), settings.get("bootstrap", {})
        _known("setting of the splits", split, ("folds", "test", "seed"))
        _known("setting of the bootstrap", bootstrap, ("draws", "seed"))
        if "metric" not in settings:
            raise InputError(f"a similarity needs a metric. Allowed: {', '.join(METRICS)}.")
        flat = {name: settings[name] for name in own if name in settings}
        flat |= {("split_seed" if name == "seed" else name): value for name, value in split.items()}
        return cls(**flat, **bootstrap)


def _one_of(kind: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise unknown(kind, value, allowed)


def _known(kind: str, settings: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
    for name in settings:
        if name not in allowed:
            raise unknown(kind, name, allowed)
