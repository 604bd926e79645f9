"""The properties of a study's models from all their sources: config, tables, result files, evaluations run here."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from brainalign.properties.harness import Result, Wanted, read_result
from brainalign.properties.sources import (
    PropertyValue,
    check_fractions,
    check_one_unit,
    given_values,
    harness_values,
    one_each,
    renamed,
    say_who_lacks,
    sources_table,
    table_values,
)
from brainalign.row_labels import LOSS_UNITS, SPAN_UNITS
from brainalign.study import SIZES, properties_table

Files = Mapping[str, Path]


def gather(
    models: Mapping[str, Mapping[str, Any]],
    properties: Mapping[str, Mapping[str, Any]],
    files: Files,
    evaluations: Sequence[Path],
) -> list[PropertyValue]:
    """Return every value of every property, one for each model that has it.

    Parameters
    ----------
    models : name → `kind` and what else is known.
    properties : name → what the study says: `values` (model → number), `table` (file, model, value), `lm_eval` (task,
        metric, filter, category, weighting, shots, limit, and `files`, model → file, or `evaluation`, a name), `units`,
        `prefer`, and source, task_version, shots, date.
    files : a file's name as `properties` has it → where it is.
    evaluations : result files of evaluations run here; a file is its model, its folder the evaluation.

    Raises
    ------
    InputError : see `sources`.
    """
    found: list[PropertyValue] = []
    run: dict[str, dict[str, Path]] = {}
    for path in evaluations:
        run.setdefault(path.parent.name, {})[path.stem] = path
    for name, entry in properties.items():
        values = one_each(_values(name, entry, list(models), files, run), entry.get("prefer"))
        if entry.get("units") == "fraction":
            check_fractions(values)
        if entry.get("units") is None:
            check_one_unit(values)
        say_who_lacks(name, values, [model for model, known in models.items() if known["kind"] != "untrained"])
        found += values
    return found


def stated_values(
    models: Mapping[str, Mapping[str, Any]], sizes: Mapping[str, Mapping[str, Any]], names: Sequence[str]
) -> list[PropertyValue]:
    """Return each model's sizes, and the tokens that it was trained on where the study states them.

    Parameters
    ----------
    models : name → what the study says of it: `training_tokens` (tokens and source) or nothing.
    sizes : model → its manifest, or the sizes that the study states of a published model.
    names : of the sizes.
    """
    found = []
    for model, entry in models.items():
        known = sizes.get(model, {})
        source = _origin_of(known) if "source" in known else "stated by the study"
        found += [
            PropertyValue(model, name, float(known[name]), source=source, origin="sizes")
            for name in names
            if known.get(name) is not None
        ]
        stated = entry.get("training_tokens")
        if stated:
            tokens, source = float(stated["tokens"]), stated["source"]
            found.append(PropertyValue(model, "training_tokens", tokens, source=source, origin="training_tokens"))
    return found


def measured_values(losses: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[PropertyValue]:
    """Return the losses that were measured here, loss → model → record, in each unit that a record has.

    A record has `nats_per_token`, …; that of an encoder with a decoder has `span_nats_per_token`, …, which are values
    of other properties, since losses of the next word and of spans do not compare.
    """
    return [
        PropertyValue(
            model,
            f"{loss}_{unit}",
            float(record[unit]),
            source=_measurement(record),
            items=record.get(unit.partition("nats_per_")[2] + "s"),
            task=loss,
            metric=unit.replace("_", " "),
            origin="losses",
        )
        for loss, of_models in losses.items()
        for model, record in of_models.items()
        for unit in (*LOSS_UNITS, *SPAN_UNITS)
        if unit in record
    ]


def with_values(models: Mapping[str, Mapping[str, Any]], values: Iterable[PropertyValue]) -> dict[str, dict[str, Any]]:
    """Return what the study says of each model, with its values by the properties' names and plain training tokens."""
    known = {model: dict(entry) for model, entry in models.items()}
    for entry in known.values():
        entry["training_tokens"] = (entry.get("training_tokens") or {}).get("tokens")
    for value in values:
        known[value.model][value.property] = value.value
    return known


def joined_properties(
    models: Mapping[str, Mapping[str, Any]],
    properties: Mapping[str, Mapping[str, Any]],
    sizes: Mapping[str, Mapping[str, Any]],
    losses: Mapping[str, Mapping[str, Mapping[str, Any]]],
    files: Files,
    evaluations: Sequence[Path],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the table of all that is known of the models, a row each, and that of where every number is from.

    Parameters
    ----------
    models, properties, files, evaluations : as of `gather`.
    sizes : model → parameters, width, depth, vocabulary; losses : loss → model → record of a measurement.

    Raises
    ------
    InputError : see `sources`.
    """
    given = gather(models, properties, files, evaluations)
    values = [*stated_values(models, sizes, SIZES), *measured_values(losses), *given]
    table = properties_table(with_values(models, given), list(properties), sizes, losses)
    return table, sources_table(values, list(models))


def _origin_of(manifest: Mapping[str, Any]) -> str:
    repository, commit = manifest.get("repository"), manifest.get("commit")
    place = "made here" if manifest["source"] == "made" else "a folder"
    return f"config and headers of the weights, {f'{repository} at {str(commit)[:12]}' if repository else place}"


def _measurement(record: Mapping[str, Any]) -> str:
    told = [f"{key} {record[key]}" for key in ("window", "stride", "seed") if record.get(key) is not None]
    return ", ".join([f"measured here, {record.get('objective', 'next word')}", *told])


def _values(
    name: str,
    entry: Mapping[str, Any],
    models: Sequence[str],
    files: Files,
    run: Mapping[str, Mapping[str, Path]],
) -> list[PropertyValue]:
    about = {key: entry.get(key) for key in ("task_version", "shots", "date")}
    found = given_values(name, entry.get("values") or {}, {**about, "source": entry.get("source")})
    if "table" in entry:
        table = entry["table"]
        columns = {"model": table["model"], "value": table["value"]}
        of_table = table_values(name, files[table["file"]], table["file"], columns, models, about)
        found += renamed(of_table, entry.get("source"))
    if "lm_eval" in entry:
        asked = entry["lm_eval"]
        wanted = Wanted(**{field: asked[field] for field in Wanted.__dataclass_fields__ if field in asked})
        given = {model: read_result(files[path], path) for model, path in asked["files"].items()}
        made = run.get(asked.get("evaluation") or "", {})
        here = {model: read_result(path, "/".join(path.parts[-3:])) for model, path in made.items()}
        found += harness_values(name, given, wanted, "files") + harness_values(name, here, wanted, "evaluation")
        _check_together(name, given, here, wanted)
    return found


def _check_together(name: str, given: Mapping[str, Result], here: Mapping[str, Result], wanted: Wanted) -> None:
    """Check that files given and made here agree; where a model has both, only one of them will count."""
    others = {model: result for model, result in here.items() if model not in given}
    harness_values(name, {**given, **others}, wanted, "files")
