"""Simulated data sets whose population scores are known, and a ridge whose hat matrices are at hand."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from brainalign.encoding.bootstrap import make_draws, replicate_r
from brainalign.encoding.scores import Units
from brainalign.encoding.splits import Fold
from brainalign.inference.contributions import group_contributions
from brainalign.inference.replicates import corrected_replicates
from brainalign.inference.shared_training import group_signs, pair_contributions, shared_training_deviations


@dataclass(frozen=True)
class Design:
    """Groups of rows in folds. A share of the variance of features and noise is the group's own.

    Parameters
    ----------
    signal : population r of the true weights; 0 is no signal at all.
    """

    groups: int = 48
    folds: int = 8
    rows: int = 5
    width: int = 10
    neuroids: int = 3
    signal: float = 0.4
    shared_features: float = 0.3
    shared_noise: float = 0.5
    penalty: float = 0.1

    @cached_property
    def names(self) -> list[str]:
        return [f"g{number:03d}" for number in range(self.groups)]

    @cached_property
    def group(self) -> np.ndarray:
        return np.repeat(np.arange(self.groups), self.rows)

    @cached_property
    def fold_of_group(self) -> np.ndarray:
        return np.arange(self.groups) % self.folds

    @cached_property
    def outer(self) -> list[Fold]:
        fold = np.repeat(self.fold_of_group, self.rows)
        return [Fold(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(self.folds)]

    @cached_property
    def units(self) -> Units:
        names = np.array([f"n{number}" for number in range(self.neuroids)])
        return Units(names, np.full(self.neuroids, "S1"), np.full(self.neuroids, "x"))

    def grouped(self, random: np.random.Generator, width: int, share: float) -> np.ndarray:
        """Normal values (row, width) of variance 1, a share of it the group's."""
        own = random.normal(size=(self.groups, 1, width))
        single = random.normal(size=(self.groups, self.rows, width))
        return (np.sqrt(share) * own + np.sqrt(1 - share) * single).reshape(-1, width)


def summed(pairs: np.ndarray, block_of_group: np.ndarray) -> np.ndarray:
    """Pairs (block, block, ...), summed over the groups that are put together."""
    of_block = (np.arange(block_of_group.max() + 1)[:, None] == block_of_group).astype(float)
    return np.einsum("bg,gh...,ch->bc...", of_block, pairs, of_block)


@dataclass(frozen=True)
class Scored:
    """One feature space on one data set: (fold, test row, neuroid) lists, and numbers over folds and neuroids."""

    predictions: list[np.ndarray]
    contributions: np.ndarray  # (group,), in the order of names
    pairs: np.ndarray  # (group, group)
    population: float  # the mean population r of the fitted weights


def score(design: Design, features: np.ndarray, responses: np.ndarray, weights: np.ndarray) -> Scored:
    """Cross-validate a ridge of one penalty; `weights` (width, neuroid) are the true ones, scaled to the signal."""
    predictions, pairs, population = [], np.zeros((design.groups, design.groups)), 0.0
    contributions = np.zeros(design.groups)
    everyone, centre = np.arange(design.neuroids), responses.mean(axis=0)
    for fold in design.outer:
        mean = features[fold.train].mean(axis=0)
        x, y = features[fold.train] - mean, responses[fold.train]
        gram = x.T @ x
        penalty = design.penalty * np.trace(gram) / design.width
        solved = np.linalg.solve(gram + penalty * np.eye(design.width), x.T)  # (width, train)
        fitted = solved @ (y - y.mean(axis=0))
        hat = (features[fold.test] - mean) @ solved
        prediction, truth = y.mean(axis=0) + hat @ (y - y.mean(axis=0)), responses[fold.test]
        predictions.append(prediction)
        groups, own = group_contributions(prediction, truth, centre, design.group[fold.test], design.units)
        contributions[groups] = own[:, 0, 0] / design.folds
        of_fold = pair_contributions(
            [(hat, everyone)],
            responses,
            fold,
            prediction,
            truth.mean(axis=0),
            design.group,
            design.groups,
            design.units,
        )
        pairs += of_fold[:, :, 0, 0]
        population += ((fitted * weights).sum(axis=0) / np.linalg.norm(fitted, axis=0)).mean() / design.folds
    return Scored(predictions, contributions, pairs, float(population))


def simulate(design: Design, number: int, seed: int, spaces: int = 1) -> Iterator[tuple[np.ndarray, list[Scored]]]:
    """Yield responses (row, neuroid) and the scores of feature spaces that predict them equally well.

    The signal is the mean of one signal for each space, so that none knows all of it; `population` is what the
    weights fitted to a space reach on new groups.
    """
    random = np.random.default_rng(seed)
    for _ in range(number):
        features = [design.grouped(random, design.width, design.shared_features) for _ in range(spaces)]
        weights = random.normal(size=(spaces, design.width, design.neuroids))
        weights *= design.signal / np.sqrt(spaces) / np.linalg.norm(weights, axis=1, keepdims=True)
        noise = np.sqrt(1 - design.signal**2) * design.grouped(random, design.neuroids, design.shared_noise)
        responses = sum(x @ w for x, w in zip(features, weights, strict=True)) + noise
        yield responses, [score(design, x, responses, w) for x, w in zip(features, weights, strict=True)]


def replicates_of(design: Design, responses: list[np.ndarray], scored: list[Scored], draws: int, seed: int) -> tuple:
    """Return replicates (draw, data set) as the encoder draws them, plain and corrected."""
    drawn = make_draws(design.group, design.outer, draws, seed)
    total, weight = np.zeros((draws, len(scored))), np.zeros((draws, 1))
    for k, fold in enumerate(design.outer):
        prediction = np.concatenate([one.predictions[k] for one in scored], axis=1)
        response = np.concatenate([values[fold.test] for values in responses], axis=1)
        r = replicate_r(drawn, k, prediction, response).reshape(-1, len(scored), design.neuroids).mean(axis=2)
        total += drawn.fold_weights[:, k, None] * r
        weight += drawn.fold_weights[:, k, None]
    plain = total / weight
    signs = group_signs(design.names, draws, seed)
    pairs = np.stack([one.pairs for one in scored], axis=-1)
    deviations = shared_training_deviations(pairs / design.folds, design.fold_of_group, signs)
    return plain, corrected_replicates(plain, drawn.resampled, design.folds, deviations)
