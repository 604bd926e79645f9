"""One data set under one encoder: what every feature space is fitted to and scored against."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from brainalign.encoding.bootstrap import Draws, make_draws, replicate, replicate_r2
from brainalign.encoding.dependence import Dependence
from brainalign.encoding.fit import FoldFit, SpacesOfFold, fit_folds, training_folds
from brainalign.encoding.fold_features import FoldFeatures, spaces_of_samples, trimmed
from brainalign.encoding.kernels import spaces_of
from brainalign.encoding.preparation import kept_samples, prepare_responses, scored_folds
from brainalign.encoding.sampled_neuroids import SampledNeuroids
from brainalign.encoding.sampling import Sampling
from brainalign.encoding.scales import at_one_scale
from brainalign.encoding.scores import Units, aggregate, determination, determination_about_test_mean, pearson
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import Space
from brainalign.encoding.splits import Fold, make_folds
from brainalign.inference.circular_shift import DEFAULT_MINIMUM_LAG, FEWEST_OFFSETS, circular_shift_test_of_cells
from brainalign.inference.p_values import COUNTED, NOT_COUNTED, SHARED_TRAINING_SPREAD, WIDENED
from brainalign.inference.replicates import widened
from brainalign.responses.samples import Columns, Samples

SHIFTS = 1999
FEWEST_SHIFTED = 2 * DEFAULT_MINIMUM_LAG + FEWEST_OFFSETS - 1  # samples of a run


@dataclass(frozen=True)
class Scores:
    """What the predictions of all folds are worth; arrays as in `encoder.Encoding`, of one layer.

    `spread`, (score_subject, score_region), is by how much distributions that take groups for independent are too
    narrow.
    """

    r: np.ndarray
    r2: np.ndarray
    r2_test_mean: np.ndarray
    aggregate_r: np.ndarray
    aggregate_r2: np.ndarray
    aggregate_r2_test_mean: np.ndarray
    replicates: np.ndarray
    contributions: np.ndarray
    pairs: np.ndarray
    spread: np.ndarray
    constant_predictions: np.ndarray


@dataclass(frozen=True, eq=False)
class Deviations:
    """Responses of a fold's test rows less the training mean; made when asked for, so that no copy of all is kept.

    Parameters
    ----------
    responses : (sample, neuroid).
    rows : (test,), row numbers.
    mean : (neuroid,), of the training rows.
    """

    responses: np.ndarray
    rows: np.ndarray
    mean: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Test rows and neuroids."""
        return len(self.rows), len(self.mean)

    @property
    def dtype(self) -> np.dtype:
        """The responses'."""
        return self.responses.dtype

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: tuple[slice, slice]) -> np.ndarray:
        rows, columns = place
        return np.asarray(self.responses[self.rows[rows], columns] - self.mean[columns])

    def __array__(self, dtype: np.dtype | None = None, copy: bool | None = None) -> np.ndarray:
        return self[:, :]


