"""The kinds of split: how each makes its folds, equal to scikit-learn's where it has the same."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brainalign.encoding.contiguous import contiguous_folds
from brainalign.errors import InputError, unknown
from brainalign.responses.samples import Samples


@dataclass(frozen=True)
class Fold:
    """Row numbers of one split into training and test samples."""

    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Kind:
    """How a kind of split is made, its settings, and what helps where its test sets are small."""

    make: Callable[[Mapping[str, Any], Samples], list[Fold]]
    required: tuple[str, ...]
    optional: tuple[str, ...]
    poolable: bool  # each sample is in one test set at most, so that predictions can be scored together
    remedy: str


def _shuffle(split: Mapping[str, Any], samples: Samples) -> list[Fold]:
    share, size = float(split["test"]), len(samples)
    if not 0 < share < 1:
        raise InputError(f"the share of test rows must lie between 0 and 1, but is {share:g}.")
    n_train = int(np.floor((1 - share) * size))
    n_test = size - n_train
    random = np.random.RandomState(split["seed"])
    orders = [random.permutation(size) for _ in range(_n_folds(split, 1))]
    return [Fold(order[n_test:], order[:n_test]) for order in orders]


def _kfold(split: Mapping[str, Any], samples: Samples) -> list[Fold]:
    n_folds = _n_folds(split, 2)
    if len(samples) < n_folds:
        raise InputError(f"the split 'kfold' asks for {n_folds} folds, but there are only {len(samples)} samples.")
    return _partition(kfold_tests(len(samples), n_folds, split.get("seed")), len(samples))


def _grouped(split: Mapping[str, Any], samples: Samples) -> list[Fold]:
    n_folds, by = _n_folds(split, 2), str(split.get("by", "split_group"))
    names, index, counts = np.unique(groups(samples, by), return_inverse=True, return_counts=True)
    if len(names) < n_folds:
        raise InputError(
            f"the split 'grouped' asks for {n_folds} folds, but the column {by!r} has only {len(names)} groups."
        )
    seed = split.get("seed")
    fold_of_group = balance(counts, n_folds) if seed is None else _deal(len(names), n_folds, seed)
    return _partition([np.flatnonzero(fold_of_group[index] == fold) for fold in range(n_folds)], len(samples))


def _leave_one_group_out(split: Mapping[str, Any], samples: Samples) -> list[Fold]:
    by = str(split.get("by", "split_group"))
    names, index = np.unique(groups(samples, by), return_inverse=True)
    if len(names) < 2:
        raise InputError(f"the split 'leave-one-group-out' needs 2 groups, but the column {by!r} has {len(names)}.")
    return _partition([np.flatnonzero(index == group) for group in range(len(names))], len(samples))


def _contiguous(split: Mapping[str, Any], samples: Samples) -> list[Fold]:
    return [Fold(train, test) for train, test in contiguous_folds(split, samples, _n_folds(split, 2))]


def _fixed(split: Mapping[str, Any], samples: Samples) -> list[Fold]:
    column = str(split["column"])
    held = np.array([_label(value) for value in samples.column(column)])
    asked = {}
    for name in ("train", "test"):
        values = split[name] if isinstance(split[name], list | tuple) else [split[name]]
        asked[name] = [_label(value) for value in values]
        if not asked[name]:
            raise InputError(f"the split 'fixed' names no value of the column {column!r} to {name} on.")
        for value in asked[name]:
            if value not in held:
                raise unknown(f"value of the column {column!r}", value, _first(np.unique(held).tolist()))
    shared = sorted(set(asked["train"]) & set(asked["test"]))
    if shared:
        raise InputError(f"the split 'fixed' trains and tests on the same value {shared[0]!r} of {column!r}.")
    train, test = (np.flatnonzero(np.isin(held, asked[name])) for name in ("train", "test"))
    if len(train) < 2:
        raise InputError(f"the split 'fixed' has {len(train)} training rows, but 2 are needed.")
    return [Fold(train, test)]


def groups(samples: Samples, by: str) -> np.ndarray:
    """Return a column of the sample table (sample,), as numpy can sort it."""
    values = samples.column(by)
    return values.astype(str) if values.dtype == object else values


def _label(value: Any) -> str:
    """Write a value so that a number equals the same number written as text: 243, 243.0 and "243" are one."""
    text = value.decode() if isinstance(value, bytes) else str(value)
    try:
        return str(float(text)).removesuffix(".0")
    except ValueError:
        return text


def _first(values: list[str], most: int = 20) -> list[str]:
    return values if len(values) <= most else [*values[:most], "..."]


def kfold_tests(size: int, n_folds: int, seed: int | None) -> list[np.ndarray]:
    """Return the test sets of KFold(n_folds, shuffle=seed is not None, random_state=seed) on `size` rows."""
    order = np.arange(size)
    if seed is not None:
        np.random.RandomState(seed).shuffle(order)
    return [np.sort(part) for part in np.array_split(order, n_folds)]


def balance(counts: np.ndarray, n_folds: int) -> np.ndarray:
    """Give each group, largest first, to the fold that has fewest rows, as GroupKFold does; returns each group's fold.

    Parameters
    ----------
    counts : (group,), rows of each group, groups in sorted order.
    """
    fold_of_group, rows = np.zeros(len(counts), dtype=np.intp), np.zeros(n_folds, dtype=np.intp)
    for group in np.argsort(counts, kind="stable")[::-1]:
        fold_of_group[group] = lightest = np.argmin(rows)
        rows[lightest] += counts[group]
    return fold_of_group


def _deal(n_groups: int, n_folds: int, seed: int) -> np.ndarray:
    fold_of_group = np.zeros(n_groups, dtype=np.intp)
    order = np.random.RandomState(seed).permutation(n_groups)
    for fold, dealt in enumerate(np.array_split(order, n_folds)):
        fold_of_group[dealt] = fold
    return fold_of_group


def _partition(tests: Sequence[np.ndarray], size: int) -> list[Fold]:
    return [Fold(np.setdiff1d(np.arange(size), test, assume_unique=True), test) for test in tests]


def _n_folds(split: Mapping[str, Any], least: int) -> int:
    folds = int(split["folds"])
    if folds < least:
        raise InputError(f"the split {split['kind']!r} needs at least {least} folds, but is given {folds}.")
    return folds


KINDS: dict[str, Kind] = {
    "shuffle": Kind(_shuffle, ("folds", "test", "seed"), (), False, "a larger share of test rows"),
    "kfold": Kind(_kfold, ("folds",), ("seed",), True, "fewer folds"),
    "grouped": Kind(_grouped, ("folds",), ("by", "seed"), True, "fewer folds or larger groups"),
    "leave-one-group-out": Kind(_leave_one_group_out, (), ("by",), True, "larger groups"),
    "contiguous": Kind(_contiguous, ("folds", "gap"), ("unit", "at"), True, "fewer folds or a smaller gap"),
    "fixed": Kind(_fixed, ("column", "train", "test"), (), False, "more test samples"),
}
