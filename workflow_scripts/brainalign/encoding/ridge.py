"""Ridge with an unpenalised intercept: held-out predictions and exact inner residuals from one factorisation.

With centred training features X = Z Vᵀ, where D = ZᵀZ is diagonal, the fitted values at penalty λ are H y with

    H = 1 1ᵀ / n + Z (D + λ)^-1 Zᵀ

(without an intercept the first term is left out, and neither X nor y is centred).

For rows B left out of the fit, the residuals of the prediction by the others are, without a refit,

    e_B^(-B) = (I - H_BB)^-1 e_B,      e = y - H y,

for any number of features and λ > 0 (for one row, Allen 1974, PRESS).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainalign.encoding.spectrum import Spectrum

IDENTITY_LIMIT = 1e-6  # of `smallest_share`: below it rows left out are predicted by refits
FEW = 64  # penalties for each of which a matrix from training to test rows is worth making


def scaled_penalties(values: Sequence[float], scale: str, trace: float, n: int) -> np.ndarray:
    """Return penalties (penalty,): as they are ("absolute"), or times trace(K) / n ("relative").

    Parameters
    ----------
    trace : of the centred Gram matrix K of all n samples. All folds share one grid, which responses do not touch.
    """
    factor = trace / n if scale == "relative" else 1.0
    return np.asarray(values, dtype=np.float64) * factor


def predict(spectrum: Spectrum, responses: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """Predict the test rows: mean(y) + T (D + λ)^-1 Zᵀ (y - mean(y)).

    Parameters
    ----------
    spectrum : of the training features; its `test_scores` are T. Where it is not centred, the mean is 0.
    responses : (train, neuroid).
    penalties : (neuroid,), one for each neuroid; 0 is the minimum-norm least-squares fit.

    Returns
    -------
    (test, neuroid)
    """
    predicted = deviations(spectrum, responses, penalties)
    return np.asarray(responses.mean(axis=0) + predicted if spectrum.centred else predicted)


def deviations(spectrum: Spectrum, responses: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """Return `predict` less the mean of the training rows: T (D + λ)^-1 Zᵀ (y - mean(y)).

    Where penalties are few and test rows fewer than axes, of the matrix T (D + λ)^-1 Zᵀ (test, train) of each penalty.
    """
    centred = _about_mean(spectrum, responses)
    values = np.unique(penalties)
    if len(values) > FEW or len(spectrum.test_scores) >= len(spectrum.eigenvalues):
        projected = spectrum.scores.T @ centred  # (axis, neuroid)
        return np.asarray(spectrum.test_scores @ (projected / (spectrum.eigenvalues[:, None] + penalties)))
    predicted = np.empty((len(spectrum.test_scores), centred.shape[1]))
    for value in values:
        own = slice(None) if len(values) == 1 else np.flatnonzero(penalties == value)
        predicted[:, own] = smoother(spectrum, float(value)) @ centred[:, own]
    return predicted


def smoother(spectrum: Spectrum, penalty: float) -> np.ndarray:
    """Return T (D + λ)^-1 Zᵀ (test, train), which makes predictions of centred responses; its rows sum to 0."""
    return np.asarray((spectrum.test_scores / (spectrum.eigenvalues + penalty)) @ spectrum.scores.T)


def residuals_of_tests(
    spectrum: Spectrum, responses: np.ndarray, truth: np.ndarray, penalties: np.ndarray
) -> np.ndarray:
    """Return the test rows' residuals at every penalty, (test, penalty, neuroid).

    Parameters
    ----------
    responses, truth : of training and test rows, (train, neuroid) and (test, neuroid).
    penalties : (penalty,).
    """
    if len(penalties) == 1:
        return np.asarray((truth - predict(spectrum, responses, np.full(truth.shape[1], penalties[0])))[:, None])
    projected = spectrum.scores.T @ _about_mean(spectrum, responses)  # (axis, neuroid)
    inverse = 1.0 / (spectrum.eigenvalues[:, None] + penalties)  # (axis, penalty)
    weighted = (projected[:, None, :] * inverse[:, :, None]).reshape(len(projected), len(penalties) * truth.shape[1])
    predicted = (spectrum.test_scores @ weighted).reshape(len(truth), len(penalties), truth.shape[1])
    if spectrum.centred:
        predicted += responses.mean(axis=0)
    return np.asarray(truth[:, None, :] - predicted)


def smallest_share(spectrum: Spectrum, penalty: float, blocks: Sequence[slice | np.ndarray]) -> float:
    """Return the smallest eigenvalue of I - H_BB over the blocks: 0 where rows leave the rest nothing to be told by.

    The identity loses as many digits as this is below 1, unless the spectrum interpolates (see `Spectrum.complement`).
    """
    roots = np.sqrt(spectrum.eigenvalues + penalty)  # (axis,)
    smallest = 1.0
    for block in blocks:
        z = spectrum.scores[block] / roots
        left = np.concatenate([np.full((len(z), 1), np.sqrt(spectrum.mean_share)), z], axis=1)  # H_BB = left leftᵀ
        hat = left @ left.T if len(left) <= left.shape[1] else left.T @ left
        smallest = min(smallest, 1.0 - float(np.linalg.eigvalsh(hat)[-1]))
    return smallest


@dataclass(frozen=True)
class BlockInverse:
    """(I - H_BB)^-1 of one block at every penalty: `core`, or I + left core leftᵀ where axes are fewer than rows.

    Parameters
    ----------
    core : (penalty, size, size), size the rows of the block, or one more than the axes.
    left : (penalty, row, size) or None.
    """

    core: np.ndarray
    left: np.ndarray | None = None

    def __getitem__(self, tried: slice) -> "BlockInverse":
        return BlockInverse(self.core[tried], None if self.left is None else self.left[tried])

    def first(self, rows: int) -> "BlockInverse":
        """Return what gives the block's first rows, with all others of it left out too."""
        return self if self.left is not None else BlockInverse(self.core[:, :rows].copy())

    def times(self, residuals: np.ndarray) -> np.ndarray:
        """Return (I - H_BB)^-1 e_B for e_B (penalty, row, neuroid), of its `first` rows at least."""
        if self.left is None:
            return np.asarray(self.core @ residuals)
        return np.asarray(residuals + self.left @ (self.core @ (self.left.transpose(0, 2, 1) @ residuals)))


