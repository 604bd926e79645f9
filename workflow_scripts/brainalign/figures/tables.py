"""What figures select from: the tables of a study and files of earlier stages, and rows that several figures show."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from brainalign.correlation.scores import AVERAGE, ModelScores, model_scores, read_replicates
from brainalign.intervals import percentile_interval
from brainalign.study import LOSS_UNIT, LOSS_UNITS, summary_rows
from brainalign.tables import read_table

MODEL, NULL, UNTRAINED = "model", "null", "untrained"
TUNED = "instruction-tuned"
BEHAVIOR = "behavior"  # the encoder of published scores that are of reading times, not of brain activity
CELL = ("encoder", "readout", "dataset")
SIZES = ("parameters", "log10_parameters", "width", "depth", "vocabulary", "training_tokens")
_LABELS = ("family", "kind", "base")


@dataclass(frozen=True)
class StudyTables:
    """The files that a figure needs, by kind; a table is read when it is first asked for.

    Parameters
    ----------
    files : kind → name of the thing, as parts of a path → file. Kinds are those of the constants NEEDS: tables of a
        study (one file), or "cells", "encodings", "activations", "ceilings", "responses", "manifests", "losses".
    settings : what else the figure knows: its spec.
    """

    files: Mapping[str, Mapping[tuple[str, ...], Path]]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def table(self, kind: str) -> pd.DataFrame:
        """Return a table of the study. Raises KeyError for one that the figure does not need."""
        (path,) = self.files[kind].values()
        return read_table(path)

    @cached_property
    def alignment(self) -> pd.DataFrame:
        """Every score of the study; those of behaviour are in `behavior_alignment`."""
        return brain(self.table("alignment"))

    @cached_property
    def behavior_alignment(self) -> pd.DataFrame:
        """Published scores of the encoder "behavior"."""
        table = self.table("alignment")
        return table[table["encoder"] == BEHAVIOR]

    @cached_property
    def properties(self) -> pd.DataFrame:
        return self.table("properties")

    @cached_property
    def correlations(self) -> pd.DataFrame:
        return self.table("correlations")

    @cached_property
    def controlled(self) -> pd.DataFrame:
        return self.table("controlled_correlations")

    @cached_property
    def pairs(self) -> pd.DataFrame:
        return self.table("pairs")

    @cached_property
    def averages(self) -> pd.DataFrame:
        """Each model's average over data sets, as the correlations take it, where a method has several data sets."""
        (path,) = self.files["replicates"].values()
        return average_rows(model_scores(self.alignment, read_replicates(path)))


def brain(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that are not of behaviour."""
    return table[table["encoder"] != BEHAVIOR]


def average_rows(scores: Iterable[ModelScores]) -> pd.DataFrame:
    """Return a row for each model and each average of several data sets: encoder, readout, features, r, simulated."""
    rows = []
    for own in scores:
        if own.dataset == AVERAGE and len(own.parts) > 1:
            rows.append(_average(own))
    columns = ["dataset", "simulated", "encoder", "readout", "features", "r", "r_low", "r_high"]
    found = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)
    return found[columns].dropna(subset=["r"])


def _average(scores: ModelScores) -> pd.DataFrame:
    low, high = percentile_interval(scores.replicates)
    names: dict[str, Any] = {
        "dataset": AVERAGE,
        "simulated": scores.simulated,
        "encoder": scores.encoder,
        "readout": scores.readout,
    }
    return pd.DataFrame({"features": list(scores.models), "r": scores.r, "r_low": low, "r_high": high}).assign(**names)


def with_properties(alignment: pd.DataFrame, properties: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return rows of the alignment with columns of their models' properties, in the order of the properties.

    Rows of features that are not models come last, with empty properties.
    """
    order = {model: number for number, model in enumerate(properties["model"])}
    own = properties[["model", *columns]].rename(columns={"model": "features"})
    table = alignment.merge(own, on="features", how="left", sort=False)
    text = [name for name in _LABELS if name in columns]
    table[text] = table[text].astype(object).fillna("")
    position = table["features"].map(order).fillna(len(order))
    return table.assign(_position=position).sort_values("_position", kind="stable").drop(columns="_position")


def scores_of_models(alignment: pd.DataFrame, properties: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return each model's chosen-layer score over all subjects and regions with columns of its properties."""
    rows = summary_rows(alignment)
    return with_properties(rows[rows["features_kind"] == MODEL], properties, columns)


def first_set(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the first of several sets of models."""
    known = [name for name in table["over"].dropna().unique() if name]
    return table[table["over"] == known[0]] if known else table


def loss_columns(properties: pd.DataFrame, correlated: Iterable[str] = ()) -> dict[str, str]:
    """Return each loss that was measured on a text, and its column in nats per token; others where correlated."""
    units = tuple(f"_{unit}" for unit in LOSS_UNITS)
    names = [name for name in properties.columns if name.endswith(LOSS_UNIT)]
    others = [name for name in dict.fromkeys(correlated) if name.endswith(units) and name in properties.columns]
    return {name.removesuffix(LOSS_UNIT): name for name in names} | {name: name for name in others}


def measured_columns(properties: pd.DataFrame) -> set[str]:
    """Return the columns that the workflow fills itself, and bare names of losses: everything but given numbers."""
    units = tuple(f"_{unit}" for unit in LOSS_UNITS)
    return {*SIZES, *loss_columns(properties), *(name for name in properties.columns if name.endswith(units))}


def in_turn(found: pd.DataFrame, columns: Sequence[str] = CELL) -> list[tuple[str, ...]]:
    """Return the combinations of columns that there are, in the order in which they come, data sets by name."""
    rows = found[list(columns)].drop_duplicates()
    names = [tuple(map(str, row)) for row in rows.itertuples(index=False)]
    if columns[-1] != "dataset":
        return names
    place = {name[:-1]: number for number, name in reversed(list(enumerate(names)))}
    return sorted(names, key=lambda name: (place[name[:-1]], name[-1] != AVERAGE, name[-1]))


def methods(found: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the (encoder, readout) that there are, in the order in which they come."""
    return [(encoder, readout) for encoder, readout in in_turn(found, ("encoder", "readout"))]


def method_name(encoder: str, readout: str) -> str:
    """Return how a method is called: encoder and readout; published scores have the name of the encoder alone."""
    return encoder if encoder == readout or readout == "published" else f"{encoder}, {readout}"


def dataset_name(dataset: str) -> str:
    return "average over data sets" if dataset == AVERAGE else dataset