class Trial:
    """One data set under one encoder: what every feature space is fitted to and scored against.

    Rows are those of the samples that trimming leaves: of `samples`, `y` and all folds. `kept` are their row numbers
    among the samples that were given, None where these are all.

    Parameters
    ----------
    responses : (sample, neuroid), or (repetition, sample, neuroid), whose mean over repetitions is taken.
    samples : the sample table, in the responses' order.
    neuroids : columns neuroid, subject, region.
    sampling : how stimuli become samples; None where features are of samples already.
    device : where products are computed, see `nested.fit_nested`.

    Raises
    ------
    InputError : shapes that do not fit, NaN or infinite values, neuroids that do not vary, a split or trimming that the
        samples do not allow.
    """

    def __init__(
        self,
        responses: np.ndarray,
        samples: Samples,
        neuroids: Columns,
        settings: EncoderSettings,
        sampling: Sampling | None = None,
        device: str = "cpu",
    ) -> None:
        self.device = device
        self.settings, self.units = settings, Units.from_table(neuroids)
        self.kept = kept_samples(samples, settings)
        self.samples = trimmed(samples, self.kept)
        self.folds = make_folds(settings.split, self.samples)
        self.features = FoldFeatures(samples, self.folds, settings, sampling)
        scored = scored_folds(self.folds, settings)
        self.y = prepare_responses(responses, samples, self.units, scored, settings.precision, self.kept)
        self.score_inner = settings.layer == "nested"
        self.training = training_folds(self.folds, settings, self.samples, self.score_inner)
        means = [self.y[fold.train].mean(axis=0, dtype=np.float64).astype(self.y.dtype) for fold in self.folds]
        rows = [fold.test for fold in self.folds]
        own = [Deviations(self.y, test, mean) for test, mean in zip(rows, means, strict=True)]
        self.deviations: Sequence[Deviations | np.ndarray] = own
        self.truths = self.deviations
        if settings.pools:
            rows, self.deviations = [np.concatenate(rows)], [np.concatenate([part[:, :] for part in own])]
            self.truths = [self.y[rows[0]]]
        whole = [Fold(np.empty(0, dtype=np.intp), test) for test in rows]
        self.draws: Draws = make_draws(self.samples.split_group, whole, settings.draws, settings.seed)
        self.dependence = Dependence(self.y, self.samples.split_group, self.folds, self.draws, self.units, settings)
        by_neuroid = self.draws_choice and settings.layer_for == "neuroid"
        self.sampled = SampledNeuroids(self.dependence) if by_neuroid else None

    def spaces(self, name: str, features: np.ndarray) -> Sequence[Space] | SpacesOfFold:
        """Return a layer's spaces as `fit` takes them: of all folds, or a function that gives those of one.

        Parameters
        ----------
        name : of the layer, for messages.
        features : (stimulus, width) where there is a sampling, else (sample, width), untrimmed.
        """
        given = self.features.check(name, features)
        if self.settings.fits_features:
            return partial(self.features.spaces_of_fold, given)
        return spaces_of(self.features.of_all(given), self.settings)

    def spaces_of_samples(self, features: np.ndarray) -> Sequence[Space] | SpacesOfFold:
        """Return spaces of features that are taken as they are but for standardising in the fold: other responses.

        Parameters
        ----------
        features : (sample, width), rows as those of `y`.
        """
        if self.settings.standardize == "none":
            return spaces_of(features, self.settings)
        return lambda number: spaces_of_samples(features, self.folds[number], self.settings)

    def fit(self, spaces: Sequence[Space] | SpacesOfFold) -> list[FoldFit]:
        """Fit every outer fold; one of the spaces is chosen with the penalty."""
        return fit_folds(spaces, self.y, self.training, self.settings, self.score_inner, self.device)

    def pairs(self, spaces: Sequence[Space] | SpacesOfFold, fits: Sequence[FoldFit]) -> np.ndarray | None:
        """Return how groups are scored by way of one another, see `dependence`; None where that cannot be told."""
        if not (self.settings.intercept and self.dependence.can_be_told):
            return None
        return self.dependence.pairs(spaces, fits)

    def score(
        self,
        predictions: Sequence[np.ndarray],
        pairs: np.ndarray | None = None,
        trained: bool = True,
        scale: np.ndarray | None = None,
    ) -> Scores:
        """Score the predictions of every outer fold, each (test, neuroid), as deviations from the training mean.

        r of a fold does not depend on what is added to all its predictions. Where the predictions of all folds are
        pooled it would: the mean of the training rows is the lower, the higher the test rows of the fold lie, so that
        with these means added features that predict nothing would score r < 0. So the pooled r is

            r = corr(d, y),   d_i = (p_i - mean of the rows that trained i's fold) / scale of i's fold,

        with y the responses as they are, centred over all samples. The linear maps from y to predictions have rows that
        sum to 0 and hold nothing of a fold's own rows, and constant features have d = 0. The scale takes away by how
        much each fold's own penalty shrinks it, see `scales`; R² is of predictions as they are. A perfect prediction
        has r a little under 1, since d deviates more than y between folds.

        Parameters
        ----------
        pairs : of these predictions, from `pairs`.
        trained : whether folds trained each other; a simulation's truth was not fitted.
        scale : (fold, neuroid), see `for_r`.
        """
        dependence = self.dependence_of(pairs) if trained else NOT_COUNTED
        name, scored, for_r = self.settings.aggregate, self.scored(predictions), self.for_r(predictions, scale)
        contributions = self.dependence.contributions(for_r)
        for_r = self.scored(for_r)
        spread = self.dependence.spread(pairs, contributions)
        correlations = [
            pearson(prediction, np.asarray(truth)) for prediction, truth in zip(for_r, self.truths, strict=True)
        ]
        r = np.stack([values for values, _ in correlations])
        wide = self.spread_of_neuroids(spread if dependence in (COUNTED, WIDENED) else 1.0)
        replicates, of_mean = replicate(self.draws, for_r, self.truths, self.units, name, spread=wide), None
        if dependence == COUNTED and name != "mean":
            of_mean = replicate(self.draws, for_r, self.truths, self.units, "mean")
        r2_of_folds, about_test_mean = [], []
        for prediction, deviation, truth in zip(scored, self.deviations, self.truths, strict=True):
            held = np.asarray(deviation)
            r2_of_folds.append(determination(prediction, held))
            about_test_mean.append(determination_about_test_mean(r2_of_folds[-1], held, np.asarray(truth)))
        r2, r2_test_mean = np.stack(r2_of_folds), np.stack(about_test_mean)
        return Scores(
            r=r,
            r2=r2,
            r2_test_mean=r2_test_mean,
            aggregate_r=aggregate(r, self.units, name),
            aggregate_r2=aggregate(r2, self.units, name),
            aggregate_r2_test_mean=aggregate(r2_test_mean, self.units, name),
            replicates=self.dependence.corrected(replicates, dependence, pairs, spread, of_mean),
            contributions=contributions,
            pairs=self.dependence.unknown_pairs() if pairs is None else pairs,
            spread=spread,
            constant_predictions=np.array([count for _, count in correlations]),
        )

    def spread_of_neuroids(self, spread: float | np.ndarray) -> np.ndarray:
        """Return by how much replicates of neuroids are too narrow, (score_subject, score_region), see `medians`.

        Parameters
        ----------
        spread : since folds train each other, which medians within one fold ("brain-score") do not see.
        """
        within_folds = self.settings.aggregate == "brain-score" and not self.settings.pools
        shape = self.units.members.shape[:2]
        return np.broadcast_to(1.0 if within_folds else spread, shape) * self.dependence.shrinkage

    def scored(self, predictions: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return predictions by scored fold: those of all folds one after the other where the split pools them."""
        return [np.concatenate(predictions)] if self.settings.pools else list(predictions)

    def for_r(self, predictions: Sequence[np.ndarray], scale: np.ndarray | None) -> list[np.ndarray]:
        """Return the predictions of every fold at one scale where the split pools them, else as they are.

        Parameters
        ----------
        scale : (fold, neuroid), of each fold's fit; None where the predictions were not fitted.
        """
        if scale is None or not self.settings.pools:
            return list(predictions)
        return at_one_scale(predictions, scale, self.y)

    def dependence_of(self, pairs: np.ndarray | None) -> str:
        """Return how the dependence of folds is counted in replicates, one of `p_values.KINDS`."""
        return self.dependence.kind(pairs is not None)

    def replicates_r2(
        self, predictions: Sequence[np.ndarray], spread: float | np.ndarray = SHARED_TRAINING_SPREAD
    ) -> np.ndarray:
        """Return the aggregate of R² in every draw, (draw, score_subject, score_region).

        R² is linear in what groups add to it, so that nothing makes up for the shrinkage of a bootstrap of few groups,
        as the curvature of r does; see `Dependence.linear_spread`.

        Parameters
        ----------
        spread : by how much replicates are widened for folds that train each other: that of r.
        """
        scored, name = self.scored(predictions), self.settings.aggregate
        kind = self.dependence.kind(False)
        wide = self.spread_of_neuroids(spread if kind == WIDENED else 1.0)
        found = replicate(self.draws, scored, self.deviations, self.units, name, replicate_r2, wide)
        found = widened(found, self.dependence.linear_spread)
        return self.dependence.corrected(found, kind, spread=spread)

    def shift_p(
        self, predictions: Sequence[np.ndarray], spread: float | np.ndarray = SHARED_TRAINING_SPREAD
    ) -> np.ndarray:
        """Return one-sided p of the mean r by shifts of a series inside its runs, (score_subject, score_region).

        Where folds are pooled it is of the pooled r, and each fold's part of a run is shifted by itself all the same.
        NaN where samples are no series, are tested by several folds, or the tested samples of some run and fold are
        not neighbours or too few to be shifted.

        Parameters
        ----------
        predictions : of every fold (test, neuroid), see `for_r`.
        """
        nothing = np.full(self.units.members.shape[:2], np.nan)
        if self.samples.onset_s is None or not self.dependence.tests_once:
            return nothing
        orders = [np.argsort(fold.test) for fold in self.folds]
        rows = [fold.test[order] for fold, order in zip(self.folds, orders, strict=True)]
        runs = [self.samples.run[own] for own in rows]
        for own, of_fold in zip(rows, runs, strict=True):
            for run in np.unique(of_fold):
                part = own[of_fold == run]
                if len(part) < FEWEST_SHIFTED or part[-1] - part[0] + 1 > len(part):
                    return nothing
        given = [prediction[order] for prediction, order in zip(predictions, orders, strict=True)]
        truths = [self.y[own] for own in rows]
        if self.settings.pools:
            parts = [[f"{number}/{run}" for run in of_fold.tolist()] for number, of_fold in enumerate(runs)]
            given, truths, runs = [np.concatenate(given)], [np.concatenate(truths)], [np.concatenate(parts)]
        if len(self.folds) == 1:
            spread = 1.0
        return circular_shift_test_of_cells(given, truths, runs, self.units, SHIFTS, self.settings.seed, spread)

    @property
    def draws_choice(self) -> bool:
        """Whether the choice of layers by inner folds is made again in draws, see `rechosen`."""
        tested_once = self.dependence.is_partition and len(self.folds) > 1
        return self.score_inner and tested_once and self.draws.resampled != "nothing"

    def inner_scores(self, fit: FoldFit) -> np.ndarray:
        """Return the inner scores of one fold for each choice unit (unit,), and for all neuroids last."""
        if fit.inner_r is None:
            return np.full(self.n_units + 1, np.nan)
        cells = aggregate(fit.inner_r, self.units, self.settings.aggregate)  # (score subject, score region)
        if self.settings.layer_for == "neuroid":
            return np.append(fit.inner_r.mean(axis=0), cells[0, 0])
        own = cells[1:, 0] if self.settings.layer_for == "subject" else cells[:1, 0]
        return np.append(own, cells[0, 0])

    @property
    def n_units(self) -> int:
        """For how many units a layer is chosen by itself."""
        return {"all": 1, "subject": len(self.units.subjects), "neuroid": len(self.units)}[self.settings.layer_for]

    @property
    def unit_of_neuroid(self) -> np.ndarray:
        """The choice unit of each neuroid (neuroid,)."""
        if self.settings.layer_for == "neuroid":
            return np.arange(len(self.units))
        if self.settings.layer_for == "all":
            return np.zeros(len(self.units), dtype=np.intp)
        return np.array([self.units.subjects.index(name) for name in self.units.subject])
