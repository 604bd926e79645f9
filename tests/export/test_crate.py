"""The description of a study's folder: read back with rocrate, and true to the files."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from rocrate.rocrate import ROCrate

from brainalign.errors import InputError
from brainalign.export.crate import NO_LICENCE, Software, config_digest, describe, read_citation
from brainalign.provenance import Provenance
from brainalign.stages.describe_study import describe_study

ROOT = Path(__file__).parents[2]
METADATA = "ro-crate-metadata.json"
SOFTWARE = Software("brainalign", "0.1.0", "MIT", (("The developers", False), ("Ada Lovelace", True)))
CONFIG: dict[str, Any] = {
    "study": "mine",
    "datasets": {"b": {"citation": "Blank 2014"}, "p": {"citation": "Pereira 2018"}, "q": {"citation": "Pereira 2018"}},
    "published": {"w": {"citation": None}},
    "texts": {"wikitext2": {"citation": "Merity 2017"}, "world": {"citation": None}},
}
RECORD = {"stage": "join_study", "code": "join_study@1", "versions": {"numpy": "2.4.6", "pandas": "3.1.1"}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "a study"
    (folder / "figures").mkdir(parents=True)
    texts = {
        "alignment.csv": "r\n0.1\n",
        "pairs.csv": "d\n0\n",
        "property_sources.csv": "m\n",
        "figures/layers.png": "png",
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    for name in ("alignment.csv", "pairs.csv"):
        (folder / f"{name}.provenance.json").write_text(json.dumps(RECORD))
    return folder


def described(folder: Path, **options: Any) -> str:
    files = [folder / name for name in ("pairs.csv", "alignment.csv", "property_sources.csv", "figures/layers.png")]
    return describe(folder, files, CONFIG, SOFTWARE, "2026-01-31", **options)


def test_it_is_read_back_with_everything_in_it(folder: Path) -> None:
    (folder / METADATA).write_text(described(folder, licence="https://creativecommons.org/licenses/by/4.0/"))
    crate = ROCrate(folder)
    root = crate.root_dataset
    assert (crate.name, root["datePublished"]) == ("brainalign study mine", "2026-01-31")
    assert root["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert [(person["name"], person.type) for person in root["creator"]] == [
        ("The developers", "Organization"),
        ("Ada Lovelace", "Person"),
    ]
    assert [cited["name"] for cited in root["citation"]] == ["Blank 2014", "Pereira 2018", "Merity 2017"]
    files = {entity.id: entity for entity in crate.data_entities}
    assert sorted(files) == ["alignment.csv", "figures/layers.png", "pairs.csv", "property_sources.csv"]
    for name, entity in files.items():
        content = (folder / name).read_bytes()
        assert entity["sha256"] == hashlib.sha256(content).hexdigest()
        assert entity["contentSize"] == str(len(content))
    assert files["alignment.csv"]["encodingFormat"] == "text/csv"
    assert files["figures/layers.png"]["description"] == "The figure layers."
    assert files["property_sources.csv"]["description"] == "Where each number about a model is from."
    actions = [entity for entity in crate.contextual_entities if entity.type == "CreateAction"]
    assert {action["result"].id for action in actions} == {"alignment.csv", "pairs.csv"}
    made_with = {(tool["name"], tool["softwareVersion"]) for tool in actions[0]["instrument"]}
    assert made_with == {("brainalign", "0.1.0"), ("numpy", "2.4.6"), ("pandas", "3.1.1")}


def test_everything_that_is_referred_to_is_there(folder: Path) -> None:
    graph = json.loads(described(folder))["@graph"]
    known = {entity["@id"] for entity in graph}
    assert len(known) == len(graph)

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [value["@id"]] if set(value) == {"@id"} else [r for part in value.values() for r in references(part)]
        return [r for part in value for r in references(part)] if isinstance(value, list) else []

    pointed = {name for entity in graph for name in references(list(entity.values()))}
    assert {name for name in pointed if not name.startswith("https://")} <= known


def test_the_same_files_give_the_same_text_whatever_their_order(folder: Path) -> None:
    files = [folder / name for name in ("figures/layers.png", "property_sources.csv", "alignment.csv", "pairs.csv")]
    again = describe(folder, files, CONFIG, SOFTWARE, "2026-01-31")
    assert again == described(folder)
    (folder / "pairs.csv").write_text("d\n1\n")
    assert described(folder) != again


def test_without_a_licence_it_says_so(folder: Path) -> None:
    root = next(entity for entity in json.loads(described(folder))["@graph"] if entity["@id"] == "./")
    assert root["license"] == NO_LICENCE


def test_files_elsewhere_and_files_twice_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "else.csv").write_text("x\n")
    with pytest.raises(InputError, match="does not lie in"):
        describe(folder, [tmp_path / "else.csv"], CONFIG, SOFTWARE, "2026-01-31")
    with pytest.raises(InputError, match=r"pairs\.csv is to be described twice"):
        describe(folder, [folder / "pairs.csv", folder / "pairs.csv"], CONFIG, SOFTWARE, "2026-01-31")


def test_the_citation_file_of_this_project_is_read() -> None:
    software = read_citation((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert software.title.startswith("brainalign")
    assert software.people
    assert software.version


@pytest.mark.parametrize("text", ["title: x\n", "- a\n", "{", "title: x\nauthors: [{}]\nversion: {"])
def test_another_file_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"CITATION\.cff is to hold a title and authors"):
        read_citation(text)


def test_people_have_their_names_in_order() -> None:
    text = "title: x\nauthors:\n - {family-names: Lovelace, given-names: Ada}\n - {name: A Group}\n"
    assert read_citation(text) == Software("x", "", "", (("Ada Lovelace", True), ("A Group", False)))


def test_the_stage_describes_the_config_of_the_run_and_refuses_another(folder: Path) -> None:
    config, citation = folder / "config.json", folder / "CITATION.cff"
    config.write_text(json.dumps(CONFIG, indent=2))
    citation.write_text("title: x\nauthors: [{name: us}]\n")
    spec = {"config": config_digest(dict(reversed(CONFIG.items()))), "license": None, "citation": "…"}
    provenance, out = Provenance("describe_study", spec, "c"), folder / METADATA
    describe_study(spec, provenance, [folder / "pairs.csv"], config, citation, out)
    assert {entity.id for entity in ROCrate(folder).data_entities} == {"pairs.csv", "config.json"}
    config.write_text(json.dumps(CONFIG | {"study": "other"}))
    with pytest.raises(InputError, match="is not the config of this run"):
        describe_study(spec, provenance, [folder / "pairs.csv"], config, citation, out)
