"""The scores of a study's models under one encoder and readout, per data set and averaged."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainalign.errors import UnreadableFileError
from brainalign.intervals import percentile_interval
from brainalign.responses.unit_names import ALL
from brainalign.row_labels import AVERAGE
from brainalign.scored import CHOSEN
from brainalign.storage import read_arrays
from brainalign.study import CELL, summary_rows

BY_NEUROID = "neuroid"  # what alignment tables say of scores that are normalised neuroid by neuroid
_MIXED = "mixed: "

Replicates = Mapping[tuple[str, ...], np.ndarray]


@dataclass(frozen=True)
class ModelScores:
    """Chosen-layer scores over all subjects and regions; NaN where there is none.

    Parameters
    ----------
    encoder, readout, dataset : names; dataset is "average" for the mean over collections of their mean over data sets.
    models : names.
    r : (model,); replicates : (draw, model).
    normalised : (model,), r / ceiling, averaged like r, or, where a data set's scores are normalised neuroid by
        neuroid, the aggregate of r / ceiling of neuroids.
    normalised_replicates : (draw, model), with ceilings fixed; NaN for scores normalised neuroid by neuroid, of which
        there are no replicates, and for averages that hold one of them.
    simulated : 1 where all data are, 0 where none are, otherwise the share of data sets.
    subject_r : (subject, model), chosen-layer scores of each subject over all regions; no rows for the average.
    parts : for the average, each data set's scores with its weight.
    collections : to how many the data sets of an average belong; 1 for a data set.
    layer_choice : how the layers were chosen, as alignment tables have it; see `mixed_choice` where ways differ.
    """

    encoder: str
    readout: str
    dataset: str
    models: tuple[str, ...]
    r: np.ndarray
    replicates: np.ndarray
    normalised: np.ndarray
    normalised_replicates: np.ndarray
    simulated: float
    subject_r: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    parts: "tuple[tuple[ModelScores, float], ...]" = ()
    collections: int = 1
    layer_choice: str = ""

    def of(self, model: str) -> int:
        """Return a model's position."""
        return self.models.index(model)


def read_replicates(path: Path) -> Replicates:
    """Read a study's replicates: (dataset, encoder, readout, features) → (draw,). Raises UnreadableFileError."""
    arrays = read_arrays(path, ["r", *CELL])
    keys = list(zip(*(map(str, arrays[name]) for name in CELL), strict=True))
    if len(set(keys)) < len(keys):
        raise UnreadableFileError(path, "it has two columns for one cell")
    return dict(zip(keys, arrays["r"].astype(np.float64).T, strict=True))


def model_scores(alignment: pd.DataFrame, replicates: Replicates) -> Iterator[ModelScores]:
    """Yield the scores of all models for each encoder, readout and data set, then for their average.

    A model has an average where it has a score on every data set. Draws are averaged by their number: data sets are
    resampled one by one, so their draws are independent unless they share their groups of stimuli.
    """
    of_models = alignment[alignment["features_kind"] == "model"]
    rows = summary_rows(of_models)
    own = (of_models["layer"] == CHOSEN) & (of_models["region"] == ALL) & (of_models["subject"] != ALL)
    subjects = of_models[own].groupby(list(CELL[:3]), sort=False)
    of_subjects = {tuple(map(str, names)): part for names, part in subjects}
    for (encoder, readout), part in rows.groupby(["encoder", "readout"], sort=False):
        models = tuple(part["features"].unique())
        single = [
            _of_dataset(
                own,
                models,
                replicates,
                (str(encoder), str(readout), str(dataset)),
                of_subjects.get((str(dataset), str(encoder), str(readout))),
            )
            for dataset, own in part.groupby("dataset", sort=False)
        ]
        yield from single
        collections = part.drop_duplicates("dataset")["collection"].tolist()
        yield _average(single, average_weights(collections), len(set(collections)))


