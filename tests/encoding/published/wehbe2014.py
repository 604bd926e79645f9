"""Aw et al. 2023 on Wehbe2014 (Harry Potter): the pipeline of Toneva & Wehbe 2019 as its code runs.

In order, for each of four folds of the scans:

1. the scans that were kept (20 dropped at the start and 15 at the end of each run) are cut into four blocks of
   n // 4, the last takes the rest;
2. PCA of ten components (full SVD, centred, not whitened) is fitted to the feature vectors of the training scans' words
   and applied to all words;
3. a scan's features are the mean over its words, NaN where it has none; a word is of the last scan that began before
   it, strictly;
4. the features of the scans 1, 2, 3 and 4 before are put side by side, on the grid of all scans, runs one after another
   (the first rows of a run, which would take the last ones of the run before, are among those dropped next);
5. the scans dropped from the responses are dropped; each column is z-scored within each run; NaN becomes 0, so that one
   scan without words makes the columns that it reaches 0 in its whole run;
6. five scans are dropped at the borders: the first five training rows in the first fold, the last five training rows in
   the last fold, five at both ends of the test set in the others; the words of the PCA stay;
7. training and test rows, features and responses are z-scored separately, each with its own mean and SD; NaN becomes 0;
8. each voxel's penalty, of 10^-6 ... 10^9, has the least sum over ten consecutive blocks of the training rows of
   1 - R², where R² = 1 - mean((y - prediction)²) / var(y), both over the block's held-out rows; the smallest of equal
   ones. Nothing is centred again inside: there is no intercept;
9. weights are (X'X + penalty I)^-1 X'Y of all training rows;
10. r is the mean of the products of z-scores on the test rows.

Folds, then voxels are averaged (subjects after that).

Which words count as a training scan's, in the published code, is off by one: the word's scan less the scans dropped
before it less 1 is looked up among the kept scans; a negative number counts from their end, words of the dropped last
scans of a run look up scans of the next run, and words later than 15 scans before the end are never taken. The rule
"own scan" takes the words of the training scans themselves, and none of the scans that were dropped.
"""

from collections.abc import Sequence

import numpy as np
from sklearn.decomposition import PCA
from sklearn.model_selection import KFold

from encoding.published.scores import Published, pearson, zscore

PENALTIES = np.array([10.0**exponent for exponent in range(-6, 10)])


def wehbe2014(
    word_features: np.ndarray,
    word_time_s: np.ndarray,
    scan_time_s: np.ndarray,
    scan_run: np.ndarray,
    responses: np.ndarray,
    training_words: str = "published",
    components: int = 10,
    delays: Sequence[int] = (1, 2, 3, 4),
    trim: tuple[int, int] = (20, 15),
    n_folds: int = 4,
    gap: int = 5,
    penalties: np.ndarray = PENALTIES,
    inner_folds: int = 10,
) -> Published:
    """Score one layer as published.

    word_features : (word, width); word_time_s : (word,); scan_time_s, scan_run : (scan,), all scans, runs 1, 2, ... ;
    responses : (kept scan, voxel), after trimming; training_words : "published" or "own scan".
    """
    scan_of_word = scans_of_words(word_time_s, scan_time_s)
    kept = kept_scans(scan_run, trim)
    r, chosen = [], []
    for number, block in enumerate(blocks(len(kept), n_folds)):
        in_training = np.ones(len(kept), dtype=bool)
        in_training[block] = False
        taken = words_of_training(scan_of_word, scan_run, in_training, trim, training_words)
        pca = PCA(n_components=components, svd_solver="full").fit(word_features[taken])
        features = features_of_scans(pca.transform(word_features), scan_of_word, scan_run, delays, trim)
        train, test = drop_at_borders(np.flatnonzero(in_training), block, number, n_folds, gap)
        x_train, x_test, y_train, y_test = (
            np.nan_to_num(zscore(part)) for part in (features[train], features[test], responses[train], responses[test])
        )
        penalty = choose_penalties(x_train, y_train, penalties, inner_folds)
        weights = np.column_stack([ridge(x_train, y_train[:, voxel], penalty[voxel]) for voxel in range(len(penalty))])
        r.append(pearson(x_test @ weights, y_test))
        chosen.append(penalty)
    return Published(np.array(r), float(np.mean(np.mean(r, axis=0))), np.array(chosen))


