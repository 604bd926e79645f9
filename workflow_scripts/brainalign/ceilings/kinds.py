"""The kinds of ceilings by name: what each takes of a data set, and its settings."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from brainalign.ceilings.ceiling import KINDS, Ceiling
from brainalign.ceilings.given import given_ceiling
from brainalign.ceilings.known import known_ceiling
from brainalign.ceilings.other_subjects import leave_one_subject_out_ceiling
from brainalign.ceilings.repeats import repeats_ceiling
from brainalign.ceilings.split_half import split_half_ceiling
from brainalign.ceilings.subject_pool import subject_pool_ceiling
from brainalign.encoding.settings import EncoderSettings
from brainalign.errors import InputError, unknown
from brainalign.responses.stored import StoredResponses


def estimate(
    kinds: Mapping[str, Mapping[str, Any]],
    data: StoredResponses,
    settings: EncoderSettings,
    given: np.ndarray | None = None,
) -> list[Ceiling]:
    """Return the ceilings asked for, the preferred one first.

    Parameters
    ----------
    kinds : name → settings, of those in KINDS.
    given : (neuroid,), the ceilings of r that came with the data, for the kind "given".

    Raises
    ------
    InputError : an unknown kind, or one for which the data set has not what it takes.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise unknown("kind of ceiling", kind, KINDS)
    return [_estimate(kind, kinds[kind], data, settings, given) for kind in KINDS if kind in kinds]


def _estimate(
    kind: str, own: Mapping[str, Any], data: StoredResponses, settings: EncoderSettings, given: np.ndarray | None
) -> Ceiling:
    if kind == "known":
        if "noise_free" not in data.arrays:
            raise InputError("a known ceiling needs the noise-free responses of a simulation, which are not there.")
        return known_ceiling(data.arrays["noise_free"], data.values, data.samples, data.neuroids, settings)
    if kind == "given":
        if given is None:
            raise InputError("given ceilings were asked for, but there is no table of them.")
        return given_ceiling(given, data.neuroids, settings.aggregate, **own)
    find = {
        "repeats": repeats_ceiling,
        "split-half": split_half_ceiling,
        "leave-one-subject-out": leave_one_subject_out_ceiling,
        "subject-pool": subject_pool_ceiling,
    }[kind]
    return find(data.values, data.samples, data.neuroids, settings, **own)