def averages_table(groups: Iterable[ModelScores]) -> pd.DataFrame:
    """Return each model's average over data sets: a row for each encoder, readout and model that has one.

    An average is the mean over collections of their mean over data sets, see `model_scores`; `datasets` and
    `collections` say of how many, `simulated` which share of the data sets is. r_low … normalised_high are percentile
    intervals of the averaged replicates, with ceilings held fixed, empty where there are none. `layer_choice` says how
    the layers were chosen whose scores are averaged. Where a method has a single data set there is no row, as its
    average would repeat it.
    """
    columns = ["dataset", "simulated", "encoder", "readout", "features", "layer_choice"]
    columns += [f"{measure}{end}" for measure in ("r", "normalised") for end in ("", "_low", "_high")]
    parts = [pd.DataFrame(columns=[*columns, "datasets", "collections"])]
    for scores in groups:
        if scores.dataset != AVERAGE or len(scores.parts) < 2:
            continue
        found: dict[str, Any] = {"dataset": AVERAGE, "simulated": scores.simulated, "features": list(scores.models)}
        found |= {"encoder": scores.encoder, "readout": scores.readout, "layer_choice": scores.layer_choice}
        found |= {"datasets": len(scores.parts), "collections": scores.collections}
        values = (("r", scores.r, scores.replicates), ("normalised", scores.normalised, scores.normalised_replicates))
        for measure, value, replicates in values:
            low, high = percentile_interval(replicates)
            found |= {measure: value, f"{measure}_low": low, f"{measure}_high": high}
        parts.append(pd.DataFrame(found)[parts[0].columns].dropna(subset=["r"]))
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def mixed_choice(choices: Iterable[str]) -> str:
    """Return the way in which layers were chosen, or all of them where they differ.

    >>> mixed_choice(["best", "best"])
    'best'
    >>> mixed_choice(["nested", "dataset:one", "nested"])
    'mixed: nested, dataset:one'
    """
    each = [way for choice in choices for way in choice.removeprefix(_MIXED).split(", ")]
    ways = list(dict.fromkeys(each))
    return f"{_MIXED}{', '.join(ways)}" if len(ways) > 1 else "".join(ways)


def average_weights(collections: Sequence[str]) -> np.ndarray:
    """Return each data set's weight in the mean over collections of their mean over data sets: (data set,).

    >>> average_weights(["pereira2018", "pereira2018", "blank2014"]).tolist()
    [0.25, 0.25, 0.5]
    """
    sizes = pd.Series(list(collections)).value_counts()
    return np.array([1.0 / (len(sizes) * sizes[name]) for name in collections])


def _of_dataset(
    rows: pd.DataFrame,
    models: tuple[str, ...],
    replicates: Replicates,
    names: tuple[str, str, str],
    of_subjects: pd.DataFrame | None,
) -> ModelScores:
    encoder, readout, dataset = names
    rows = rows.set_index("features").reindex(list(models))
    draws = max((len(values) for values in replicates.values()), default=0)
    none = np.full(draws, np.nan)
    drawn = np.stack([replicates.get((dataset, encoder, readout, model), none) for model in models], axis=1)
    r, ceiling = rows["r"].to_numpy(np.float64), rows["ceiling"].to_numpy(np.float64)
    ceiling = np.where(ceiling > 0, ceiling, np.nan)
    normalised, normalised_replicates = r / ceiling, drawn / ceiling
    if "normalised_by" in rows:
        by_neuroid = (rows["normalised_by"] == BY_NEUROID).to_numpy(dtype=bool)
        normalised = np.where(by_neuroid, rows["normalised"].to_numpy(np.float64), normalised)
        normalised_replicates = np.where(by_neuroid, np.nan, normalised_replicates)
    simulated = float(rows["simulated"].max())
    subjects = np.empty((0, len(models)))
    if of_subjects is not None:
        table = of_subjects.pivot(index="subject", columns="features", values="r")
        subjects = table.reindex(columns=list(models)).to_numpy(np.float64)
    choice = mixed_choice(rows["layer_choice"].dropna()) if "layer_choice" in rows else ""
    return ModelScores(
        encoder,
        readout,
        dataset,
        models,
        r,
        drawn,
        normalised,
        normalised_replicates,
        simulated,
        subjects,
        layer_choice=choice,
    )


def _average(single: Sequence[ModelScores], weights: np.ndarray, collections: int) -> ModelScores:
    def mean(field: str) -> np.ndarray:
        return np.tensordot(weights, np.stack([getattr(scores, field) for scores in single]), axes=1)

    first = single[0]
    return ModelScores(
        first.encoder,
        first.readout,
        AVERAGE,
        first.models,
        mean("r"),
        mean("replicates"),
        mean("normalised"),
        mean("normalised_replicates"),
        float(np.mean([scores.simulated for scores in single])),
        np.empty((0, len(first.models))),
        tuple(zip(single, map(float, weights), strict=True)),
        collections,
        mixed_choice(scores.layer_choice for scores in single),
    )
