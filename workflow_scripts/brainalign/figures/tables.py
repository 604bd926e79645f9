"""What figures select from: the tables of a study and files of earlier stages, and rows that several figures show."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from brainalign.row_labels import AVERAGE, BEHAVIOR, LOSS_UNITS, MODEL, SPAN_UNITS
from brainalign.study import LOSS_UNIT, summary_rows
from brainalign.tables import read_table

CELL = ("encoder", "readout", "dataset")
SIZES = ("parameters", "log10_parameters", "width", "depth", "vocabulary", "training_tokens")
_LABELS = ("family", "kind", "base")


# How many parts at the end of a file's path name the thing that it is of; of other kinds it is the last.
_NAMES = {"cells": 4, "encodings": 4, "activations": 3, "ceilings": 2, "manifests": 2, "losses": 2}


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
        """Each model's average over data sets, where a method has several of them."""
        return brain(self.table("averages"))


def by_name(files: Mapping[str, Sequence[Path]]) -> dict[str, dict[tuple[str, ...], Path]]:
    """Return files by kind and by the name of the thing that they are of.

    A cell, an encoding and a file of activations are named by the folders in which they lie and their own name, a file
    of ceilings by its encoder and data set, a loss by its text and model.

    >>> list(by_name({"ceilings": [Path("results/ceilings/ridge/stories.h5")]})["ceilings"])
    [('ridge', 'stories')]
    """
    return {
        kind: {path.with_suffix("").parts[-_NAMES.get(kind, 1) :]: path for path in paths}
        for kind, paths in files.items()
    }


def brain(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that are not of behaviour."""
    return table[table["encoder"] != BEHAVIOR]


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
    """Return each next-word loss that was measured, and its column in nats per token; others where correlated."""
    units = tuple(f"_{unit}" for unit in LOSS_UNITS)
    spans = tuple(f"_{unit}" for unit in SPAN_UNITS)
    names = [name for name in properties.columns if name.endswith(LOSS_UNIT) and not name.endswith(spans)]
    others = [name for name in dict.fromkeys(correlated) if name.endswith(units) and name in properties.columns]
    return {name.removesuffix(LOSS_UNIT): name for name in names} | {name: name for name in others}


def loss_in_words(column: str) -> tuple[str, str, str]:
    """Return what a loss is of, its name, and the unit of its column, in words; a loss's bare name is per token.

    >>> loss_in_words("wiki_span_nats_per_byte")
    ('loss of spans', 'wiki', 'nats per byte')
    >>> loss_in_words("wiki")
    ('next-word loss', 'wiki', 'nats per token')
    """
    for prefix, kind in (("_span", "loss of spans"), ("", "next-word loss")):
        loss, per, unit = column.partition(f"{prefix}_nats_per_")
        if per:
            return kind, loss, f"nats per {unit}"
    return "next-word loss", column, "nats per token"


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
