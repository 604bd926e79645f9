"""Which feature spaces are a model's own nulls: its untrained twins, and its readouts of random tokens."""

from collections.abc import Mapping
from typing import Any

from brainalign.config.models import Model
from brainalign.config.twins import twin_name


def twins_of(models: Mapping[str, Model], name: str) -> list[str]:
    """Return the names of a model's untrained twins, by seed; none for a twin, or for what is no model.

    A model that is tuned here has no twins of its own but the architecture of its base, and so the twins of that one.
    One that was tuned elsewhere may have another architecture than what is named as its base.
    """
    model = models.get(name)
    owner = model.base if model and model.tune and model.base else name
    untrained = models[owner].untrained if owner in models else None
    return [twin_name(owner, seed) for seed in sorted(untrained.seeds)] if untrained else []


def random_readouts_of(readouts: Mapping[str, Mapping[str, Any]], name: str) -> list[str]:
    """Return the readouts of random tokens that are like a readout of texts in all else, by name.

    Parameters
    ----------
    readouts : name → settings, as the study's resolved config has them.
    """
    own = readouts.get(name, {})
    if own.get("tokens") != "text":
        return []
    return sorted(
        other
        for other, settings in readouts.items()
        if settings.get("tokens") == "random" and _but_for_tokens(settings) == _but_for_tokens(own)
    )


def _but_for_tokens(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key not in ("tokens", "seed")}
