"""Which encoders can be kept: fitted to all samples, written to a file, and used on new stimuli."""

from collections.abc import Mapping
from typing import Any

from brainalign.encoding.settings import EncoderSettings
from brainalign.errors import InputError

# Settings that cannot be kept: the values that can, and why no other.
NOT_KEPT: Mapping[str, tuple[tuple[Any, ...], str]] = {
    "word_components": ((None,), "components are fitted to the stimuli of each training set by itself"),
    "standardize": (
        ("none", "training"),
        "new samples would be z-scored by themselves, and their responses' SD is not known",
    ),
    "zscore_delayed": ((False,), "z-scores after delays and trimming would need new series to be trimmed, too"),
}


def check_can_be_kept(settings: EncoderSettings) -> None:
    """Raise InputError for settings that an encoder cannot be kept with: those of NOT_KEPT, and standardised kernels.

    A non-linear map is kept as its training features, and its file has no place for what divides these.
    """
    for name, (allowed, why) in NOT_KEPT.items():
        if getattr(settings, name) not in allowed:
            raise InputError(f"an encoder with {name}: {getattr(settings, name)} cannot be kept, since {why}.")
    if settings.standardize != "none" and settings.kernel != "linear":
        raise InputError(
            f"an encoder with standardize: {settings.standardize} and the kernel {settings.kernel!r} cannot be kept, "
            "since its file has no place for the SDs of features; z-score them within runs, or take a linear kernel."
        )
