"""r of an encoding is that of its peers, each in float64 with its own criterion: scikit-learn, himalaya, plain loops.

The number of features goes from fewer than training rows through n_train - 1, n_train and n_train + 1 to more than all
rows; features are plain, or have means of 1e4, or scales from 1e-3 to 1e3.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, Ridge, RidgeCV

from brainalign.encoding.encoder import Encoding, encode
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.splits import Fold, inner_blocks, make_folds
from brainalign.responses.samples import Samples

N, N_TRAIN = 100, 80
WIDTHS = (3, 40, N_TRAIN - 1, N_TRAIN, N_TRAIN + 1, N, 250)
KINDS = ("plain", "large means", "unequal scales")
GROUPED = {"kind": "grouped", "folds": 5, "seed": 0}
SHUFFLED = {"kind": "shuffle", "folds": 3, "test": 0.2, "seed": 1}
GRID = tuple(float(value) for value in np.logspace(-3, 3, 5))
TOLERANCE = {"float64": 1e-6, "float32": 1e-5}

Predictor = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def problem(width: int, kind: str, targets: int = 6) -> tuple[np.ndarray, np.ndarray, Samples]:
    """Features, responses that follow some of them, and groups of 5 samples."""
    random = np.random.default_rng(width)
    x = random.normal(size=(N, width))
    y = x[:, :3].sum(axis=1, keepdims=True) * np.linspace(0, 1, targets) + random.normal(size=(N, targets)) + 3
    if kind == "large means":
        x = x + 1e4
    elif kind == "unequal scales":
        x = x * np.logspace(-3, 3, width)
    return x, y, Samples({"split_group": np.arange(N) // 5})


def encoded(x: np.ndarray, y: np.ndarray, samples: Samples, **changes: Any) -> Encoding:
    """One layer, under float64 products unless changed."""
    settings = {"split": GROUPED, "grid": GRID, "layer": "best", "draws": 2, "precision": "float64"} | changes
    targets = y.shape[1]
    neuroids = {"neuroid": np.arange(targets).astype(str), "subject": ["S1"] * targets, "region": ["x"] * targets}
    return encode([("x", x)], y, samples, neuroids, EncoderSettings(**settings))


def r_of(predictions: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """SciPy's r of each column."""
    predictions = predictions.reshape(truth.shape)
    return np.array([pearsonr(predictions[:, v], truth[:, v])[0] for v in range(truth.shape[1])])


def peer_r(x: np.ndarray, y: np.ndarray, folds: list[Fold], predict: Predictor) -> np.ndarray:
    """r of a peer's predictions (fold, neuroid)."""
    return np.stack([r_of(predict(x[fold.train], y[fold.train], x[fold.test]), y[fold.test]) for fold in folds])


def scale_of(x: np.ndarray) -> float:
    """What relative penalties are multiplied by."""
    return float(((x - x.mean(axis=0)) ** 2).sum() / len(x))


CASES = [(width, kind) for width in WIDTHS for kind in KINDS]


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("split", [GROUPED, SHUFFLED])
@pytest.mark.parametrize(("width", "kind"), CASES)
def test_least_squares_is_linear_regression(width: int, kind: str, split: dict[str, Any], precision: str) -> None:
    """The peer is given features less their mean over all samples, which changes nothing but its rounding, and keeps
    all directions: unless told, it drops those whose singular value is under 1e-6 of the largest."""
    x, y, samples = problem(width, kind)
    ours = encoded(x, y, samples, regression="ols", split=split, precision=precision)
    theirs = peer_r(
        x - x.mean(axis=0),
        y,
        make_folds(split, samples),
        lambda train, target, test: LinearRegression(tol=1e-11).fit(train, target).predict(test),
    )
    np.testing.assert_allclose(ours.r[0], theirs, atol=TOLERANCE[precision])


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("targets", [1, 6])
@pytest.mark.parametrize(("width", "kind"), CASES)
def test_a_fixed_penalty_is_ridge(width: int, kind: str, targets: int, precision: str) -> None:
    x, y, samples = problem(width, kind, targets)
    penalty = 0.1 * scale_of(x)
    ours = encoded(x, y, samples, penalties=0.1, precision=precision)
    theirs = peer_r(
        x,
        y,
        make_folds(GROUPED, samples),
        lambda train, target, test: Ridge(penalty, solver="svd").fit(train, target).predict(test),
    )
    np.testing.assert_allclose(ours.r[0], theirs, atol=TOLERANCE[precision])
    np.testing.assert_allclose(ours.penalty, penalty)


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("rule", ["per-neuroid", "shared"])
@pytest.mark.parametrize(("width", "kind"), CASES)
def test_leave_one_out_is_ridge_cv(width: int, kind: str, rule: str, precision: str) -> None:
    """RidgeCV's criterion is the summed squared error of rows left out one by one."""
    x, y, samples = problem(width, kind)
    ours = encoded(x, y, samples, penalties=rule, inner="leave-one-out", precision=precision)
    grid = np.array(GRID) * scale_of(x)
    centred = x - x.mean(axis=0)
    for number, fold in enumerate(make_folds(GROUPED, samples)):
        model = RidgeCV(grid, alpha_per_target=rule == "per-neuroid").fit(centred[fold.train], y[fold.train])
        np.testing.assert_allclose(ours.penalty[0, number], np.broadcast_to(model.alpha_, 6))
        theirs = r_of(model.predict(centred[fold.test]), y[fold.test])
        np.testing.assert_allclose(ours.r[0, number], theirs, atol=TOLERANCE[precision])


