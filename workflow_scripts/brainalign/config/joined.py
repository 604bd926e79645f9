"""What follows from data sets that are others joined, and from encoders that are not for all data sets."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from brainalign.config.base import refers
from brainalign.config.data import Dataset, JoinedDataset, SimulatedDataset, StimuliDataset, TableDataset
from brainalign.config.encoders import FixedSplit
from brainalign.joined_ids import COLUMN

if TYPE_CHECKING:
    from brainalign.config.study import Study


def with_responses(study: "Study") -> list[str]:
    """Return the names of the data sets that have responses."""
    return [name for name, entry in study.datasets.items() if not isinstance(entry, StimuliDataset)]


def scored_by(study: "Study", encoder: str) -> list[str]:
    """Return the names of the data sets that an encoder is for: all but joined ones, unless it names its own."""
    asked = study.encoders[encoder].datasets
    if asked is not None:
        return [name for name in with_responses(study) if name in asked]
    return [name for name in with_responses(study) if not isinstance(study.datasets[name], JoinedDataset)]


def covered_by(study: "Study", features: str) -> list[str]:
    """Return the data sets with responses that a model or an entry of `features` is for, whatever it is joined with.

    An entry that names its data sets covers one that is joined of them, too.
    """
    asked = getattr(study.features.get(features), "datasets", None)
    known = with_responses(study)
    return [name for name in known if not asked or name in asked or {*parts(study, name)} <= {*asked}]


def parts(study: "Study", dataset: str) -> dict[str, Dataset]:
    """Return the data sets, by name, that a joined one is made of; of any other data set, itself."""
    entry = study.datasets[dataset]
    if not isinstance(entry, JoinedDataset):
        return {dataset: entry}
    return {name: study.datasets[name] for name in entry.datasets if name in study.datasets}


def tables_of(study: "Study", encoder: str) -> Iterator[tuple[str, SimulatedDataset | TableDataset, bool]]:
    """Yield the data sets that an encoder is for, joined ones by their parts: name, entry, whether it is a part."""
    for dataset in scored_by(study, encoder):
        for name, entry in parts(study, dataset).items():
            if isinstance(entry, SimulatedDataset | TableDataset):
                yield name, entry, name != dataset


def impossible_joins(study: "Study") -> Iterator[str]:
    """Yield a sentence for each mistake about data sets that are joined, and about what encoders are for."""
    for name, entry in study.datasets.items():
        if isinstance(entry, JoinedDataset):
            yield from _impossible_parts(f"datasets.{name}.datasets", name, entry, study)
            if not any(name in (encoder.datasets or []) for encoder in study.encoders.values()):
                yield (
                    f"datasets.{name}: no encoder is for this joined data set; name it in one, as "
                    f"encoders.across: {{regression: ridge, datasets: [{name}], split: {{kind: fixed, column: dataset, "
                    f"train: {entry.datasets[0]}, test: {entry.datasets[-1]}}}}}."
                )
    for name, encoder in study.encoders.items():
        for dataset in encoder.datasets or []:
            yield from refers(f"encoders.{name}.datasets", dataset, with_responses(study), "data set with responses")
        if isinstance(encoder.split, FixedSplit) and encoder.split.column == COLUMN:
            for dataset in scored_by(study, name):
                yield from _no_parts(f"encoders.{name}.split", encoder.split, dataset, study)


def impossible_layer_choices(study: "Study") -> Iterator[str]:
    """Yield a sentence for each encoder whose layer cannot be chosen by the data set that it names.

    A data set that shares samples with another would choose the other's layer by samples of its test sets.
    """
    for name, encoder in study.encoders.items():
        by = None if isinstance(encoder.layer, str) else encoder.layer.dataset
        if by is None:
            continue
        key, scored = f"encoders.{name}.layer.dataset", scored_by(study, name)
        yield from refers(key, by, scored, "data set")
        for dataset in scored:
            shared = sorted({*parts(study, by)} & {*parts(study, dataset)}) if by in scored and dataset != by else []
            if shared:
                yield (
                    f"{key}: holds {by!r}, which shares the samples of {shared[0]!r} with {dataset!r}, for which the "
                    f"encoder is too, so that {dataset!r} would be tested on samples that chose its layer; leave one "
                    f"of both out of encoders.{name}.datasets, or name a data set of other samples."
                )


def _impossible_parts(key: str, own: str, joined: JoinedDataset, study: "Study") -> Iterator[str]:
    allowed = [name for name, entry in study.datasets.items() if isinstance(entry, TableDataset)]
    found: dict[str, TableDataset] = {}
    for name in joined.datasets:
        entry = study.datasets.get(name)
        if name == own:
            yield f"{key}: holds {name!r}, its own name; a data set is not joined with itself."
        elif isinstance(entry, JoinedDataset):
            yield f"{key}: holds {name!r}, which is joined itself; name its parts, {', '.join(entry.datasets)}."
        elif isinstance(entry, StimuliDataset):
            yield f"{key}: holds {name!r}, which has stimuli and no responses."
        elif isinstance(entry, SimulatedDataset):
            yield f"{key}: holds {name!r}, which is simulated; its neuroids are those of no other data set."
        elif entry is None:
            yield from refers(key, name, allowed, "data set of the loader table")
        elif not _names_neuroids(entry):
            yield (
                f"{key}: holds {name!r}, whose neuroids are only numbered, but neuroids are joined by their ids; "
                f"name them by datasets.{name}.neuroid_table."
            )
        else:
            found[name] = entry
    series = [name for name, entry in found.items() if entry.onset_s and not entry.samples]
    others = [name for name, entry in found.items() if not entry.onset_s and not entry.samples]
    if series and others:
        yield f"{key}: {series[0]!r} is a series with onsets and {others[0]!r} is not; delays could not be the same."


def _names_neuroids(entry: TableDataset) -> bool:
    return bool(entry.neuroid_table) or entry.responses_by_ids


def _no_parts(key: str, split: FixedSplit, dataset: str, study: "Study") -> Iterator[str]:
    """Yield a sentence for each value of a split by data set that names no part of a joined one."""
    entry = study.datasets[dataset]
    if not isinstance(entry, JoinedDataset):
        return  # that it has no such column is said where columns are looked at
    for setting, given in (("train", split.train), ("test", split.test)):
        for value in given if isinstance(given, list) else [given]:
            yield from refers(f"{key}.{setting}", str(value), entry.datasets, f"part of the data set {dataset!r}")