def block_inverses(
    spectrum: Spectrum, penalties: np.ndarray, blocks: Sequence[slice | np.ndarray]
) -> list[BlockInverse]:
    """Return (I - H_BB)^-1 for each block; it does not depend on the responses.

    Where axes are fewer than rows, H_BB = A Aᵀ with A = [1 / sqrt(n), Z_B (D + λ)^-1/2], and
    (I - A Aᵀ)^-1 = I + A (I - Aᵀ A)^-1 Aᵀ (Woodbury).

    Parameters
    ----------
    penalties : (penalty,), each above 0; 0 is allowed where rows left out leave the rest enough to be told by.
    blocks : slices of the training rows, or their positions.
    """
    weights, rest = _complement(spectrum, penalties)
    mean_share = spectrum.mean_share
    inverses = []
    for block in blocks:
        z = spectrum.scores[block]  # (row, axis)
        if z.shape[1] + 1 < len(z):
            scaled = z * np.sqrt(-weights.T)[:, None, :]  # (penalty, row, axis)
            ones = np.full((*scaled.shape[:2], 1), np.sqrt(mean_share))
            left = np.concatenate([ones, scaled], axis=2)  # A
            core = np.linalg.inv(np.eye(left.shape[2]) - left.transpose(0, 2, 1) @ left)
            inverses.append(BlockInverse(core, left))
        else:
            outside = (z * weights.T[:, None, :]) @ z.T  # (penalty, row, row)
            inverses.append(BlockInverse(np.linalg.inv(outside + rest * (np.eye(len(z)) - mean_share))))
    return inverses


def block_residuals(
    spectrum: Spectrum,
    responses: np.ndarray,
    penalties: np.ndarray,
    blocks: Sequence[slice],
    inverses: Sequence[BlockInverse],
    left_out: Sequence[slice | np.ndarray] = (),
) -> np.ndarray:
    """Return the residuals of each block's rows, predicted by all other training rows, at every penalty.

    Rows around a block that its gap takes from the training rows are left out with it: B is then all of these, and of
    e_B^(-B) the block's own rows are returned.

    Parameters
    ----------
    responses : (train, neuroid).
    penalties : (penalty,), each above 0.
    blocks : consecutive slices of the training rows.
    inverses : of these blocks, or of what is left out with them, see `block_inverses`.
    left_out : for each block the positions that are left out, its own rows first; empty where it is the blocks alone.

    Returns
    -------
    (row, penalty, neuroid), the rows of the blocks.
    """
    start, stop = blocks[0].start, blocks[-1].stop
    held_in = _residuals(spectrum, responses, penalties, slice(0, len(responses)) if left_out else slice(start, stop))
    result = np.empty((stop - start, *held_in.shape[1:])) if left_out else held_in
    for number, (block, inverse) in enumerate(zip(blocks, inverses, strict=True)):
        rows = slice(block.start - start, block.stop - start)
        own = held_in[left_out[number] if left_out else rows].transpose(1, 0, 2)  # (penalty, row, neuroid)
        result[rows] = inverse.times(own)[:, : block.stop - block.start].transpose(1, 0, 2)
    return result


def leave_one_out_residuals(spectrum: Spectrum, responses: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """Return `block_residuals` for blocks of one row: e_i / (1 - H_ii). (train, penalty, neuroid)"""
    weights, rest = _complement(spectrum, penalties)
    share = spectrum.scores**2 @ weights + rest * (1.0 - spectrum.mean_share)  # 1 - H_ii, (train, penalty)
    residuals = _residuals(spectrum, responses, penalties, slice(0, len(responses)))
    residuals /= share[:, :, None]
    return residuals


def _residuals(spectrum: Spectrum, responses: np.ndarray, penalties: np.ndarray, rows: slice) -> np.ndarray:
    """Return y - H y of some rows, (row, penalty, neuroid)."""
    centred = _about_mean(spectrum, responses)
    weights, rest = _complement(spectrum, penalties)
    projected = spectrum.scores.T @ centred  # (axis, neuroid)
    weighted = projected[:, None, :] * weights[:, :, None]  # (axis, penalty, neuroid)
    tried, neuroids = weighted.shape[1:]
    residuals = spectrum.scores[rows] @ weighted.reshape(len(projected), tried * neuroids)
    residuals = residuals.reshape(-1, tried, neuroids)
    if rest:
        residuals += centred[rows, None, :]
    return np.asarray(residuals)


def _complement(spectrum: Spectrum, penalties: np.ndarray) -> tuple[np.ndarray, float]:
    """Return weights w (axis, penalty) and c of `Spectrum.complement` at every penalty."""
    found = [spectrum.complement(float(penalty)) for penalty in penalties]
    return np.stack([weights for weights, _ in found], axis=1), found[0][1]


def _about_mean(spectrum: Spectrum, responses: np.ndarray) -> np.ndarray:
    return responses - responses.mean(axis=0) if spectrum.centred else responses
