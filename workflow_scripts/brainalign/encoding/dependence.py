"""Replicates of a cross-validated score, with what a bootstrap of held-out rows does not see: folds train each other.

How replicates are corrected depends on what is known (`inference.shared_training` has the reason and the measurements):

- "counted": folds partition the groups, and the aggregate is a mean. Deviations that hold the covariance of every pair
  of groups, each scored by way of the other, are added to the replicates.
- "widened": folds partition the groups, but the aggregate is a median, predictions of all folds are scored together, or
  features are fitted in the fold. Replicates are moved away from their mean by √2, the most that can be missing.
- "one fold": there are no other folds that a score could depend on. Replicates stay as they are.
- "not counted": test sets overlap (shuffled splits) or groups are tested in several folds. Replicates stay as they are.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from brainalign.encoding.bootstrap import Draws
from brainalign.encoding.fit import FoldFit, factorise
from brainalign.encoding.scores import Units
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import Space
from brainalign.encoding.splits import Fold
from brainalign.encoding.threads import Threads, batches
from brainalign.inference.contributions import group_contributions
from brainalign.inference.p_values import COUNTED, NOT_COUNTED, ONE_FOLD, SHARED_TRAINING_SPREAD, WIDENED
from brainalign.inference.shared_training import (
    corrected_replicates,
    group_signs,
    pair_contributions,
    shared_training_deviations,
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
        fold_of_group = np.array([found[0] for found in of_group])
        block_of_group, self.blocks, self.fold_of_block = _blocks(self.groups, fold_of_group, len(folds))
        self.block = np.where(self.group >= 0, block_of_group[self.group], -1)

    def kind(self, can_count: bool) -> str:
        """Return one of `p_values.KINDS`; `can_count` says whether the linear map of each fit is known."""
        if len(self.folds) == 1:
            return ONE_FOLD
        if not self.is_partition:
            return NOT_COUNTED
        whole = len(self.responses) == int((self.group >= 0).sum())
        counted = can_count and whole and self.settings.aggregate == "mean" and not self.settings.pools
        return COUNTED if counted and tells_dependence(self.fold_of_block) else WIDENED

    def pairs(self, spaces: Sequence[Space], fits: Sequence[FoldFit]) -> np.ndarray:
        """Return what each test block contributes to r by way of each training block.

        Blocks are the groups, or, where there are more than MOST_BLOCKS, groups of one fold put together.

        Returns
        -------
        (block, block, score_subject, score_region); rows of a block are of the fold that tests it.
        """
        total = np.zeros((len(self.blocks), len(self.blocks), *self.units.members.shape[:2]))

        def work(part: slice) -> None:
            fold, fit = self.folds[part.start], fits[part.start]
            response = self.responses[fold.test]
            found = pair_contributions(
                list(self._hats(spaces, fold, fit)),  # made before the training rows are copied
                self.responses[fold.train],
                fit.prediction,
                response,
                response.mean(axis=0),
                self.block[fold.train],
                self.block[fold.test],
                len(self.blocks),
                self.units,
            )
            tested = np.unique(self.block[fold.test])
            total[tested] = found[tested]

        each_fold = batches(len(self.folds), 1)
        if self.responses.nbytes > SIDE_BY_SIDE_BYTES:  # every fold copies its training rows
            for part in each_fold:
                work(part)
            return total
        with Threads().pool() as each:
            each(work, each_fold)
        return total

    def corrected(self, replicates: np.ndarray, kind: str, pairs: np.ndarray | None = None) -> np.ndarray:
        """Return replicates (draw, ...) of the aggregate of r that hold the dependence of the folds, float32.

        Parameters
        ----------
        pairs : from `pairs`, where the kind is "counted".
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
            found = mean + SHARED_TRAINING_SPREAD * (found - mean)
        return np.asarray(found.astype(np.float32))

    def contributions(self, predictions: Sequence[np.ndarray]) -> np.ndarray:
        """Return what each group adds to the mean over folds of r, averaged over neuroids.

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
        for fold, prediction in zip(self.folds, predictions, strict=True):
            numbers, found = group_contributions(
                prediction, self.responses[fold.test], centre, self.group[fold.test], self.units
            )
            total[numbers] = found / len(self.folds)
        return total

    def _hats(self, spaces: Sequence[Space], fold: Fold, fit: FoldFit) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield T (D + λ)^-1 Zᵀ of each space and penalty in use, and the numbers of its neuroids."""
        used = np.zeros(len(fit.penalty)) if self.settings.regression == "ols" else fit.penalty
        for number in np.unique(fit.space):
            own = np.unique(used[fit.space == number])
            spectrum, _ = factorise(spaces[number], own, fold.train, fold.test, self.settings)
            for penalty in own:
                neuroids = np.flatnonzero((fit.space == number) & (used == penalty))
                yield (spectrum.test_scores / (spectrum.eigenvalues + penalty)) @ spectrum.scores.T, neuroids


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
