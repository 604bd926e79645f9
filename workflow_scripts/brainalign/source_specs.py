"""Which sources a study has, and what the stage that fetches them is allowed to know (see `specs`)."""

from brainalign.config.data import Dataset, SimulatedDataset, StimuliDataset, TableDataset
from brainalign.config.models import FileText, SimulatedText, WikiText
from brainalign.config.study import Study
from brainalign.specs import Digest, Spec


def sources(study: Study) -> list[str]:
    """Return the names of all sources: of texts, of simulated data sets, and of the files that users give for others.

    The files of a data set that one stage reads are a source of their own, as "mine/responses": no job runs again for a
    change in what another stage reads, no model for other responses, no fit for other ceilings.
    """
    simulated = [name for name, entry in study.datasets.items() if isinstance(entry, SimulatedDataset)]
    given = [f"{name}/{stage}" for name, entry in study.datasets.items() for stage in _files_by_stage(entry)]
    return [*study.texts, *simulated, *given]


def read_by(study: Study, dataset: str, stage: str) -> str:
    """Return the source of what a stage reads of a data set; a simulation is one, whatever stage reads it."""
    simulated = isinstance(study.datasets[dataset], SimulatedDataset) and stage != "ceilings"
    return dataset if simulated else f"{dataset}/{stage}"


def source(study: Study, source: str, digest: Digest) -> Spec:
    """A source's files: how they are made, or the SHA-256 of each that is copied."""
    name, _, stage = source.partition("/")
    entry = study.datasets.get(name) or study.texts[name]
    if isinstance(entry, SimulatedDataset) and not stage:
        sizes = {"passages": ["passages", "sentences"], "stories": ["stories", "time_points"]}[entry.kind]
        names = ["world", "seed", "subjects", "neuroids", *sizes]
        return {
            "loader": "simulated",
            "settings": {"kind": entry.kind} | {name: getattr(entry, name) for name in names},
        }
    if isinstance(entry, WikiText):
        return {"loader": "wikitext", "settings": {"sha256": digest(entry.file), "detokenise": entry.detokenise}}
    if isinstance(entry, SimulatedText):
        names = ["kind", "world", "seed", "count"]
        return {"loader": "simulated", "settings": {name: getattr(entry, name) for name in names}}
    copied = {role: digest(path) for role, path in files(study, source).items()}
    return {"loader": "table", "settings": {"files": copied}}


def files(study: Study, source: str) -> dict[str, str]:
    """Return role → path of the user's files behind a source; nothing for what is simulated."""
    name, _, stage = source.partition("/")
    if stage:
        return _files_by_stage(study.datasets[name])[stage]
    entry = study.texts.get(name)
    if isinstance(entry, FileText):
        return {"documents": entry.file}
    if isinstance(entry, WikiText):
        return {"original": entry.file}
    return {}


def _files_by_stage(entry: Dataset) -> dict[str, dict[str, str]]:
    """Return stage → role → path of the user's files that each stage reads of a data set; no stage that reads none."""
    read = {}
    if isinstance(entry, TableDataset | StimuliDataset):
        read["stimuli"] = {"stimuli": entry.stimuli}
    if isinstance(entry, TableDataset):
        tables = {"neuroids": entry.neuroid_table, "samples": entry.samples, "map": entry.map}
        given = {role: path for role, path in tables.items() if path is not None}
        read["responses"] = {"responses": entry.responses} | given
    if entry.ceilings.given:
        read["ceilings"] = {"ceilings": entry.ceilings.given.table}
    return read
