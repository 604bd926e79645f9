"""A study of published scores: no model, no data set, only its tables."""

import shutil
from pathlib import Path

from workflow.project import ROOT, checkout

STUDY = "aw2023-published"
FIGURES = "tuned-against-base gains scaling benchmarks correlations behavior width-and-size pairs".split()


def test_it_joins_correlates_and_compares_and_nothing_else(tmp_path: Path) -> None:
    project = checkout(tmp_path / "a project")
    shutil.copytree(ROOT / "studies", project.path / "studies")
    jobs = project.plan(f"studies/{STUDY}.yaml")
    stages = ("join_study", "correlate_properties", "compare_pairs", "reproduce_published", "write_report")
    rest = {job for job in jobs if job[0] != "take_published"}
    drawn = {("draw_figure", STUDY, figure) for figure in FIGURES}
    assert rest == {(stage, STUDY) for stage in stages} | drawn
    assert {job[0] for job in jobs - rest} == {"take_published"}
