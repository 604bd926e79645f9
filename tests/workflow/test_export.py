"""The export of a study is made when it is asked for, follows what it holds, and nothing follows it."""

import json

import pandas as pd
import pytest
from rocrate.rocrate import ROCrate

from workflow.project import Job, Project

STUDY = "small"
EXPORT = {("export_scores", STUDY), ("describe_study", STUDY)}


def _exported(jobs: set[Job]) -> set[str]:
    return {job[0] for job in jobs} & {"export_scores", "describe_study"}


def test_it_is_made_on_request_and_again_after_what_it_holds_and_nothing_else(project: Project) -> None:
    assert project.plan() == set()
    assert project.plan(target="export") == EXPORT
    project.run("export")
    folder = project.path / "results" / "studies" / STUDY
    table = pd.read_csv(folder / "export" / "scores.csv", low_memory=False)
    assert {"alignment", "properties", "correlations", "pairs"} <= set(table["table"])
    crate = ROCrate(folder)
    described = {entity.id for entity in crate.data_entities}
    assert {
        "alignment.csv",
        "property_sources.csv",
        "config.json",
        "export/scores.parquet",
        "figures/layers.png",
    } <= described
    assert all((folder / name).is_file() for name in described)
    assert project.plan(target="export") == set()

    project.edit("CITATION.cff", "version: 0.1.0", "version: 0.1.1")
    assert _exported(project.plan(target="export")) == {"describe_study"}
    project.run()
    project.edit("config.yaml", "study: small", "study: small\nlicense: CC-BY-4.0")
    assert project.plan() == set()
    assert project.plan(target="export") == {("describe_study", STUDY)}
    project.run("export")
    described = json.loads((folder / "ro-crate-metadata.json").read_text())["@graph"]
    root = next(entity for entity in described if entity["@id"] == "./")
    assert root["license"] == "CC-BY-4.0"

    project.edit("workflow_scripts/brainalign/export/scores.py", "", "\nEXTRA = 1\n")
    assert project.plan(target="export") == EXPORT
    assert project.plan() == set()


def test_a_further_model_reruns_its_own_cells_and_the_joins(project: Project) -> None:
    project.run("export")
    mine = "  mine: {source: mine/model, family: g"
    project.edit("config.yaml", mine, f"  more: {{source: mine/model, family: g, kind: vanilla}}\n{mine}")
    everything, exported = project.plan(), project.plan(target="export")
    assert exported - everything == EXPORT
    assert exported - EXPORT <= everything
    beside = {job for job in everything if "more" not in job}
    assert {job[0] for job in beside if STUDY not in job[1:]} == set()


@pytest.mark.parametrize("figure", ["layers"])
def test_a_figure_is_described_and_does_not_rerun_the_scores(project: Project, figure: str) -> None:
    project.run("export")
    project.edit(f"workflow_scripts/brainalign/figures/{figure}.py", "", "\nEXTRA = 1\n")
    assert _exported(project.plan(target="export")) == {"describe_study"}
