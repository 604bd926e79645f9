"""Nested grouped ridge at the size of Pereira et al. 2018 against himalaya's KernelRidgeCV with the same inner folds.

Each of himalaya's backends runs all ten outer folds in a process of its own, in float32, after one fold that is not
counted. The floor is `pereira.products`.
"""

import time

import numpy as np

from benchmarks.pereira import Inputs, products, ridge, simulate
from benchmarks.row import Row, in_own_process, row, seconds

BACKENDS = {"numpy": "himalaya-numpy", "torch": "himalaya-torch"}


def measure() -> list[Row]:
    """Time ours, himalaya's with two backends, and the floor."""
    inputs, settings = simulate(), ridge()
    floor = seconds(products(*inputs.responses.shape, inputs.folds(settings)))
    ours = seconds(inputs.fit(settings))
    note = "all outer folds"
    return [
        row(f"encoding-ridge-{name}", ours, f"himalaya on {backend}", in_own_process(peer, backend), floor, note=note)
        for backend, name in BACKENDS.items()
    ]


def peer(backend: str) -> float:
    """Return the seconds of himalaya's fits and predictions of all outer folds."""
    from himalaya.backend import set_backend

    set_backend(backend, on_error="raise")
    inputs = simulate()
    _fold(inputs, 0)
    begun = time.perf_counter()
    for number in range(len(inputs.folds(ridge()))):
        _fold(inputs, number)
    return time.perf_counter() - begun


def _fold(inputs: Inputs, number: int) -> None:
    from himalaya.kernel_ridge import KernelRidgeCV

    fold = inputs.training(ridge())[number]
    rows = np.arange(len(fold.train))
    inner = [(np.delete(rows, block), rows[block]) for block in fold.blocks or ()]
    model = KernelRidgeCV(alphas=inputs.penalties(), fit_intercept=True, cv=inner)
    model.fit(inputs.features[fold.train], inputs.responses[fold.train]).predict(inputs.features[fold.test])