def scans_of_words(word_time_s: np.ndarray, scan_time_s: np.ndarray) -> np.ndarray:
    """Return the scan of each word (word,): the last that began before it."""
    return np.array([np.flatnonzero(scan_time_s < time)[-1] for time in word_time_s])


def kept_scans(scan_run: np.ndarray, trim: tuple[int, int]) -> np.ndarray:
    """Return the scans that are left of each run (kept scan,)."""
    runs = [np.flatnonzero(scan_run == run) for run in np.unique(scan_run)]
    return np.concatenate([scans[trim[0] : len(scans) - trim[1]] for scans in runs])


def blocks(size: int, n_folds: int) -> list[np.ndarray]:
    """Return consecutive rows in blocks of size // n_folds, the last with the rest."""
    length = size // n_folds
    starts = [fold * length for fold in range(n_folds)]
    return [np.arange(start, size if start == starts[-1] else start + length) for start in starts]


def words_of_training(
    scan_of_word: np.ndarray, scan_run: np.ndarray, in_training: np.ndarray, trim: tuple[int, int], rule: str
) -> np.ndarray:
    """Return which words the PCA is fitted to (word,) bool.

    in_training : (kept scan,) bool.
    """
    if rule == "own scan":
        training_scans = kept_scans(scan_run, trim)[in_training]
        return np.isin(scan_of_word, training_scans)
    taken = np.zeros(len(scan_of_word), dtype=bool)
    for word, scan in enumerate(scan_of_word):
        if scan <= len(scan_run) - trim[1]:
            run = scan_run[scan]
            dropped_before = run * trim[0] + (run - 1) * trim[1]
            taken[word] = in_training[scan - dropped_before - 1]
    return taken


def features_of_scans(
    words: np.ndarray, scan_of_word: np.ndarray, scan_run: np.ndarray, delays: Sequence[int], trim: tuple[int, int]
) -> np.ndarray:
    """Return features of the kept scans (kept scan, len(delays) * width): steps 3 to 5."""
    scans = np.full((len(scan_run), words.shape[1]), np.nan)
    for scan in np.unique(scan_of_word):
        scans[scan] = words[scan_of_word == scan].mean(axis=0)
    delayed = np.zeros((len(scans), len(delays), scans.shape[1]))
    for position, delay in enumerate(delays):
        for scan in range(delay, len(scans)):
            delayed[scan, position] = scans[scan - delay]
    delayed = delayed.reshape(len(scans), -1)
    kept = kept_scans(scan_run, trim)
    of_runs = [zscore(delayed[kept[scan_run[kept] == run]]) for run in np.unique(scan_run)]
    return np.nan_to_num(np.vstack(of_runs))


def drop_at_borders(
    train: np.ndarray, test: np.ndarray, number: int, n_folds: int, gap: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return training and test rows without the gap: step 6."""
    if number == 0:
        return train[gap:], test
    if number == n_folds - 1:
        return train[: len(train) - gap], test
    return train, test[gap : len(test) - gap]


def choose_penalties(x: np.ndarray, y: np.ndarray, penalties: np.ndarray, inner_folds: int) -> np.ndarray:
    """Return each voxel's penalty (voxel,): step 8."""
    cost = np.zeros((len(penalties), y.shape[1]))
    for train, held_out in KFold(inner_folds).split(x):
        for position, penalty in enumerate(penalties):
            error = y[held_out] - x[held_out] @ ridge(x[train], y[train], penalty)
            with np.errstate(invalid="ignore", divide="ignore"):
                r_squared = np.nan_to_num(1 - np.mean(error**2, axis=0) / np.var(y[held_out], axis=0))
            cost[position] += 1 - r_squared
    return penalties[np.argmin(cost, axis=0)]


def ridge(x: np.ndarray, y: np.ndarray, penalty: float) -> np.ndarray:
    """Return weights (width,) or (width, voxel): step 9."""
    return np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)
