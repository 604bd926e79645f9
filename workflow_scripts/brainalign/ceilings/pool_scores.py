"""How well growing pools of other subjects predict each neuroid, and how that varies over resamples."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from brainalign.ceilings.other_subjects import OtherSubjects
from brainalign.ceilings.pools import PoolScore
from brainalign.ceilings.shifted import ShiftedTargets
from brainalign.encoding.bootstrap import Draws, make_draws, mean_over_folds, replicate_r
from brainalign.encoding.scores import pearson
from brainalign.encoding.splits import Fold
from brainalign.encoding.threads import Threads, batches

log = logging.getLogger(__name__)

NEUROIDS_AT_ONCE = 512  # so that a hundred draws of them stay in the processor's cache


@dataclass(frozen=True)
class Curves:
    """r of each neuroid by the size of the pools that predict it, in the mean over pools and folds.

    Parameters
    ----------
    sizes : (size,), rising.
    mean : (size, neuroid), NaN at sizes at which a neuroid's subject is not predicted.
    drawn : (draw, size, neuroid), the same in every resample; None where nothing can be resampled.
    """

    sizes: np.ndarray
    mean: np.ndarray
    drawn: np.ndarray | None

    @property
    def resamples(self) -> np.ndarray:
        """The resamples (draw, size, neuroid), or the curves themselves as one draw where there are none."""
        return self.mean[None] if self.drawn is None else self.drawn

    def of(self, neuroids: np.ndarray) -> "Curves":
        """Return the curves of some neuroids, (neuroid,) bool."""
        return Curves(self.sizes, self.mean[:, neuroids], None if self.drawn is None else self.drawn[:, :, neuroids])


def curves_over_groups(
    asked: Sequence[PoolScore], data: OtherSubjects, shifted: ShiftedTargets, draws: int, seed: int
) -> tuple[Curves, Curves]:
    """Return the curves of the responses and of shifted ones, resampled over groups of stimuli.

    A draw takes groups (or folds) as for a model's score, see `encoding.bootstrap`, the same for all pools, which share
    their test stimuli and are no units of inference. Fits and subjects are not drawn: resamples are conditional on
    both, and do not hold yet that folds train each other (`encoding.dependence`).

    Parameters
    ----------
    asked : scores of pools that predict every subject at every size.
    draws, seed : of the bootstrap.
    """
    trial, sizes = data.trial, np.unique([score.size for score in asked])
    totals = [np.zeros((len(sizes), len(subject))) for subject in (data.subject, shifted.subject)]
    counts = [np.zeros(total.shape) for total in totals]
    drawn = [np.zeros((draws, *total.shape), dtype=data.responses.dtype) for total in totals]
    whole = [Fold(np.empty(0, dtype=np.intp), rows) for rows in _scored_rows(data)]
    of_groups = make_draws(trial.samples.split_group, whole, draws, seed)
    for part in _predicted(asked, data, shifted):
        size = int(np.searchsorted(sizes, part.size))
        totals[part.is_shifted][size, part.columns] += part.r.mean(axis=0)
        counts[part.is_shifted][size, part.columns] += 1
        _add_draws(drawn[part.is_shifted][:, size], of_groups, part)
    nothing = of_groups.resampled == "nothing"
    of_responses, of_shifted = (
        Curves(sizes, total / count, None if nothing else added / count)
        for total, count, added in zip(totals, counts, drawn, strict=True)
    )
    return of_responses, of_shifted


def curves_over_scores(
    asked: Sequence[PoolScore], data: OtherSubjects, shifted: ShiftedTargets, draws: int, random: np.random.Generator
) -> tuple[Curves, Curves]:
    """Return the curves of the responses and of shifted ones, resampled as Brain-Score does.

    A draw takes the scores of a size, one for each pool and fold, with replacement. These share their stimuli, so that
    resamples differ by less than a ceiling of other stimuli would.

    Parameters
    ----------
    asked : a score that is there twice counts twice.
    """
    scores: tuple[_Scores, _Scores] = ({}, {})
    subjects = (data.subject, shifted.subject)
    for part in _predicted(asked, data, shifted):
        subject = subjects[part.is_shifted][part.columns]
        for target in np.unique(subject).tolist():
            scores[part.is_shifted][part.pool, target] = part.r[:, subject == target]
    of_responses, of_shifted = (
        _resampled(asked, own, subject, draws, random) for own, subject in zip(scores, subjects, strict=True)
    )
    return of_responses, of_shifted


_Scores = dict[tuple[tuple[int, ...], int], np.ndarray]  # (pool, target) → r (fold, neuroid of the target)


@dataclass(frozen=True)
class _Predicted:
    """What one pool predicts: some neuroids of the data set, or some columns of the shifted targets.

    Parameters
    ----------
    size, pool : see `pools.PoolScore`.
    is_shifted : which of the two the columns are of.
    columns : (column,), numbers.
    predictions, truths : for each scored fold (test, column).
    """

    size: int
    pool: tuple[int, ...]
    is_shifted: bool
    columns: np.ndarray
    predictions: list[np.ndarray]
    truths: list[np.ndarray]

    @property
    def r(self) -> np.ndarray:
        """Pearson r (scored fold, column)."""
        return np.stack([pearson(*pair)[0] for pair in zip(self.predictions, self.truths, strict=True)])


def _predicted(asked: Sequence[PoolScore], data: OtherSubjects, shifted: ShiftedTargets) -> Iterator[_Predicted]:
    """Yield what each pool predicts; one factorisation of a pool serves all that it predicts."""
    targets: dict[tuple[int, tuple[int, ...]], set[int]] = {}
    for score in asked:
        targets.setdefault((score.size, score.pool), set()).add(score.target)
    shared = data.trial.settings.penalties == "shared"
    rows = _scored_rows(data)
    for number, ((size, pool), of_pool) in enumerate(targets.items(), start=1):
        log.info("pool %d of %d: %d subjects predict %d others", number, len(targets), len(pool), len(of_pool))
        # a penalty shared by all neuroids is one subject's, as where a subject is encoded
        for group in [[target] for target in sorted(of_pool)] if shared else [sorted(of_pool)]:
            wanted = [
                (is_shifted, np.flatnonzero(np.isin(subject, group)), values)
                for is_shifted, subject, values in (
                    (False, data.subject, data.responses),
                    (True, shifted.subject, shifted.responses),
                )
                if np.isin(group, subject).any()
            ]
            for together in [[item] for item in wanted] if shared else [wanted]:
                responses = np.concatenate([values[:, columns] for _, columns, values in together], axis=1)
                predictions = data.trial.scored(data.predict(pool, responses))
                truths, start = [responses[own] for own in rows], 0
                for is_shifted, columns, _ in together:
                    place = slice(start, start + len(columns))
                    start = place.stop
                    of_columns = ([values[:, place] for values in every] for every in (predictions, truths))
                    yield _Predicted(size, pool, is_shifted, columns, *of_columns)


def _scored_rows(data: OtherSubjects) -> list[np.ndarray]:
    """Return the test rows of each scored fold: of all folds together where the split pools them."""
    rows = [fold.test for fold in data.trial.folds]
    return [np.concatenate(rows)] if data.trial.settings.pools else rows


def _add_draws(total: np.ndarray, draws: Draws, part: _Predicted) -> None:
    """Add the mean r over folds in every draw to a total (draw, neuroid)."""

    def work(piece: slice) -> None:
        total[:, part.columns[piece]] += mean_over_folds(draws, part.predictions, part.truths, piece, replicate_r)

    with Threads().pool() as each:
        each(work, batches(len(part.columns), NEUROIDS_AT_ONCE))


def _resampled(
    asked: Sequence[PoolScore], scores: _Scores, subject: np.ndarray, draws: int, random: np.random.Generator
) -> Curves:
    """Return the mean of r over drawn scores, pools × folds, of each size and subject."""
    sizes = np.unique([score.size for score in asked])
    mean, drawn = np.full((len(sizes), len(subject)), np.nan), np.full((draws, len(sizes), len(subject)), np.nan)
    for place, size in enumerate(sizes.tolist()):
        for target in range(int(subject.max(initial=-1)) + 1):
            own = [score for score in asked if (score.size, score.target) == (size, target)]
            if not own:
                continue
            choices = np.concatenate([scores[score.pool, target] for score in own])  # (pool × fold, neuroid)
            count = len(choices)
            mean[place, subject == target] = choices.mean(axis=0)
            times = random.multinomial(count, np.full(count, 1 / count), size=draws)
            drawn[:, place, subject == target] = times @ choices / count
    return Curves(sizes, mean, drawn)
