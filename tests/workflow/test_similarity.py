"""A study that asks for similarities gets their cells, their table and a new report, and nothing else runs."""

from pathlib import Path

from brainalign.tables import read_table
from workflow.project import Project

CELLS = {
    *(
        ("last", model, dataset)
        for model in ("small", "small-untrained-0", "small-instruct", "mine")
        for dataset in ("sim", "user")
    ),
    *(("none", "length", dataset) for dataset in ("sim", "user")),
    ("none", "given", "user"),
}
REPORT = ("write_report", "small")
ASKED = "\nsimilarities:\n  cka: {metric: cka, bootstrap: {draws: 20}}\n"


def test_similarities_are_cells_and_a_joined_table_of_their_own(project: Project) -> None:
    project.edit("config.yaml", "", ASKED)
    cells = {("measure_similarity", *cell) for cell in CELLS}
    assert project.plan() == {*cells, ("join_similarity", "small"), REPORT}
    joined = Path("results/studies/small/similarity.csv")
    project.run(str(joined))
    table = read_table(project.path / joined)
    assert {tuple(row) for row in table[["readout", "features", "dataset"]].to_numpy()} == CELLS
    assert table["value"].notna().any()
    assert project.plan() == {REPORT}
    project.edit("config.yaml", "metric: cka,", "metric: cka, delay: 1,")
    assert project.plan() == {*cells, ("join_similarity", "small"), REPORT}