@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize(("width", "kind"), [case for case in CASES if case[0] > 3])
def test_components_are_pca_then_ridge(width: int, kind: str, precision: str) -> None:
    x, y, samples = problem(width, kind)
    penalty = 0.01 * scale_of(x)
    ours = encoded(x, y, samples, regression="pca-ridge", components=10, penalties=0.01, precision=precision)

    def predict(train: np.ndarray, target: np.ndarray, test: np.ndarray) -> np.ndarray:
        axes = PCA(10, svd_solver="full").fit(train)
        return Ridge(penalty, solver="svd").fit(axes.transform(train), target).predict(axes.transform(test))

    theirs = peer_r(x, y, make_folds(GROUPED, samples), predict)
    np.testing.assert_allclose(ours.r[0], theirs, atol=TOLERANCE[precision])


def naive_nested(
    x: np.ndarray, y: np.ndarray, samples: Samples, rule: str, split: dict[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Return r and penalties (fold, neuroid) of plain refits with scikit-learn."""
    folds, grid = make_folds(split, samples), np.array(GRID) * scale_of(x)
    r, penalties = np.empty((len(folds), y.shape[1])), np.empty((len(folds), y.shape[1]))
    for number, fold in enumerate(folds):
        errors = np.zeros((len(grid), y.shape[1]))
        for block in inner_blocks(folds, number, split, samples):
            rest = np.setdiff1d(fold.train, block)
            for error, penalty in zip(errors, grid, strict=True):
                model = Ridge(penalty, solver="svd").fit(x[rest], y[rest])
                error += ((model.predict(x[block]).reshape(y[block].shape) - y[block]) ** 2).sum(axis=0)
        best = errors.argmin(axis=0) if rule == "per-neuroid" else np.full(y.shape[1], errors.sum(axis=1).argmin())
        penalties[number] = grid[best]
        fitted = [Ridge(grid[b], solver="svd").fit(x[fold.train], y[fold.train, v]) for v, b in enumerate(best)]
        r[number] = r_of(np.stack([model.predict(x[fold.test]) for model in fitted], axis=1), y[fold.test])
    return r, penalties


@pytest.mark.parametrize(
    ("rule", "targets", "split"), [("per-neuroid", 6, GROUPED), ("shared", 1, GROUPED), ("per-neuroid", 2, SHUFFLED)]
)
@pytest.mark.parametrize(("width", "kind"), [case for case in CASES if case[0] != N])
def test_nested_choice_is_that_of_refits(width: int, kind: str, rule: str, targets: int, split: dict[str, Any]) -> None:
    x, y, samples = problem(width, kind, targets)
    r, penalties = naive_nested(x, y, samples, rule, split)
    for precision, tolerance in TOLERANCE.items():
        ours = encoded(x, y, samples, penalties=rule, split=split, precision=precision)
        np.testing.assert_allclose(ours.penalty[0], penalties)
        np.testing.assert_allclose(ours.r[0], r, atol=tolerance)


@pytest.mark.parametrize(("width", "kind"), [(3, "plain"), (N_TRAIN, "large means"), (250, "unequal scales")])
def test_nested_choice_is_kernel_ridge_cvs(width: int, kind: str) -> None:
    """Himalaya takes the mean over inner folds of their mean squared error: the sum, since folds are equally large."""
    from himalaya.kernel_ridge import KernelRidgeCV

    x, y, samples = problem(width, kind)
    ours, folds = encoded(x, y, samples), make_folds(GROUPED, samples)
    assert len({len(fold.test) for fold in folds}) == 1
    grid, centred = np.array(GRID) * scale_of(x), x - x.mean(axis=0)
    for number, fold in enumerate(folds):
        place = {row: position for position, row in enumerate(fold.train)}
        blocks = [np.array([place[row] for row in block]) for block in inner_blocks(folds, number, GROUPED)]
        inner = [(np.setdiff1d(np.arange(len(fold.train)), block), block) for block in blocks]
        model = KernelRidgeCV(alphas=grid, fit_intercept=True, cv=inner).fit(centred[fold.train], y[fold.train])
        np.testing.assert_allclose(ours.penalty[0, number], model.best_alphas_)
        np.testing.assert_allclose(ours.r[0, number], r_of(model.predict(centred[fold.test]), y[fold.test]), atol=1e-6)
