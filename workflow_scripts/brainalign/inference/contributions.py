"""What each group of held-out rows adds to the score: the quantity that tests need once predictions are gone."""

import numpy as np

from brainalign.encoding.scores import CONSTANT, Units
from brainalign.errors import InputError


def standardised(values: np.ndarray, others: np.ndarray | None = None) -> np.ndarray:
    """Return columns centred and divided by their norm, 0 where constant.

    Parameters
    ----------
    values : (row, neuroid).
    others : (row, neuroid); where given, a column is constant if its SD is under CONSTANT times theirs.
    """
    centred = values - values.mean(axis=0)
    square = np.einsum("ij,ij->j", centred, centred)
    least: np.ndarray | float = 0.0
    if others is not None:
        least = CONSTANT**2 * ((others - others.mean(axis=0)) ** 2).sum(axis=0)
    varies = square > least
    return np.where(varies, centred / np.sqrt(np.where(varies, square, 1.0)), 0.0)


def group_contributions(
    prediction: np.ndarray, response: np.ndarray, centre: np.ndarray, groups: np.ndarray, units: Units
) -> tuple[np.ndarray, np.ndarray]:
    """Return what each group of a fold's test rows adds to the fold's r, averaged over neuroids.

        c_g = mean over neuroids of Σ_{i in g} (p_i - p̄)(y_i - centre) / (|p - p̄| |y - ȳ|)

    so that the sum over the groups of a fold is its mean r, exactly, and the mean over folds of these sums is the
    aggregate "mean" of the encoder. Any centre gives this sum; the mean over all tested samples keeps the contributions
    of a fold's m groups apart, where ȳ of the fold would take up to 1 / m from the variance that a test sees.
    Medians ("schrimpf", "brain-score") are no sums over groups: for them, tests on contributions are tests of the mean.
    A constant prediction contributes 0. It takes O(row · neuroid).

    Parameters
    ----------
    prediction, response : (row, neuroid), of one fold.
    centre : (neuroid,), the mean response over all tested samples.
    groups : (row,), names or numbers.
    units : of the neuroids.

    Returns
    -------
    names : (group,), sorted.
    contributions : (group, score_subject, score_region); "all" is the mean over subjects. NaN where a subject has no
        neuroid of a region.

    Raises
    ------
    InputError : shapes that do not fit.
    """
    if prediction.shape != response.shape or prediction.shape != (len(groups), len(units)):
        raise InputError(
            f"predictions are {prediction.shape} and responses {response.shape}, but there are {len(groups)} group "
            f"labels and {len(units)} neuroids."
        )
    names, index = np.unique(groups, return_inverse=True)
    products = standardised(prediction, response) * scaled_responses(response, centre)
    of_group = (np.arange(len(names))[:, None] == index).astype(products.dtype)  # (group, row)
    return names, over_cells((of_group @ products) @ base_members(units).T, units)


def scaled_responses(response: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Return (y - centre) / |y - ȳ|, (row, neuroid); no response is constant."""
    return np.asarray((response - centre) / np.linalg.norm(response - response.mean(axis=0), axis=0))


def base_members(units: Units) -> np.ndarray:
    """Return which neuroids each subject × region holds, (subject · region, neuroid) float64: disjoint sets."""
    return units.members[1:, 1:].reshape(-1, len(units)).astype(np.float64)


def over_cells(sums: np.ndarray, units: Units) -> np.ndarray:
    """Return the aggregate "mean" of sums over the neuroids of each subject × region.

    Parameters
    ----------
    sums : (..., subject · region).

    Returns
    -------
    (..., score_subject, score_region)
    """
    shape = (len(units.subjects), len(units.regions))
    sums = np.asarray(sums).reshape(*sums.shape[:-1], *shape)
    counts = base_members(units).sum(axis=1).reshape(shape)

    def with_all_regions(values: np.ndarray) -> np.ndarray:
        return np.concatenate([values.sum(axis=-1, keepdims=True), values], axis=-1)

    held = with_all_regions(counts)  # (subject, score_region)
    means = with_all_regions(sums) / np.where(held > 0, held, np.nan)
    everyone = np.where(held > 0, means, 0.0).sum(axis=-2, keepdims=True) / (held > 0).sum(axis=0)
    return np.concatenate([everyone, means], axis=-2)
