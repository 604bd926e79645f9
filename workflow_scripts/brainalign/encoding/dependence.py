"""Replicates of a cross-validated score, with what a bootstrap of held-out rows does not see: folds train each other.

How replicates are corrected depends on what is known (`inference.shared_training` has the reason and the measurements):

- "counted": folds partition the samples, and groups are enough to tell it. Deviations that hold the covariance of
  every pair of groups, each scored by way of the other, are added to the replicates. They are those of the mean over
  the same neuroids; a median's are as many times as large as its replicates spread wider than those of the mean. With
  the same signs in all models, differences of medians, too, hold the dependence of the difference. Intervals of medians
  (see `medians`) in a subject of 5 to 40 neuroids ("schrimpf"), and of their differences, cover 93 to 97.5 %. They are
  of the expected median of the noisy r, which lies above that of the true ones where few neuroids are predicted, and,
  in medians within one fold ("brain-score"), wherever neuroids differ.
- "widened": that cannot be told, since groups are too few, folds leave samples untested or the fit has no intercept.
  Replicates are moved away from their mean by √2, the most that can be missing. Replicates of R² are moved by what
  those of r lack.
- "one fold": there are no other folds that a score could depend on. Replicates stay as they are.
- "not counted": test sets overlap (shuffled splits) or groups are tested in several folds. Replicates stay as they are.

Predictions that were not fitted, a simulation's truth, depend on no other fold: only few folds are counted for them.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np

from brainalign.encoding.bootstrap import Draws
from brainalign.encoding.fit import FoldFit, SpacesOfFold
from brainalign.encoding.hats import hats_of_folds
from brainalign.encoding.scales import at_one_scale, factors
from brainalign.encoding.scores import CONSTANT, Units
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import Space
from brainalign.encoding.splits import Fold
from brainalign.encoding.threads import Threads, batches
from brainalign.free_memory import within_free_memory
from brainalign.inference.contributions import group_contributions
from brainalign.inference.neuroid_pairs import pairs_of_neuroids
from brainalign.inference.p_values import COUNTED, NOT_COUNTED, ONE_FOLD, SHARED_TRAINING_SPREAD, WIDENED
from brainalign.inference.replicates import corrected_replicates, spread_of_parts, widened
from brainalign.inference.shared_training import (
    group_signs,
    pair_contributions,
    pairs_of_choice,
    put_together,
    shared_training_deviations,
    shared_variance,
    spread_of,
    tells_dependence,
)

SIDE_BY_SIDE_BYTES = 128 * 2**20  # of responses, up to which folds are taken side by side
# What `pair_contributions` takes: hats, responses, fold, prediction, centre, block of each sample, how many blocks.
OfFold = tuple[Iterator[tuple[np.ndarray, np.ndarray]], np.ndarray, Fold, np.ndarray, np.ndarray, np.ndarray, int]
MOST_BLOCKS = 48  # whose pairs are looked at; more groups are put together, which are as independent


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
        self.split_group = split_group
        tested = np.concatenate([fold.test for fold in folds])
        names, index = np.unique(split_group.astype(str)[tested], return_inverse=True)
        self.groups = tuple(names.tolist())
        self.group = np.full(len(responses), -1)
        self.group[tested] = index
        fold_of_row = np.repeat(np.arange(len(folds)), [len(fold.test) for fold in folds])
        of_group = [np.unique(fold_of_row[index == number]) for number in range(len(names))]
        self.tests_once = len(np.unique(tested)) == len(tested)
        self.is_partition = self.tests_once and max(map(len, of_group)) == 1
        fold_of_group = self.fold_of_group = np.array([found[0] for found in of_group])
        block_of_group, self.fold_of_block, self.pair_share = put_together(fold_of_group, MOST_BLOCKS)
        self.blocks = [self.groups[index] for index in np.unique(block_of_group, return_index=True)[1]]
        self.block = np.where(self.group >= 0, block_of_group[self.group], -1)

    def of_each(self, neuroids: np.ndarray) -> "Dependence":
        """Return the same of some neuroids (neuroid,), each a subject of its own."""
        names = np.arange(len(neuroids)).astype(str)
        alone = Units(names, names, np.full(len(names), "x"))
        responses = self.responses[:, neuroids]
        return Dependence(responses, self.split_group, self.folds, self.draws, alone, self.settings)

    @cached_property
    def can_be_told(self) -> bool:
        """Whether pairs of groups tell it: folds partition the samples, and groups are more than a few."""
        whole = len(self.responses) == int((self.group >= 0).sum())
        return len(self.folds) > 1 and self.is_partition and whole and tells_dependence(self.fold_of_block)

    @property
    def blocks_are_of_folds(self) -> bool:
        """Whether every block is of one fold; whole folds are put together where they are many."""
        return len(np.unique(self.fold_of_block)) == len(self.folds)

    def kind(self, can_count: bool) -> str:
        """Return one of `p_values.KINDS`; `can_count` says whether there are `pairs`."""
        if len(self.folds) == 1:
            return ONE_FOLD
        if not self.is_partition:
            return NOT_COUNTED
        return COUNTED if can_count else WIDENED

    def pairs(self, spaces: Sequence[Space] | SpacesOfFold, fits: Sequence[FoldFit]) -> np.ndarray:
        """Return what each test block contributes to r by way of each training block.

        Blocks are the groups, or, where there are more than about MOST_BLOCKS, groups put together.

        Parameters
        ----------
        spaces : of all folds, or a function that gives those of one.

        Returns
        -------
        (block, block, score_subject, score_region), shares of the aggregate "mean", as `contributions` are.
        """
        of_folds: list[np.ndarray] = [np.empty(0)] * len(self.folds)
        of_fold = self._of_fold(spaces, fits)

        def work(part: slice) -> None:
            given, norm = of_fold(part.start)
            of_folds[part.start] = pair_contributions(*given, self.units, norm)

        each_fold = batches(len(self.folds), 1)
        if self.responses.nbytes > within_free_memory(SIDE_BY_SIDE_BYTES):  # every fold copies some of its rows
            for part in each_fold:
                work(part)
        else:
            with Threads().pool() as each:
                each(work, each_fold)
        return np.asarray(sum(of_folds) / self._scored_folds)

    def pairs_of_neuroids(self, spaces: Sequence[Space] | SpacesOfFold, fits: Sequence[FoldFit]) -> np.ndarray:
        """Return the same for each neuroid, (block, block, neuroid)."""
        found = np.zeros((len(self.blocks), len(self.blocks), len(self.units)))
        of_fold = self._of_fold(spaces, fits)
        for number in range(len(self.folds)):
            given, norm = of_fold(number)
            tested, pairs = pairs_of_neuroids(*given, norm)
            found[tested] += pairs / self._scored_folds
        return found

    def _of_fold(
        self, spaces: Sequence[Space] | SpacesOfFold, fits: Sequence[FoldFit]
    ) -> Callable[[int], tuple[OfFold, np.ndarray | None]]:
        """Return a function of a fold's number: what its pairs are made of, and the norm where folds are pooled."""
        hats_of = hats_of_folds(spaces, fits, self.folds, len(self.responses), self.settings)
        norm = self._norms(fits) if self.settings.pools else None

        def of_fold(number: int) -> tuple[OfFold, np.ndarray | None]:
            fold = self.folds[number]
            centre = self.responses[fold.test].mean(axis=0) if norm is None else np.zeros(len(self.units))
            given = hats_of(number), self.responses, fold, fits[number].prediction, centre, self.block, len(self.blocks)
            return given, None if norm is None else norm[number]

        return of_fold

    @property
    def _scored_folds(self) -> int:
        """How many folds are scored by themselves: one where they are pooled."""
        return 1 if self.settings.pools else len(self.folds)

    def pairs_of_choice(self, pairs: Sequence[np.ndarray], share: np.ndarray) -> np.ndarray | None:
        """Return the pairs of predictions that were chosen by fold, see `shared_training.pairs_of_choice`.

        Parameters
        ----------
        pairs : of each choice, from `pairs` or NaN; share : (choice, neuroid), of the folds that took it.
        """
        if any(np.isnan(own).all() for own in pairs):
            return None
        members = self.units.members.astype(np.float64)
        of_cells = np.einsum("srn,cn->csr", members, share) / np.maximum(members.sum(axis=-1), 1)
        return pairs_of_choice(np.stack(pairs), of_cells, self.fold_of_block)

    def unknown_pairs(self) -> np.ndarray:
        """Return NaN in the shape of `pairs`."""
        return np.full((len(self.blocks), len(self.blocks), *self.units.members.shape[:2]), np.nan)

    def spread(self, pairs: np.ndarray | None, contributions: np.ndarray) -> np.ndarray:
        """Return by how much replicates of the mean are too narrow, (score_subject, score_region).

        Parameters
        ----------
        contributions : (group, score_subject, score_region), from `contributions`.
        """
        shape = self.units.members.shape[:2]
        if pairs is None:
            return np.full(shape, SHARED_TRAINING_SPREAD)
        return spread_of(shared_variance(pairs, self.fold_of_block, self.pair_share), self._variance(contributions))

    def corrected(
        self,
        replicates: np.ndarray,
        kind: str,
        pairs: np.ndarray | None = None,
        spread: float | np.ndarray = SHARED_TRAINING_SPREAD,
        of_mean: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return replicates (draw, ...) of the aggregate of r that hold the dependence of the folds, float32.

        Parameters
        ----------
        pairs : from `pairs`, where the kind is "counted".
        spread : (...), by how much replicates are widened where the kind is "widened".
        of_mean : (draw, ...), replicates of the aggregate "mean", where that is not what `replicates` are of.
        """
        if kind in (NOT_COUNTED, ONE_FOLD) and self.draws.resampled != "folds":
            return replicates
        deviations = None
        if kind == COUNTED:
            assert pairs is not None
            signs = group_signs(self.blocks, len(replicates), self.settings.seed)
            deviations = shared_training_deviations(np.nan_to_num(pairs), self.fold_of_block, signs, self.pair_share)
            deviations = np.where(np.isnan(pairs).any(axis=(0, 1)), np.nan, deviations)
            if of_mean is not None:
                deviations *= _ratio(replicates.std(axis=0), of_mean.std(axis=0))
        found = corrected_replicates(replicates, self.draws.resampled, len(self.folds), deviations)
        return np.asarray((widened(found, spread) if kind == WIDENED else found).astype(np.float32))

    def weights_of_groups(self) -> np.ndarray:
        """Return how often each group is drawn, (draw, group), where folds partition the groups."""
        weights = np.empty((len(self.draws.fold_weights), len(self.groups)))
        if self.draws.counts is None:
            return np.asarray(self.draws.fold_weights[:, self.fold_of_group])
        tests = [fold.test for fold in self.folds]
        scored = [np.concatenate(tests)] if self.settings.pools else tests
        for rows, counts in zip(scored, self.draws.counts, strict=True):
            weights[:, np.unique(self.group[rows])] = counts
        return weights

    @property
    def linear_spread(self) -> float:
        """What replicates of a sum over groups lack in spread, √(G / (G - F)) · t(.975; G - F) / z(.975).

        For G groups in F scored folds; 1 where folds are resampled, whose replicates `corrected` moves, or nothing is.
        """
        units, parts = self._drawn
        return 1.0 if self.draws.resampled == "folds" or units <= parts else spread_of_parts(units, parts)

    @property
    def shrinkage(self) -> float:
        """By how much a bootstrap of G groups in F folds draws sums too narrow, √(G / (G - F)); at least 1.

        Of F folds that are resampled √(F / (F - 1)). For the spread of neuroids' r about each other, see `medians`, it
        is right where they are predicted; of noise that is up to a quarter too much.
        """
        units, parts = self._drawn
        return float(np.sqrt(units / (units - parts))) if units > parts else 1.0

    @property
    def _drawn(self) -> tuple[int, int]:
        """How many units are drawn, in how many parts; none where nothing is, or groups are in several folds."""
        if self.draws.resampled == "folds":
            return len(self.folds), 1
        if self.draws.counts is None or not self.is_partition:
            return 0, 0
        return sum(int(rows.max()) + 1 for rows in self.draws.groups), len(self.draws.groups)

    def _variance(self, contributions: np.ndarray) -> np.ndarray:
        """Return the variance of the sum of contributions as the bootstrap draws it, but for its shrinkage."""
        fold = np.zeros(len(self.groups), dtype=np.intp) if self.settings.pools else self.fold_of_group
        if self.draws.resampled == "folds":
            sums = np.stack([contributions[fold == number].sum(axis=0) for number in np.unique(fold)])
            return np.asarray(sums.var(axis=0, ddof=1) * len(sums))
        within = [contributions[fold == number] for number in np.unique(fold)]
        return np.asarray(sum(own.var(axis=0, ddof=1) * len(own) for own in within if len(own) > 1))

    def _norms(self, fits: Sequence[FoldFit]) -> np.ndarray:
        """Return |d - d̄| |y - ȳ| / factor, (fold, neuroid), d the predictions p of all folds at one scale, factor · p.

        0 where they are constant.
        """
        scale = np.stack([fit.scale for fit in fits])
        prediction = np.concatenate(at_one_scale([fit.prediction for fit in fits], scale, self.responses))
        response = self.responses[np.concatenate([fold.test for fold in self.folds])]
        length = [np.linalg.norm(values - values.mean(axis=0), axis=0) for values in (prediction, response)]
        norm = np.where(length[0] > CONSTANT * length[1], length[0] * length[1], 0.0)
        factor = factors(scale, self.responses.std(axis=0, dtype=np.float64))
        return np.asarray(np.where(factor > 0, norm / np.where(factor > 0, factor, 1.0), 0.0))

    def contributions(self, predictions: Sequence[np.ndarray]) -> np.ndarray:
        """Return what each group adds to the mean over folds of r, or to the pooled r, averaged over neuroids.

        The sum over groups is the aggregate "mean". NaN where groups are tested in several folds.

        Parameters
        ----------
        predictions : of every fold (test, neuroid), at one scale where they are scored together.

        Returns
        -------
        (group, score_subject, score_region)
        """
        total = np.full((len(self.groups), *self.units.members.shape[:2]), np.nan)
        if not self.is_partition:
            return total
        scored, tests = predictions, [fold.test for fold in self.folds]
        # of the samples that are tested: where a fixed split leaves others out, these may have another baseline
        centre = self.responses[self.group >= 0].mean(axis=0, dtype=np.float64).astype(self.responses.dtype)
        if self.settings.pools:
            scored, tests = [np.concatenate(scored)], [np.concatenate(tests)]
        for rows, prediction in zip(tests, scored, strict=True):
            numbers, found = group_contributions(prediction, self.responses[rows], centre, self.group[rows], self.units)
            total[numbers] = found / len(tests)
        return total


def _ratio(spread: np.ndarray, of_mean: np.ndarray) -> np.ndarray:
    """Return how many times as wide an aggregate's replicates are as those of the mean; 1 where these do not vary."""
    return np.asarray(np.where(of_mean > 0, spread / np.where(of_mean > 0, of_mean, 1.0), 1.0))
