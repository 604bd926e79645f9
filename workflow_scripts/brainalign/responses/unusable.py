"""Neuroids that no encoder can be fitted to or scored on: responses that are missing or infinite, or never vary."""

import logging
from collections.abc import Sequence

import numpy as np

from brainalign.errors import InputError

log = logging.getLogger(__name__)

NAMED = 10  # of the neuroids that are left out, those that an attribute or the log names


def missing_or_infinite(stored: np.ndarray) -> np.ndarray:
    """Return which responses cannot be used, (sample, neuroid) bool.

    Parameters
    ----------
    stored : (sample, neuroid), where NaN and infinity cannot; or (repetition, sample, neuroid), where NaN in every
        repetition and infinity in any cannot, since repetitions that are NaN are left out of a mean.
    """
    if stored.ndim == 3:
        return np.asarray(np.isinf(stored).any(axis=0) | np.isnan(stored).all(axis=0))
    return np.asarray(~np.isfinite(stored))


def constant(stored: np.ndarray) -> np.ndarray:
    """Return which neuroids have one and the same response throughout, (neuroid,) bool, NaN left out.

    Parameters
    ----------
    stored : (..., neuroid), each neuroid with some value that is not NaN.
    """
    flat = stored.reshape(-1, stored.shape[-1])
    return np.asarray(np.nanmax(flat, axis=0) == np.nanmin(flat, axis=0))


def usable_neuroids(values: np.ndarray, neuroid_ids: Sequence[str]) -> tuple[np.ndarray, dict[str, str | int]]:
    """Find the neuroids that can be used, as float32, in which responses are stored.

    Parameters
    ----------
    values : (sample, neuroid) or (repetition, sample, neuroid).
    neuroid_ids : (neuroid,).

    Returns
    -------
    kept : (neuroid,) bool.
    facts : for the attributes of the responses' file, and empty where all are kept: `neuroids_given`,
        `neuroids_missing` (dropped with a NaN or infinite response) and `neuroids_constant` (dropped without
        one, but with no variance), how many; `neuroids_dropped`, the first NAMED of them; `left_out`, a sentence.

    Raises
    ------
    InputError : no neuroid can be used.
    """
    with np.errstate(over="ignore"):
        stored = np.asarray(values).astype(np.float32)
    missing = np.asarray(missing_or_infinite(stored).any(axis=0))
    still = np.zeros(missing.shape, dtype=np.bool_)
    if not missing.all():
        still[~missing] = constant(stored[..., ~missing])
    dropped = missing | still
    if dropped.all():
        raise InputError(
            f"none of the {len(dropped)} neuroids can be used: {missing.sum()} have NaN or infinite responses, "
            f"{still.sum()} the same one throughout."
        )
    if not dropped.any():
        return ~dropped, {}
    counts = ((missing, "NaN or infinite"), (still, "constant"))
    kinds = ", ".join(f"{which.sum()} {what}" for which, what in counts if which.any())
    sentence = f"{dropped.sum()} of {len(dropped)} neuroids dropped ({kinds})"
    named = _named([str(neuroid_ids[column]) for column in np.flatnonzero(dropped).tolist()])
    log.warning("%s: %s", sentence, named)
    return ~dropped, {
        "neuroids_given": len(dropped),
        "neuroids_missing": int(missing.sum()),
        "neuroids_constant": int(still.sum()),
        "neuroids_dropped": named,
        "left_out": sentence,
    }


def _named(ids: Sequence[str]) -> str:
    return ", ".join([*ids[:NAMED], *(["..."] if len(ids) > NAMED else [])])
