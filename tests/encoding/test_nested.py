"""All folds fitted at once are all folds refitted one by one."""

import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.linear_model import Ridge

import brainalign.encoding.dependence as dependence_module
import brainalign.encoding.factors as factors_module
import brainalign.encoding.fit as fit_module
import brainalign.encoding.inner as inner_module
import brainalign.encoding.inner_scores as inner_scores_module
import brainalign.encoding.nested as nested_module
import brainalign.encoding.places as places_module
from brainalign.encoding.encoder import Encoding, encode
from brainalign.encoding.factors import Factors
from brainalign.encoding.fit import FoldFit, fit_folds, training_folds
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.spectrum import FeatureSpace, GramSpace
from brainalign.encoding.splits import Fold, make_folds
from brainalign.responses.samples import Samples

GRID = tuple(float(value) for value in np.logspace(-2, 4, 7))
SPLIT = {"kind": "grouped", "folds": 5, "seed": 0}
HERE = places_module.Processor()


def settings(**changes: Any) -> EncoderSettings:
    return EncoderSettings(**({"grid": GRID, "split": SPLIT, "precision": "float64"} | changes))


def problem(width: int, neuroids: int = 12, n: int = 110) -> tuple[np.ndarray, np.ndarray, Samples]:
    random = np.random.default_rng(width)
    x = random.normal(size=(n, width)) * np.geomspace(3, 0.1, width) + 30
    strength = np.linspace(0, 2, neuroids)
    y = x[:, :3].mean(axis=1, keepdims=True) * strength + random.normal(size=(n, neuroids))
    return x, y - y.mean(axis=0), Samples({"split_group": np.arange(n) // 5})


def fitted(spaces: list[Any], y: np.ndarray, samples: Samples, encoder: EncoderSettings) -> list[FoldFit]:
    return fit_folds(
        spaces, y, training_folds(make_folds(encoder.split, samples), encoder, samples, True), encoder, True
    )


def refits(
    xs: list[np.ndarray], y: np.ndarray, folds: list[Fold], encoder: EncoderSettings
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return for each fold the candidate (neuroid,), the prediction and r of the inner folds, by plain refits."""
    found = []
    grids = [np.array(encoder.grid) * ((x - x.mean(axis=0)) ** 2).sum() / len(x) for x in xs]
    candidates = [(x, penalty) for x, grid in zip(xs, grids, strict=True) for penalty in grid]
    for number, fold in enumerate(folds):
        blocks = [other.test for k, other in enumerate(folds) if k != number]
        held_out = np.full((len(candidates), *y.shape), np.nan)
        for values, (x, penalty) in zip(held_out, candidates, strict=True):
            for block in blocks:
                rest = np.setdiff1d(fold.train, block)
                values[block] = Ridge(penalty, solver="svd").fit(x[rest], y[rest]).predict(x[block])
        squares = np.stack([((held_out - y)[:, block] ** 2).sum(axis=1) for block in blocks])  # (block, candidate, v)
        if encoder.criterion == "r2":
            squares /= np.stack([((y[block] - y[block].mean(axis=0)) ** 2).sum(axis=0) for block in blocks])[:, None]
        errors = squares.sum(axis=0)
        if encoder.penalties == "shared":
            errors = np.broadcast_to(errors.sum(axis=1, keepdims=True), errors.shape)
        best = errors.argmin(axis=0)
        prediction = np.empty((len(fold.test), y.shape[1]))
        inner = np.empty((len(blocks), y.shape[1]))
        for column, chosen in enumerate(best):
            x, penalty = candidates[chosen]
            model = Ridge(penalty, solver="svd").fit(x[fold.train], y[fold.train, column])
            prediction[:, column] = model.predict(x[fold.test]) - y[fold.train, column].mean()
            inner[:, column] = [pearsonr(held_out[chosen, block, column], y[block, column])[0] for block in blocks]
        found.append((best, prediction, inner))
    return found


@pytest.mark.parametrize("changes", [{}, {"penalties": "shared"}, {"criterion": "r2"}])
@pytest.mark.parametrize("width", [3, 40, 95, 300])
def test_all_at_once_is_one_by_one(width: int, changes: dict[str, Any]) -> None:
    x, y, samples = problem(width)
    encoder = settings(**changes)
    folds = make_folds(SPLIT, samples)
    for ours, (best, prediction, inner) in zip(
        fitted([FeatureSpace(x)], y, samples, encoder), refits([x], y, folds, encoder), strict=True
    ):
        scale = ((x - x.mean(axis=0)) ** 2).sum() / len(x)
        np.testing.assert_allclose(ours.penalty, np.array(GRID)[best] * scale)
        np.testing.assert_array_equal(ours.at_edge, (best == 0) | (best == len(GRID) - 1))
        np.testing.assert_allclose(ours.prediction, prediction, atol=1e-8)
        assert ours.inner_r is not None
        np.testing.assert_allclose(ours.inner_r, inner, atol=1e-8)


@pytest.mark.parametrize("width", [3, 95, 300])
def test_float32_products_choose_the_same_and_predict_the_same(width: int) -> None:
    x, y, samples = problem(width, neuroids=400)
    y[:, 200:] = np.random.default_rng(1).normal(size=(110, 200))  # nothing to predict: flat errors
    y -= y.mean(axis=0)
    encoder = settings(grid=tuple(float(value) for value in np.logspace(-6, 8, 15)))
    exact = fitted([FeatureSpace(x)], y, samples, encoder)
    single = fitted([FeatureSpace(x)], y.astype(np.float32), samples, encoder)
    for ours, theirs in zip(single, exact, strict=True):
        assert ours.prediction.dtype == np.float32
        np.testing.assert_array_equal(ours.penalty, theirs.penalty)
        np.testing.assert_allclose(ours.prediction, theirs.prediction, atol=2e-6)
        assert ours.inner_r is not None
        np.testing.assert_allclose(ours.inner_r, theirs.inner_r, atol=1e-5)


@pytest.mark.parametrize("penalties", ["per-neuroid", "shared"])
def test_the_space_is_chosen_with_the_penalty(penalties: str) -> None:
    first, y, samples = problem(40)
    second = np.random.default_rng(5).normal(size=(110, 60))
    y[:, ::2] += second[:, :5].sum(axis=1, keepdims=True)
    y -= y.mean(axis=0)
    encoder = settings(penalties=penalties)
    ours = fitted([FeatureSpace(first), GramSpace(second @ second.T)], y, samples, encoder)
    spaces = set()
    for fit, (best, prediction, inner) in zip(
        ours, refits([first, second], y, make_folds(SPLIT, samples), encoder), strict=True
    ):
        np.testing.assert_array_equal(fit.space, best // len(GRID))
        np.testing.assert_allclose(fit.prediction, prediction, atol=1e-8)
        np.testing.assert_allclose(fit.inner_r, inner, atol=1e-8)
        spaces |= set(fit.space.tolist())
    assert penalties == "shared" or spaces == {0, 1}, "the data must make the choice differ between neuroids"


@pytest.mark.parametrize("changes", [{}, {"penalties": "shared"}, {"penalties": 1.0}])
def test_both_paths_agree(monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]) -> None:
    x, y, samples = problem(95)
    encoder = settings(**changes)
    at_once = fitted([FeatureSpace(x)], y, samples, encoder)
    monkeypatch.setattr(fit_module, "_all_at_once", lambda *_: False)
    for ours, theirs in zip(at_once, fitted([FeatureSpace(x)], y, samples, encoder), strict=True):
        np.testing.assert_allclose(ours.penalty, theirs.penalty)
        np.testing.assert_allclose(ours.prediction, theirs.prediction, atol=1e-9)
        np.testing.assert_allclose(ours.inner_r, theirs.inner_r, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("changes", [{}, {"penalties": "shared"}])
def test_batches_and_chunks_change_nothing(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], dtype: type
) -> None:
    x, y, samples = problem(95, neuroids=50)
    encoder = settings(**changes)
    whole = fitted([FeatureSpace(x)], y.astype(dtype), samples, encoder)
    monkeypatch.setattr(places_module, "BATCH", 7)
    monkeypatch.setattr(nested_module, "TABLE_BYTES", 8 * 5 * 7 * 20)
    for ours, theirs in zip(fitted([FeatureSpace(x)], y.astype(dtype), samples, encoder), whole, strict=True):
        np.testing.assert_array_equal(ours.penalty, theirs.penalty)
        np.testing.assert_allclose(ours.prediction, theirs.prediction, atol=1e-6)


def test_factors_of_one_candidate_are_held_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y, samples = problem(95, neuroids=50)
    made, complements, held = Factors.__init__, [], []

    def counted(factors: Factors, *given: Any) -> None:
        held.append(sum(known() is not None for known in complements))
        made(factors, *given)
        complements.append(weakref.ref(factors.complement))

    monkeypatch.setattr(Factors, "__init__", counted)
    monkeypatch.setattr(factors_module, "KEPT_BYTES", 0)
    fits = fitted([FeatureSpace(x)], y.astype(np.float32), samples, settings(precision="float32"))
    chosen = len(np.unique([fit.penalty for fit in fits]))
    assert chosen > 2
    assert len(held) >= len(GRID) + chosen
    assert max(held) == 0


@pytest.mark.parametrize("kept", [0, 2**28])
def test_factors_are_made_side_by_side(monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    x, y, samples = problem(95, neuroids=50)
    whole = fitted([FeatureSpace(x)], y, samples, settings())
    invert, meeting, met = Factors._inverse, threading.Barrier(2), []

    def together(factors: Factors, rows: list[slice]) -> Any:
        if len(met) < 2 and threading.get_ident() not in met:
            met.append(threading.get_ident())
            meeting.wait(timeout=20)  # breaks unless another thread is here, too
        return invert(factors, rows)

    monkeypatch.setattr(factors_module, "KEPT_BYTES", max(kept, 10 * 8 * len(y) ** 2))
    monkeypatch.setattr(factors_module, "Threads", lambda: SimpleNamespace(count=2, pool=two_threads))
    monkeypatch.setattr(Factors, "_inverse", together)
    for ours, theirs in zip(fitted([FeatureSpace(x)], y, samples, settings()), whole, strict=True):
        np.testing.assert_array_equal(ours.prediction, theirs.prediction)
    assert len(met) == 2


@contextmanager
def two_threads() -> Iterator[Any]:
    with ThreadPoolExecutor(2) as executor:
        yield lambda work, pieces: list(executor.map(work, pieces))


@pytest.mark.parametrize("split", [SPLIT, {"kind": "shuffle", "folds": 3, "test": 0.25, "seed": 0}])
def test_little_free_memory_changes_nothing(monkeypatch: pytest.MonkeyPatch, split: dict[str, Any]) -> None:
    x, y, samples = problem(95, neuroids=50)
    table = {"neuroid": np.arange(50).astype(str), "subject": ["S1"] * 20 + ["S2"] * 30, "region": ["x"] * 50}

    def encoded() -> Encoding:
        return encode([("x", x)], y, samples, table, EncoderSettings(split=split, draws=5))

    whole = encoded()
    taken: list[int] = []

    def little(size: int) -> int:
        taken.append(size)
        return 4000

    for module in (nested_module, factors_module, inner_module, dependence_module):
        monkeypatch.setattr(module, "within_free_memory", little)
    small = encoded()
    assert taken, "batches ask for the memory that is free"
    for name in ("r", "r2", "penalty", "aggregate_r", "replicates", "inner_score", "pairs"):
        np.testing.assert_allclose(getattr(small, name), getattr(whole, name), rtol=1e-5, atol=1e-6, err_msg=name)


def test_principal_components_are_fitted_to_the_training_rows() -> None:
    from sklearn.decomposition import PCA

    x, y, samples = problem(60)
    encoder = settings(regression="pca-ridge", components=7)
    folds = make_folds(SPLIT, samples)
    scale = ((x - x.mean(axis=0)) ** 2).sum() / len(x)
    for fit, number in zip(fitted([FeatureSpace(x)], y, samples, encoder), range(5), strict=True):
        fold = folds[number]
        pca = PCA(7, svd_solver="full").fit(x[fold.train])
        z, test = np.full((110, 7), np.nan), pca.transform(x[fold.test])
        z[fold.train] = pca.transform(x[fold.train])
        blocks = [other.test for k, other in enumerate(folds) if k != number]
        held_out = np.full((len(GRID), *y.shape), np.nan)
        for values, penalty in zip(held_out, np.array(GRID) * scale, strict=True):
            for block in blocks:
                rest = np.setdiff1d(fold.train, block)
                values[block] = Ridge(penalty, solver="svd").fit(z[rest], y[rest]).predict(z[block])
        best = ((held_out - y)[:, fold.train] ** 2).sum(axis=1).argmin(axis=0)
        for column, chosen in enumerate(best):
            model = Ridge(GRID[chosen] * scale, solver="svd").fit(z[fold.train], y[fold.train, column])
            theirs = model.predict(test) - y[fold.train, column].mean()
            np.testing.assert_allclose(fit.prediction[:, column], theirs, atol=1e-8)
        assert fit.rank == 7


def test_penalties_too_small_for_the_gram_matrix_are_fitted_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y, samples = problem(95)

    def refuse(*_: Any) -> None:
        raise AssertionError("the identity would lose its digits")

    monkeypatch.setattr(fit_module, "_fit_nested", refuse)
    fitted([FeatureSpace(x)], y, samples, settings(grid=(1e-12, 1.0)))
    with pytest.raises(AssertionError, match="digits"):
        fitted([FeatureSpace(x)], y, samples, settings(grid=(1e-2, 1.0)))


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> str:
    """A device of torch: an NVIDIA card where there is one, elsewhere torch's own processor in its place."""
    torch = pytest.importorskip("torch")
    device = "cuda" if torch.cuda.is_available() else "cpu"

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("NumPy would take this tensor from the card by itself, which a card refuses")

    def back(values: Any) -> np.ndarray:
        return (
            values
            if isinstance(values, np.ndarray)
            else np.array(values.cpu().tolist(), dtype=str(values.dtype).removeprefix("torch."))
        )

    monkeypatch.setattr(torch.Tensor, "__array__", refuse)
    monkeypatch.setattr(nested_module, "brought_back", back)
    monkeypatch.setattr(inner_scores_module, "brought_back", back)
    monkeypatch.setattr(nested_module, "place_of", lambda name: places_module.Card(device) if name == "card" else HERE)
    monkeypatch.setattr(places_module, "CARD_NUMBERS", 110 * 64)
    return "card"


@pytest.mark.parametrize("changes", [{}, {"penalties": "shared"}, {"criterion": "r2"}, {"regression": "ols"}])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", [3, 300])
def test_a_card_gives_the_same(card: str, width: int, dtype: type, changes: dict[str, Any]) -> None:
    x, y, samples = problem(width, neuroids=150)
    encoder = settings(**changes)
    training = training_folds(make_folds(SPLIT, samples), encoder, samples, True)
    here = fit_folds([FeatureSpace(x)], y.astype(dtype), training, encoder, True)
    there = fit_folds([FeatureSpace(x)], y.astype(dtype), training, encoder, True, card)
    tolerance = 1e-5 if dtype == np.float32 else 1e-10
    for ours, theirs in zip(there, here, strict=True):
        np.testing.assert_array_equal(ours.penalty, theirs.penalty)
        assert ours.prediction.dtype == dtype
        np.testing.assert_allclose(ours.prediction, theirs.prediction, atol=tolerance)
        np.testing.assert_allclose(ours.inner_r, theirs.inner_r, atol=tolerance)


def test_pooled_inner_scores_on_a_card(card: str) -> None:
    x, y, samples = problem(300, neuroids=150)
    encoder = settings(split=SPLIT | {"small_folds": "pool"})
    training = training_folds(make_folds(SPLIT, samples), encoder, samples, True)
    here = fit_folds([FeatureSpace(x)], y, training, encoder, True)
    for ours, theirs in zip(fit_folds([FeatureSpace(x)], y, training, encoder, True, card), here, strict=True):
        np.testing.assert_allclose(ours.inner_r, theirs.inner_r, atol=1e-10)


@pytest.mark.parametrize("said", ["CUDA out of memory", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"])
def test_a_card_without_memory_leaves_it_to_the_processor(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, said: str
) -> None:
    torch = pytest.importorskip("torch")
    error = (torch.OutOfMemoryError if said.endswith("memory") else RuntimeError)(said)

    class Full(places_module.Card):
        def hold(self, values: np.ndarray) -> Any:
            raise error

    x, y, samples = problem(40)
    encoder = settings()
    training = training_folds(make_folds(SPLIT, samples), encoder, samples, True)
    here = fit_folds([FeatureSpace(x)], y, training, encoder, True)
    monkeypatch.setattr(nested_module, "place_of", lambda _: Full("cpu"))
    for ours, theirs in zip(fit_folds([FeatureSpace(x)], y, training, encoder, True), here, strict=True):
        np.testing.assert_array_equal(ours.prediction, theirs.prediction)
    assert "the memory of the graphics card does not suffice" in caplog.text
