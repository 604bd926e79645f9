import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from sklearn.kernel_ridge import KernelRidge

from brainalign.encoding.encoder import encode
from brainalign.encoding.kernels import polynomial, rbf, spaces_of
from brainalign.encoding.settings import EncoderSettings
from brainalign.encoding.splits import make_folds
from brainalign.errors import InputError
from brainalign.responses.samples import Samples

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(size=(80, 5)) + 7
CENTRED = FEATURES - FEATURES.mean(axis=0)
SAMPLES = Samples({"split_group": np.arange(80) // 4})
NEUROIDS = {"neuroid": ["a", "b"], "subject": ["S1", "S1"], "region": ["x", "x"]}
SPLIT = {"kind": "grouped", "folds": 4}


@pytest.mark.parametrize("bandwidth", [0.5, 2.0])
def test_rbf_of_distances(bandwidth: float) -> None:
    distances = pdist(FEATURES, "sqeuclidean")
    theirs = np.exp(-squareform(distances) / (2 * bandwidth**2 * np.median(distances)))
    np.testing.assert_allclose(rbf(CENTRED @ CENTRED.T, bandwidth), theirs, atol=1e-12)


def test_rbf_of_features_that_are_mostly_equal() -> None:
    gram = np.zeros((10, 10))
    np.testing.assert_array_equal(rbf(gram, 1.0), np.ones((10, 10)))
    few = np.zeros((10, 1))
    few[0] = 3.0
    assert np.isfinite(rbf(few @ few.T, 1.0)).all()


def test_polynomial_of_two_features_has_their_products() -> None:
    gram = CENTRED[:, :2] @ CENTRED[:, :2].T
    x = CENTRED[:, :2] / np.sqrt(np.diag(gram).mean())
    a, b = x[:, :1], x[:, 1:]
    ones = np.ones_like(a)
    expanded = np.concatenate([ones, np.sqrt(2) * a, np.sqrt(2) * b, a**2, b**2, np.sqrt(2) * a * b], axis=1)
    np.testing.assert_allclose(polynomial(gram, 2), expanded @ expanded.T, atol=1e-12)


def test_a_bandwidth_is_chosen_with_the_penalty_in_every_fold() -> None:
    y = np.stack([np.sin(2 * CENTRED[:, 0]), CENTRED[:, 1]], axis=1) + 0.1 * RANDOM.normal(size=(80, 2))
    encoder = EncoderSettings(
        kernel="rbf", bandwidths=(0.3, 1.0, 5.0), grid=(1e-3, 1e-1, 10.0), split=SPLIT, draws=5, precision="float64"
    )
    ours = encode([("x", FEATURES)], y, SAMPLES, NEUROIDS, encoder)
    folds = make_folds(SPLIT, SAMPLES)
    centre = np.eye(80) - 1 / 80
    kernels = [centre @ rbf(CENTRED @ CENTRED.T, width) @ centre for width in encoder.bandwidths]
    for k, fold in enumerate(folds):
        errors = []
        for kernel in kernels:
            for penalty in np.array(encoder.grid) * np.trace(kernel) / 80:
                total = np.zeros(2)
                for block in (other.test for number, other in enumerate(folds) if number != k):
                    rest = np.setdiff1d(fold.train, block)
                    total += ((refit(kernel, y, rest, block, penalty) - y[block]) ** 2).sum(axis=0)
                errors.append((total, kernel, penalty))
        for column in range(2):
            _, kernel, penalty = min(errors, key=lambda entry: entry[0][column])
            np.testing.assert_allclose(ours.penalty[0, k, column], penalty)
            prediction = refit(kernel, y, fold.train, fold.test, penalty)[:, column]
            np.testing.assert_allclose(
                ours.r[0, k, column], np.corrcoef(prediction, y[fold.test, column])[0, 1], atol=1e-9
            )


def refit(kernel: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray, penalty: float) -> np.ndarray:
    """Kernel ridge with an unpenalised intercept: the kernel and the responses centred by the training rows."""
    k = kernel[np.ix_(train, train)]
    centred = k - k.mean(axis=0) - k.mean(axis=1, keepdims=True) + k.mean()
    between = kernel[np.ix_(test, train)]
    between = between - between.mean(axis=1, keepdims=True) - k.mean(axis=0) + k.mean()
    model = KernelRidge(alpha=penalty, kernel="precomputed").fit(centred, y[train] - y[train].mean(axis=0))
    return np.asarray(model.predict(between) + y[train].mean(axis=0))


def test_a_non_linear_response_needs_a_non_linear_kernel() -> None:
    y = CENTRED[:, :1] * CENTRED[:, 1:2] + 0.1 * RANDOM.normal(size=(80, 2))

    def score(kernel: str) -> float:
        encoder = EncoderSettings(kernel=kernel, split=SPLIT, draws=5)
        return float(encode([("x", FEATURES)], y, SAMPLES, NEUROIDS, encoder).aggregate_r[0, 0, 0])

    assert score("linear") < 0.3
    assert score("polynomial") > 0.9


def test_spaces() -> None:
    assert len(spaces_of(FEATURES, EncoderSettings())) == 1
    assert len(spaces_of(FEATURES, EncoderSettings(kernel="rbf", bandwidths=(1.0, 2.0)))) == 2
    assert len(spaces_of(FEATURES, EncoderSettings(kernel="polynomial", degrees=(2, 3, 4)))) == 3
    with pytest.raises(InputError, match="the kernel 'rbf' is for a ridge, not for 'ols'"):
        EncoderSettings(kernel="rbf", regression="ols")
    with pytest.raises(InputError, match=r"bandwidths must be numbers above 0, but are \[0.0\]"):
        EncoderSettings(kernel="rbf", bandwidths=(0.0,))
