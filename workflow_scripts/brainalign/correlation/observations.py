"""The models over which a score and properties are correlated, and those that are left out, by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from brainalign.correlation.scores import ModelScores
from brainalign.errors import unknown
from brainalign.row_labels import UNTRAINED
from brainalign.study import LOSS_UNIT

EVERY_MODEL: Mapping[str, Mapping[str, Any]] = {"all": {}}
LOGARITHM = "log10_"
_WORDS = ("model", "family", "kind", "base")


@dataclass(frozen=True)
class Observations:
    """A score and properties of the models that have them all.

    Parameters
    ----------
    models, families, bases : names, one per model; the base of a model that has none is the model itself.
    x : (model,), the property; covariates : (model, covariate).
    y : (model,), the score; replicates : (draw, model).
    left_out : trained models without a number; untrained : twins that were scored.
    """

    models: tuple[str, ...]
    families: tuple[str, ...]
    bases: tuple[str, ...]
    x: np.ndarray
    covariates: np.ndarray
    y: np.ndarray
    replicates: np.ndarray
    left_out: tuple[str, ...]
    untrained: tuple[str, ...]

    def only(self, chosen: np.ndarray) -> "Observations":
        """Return some of the models: chosen (model,), of truth values."""
        models, families, bases = (
            tuple(np.array(names, dtype=object)[chosen]) for names in (self.models, self.families, self.bases)
        )
        x, covariates, y, replicates = self.x[chosen], self.covariates[chosen], self.y[chosen], self.replicates
        return Observations(
            models, families, bases, x, covariates, y, replicates[:, chosen], self.left_out, self.untrained
        )


def by_name(sets: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return name → set from a list of sets, each with its `name`; their order is that of the table."""
    return {entry["name"]: {key: value for key, value in entry.items() if key != "name"} for entry in sets}


def members(wanted: Mapping[str, Any], properties: pd.DataFrame) -> list[str]:
    """Return the trained models of a set.

    Parameters
    ----------
    wanted : `kinds`, `families` and `models`, lists to which a model must belong, each of them optional, and `without`,
        models that are not in it.
    properties : a row per model.
    """
    rows = properties["kind"] != UNTRAINED
    for key, column in (("kinds", "kind"), ("families", "family"), ("models", "model")):
        if wanted.get(key) is not None:
            rows &= properties[column].isin(wanted[key])
    return properties.loc[rows & ~properties["model"].isin(wanted.get("without") or []), "model"].tolist()


def property_column(name: str, properties: pd.DataFrame) -> str:
    """Return the column of a property or loss.

    Raises
    ------
    InputError : there is none.
    """
    for column in (name, name + LOSS_UNIT):
        if column in properties.columns:
            return column
    raise unknown("property", name, [column for column in properties.columns if column not in _WORDS])


def property_values(name: str, properties: pd.DataFrame) -> pd.Series:
    """Return a property's numbers by model; `log10_<property>` is the logarithm of one, NaN where it is not above 0.

    Raises
    ------
    InputError : there is no such property.
    """
    by_model = properties.set_index("model")
    of = name.removeprefix(LOGARITHM)
    if of != name and name not in properties.columns and name + LOSS_UNIT not in properties.columns:
        try:
            values = by_model[property_column(of, properties)].astype(float)
        except ValueError:
            property_column(name, properties)  # speaks of the name as it was given
            raise
        return values.where(values > 0).map(np.log10)
    return by_model[property_column(name, properties)].astype(float)


def observe(
    scores: ModelScores, properties: pd.DataFrame, among: Sequence[str], name: str, given: Sequence[str] = ()
) -> Observations:
    """Return the observations of a property, given others, and a score.

    Parameters
    ----------
    among : the models of the set; twins are never observations.
    name, given : properties.

    Raises
    ------
    InputError : a property that the table does not have.
    """
    table = properties.set_index("model")
    values = np.stack([property_values(of, properties).reindex(scores.models) for of in (name, *given)])
    models = np.array(scores.models, dtype=object)
    kinds = table["kind"].reindex(scores.models)
    untrained = (kinds == UNTRAINED).to_numpy(dtype=bool)
    stranger = kinds.isna().to_numpy(dtype=bool)
    wanted = np.isin(models, list(among)) & ~untrained
    used = wanted & np.isfinite(values).all(axis=0) & np.isfinite(scores.r)
    base = table["base"].reindex(scores.models).fillna("").to_numpy(dtype=object)
    unscored = [model for model in among if model not in scores.models]
    return Observations(
        tuple(models[used]),
        tuple(table["family"].reindex(models[used])),
        tuple(of or model for of, model in zip(base[used], models[used], strict=True)),
        values[0, used],
        values[1:, used].T,
        scores.r[used],
        scores.replicates[:, used],
        (*models[(wanted | stranger) & ~used], *unscored),
        tuple(models[untrained]),
    )
