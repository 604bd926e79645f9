"""A finished study's folder as an RO-Crate: what its files hold, what made them, and who to cite.

RO-Crate (Soiland-Reyes et al. 2022, doi:10.3233/DS-210053) is JSON-LD in `ro-crate-metadata.json`, which repositories
such as Zenodo and WorkflowHub read.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brainalign.errors import InputError
from brainalign.provenance import canonical
from brainalign.storage import file_digest

if TYPE_CHECKING:
    from rocrate.model.contextentity import ContextEntity
    from rocrate.rocrate import ROCrate

NO_LICENCE = "No licence has been stated for these results."
VERSION = "1.1"  # of RO-Crate: the one that repositories read today
_FORMATS = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".parquet": "application/vnd.apache.parquet",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".h5": "application/x-hdf5",
    ".html": "text/html",
    ".txt": "text/plain",
}
_DESCRIPTIONS = {
    "alignment.csv": "Scores of every layer, subject and region, with intervals, ceilings and nulls.",
    "averages.csv": "Each model's scores averaged over data sets, with intervals.",
    "similarity.csv": "Representational similarity of every layer, subject and region.",
    "behavior.csv": "How well models predict reading times.",
    "properties.csv": "The models: family, kind, base, size, losses and other numbers.",
    "property_sources.csv": "Where each number about a model is from.",
    "correlations.csv": "Correlations of alignment with properties over models.",
    "controlled_correlations.csv": "Correlations that hold other properties or the family fixed.",
    "pairs.csv": "Instruction-tuned models against the models that they were tuned from.",
    "reproduced.csv": "Published figures beside those of this study.",
    "report/summary.html": "The front page of the report: headline numbers, warnings, citations.",
    "report/methods.txt": "The methods as they were run.",
    "replicates.h5": "Bootstrap replicates of the chosen layers' scores, draw × cell.",
    "config.json": "The study's config as it was run, defaults filled in.",
    "export/scores.csv": "All scores as one long table, one row for each number.",
    "export/scores.parquet": "All scores as one long table, one row for each number.",
}


@dataclass(frozen=True)
class Software:
    """What CITATION.cff says of the software: title, version, licence, and its authors' names.

    people : (name, whether it is a person's) for each author.
    """

    title: str
    version: str
    licence: str
    people: tuple[tuple[str, bool], ...]


def read_citation(text: str) -> Software:
    """Read the text of a CITATION.cff (Citation File Format 1.2).

    Raises
    ------
    InputError : not YAML with a title and authors.
    """
    import yaml

    try:
        content = yaml.safe_load(text)
        authors = [
            (str(entry["name"]), False)
            if "name" in entry
            else (" ".join(str(entry[key]) for key in ("given-names", "family-names") if key in entry), True)
            for entry in content["authors"]
        ]
        title = str(content["title"])
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise InputError(f"CITATION.cff is to hold a title and authors, but it cannot be read so ({error}).") from None
    return Software(title, str(content.get("version", "")), str(content.get("license", "")), tuple(authors))


def config_digest(config: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a resolved config, whatever the order of its keys."""
    return hashlib.sha256(canonical(config).encode()).hexdigest()


def describe(
    folder: Path,
    files: Sequence[Path],
    config: Mapping[str, Any],
    software: Software,
    date: str,
    licence: str | None = None,
) -> str:
    """Return the text of `ro-crate-metadata.json` for a study's folder.

    Each file has its size, SHA-256 and format; each that has a record beside it (`<name>.provenance.json`) is the
    result of an action with the stage's code and the libraries' versions. Everything but the date follows from the
    files and the arguments.

    Parameters
    ----------
    folder : the crate's root; files : in it, each listed once.
    config : of the study; its name and the citations of its data and texts are taken.
    date : of publication, ISO 8601.
    licence : a URL or name; `NO_LICENCE` stands there without one, as RO-Crate asks for something.

    Raises
    ------
    InputError : a file outside the folder, or twice.
    """
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version=VERSION)
    study = str(config.get("study", folder.name))
    crate.name = f"brainalign study {study}"
    crate.description = (
        f"Scores of the study {study!r}: how well language models predict human brain activity and reading behaviour, "
        "and what about the models explains it."
    )
    crate.root_dataset["datePublished"] = date
    crate.license = licence or NO_LICENCE
    people = [_person(crate, *person) for person in software.people]
    crate.root_dataset["creator"] = people
    program = _program(crate, software, people)
    cited = [*_citations(crate, config)]
    if cited:
        crate.root_dataset["citation"] = cited
    places = [_place(folder, file) for file in files]
    for place in places:
        if places.count(place) > 1:
            raise InputError(f"the file {place} is to be described twice.")
    for place in sorted(places):
        _add_file(crate, folder, place, program)
    return _text(crate)


