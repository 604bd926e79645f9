"""The first principal axes of many rows of many features, without a factorisation of all of them."""

import numpy as np

from brainalign.encoding.spectrum import EPSILON

SPARE = 10  # columns of a block beyond the axes that are asked for
CHECKED = 4  # blocks between two looks at the residuals
CONVERGED = 1e-12  # residual of an axis relative to the largest singular value
SMALL = 256  # rows or columns up to which everything is factorised


def principal_components(features: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    """Project all rows on the first principal axes of some of them: (X - m) V, not whitened.

    m is the mean of the chosen rows, V their first right singular vectors, as of scikit-learn's PCA with a full SVD;
    signs are arbitrary.

    Parameters
    ----------
    features : (stimulus, width).
    rows : row numbers that m and V are of.
    count : axes that are asked for.

    Returns
    -------
    (stimulus, min(count, rank)) float64
    """
    fitted = features[rows].astype(np.float64)
    mean = fitted.mean(axis=0)
    axes = principal_axes(fitted - mean, count)
    return np.asarray((features - mean) @ axes)


def principal_axes(centred: np.ndarray, count: int) -> np.ndarray:
    """Return the right singular vectors (width, axis) of the largest singular values, at most `count` and the rank.

    A block Krylov space of XᵀX, each block orthogonal to all before, holds them to CONVERGED after a few products with
    X (Golub & Underwood 1977); small matrices, and those whose axes do not converge before the space would be as large
    as a quarter of them, are factorised as a whole.

    Parameters
    ----------
    centred : X (row, width), columns of mean 0.
    """
    smaller = min(centred.shape)
    found = None if smaller <= SMALL else _krylov(centred, count, smaller // 4)
    if found is None:
        _, singular, right = np.linalg.svd(centred, full_matrices=False)
        found = singular[:count], right[:count].T
    singular, axes = found
    return np.asarray(axes[:, singular > max(centred.shape) * EPSILON * singular.max(initial=0.0)])


def _krylov(x: np.ndarray, count: int, most: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the first singular values and right vectors, None where a basis of `most` columns does not hold them."""
    start = np.random.default_rng(0).normal(size=(x.shape[1], count + SPARE))
    basis = np.linalg.qr(x.T @ (x @ start))[0]  # (width, basis)
    image = x @ basis  # (row, basis)
    block = image
    steps = 0
    while basis.shape[1] + block.shape[1] <= most:
        following = x.T @ block
        scale = np.linalg.norm(following, 2)
        for _ in range(2):  # once leaves rounding of what is already there
            following -= basis @ (basis.T @ following)
        left, lengths, _ = np.linalg.svd(following, full_matrices=False)
        left = left[:, lengths > 1e-10 * scale]  # the rest is rounding: the basis holds all that the block leads to
        steps += 1
        if left.shape[1]:
            left = np.linalg.qr(left - basis @ (basis.T @ left))[0]
            block = x @ left
            basis, image = np.hstack([basis, left]), np.hstack([image, block])
        if steps % CHECKED == 0 or not left.shape[1]:
            rows, singular, right = np.linalg.svd(image, full_matrices=False)
            axes = basis @ right[:count].T
            residual = np.linalg.norm(x.T @ rows[:, :count] - axes * singular[:count], axis=0)
            if residual.max() <= CONVERGED * singular[0]:
                return singular[:count], axes
            if not left.shape[1]:
                return None
    return None
