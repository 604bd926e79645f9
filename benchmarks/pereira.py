"""Simulated features and responses of the size of Pereira et al. 2018's 384 sentences, for the benchmarks of encoding.

384 sentences in 96 passages of 4, features of 4,096 columns whose variances fall as those of hidden states do, 12,155
neuroids of 9 subjects; 10 grouped folds, 13 relative penalties, one for each neuroid. What the features explain of a
neuroid differs between none and about half of its variance, so that neuroids choose different penalties.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from brainalign.encoding.fit import FoldFit, TrainingFold, fit_folds, training_folds
from brainalign.encoding.kernels import spaces_of
from brainalign.encoding.preparation import prepare_features, prepare_responses
from brainalign.encoding.scores import Units
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.splits import Fold, make_folds
from brainalign.responses.samples import Samples

SAMPLES, WIDTH, NEUROIDS = 384, 4096, 12_155
GROUPS, FOLDS, SUBJECTS = 96, 10, 9
SPLIT = {"kind": "grouped", "by": "split_group", "folds": FOLDS}
PENALTIES = tuple(float(10.0**power) for power in range(-4, 9))
STRENGTH = 0.7  # the largest correlation of a neuroid with what the features can tell
SHARED = 0.5  # share of a feature's variance that the sentences of a passage have in common


@dataclass(frozen=True)
class Inputs:
    """One data set: features (sample, width) and responses (sample, neuroid) in float32, groups and runs (sample,)."""

    features: np.ndarray
    responses: np.ndarray
    groups: np.ndarray

    @cached_property
    def samples(self) -> Samples:
        """The sample table: groups, which are runs too, and onsets every 2 s."""
        run = self.groups.astype(str).astype(object)
        return Samples({"split_group": run, "run": run, "onset_s": 2.0 * np.arange(len(run))})

    @cached_property
    def neuroids(self) -> dict[str, np.ndarray]:
        """The neuroid table: subjects of equal size, one region."""
        count = self.responses.shape[1]
        return {
            "neuroid": np.arange(count).astype(str),
            "subject": np.array([f"S{SUBJECTS * number // count + 1}" for number in range(count)]),
            "region": np.full(count, "language"),
        }

    def layers(self, count: int) -> Iterator[tuple[str, np.ndarray]]:
        """Yield layers one at a time: the features with more or less of other features mixed in."""
        other = np.random.default_rng(count).permutation(self.features)
        for number in range(count):
            share = 1 - abs(number / count - 0.6)
            yield f"layer-{number:02d}", share * self.features + (1 - share) * other

    def fit(self, settings: EncoderSettings) -> Callable[[], list[FoldFit]]:
        """Return all the fits of the features, from features and responses to predictions of all folds."""
        responses, folds = self.prepared(settings), self.training(settings)

        def work() -> list[FoldFit]:
            prepared = prepare_features("layer", self.features, self.samples, settings)
            return fit_folds(spaces_of(prepared, settings), responses, folds, settings, False)

        return work

    def folds(self, settings: EncoderSettings) -> list[Fold]:
        """Return the outer folds."""
        return make_folds(settings.split, self.samples)

    def training(self, settings: EncoderSettings) -> list[TrainingFold]:
        """Return the outer folds with their inner folds."""
        return training_folds(self.folds(settings), settings, self.samples, False)

    def prepared(self, settings: EncoderSettings) -> np.ndarray:
        """Return the responses, checked and centred, in the precision of the settings."""
        units = Units.from_table(self.neuroids)
        return prepare_responses(self.responses, self.samples, units, self.folds(settings), settings.precision)

    def penalties(self) -> np.ndarray:
        """Return the penalties as they are used: times trace(K) / n."""
        centred = self.features - self.features.mean(axis=0, dtype=np.float64)
        return np.array(PENALTIES) * float(np.einsum("ij,ij->", centred, centred)) / len(centred)


def simulate(
    samples: int = SAMPLES, width: int = WIDTH, neuroids: int = NEUROIDS, groups: int = GROUPS, seed: int = 0
) -> Inputs:
    """Return features, and responses that follow them to a degree that differs between neuroids.

    Features are latent dimensions with standard deviations 1 / sqrt(1 + k), half of them shared by a group's samples,
    in random directions, with a large mean. Responses are a random sum of the latent dimensions plus noise.
    """
    random = np.random.default_rng(seed)
    group = np.sort(np.arange(samples) * groups // samples)
    latent_width = min(width, samples)
    latent = (1 - SHARED) ** 0.5 * random.standard_normal((samples, latent_width), dtype=np.float32)
    latent += SHARED**0.5 * random.standard_normal((groups, latent_width), dtype=np.float32)[group]
    latent /= np.sqrt(1 + np.arange(latent_width, dtype=np.float32))
    features = latent @ random.standard_normal((latent_width, width), dtype=np.float32)
    features += 10 * random.standard_normal(width, dtype=np.float32)
    responses = latent @ random.standard_normal((latent_width, neuroids), dtype=np.float32)
    strength = np.linspace(0, STRENGTH, neuroids, dtype=np.float32)
    responses *= strength / responses.std(axis=0)
    responses += np.sqrt(1 - strength**2) * random.standard_normal((samples, neuroids), dtype=np.float32)
    return Inputs(features, responses, group)


def ridge(**changes: object) -> EncoderSettings:
    """Return the settings of the benchmarks: nested grouped ridge with 13 relative penalties, one for each neuroid."""
    return EncoderSettings(**({"grid": PENALTIES, "split": SPLIT} | changes))  # type: ignore[arg-type]


def products(samples: int, neuroids: int, folds: list[Fold], penalties: int = len(PENALTIES)) -> Callable[[], None]:
    """Return the work that no choice of penalties by nested folds can do without, in float32.

    For each penalty one sample × sample by sample × neuroid product, and for each penalty and pair of folds one product
    of their rows' square block with their responses.
    """
    random = np.random.default_rng(0)
    responses = random.standard_normal((samples, neuroids), dtype=np.float32)
    square = random.standard_normal((samples, samples), dtype=np.float32)
    found = np.empty_like(responses)
    sizes = [len(fold.test) for fold in folds]
    pairs = [one + other for place, one in enumerate(sizes) for other in sizes[:place]]

    def work() -> None:
        for _ in range(penalties):
            np.matmul(square, responses, out=found)
            for size in pairs:
                np.matmul(square[:size, :size], responses[:size], out=found[:size])

    return work
