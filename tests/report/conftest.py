"""The tables and settings of an invented study, as the report's stage gets them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from brainalign import study_specs
from brainalign.config.study import read_study
from brainalign.report.summary import ReportTables
from brainalign.tables import read_table
from invented_study import invent

SPLITS = {
    "controlled": {"regression": "ridge", "split": {"kind": "grouped", "folds": 6}, "layer": "nested"},
    "as-published": {"regression": "ols", "split": {"kind": "shuffle", "folds": 10}, "layer": "best"},
}


def settings(bases: Sequence[str] = ("tiny-1", "tiny-2", "tiny-3"), **changes: Any) -> dict[str, Any]:
    """The spec of the report of a study whose names are those of `invented_study`."""
    models: dict[str, Any] = {}
    for base in bases:
        train = {"text": "world", "width": 16, "layers": 2, "heads": 2, "steps": 10}
        models[base] = {"train": train, "family": "tiny", "kind": "vanilla", "untrained": {"seeds": [0]}}
        tune = {"text": "questions", "steps": 10}
        models[f"{base}-instruct"] = {"tune": tune, "family": "tiny", "kind": "instruction-tuned", "base": base}
    config = {
        "study": "invented",
        "texts": {
            "world": {"loader": "simulated", "kind": "documents", "seed": 1, "count": 9},
            "questions": {"loader": "simulated", "kind": "questions", "seed": 2, "count": 9},
        },
        "models": models,
        "losses": {"world-loss": {"text": "world"}},
        "features": {name: {"control": name} for name in ("position", "length", "autocorrelation")},
        "datasets": {
            "passages": {"loader": "simulated", "kind": "passages", "seed": 1, "citation": "Nobody 2026"},
            "stories": {"loader": "simulated", "kind": "stories", "seed": 2, "ceilings": {"known": {}}},
        },
        "readouts": {"last-token": {"context": "group", "pooling": "last"}},
        "encoders": {name: split | {"bootstrap": {"draws": 200, "seed": 0}} for name, split in SPLITS.items()},
        "analyses": {"correlate": ["log10_parameters", "world-loss"], "draws": 300},
    }
    return study_specs.report(read_study(config | changes), {"title": "brainalign", "version": "0.1.0"})


@dataclass(frozen=True)
class Invented:
    """The joined tables of an invented study, its settings, and where it lies."""

    folder: Path
    tables: ReportTables
    config: dict[str, Any]

    @property
    def four(self) -> tuple[Any, ...]:
        return self.tables.alignment, self.tables.properties, self.tables.correlations, self.tables.pairs

    def changed(self, **tables: Any) -> "Invented":
        return replace(self, tables=replace(self.tables, **tables))


def finished(folder: Path, sizes: Sequence[float] = (4.0, 4.5, 5.0), **options: Any) -> Invented:
    """Return a study of as many bases as there are sizes, with what its settings would be."""
    study = invent(folder, {"tiny": sizes}, **options).finish()
    names = ("alignment", "properties", "correlations", "pairs")
    read = (read_table(study.study / f"{name}.csv") for name in names)
    bases = [f"tiny-{number + 1}" for number in range(len(sizes))]
    of_nulls = {} if study.nulls else {"features": {}}
    return Invented(study.study, ReportTables(*read), settings(bases, **of_nulls)["config"])


@pytest.fixture(scope="session")
def invented(tmp_path_factory: pytest.TempPathFactory) -> Invented:
    return finished(tmp_path_factory.mktemp("invented"))


UNLIKE: dict[str, dict[str, Any]] = {
    "without nulls": {"nulls": ()},
    "of one fold": {"dependence": "one fold"},
    "of one base": {"sizes": (4.0,)},
    "below its nulls": {"level_of_nulls": 0.3},
}


@pytest.fixture(scope="session", params=["usual", *UNLIKE])
def unlike(
    request: pytest.FixtureRequest, invented: Invented, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Invented]:
    """Return in what a study is unlike the usual one, and that study."""
    if request.param == "usual":
        return request.param, invented
    return request.param, finished(tmp_path_factory.mktemp("unlike"), **UNLIKE[request.param])


@pytest.fixture
def with_alarm(invented: Invented) -> Callable[[str, dict[str, str]], Invented]:
    """Return a function that puts a text into the alarms of the rows that have these values."""

    def change(text: str, where: dict[str, str]) -> Invented:
        table = invented.tables.alignment.copy()
        chosen = (table[list(where)] == list(where.values())).all(axis=1)
        assert chosen.any()
        table["alarms"] = table["alarms"].where(~chosen, text)
        return invented.changed(alignment=table)

    return change