def _place(folder: Path, file: Path) -> str:
    try:
        return file.resolve().relative_to(folder.resolve()).as_posix()
    except ValueError:
        raise InputError(f"{file} does not lie in {folder}, which is to be described.") from None


def _add_file(crate: "ROCrate", folder: Path, place: str, program: "ContextEntity") -> None:
    path = folder / place
    facts: dict[str, Any] = {
        "name": place,
        "contentSize": str(path.stat().st_size),
        "sha256": file_digest(path),
        "encodingFormat": _FORMATS.get(path.suffix, "application/octet-stream"),
    }
    description = _DESCRIPTIONS.get(place) or _of_figure(path, place)
    facts |= {"description": description} if description else {}
    entity = crate.add_file(path, place, properties=facts)
    record = path.with_name(f"{path.name}.provenance.json")
    if record.is_file():
        made = json.loads(record.read_text(encoding="utf-8"))
        libraries = [_library(crate, name, version) for name, version in sorted(made.get("versions", {}).items())]
        action = {"@type": "CreateAction", "name": str(made.get("stage", "")), "result": entity}
        action |= {"instrument": [program, *libraries], "description": f"code {made.get('code', '')}"}
        crate.add(_entity(crate, f"#made-{place}", action))


def _of_figure(path: Path, place: str) -> str:
    if not place.startswith("figures/"):
        return ""
    return f"The table that the figure {path.stem} shows." if path.suffix == ".csv" else f"The figure {path.stem}."


def _program(crate: "ROCrate", software: Software, people: "list[ContextEntity]") -> "ContextEntity":
    facts = {"@type": "SoftwareApplication", "name": software.title, "softwareVersion": software.version}
    facts |= {"license": software.licence} if software.licence else {}
    return crate.add(_entity(crate, "#brainalign", facts | {"author": people}))


def _library(crate: "ROCrate", name: str, version: str) -> "ContextEntity":
    identifier = f"#{name}-{version}"
    known = crate.get(identifier)
    facts = {"@type": "SoftwareApplication", "name": name, "softwareVersion": version}
    return known or crate.add(_entity(crate, identifier, facts))


def _person(crate: "ROCrate", name: str, is_person: bool) -> "ContextEntity":
    kind = "Person" if is_person else "Organization"
    return crate.add(_entity(crate, f"#{name.replace(' ', '-')}", {"@type": kind, "name": name}))


def _citations(crate: "ROCrate", config: Mapping[str, Any]) -> "Iterable[ContextEntity]":
    """Yield what the config says of how to cite its data and texts, each citation once."""
    entries = [entry for section in ("datasets", "published", "texts") for entry in config.get(section, {}).items()]
    cited = {entry["citation"]: name for name, entry in reversed(entries) if entry.get("citation")}
    for text, name in sorted(cited.items(), key=lambda item: item[1]):
        facts = {"@type": "CreativeWork", "name": text, "description": f"cited for {name}"}
        yield crate.add(_entity(crate, f"#cited-{name}", facts))


def _entity(crate: "ROCrate", identifier: str, facts: Mapping[str, Any]) -> "ContextEntity":
    from rocrate.model.contextentity import ContextEntity

    return ContextEntity(crate, identifier, properties=dict(facts))


def _text(crate: "ROCrate") -> str:
    """Return the crate's JSON-LD, its entities in the order in which they were added."""
    return json.dumps(crate.metadata.generate(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
