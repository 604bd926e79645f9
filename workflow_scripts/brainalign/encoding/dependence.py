"""Replicates of a cross-validated score, with what a bootstrap of held-out rows does not see: folds train each other.

How replicates are corrected depends on what is known (`inference.shared_training` has the reason and the measurements):

- "counted": folds partition the groups, and the aggregate is a mean. Deviations that hold the covariance of every pair
  of groups, each scored by way of the other, are added to the replicates.
- "widened": folds partition the groups, but the aggregate is a median, or predictions of all folds are scored together.
  Replicates are moved away from their mean by the spread that the mean over the same neuroids lacks, or by √2, the most
  that can be missing, where the linear map of a fit is not known or each neuroid has a layer of its own. So are
  replicates of R².
- "one fold": there are no other folds that a score could depend on. Replicates stay as they are.
- "not counted": test sets overlap (shuffled splits) or groups are tested in several folds. Replicates stay as they are.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np

from brainalign.encoding.bootstrap import Draws
from brainalign.encoding.fit import FoldFit, SpacesOfFold, factorise
from brainalign.encoding.scores import CONSTANT, Units
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import GRAM_LIMIT, Space, Spectrum
from brainalign.encoding.splits import Fold
from brainalign.encoding.threads import Threads, batches
from brainalign.inference.contributions import group_contributions
from brainalign.inference.p_values import COUNTED, NOT_COUNTED, ONE_FOLD, SHARED_TRAINING_SPREAD, WIDENED
from brainalign.inference.shared_training import (
    corrected_replicates,
    group_signs,
    pair_contributions,
    put_together,
    shared_training_deviations,
    shared_variance,
    small_sample_factor,
    spread_of,
    summed,
    tells_dependence,
)

SIDE_BY_SIDE_BYTES = 128 * 2**20  # of responses, up to which folds are taken side by side
MOST_BLOCKS = 192  # whose pairs are looked at; more groups of a fold are put together, which are as independent


class Dependence:
    """How the folds of one data set and split depend on each other.

    Parameters
    ----------
    responses : (sample, neuroid), centred.
    split_group : (sample,).
    draws : of the bootstrap.
    """

    def __init__(
        self,
        responses: np.ndarray,
        split_group: np.ndarray,
        folds: Sequence[Fold],
        draws: Draws,
        units: Units,
        settings: EncoderSettings,
    ) -> None:
        self.responses, self.folds, self.draws, self.units, self.settings = responses, folds, draws, units, settings
        tested = np.concatenate([fold.test for fold in folds])
        names, index = np.unique(split_group.astype(str)[tested], return_inverse=True)
        self.groups = tuple(names.tolist())
        self.group = np.full(len(responses), -1)
        self.group[tested] = index
        fold_of_row = np.repeat(np.arange(len(folds)), [len(fold.test) for fold in folds])
        of_group = [np.unique(fold_of_row[index == number]) for number in range(len(names))]
        self.tests_once = len(np.unique(tested)) == len(tested)
        self.is_partition = self.tests_once and max(map(len, of_group)) == 1
        fold_of_group = self._fold_of_group = np.array([found[0] for found in of_group])
        block_of_group, self.blocks, self.fold_of_block = _blocks(self.groups, fold_of_group, len(folds))
        self.block = np.where(self.group >= 0, block_of_group[self.group], -1)

        self.together = put_together(self.fold_of_block)

    @cached_property
    def can_be_told(self) -> bool:
        """Whether pairs of groups tell it: folds partition the samples, and groups are more than a few."""
        whole = len(self.responses) == int((self.group >= 0).sum())
        return len(self.folds) > 1 and self.is_partition and whole and tells_dependence(self.fold_of_block)

    def kind(self, can_count: bool) -> str:
        """Return one of `p_values.KINDS`; `can_count` says whether there are `pairs`."""
        if len(self.folds) == 1:
            return ONE_FOLD
        if not self.is_partition:
            return NOT_COUNTED
        counted = can_count and self.settings.aggregate == "mean" and not self.settings.pools
        return COUNTED if counted else WIDENED

    def pairs(self, spaces: Sequence[Space] | SpacesOfFold, fits: Sequence[FoldFit]) -> np.ndarray:
        """Return what each test block contributes to r by way of each training block.

        Blocks are the groups, or, where there are more than MOST_BLOCKS, groups of one fold put together.

        Parameters
        ----------
        spaces : of all folds, or a function that gives those of one.

        Returns
        -------
        (block, block, score_subject, score_region); rows of a block are of the fold that tests it. Their sum is that of
        the scored folds' means of r.
        """
        total = np.zeros((len(self.blocks), len(self.blocks), *self.units.members.shape[:2]))
        hats_of = self._hats_of_fold(spaces, fits) if callable(spaces) else self._hats_of_all(spaces, fits)
        norm = self._norm(fits) if self.settings.pools else None

        def work(part: slice) -> None:
            fold, fit = self.folds[part.start], fits[part.start]
            centre = np.zeros(len(self.units)) if norm is not None else self.responses[fold.test].mean(axis=0)
            hats, blocks = hats_of(part.start), len(self.blocks)
            found = pair_contributions(
                hats, self.responses, fold, fit.prediction, centre, self.block, blocks, self.units, norm
            )
            tested = np.unique(self.block[fold.test])
            total[tested] = found[tested]

        each_fold = batches(len(self.folds), 1)
        if self.responses.nbytes > SIDE_BY_SIDE_BYTES:  # every fold copies some of its rows
            for part in each_fold:
                work(part)
            return total
        with Threads().pool() as each:
            each(work, each_fold)
        return total

    def together_of(self, pairs: np.ndarray | None) -> np.ndarray:
        """Return pairs (block, block, score_subject, score_region) of at most about MOST_TOGETHER blocks, for files.

        They are shares of the aggregate "mean", as `contributions` are. NaN where pairs are not known.
        """
        block_of_group, fold_of_block, _ = self.together
        if pairs is None:
            return np.full((len(fold_of_block), len(fold_of_block), *self.units.members.shape[:2]), np.nan)
        return summed(pairs, block_of_group) / self._scored

    def spread(self, pairs: np.ndarray | None, contributions: np.ndarray) -> np.ndarray:
        """Return by how much replicates of the mean are too narrow, (score_subject, score_region).

        Parameters
        ----------
        contributions : (group, score_subject, score_region), from `contributions`.
        """
        shape = self.units.members.shape[:2]
        if pairs is None:
            return np.full(shape, SHARED_TRAINING_SPREAD)
        shared = shared_variance(pairs, self.fold_of_block) / self._scored**2
        return spread_of(shared, self._variance(contributions))

    def corrected(
        self,
        replicates: np.ndarray,
        kind: str,
        pairs: np.ndarray | None = None,
        spread: float | np.ndarray = SHARED_TRAINING_SPREAD,
    ) -> np.ndarray:
        """Return replicates (draw, ...) of the aggregate of r that hold the dependence of the folds, float32.

        Parameters
        ----------
        pairs : from `pairs`, where the kind is "counted".
        spread : (...), by how much replicates are widened where the kind is "widened".
        """
        if kind in (NOT_COUNTED, ONE_FOLD):
            return replicates
        deviations = None
        if kind == COUNTED:
            assert pairs is not None
            signs = group_signs(self.blocks, len(replicates), self.settings.seed)
            deviations = shared_training_deviations(np.nan_to_num(pairs), self.fold_of_block, signs)
            deviations = np.where(np.isnan(pairs).any(axis=(0, 1)), np.nan, deviations)
        found = corrected_replicates(replicates, self.draws.resampled, len(self.folds), deviations)
        if kind == WIDENED:
            mean = found.mean(axis=0)
            found = mean + spread * (found - mean)
        return np.asarray(found.astype(np.float32))

    @property
    def linear_spread(self) -> float:
        """What replicates of a sum over groups lack in spread, √(G / (G - F)) · t(.975; G - F) / z(.975).

        For G groups in F scored folds; 1 where folds are resampled, whose replicates `corrected` moves, or nothing is.
        """
        folds = len(self.draws.groups)
        groups = sum(int(rows.max()) + 1 for rows in self.draws.groups)
        if self.draws.counts is None or groups <= folds or not self.is_partition:
            return 1.0
        return small_sample_factor(groups - folds + 1) * float(np.sqrt(groups / (groups - folds + 1)))

    @property
    def _scored(self) -> int:
        """How many folds are scored by themselves."""
        return 1 if self.settings.pools else len(self.folds)

    def _variance(self, contributions: np.ndarray) -> np.ndarray:
        """Return the variance of the sum of contributions as the bootstrap draws it, but for its shrinkage."""
        fold = np.zeros(len(self.groups), dtype=np.intp) if self.settings.pools else self._fold_of_group
        if self.draws.resampled == "folds":
            sums = np.stack([contributions[fold == number].sum(axis=0) for number in np.unique(fold)])
            return np.asarray(sums.var(axis=0, ddof=1) * len(sums))
        within = [contributions[fold == number] for number in np.unique(fold)]
        return np.asarray(sum(own.var(axis=0, ddof=1) * len(own) for own in within if len(own) > 1))

    def _norm(self, fits: Sequence[FoldFit]) -> np.ndarray:
        """Return |p - p̄| |y - ȳ| of the predictions of all folds, (neuroid,); 0 where these are constant."""
        prediction = np.concatenate([fit.prediction for fit in fits])
        response = self.responses[np.concatenate([fold.test for fold in self.folds])]
        length = [np.linalg.norm(values - values.mean(axis=0), axis=0) for values in (prediction, response)]
        return np.asarray(np.where(length[0] > CONSTANT * length[1], length[0] * length[1], 0.0))

    def contributions(self, predictions: Sequence[np.ndarray]) -> np.ndarray:
        """Return what each group adds to the mean over folds of r, or to the pooled r, averaged over neuroids.

        The sum over groups is the aggregate "mean". NaN where groups are tested in several folds.

        Parameters
        ----------
        predictions : of every fold (test, neuroid).

        Returns
        -------
        (group, score_subject, score_region)
        """
        total = np.full((len(self.groups), *self.units.members.shape[:2]), np.nan)
        if not self.is_partition:
            return total
        centre = np.zeros(len(self.units), dtype=self.responses.dtype)
        scored, tests = predictions, [fold.test for fold in self.folds]
        if self.settings.pools:
            scored, tests = [np.concatenate(scored)], [np.concatenate(tests)]
        for rows, prediction in zip(tests, scored, strict=True):
            numbers, found = group_contributions(prediction, self.responses[rows], centre, self.group[rows], self.units)
            total[numbers] = found / len(tests)
        return total

    def _hats_of_fold(self, spaces: SpacesOfFold, fits: Sequence[FoldFit]) -> "HatsOfFold":
        """Return what gives T (D + λ)^-1 Zᵀ of a fold for each space and penalty in use, with its neuroids."""

        def hats(number: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
            fold, fit, of_fold = self.folds[number], fits[number], spaces(number)
            for space, own in self._used(fit):
                spectrum, _ = factorise(of_fold[space], own, fold.train, fold.test, self.settings)
                for penalty in own:
                    hat = (spectrum.test_scores / (spectrum.eigenvalues + penalty)) @ spectrum.scores.T
                    yield hat, self._neuroids(fit, space, penalty)

        return hats

    def _hats_of_all(self, spaces: Sequence[Space], fits: Sequence[FoldFit]) -> "HatsOfFold":
        """The same for spaces of all samples, from one factorisation of these where that is exact.

        With H = Z (D + λ)^-1 Zᵀ + 1 1ᵀ / n of all samples, the rows B of a fold are predicted by the others R through
        (I - H_BB)^-1 H_BR (see `nested`), whose rows sum to 1, the mean of R's responses with them.
        """
        smallest = min((float(own.min()) for fit in fits for _, own in self._used(fit)), default=0.0)
        limit = GRAM_LIMIT * max(space.trace for space in spaces)
        if self.settings.regression == "ols" or self.settings.components is not None or smallest < limit:
            return self._hats_of_fold(lambda _: spaces, fits)
        everyone, nobody = np.arange(len(self.responses)), np.empty(0, dtype=np.intp)
        used = sorted({space for fit in fits for space, _ in self._used(fit)})
        of_all: dict[int, Spectrum] = {space: spaces[space].spectrum(everyone, nobody) for space in used}

        def hats(number: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
            fold, fit = self.folds[number], fits[number]
            for space, own in self._used(fit):
                found = of_all[space]
                for penalty in own:
                    rows = (found.scores[fold.test] / (found.eigenvalues + penalty)) @ found.scores.T
                    rows += found.mean_share
                    left_out = np.eye(len(fold.test)) - rows[:, fold.test]
                    hat = np.linalg.solve(left_out, rows[:, fold.train])
                    hat -= 1.0 / len(fold.train)  # deviations from the mean of the training rows
                    yield hat, self._neuroids(fit, space, penalty)

        return hats

    def _used(self, fit: FoldFit) -> list[tuple[int, np.ndarray]]:
        """Return the spaces that a fold uses, each with its penalties (penalty,)."""
        penalty = self._penalty(fit)
        return [(int(space), np.unique(penalty[fit.space == space])) for space in np.unique(fit.space)]

    def _neuroids(self, fit: FoldFit, space: int, penalty: float) -> np.ndarray:
        return np.flatnonzero((fit.space == space) & (self._penalty(fit) == penalty))

    def _penalty(self, fit: FoldFit) -> np.ndarray:
        return np.zeros(len(fit.penalty)) if self.settings.regression == "ols" else fit.penalty


HatsOfFold = Callable[[int], Iterator[tuple[np.ndarray, np.ndarray]]]


def _blocks(groups: Sequence[str], fold_of_group: np.ndarray, n_folds: int) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Put neighbouring groups of a fold together where there are many.

    Returns
    -------
    block_of_group : (group,); names : of the blocks, those of their first groups; fold_of_block : (block,).
    """
    block_of_group = np.arange(len(groups))
    if len(groups) > MOST_BLOCKS:
        of_fold = max(1, MOST_BLOCKS // n_folds)
        for fold in range(n_folds):
            members = np.flatnonzero(fold_of_group == fold)
            for part in np.array_split(members, min(of_fold, len(members))) if len(members) else []:
                block_of_group[part] = part[0]
    first, number = np.unique(block_of_group, return_inverse=True)
    return number, [groups[index] for index in first], fold_of_group[first]
