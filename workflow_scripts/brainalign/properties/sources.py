"""What is known of each model from elsewhere, where it is from, and which source counts where there are several."""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd

from brainalign.errors import InputError
from brainalign.given_tables import need_columns, read_given_table
from brainalign.properties.agreement import check_agreement
from brainalign.properties.harness import Result, Wanted, score_of

_ABOUT = ("source", "task_version", "shots", "filter", "items", "date")  # columns of a table that say where it is from
_COUNTS = ("shots", "items")
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PropertyValue:
    """One number of one model, and where it is from; what is not known is empty.

    chat_template : the first digits of its SHA-256, or "" where none was used or none can have been.
    origin : "values", "table", "files", "evaluation" (the keys of the config by which it came), "sizes", "losses" or
    "training_tokens".
    """

    model: str
    property: str
    value: float
    source: str = ""
    task_version: str = ""
    shots: int | None = None
    filter: str = ""
    items: int | None = None
    date: str = ""
    task: str = ""
    metric: str = ""
    weighting: str = ""
    limit: float | None = None
    harness: str = ""
    chat_template: str = ""
    origin: str = ""


COLUMNS = [field.name for field in fields(PropertyValue)]


def given_values(name: str, values: Mapping[str, float], about: Mapping[str, Any]) -> list[PropertyValue]:
    """Return the numbers that stand in the config; `about` has what of `PropertyValue` holds for all of them."""
    source = {"source": "the study's config"} | {key: value for key, value in about.items() if value is not None}
    return [PropertyValue(model, name, float(value), origin="values", **source) for model, value in values.items()]


def table_values(
    name: str, path: Path, label: str, columns: Mapping[str, str], models: Sequence[str], about: Mapping[str, Any]
) -> list[PropertyValue]:
    """Return the numbers of a table of one row per model; models that the study does not name are passed over.

    Parameters
    ----------
    label : how sentences and tables name the file.
    columns : `model` and `value`, the names of the two columns. Those named source, task_version, shots, filter, items
        and date are read where they are there, and come before what `about` says of all.

    Raises
    ------
    InputError : a missing column, a model twice, a value that is no finite number, or none of the study's models.
    """
    table = read_given_table(path)
    need_columns(path, table, list(columns.values()))
    names = table[columns["model"]]
    if names.duplicated().any():
        raise InputError(f"{label}: the model {names[names.duplicated()].iloc[0]!r} comes more than once.")
    strangers = sorted(set(names) - set(models) - {""})
    if strangers:
        _logger.info("%s: passed over, as no models of the study: %s", label, ", ".join(strangers))
    if not set(names) & set(models):
        raise InputError(f"{label}: none of its models ({', '.join(strangers[:5])}, …) is one of the study's.")
    shared = {"source": label} | {key: value for key, value in about.items() if value is not None}
    found = []
    for row in table[names.isin(list(models))].to_dict("records"):
        model, cell = row[columns["model"]], row[columns["value"]]
        if cell == "":
            continue
        own = {key: row[key] for key in _ABOUT if row.get(key)}
        own |= {key: int(_finite(label, model, key, own[key])) for key in _COUNTS if key in own}
        number = _finite(label, model, columns["value"], cell)
        found.append(PropertyValue(model, name, number, origin="table", **{**shared, **own}))
    return found


def harness_values(name: str, results: Mapping[str, Result], wanted: Wanted, origin: str) -> list[PropertyValue]:
    """Return the scores of result files, which must have been made in the same way.

    Parameters
    ----------
    results : model → file.

    Raises
    ------
    InputError : see `harness.score_of` and `agreement.check_agreement`.
    """
    scores = {model: score_of(result, wanted) for model, result in results.items()}
    check_agreement([(results[model], score) for model, score in scores.items()], wanted.category or wanted.task)
    return [
        PropertyValue(
            model,
            name,
            score.value,
            source=results[model].label,
            task_version=score.task_version,
            shots=score.shots,
            filter=wanted.filter,
            items=score.items,
            date=score.date,
            task=wanted.category or wanted.task,
            metric=wanted.metric,
            weighting=score.weighting,
            limit=wanted.limit,
            harness=score.harness,
            chat_template=score.asked.chat_template[:12],
            origin=origin,
        )
        for model, score in scores.items()
    ]


def one_each(values: Iterable[PropertyValue], prefer: str | None) -> list[PropertyValue]:
    """Return one value for each model, that of the preferred origin where there are several.

    Raises
    ------
    InputError : a model with two sources, of which none is chosen.
    """
    of_models: dict[str, list[PropertyValue]] = {}
    for value in values:
        of_models.setdefault(value.model, []).append(value)
    chosen = []
    for model, found in of_models.items():
        counting = [value for value in found if value.origin == prefer] or found
        if len(counting) > 1:
            first, second = counting[:2]
            raise InputError(
                f"the property {first.property!r} of the model {model!r} has two sources, {first.source} "
                f"({first.value:g}) and {second.source} ({second.value:g}); leave one out, or say which counts: "
                f"`prefer: {first.origin}` or `prefer: {second.origin}`."
            )
        chosen += counting
    return chosen


def check_fractions(values: Iterable[PropertyValue]) -> None:
    """Raise InputError for the first value that is no fraction."""
    for value in values:
        if not 0 <= value.value <= 1:
            hint = "; a percentage has to be divided by 100" if 1 < value.value <= 100 else ""
            raise InputError(
                f"the property {value.property!r} of the model {value.model!r} is {value.value:g} ({value.source}); "
                f"a fraction lies between 0 and 1{hint}."
            )


def check_one_unit(values: Iterable[PropertyValue]) -> None:
    """Raise InputError where some values of one property look like fractions and others like percentages.

    They do where one lies in (0, 1], one above 10, and none above 100 or below 0. Losses and ratios around 1 pass.
    """
    known = sorted(values, key=lambda value: value.value)
    if not known or known[0].value < 0 or not 10 < known[-1].value <= 100:
        return
    low, high = next((value for value in known if value.value > 0), known[-1]), known[-1]
    if low.value <= 1:
        raise InputError(
            f"the property {low.property!r} is {low.value:g} of the model {low.model!r} ({low.source}), but "
            f"{high.value:g} of {high.model!r} ({high.source}), as if one were a fraction and the other a percentage; "
            f"give both in one unit, or say `units: number` if they are."
        )


def say_who_lacks(name: str, values: Iterable[PropertyValue], models: Iterable[str]) -> None:
    """Log the models without a value, which no correlation with this property will hold."""
    has = {value.model for value in values}
    lacking = [model for model in models if model not in has]
    if lacking:
        _logger.info("no %s is known of %s", name, ", ".join(lacking))


def sources_table(values: Iterable[PropertyValue], models: Sequence[str]) -> pd.DataFrame:
    """Return a row for each value, in the order of the models and then of the properties as they come."""
    rows = [asdict(value) for value in sorted(values, key=lambda value: models.index(value.model))]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"shots": "Int64", "items": "Int64"})


def renamed(values: Iterable[PropertyValue], source: str | None) -> list[PropertyValue]:
    """Return values with what the study says of their source before the name of the file that they are from."""
    return [replace(value, source=f"{source} ({value.source})") if source else value for value in values]


def _finite(label: str, model: str, column: str, cell: str) -> float:
    try:
        number = float(cell)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{label}: {column!r} of the model {model!r} holds {cell!r}; a finite number is needed.")
    return number
