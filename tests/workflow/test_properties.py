"""Properties from files and from evaluations: what a change reruns, and what is refused before any job."""

import json

import pytest

from properties.result_files import MMLU, result, write
from workflow.project import Project
from workflow.test_incremental import JOIN

SCORES = {f"mmlu_{subject}": 0.4 for subject in MMLU}
LINE = "  score: {values: {small: 0.25, small-instruct: 0.5, mine: 0.75}}\n"
MMLU_LINE = (
    "  mmlu: {lm_eval: {task: mmlu, metric: acc, shots: 5, files: {small: mine/small.json, mine: mine/mine.json}}}\n"
)


@pytest.fixture
def with_files(project: Project) -> Project:
    """The small study with MMLU from two result files, finished."""
    for model in ("small", "mine"):
        write(project.path / "mine" / f"{model}.json", result(SCORES, model=f"hub/{model}"))
    project.edit("config.yaml", LINE, LINE + MMLU_LINE)
    return project


def test_scores_from_files_are_a_matter_of_the_joins(with_files: Project) -> None:
    assert with_files.plan() == JOIN
    with_files.run()
    assert with_files.plan() == set()
    table = (with_files.path / "results/studies/small/property_sources.csv").read_text()
    assert "small,mmlu,0.4,mine/small.json,2,5,none,5700,2026-11-21" in table
    path = with_files.path / "mine/mine.json"
    path.write_text(path.read_text().replace("0.4", "0.5"))
    assert with_files.plan() == JOIN


def test_files_that_disagree_are_refused_before_any_job(with_files: Project) -> None:
    path = with_files.path / "mine/mine.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"versions": content["versions"] | {"mmlu": 1}}))
    done = with_files.run("--dry-run", check=False)
    assert done.returncode != 0
    said = "mine/small.json and mine/mine.json differ in the version of mmlu, 2 and 1; scores of models cannot be"
    assert said in done.stdout + done.stderr


def test_an_evaluation_is_a_job_for_each_model_and_needs_its_environment(project: Project) -> None:
    project.edit("config.yaml", "readouts:\n", "evaluations:\n  five: {tasks: [mmlu], shots: 5}\n\nreadouts:\n")
    project.edit("config.yaml", LINE, LINE + "  mmlu: {lm_eval: {task: mmlu, metric: acc, evaluation: five}}\n")
    evaluated = {("evaluate_model", model, "five") for model in ("small", "small-instruct", "mine")}
    assert project.plan() == JOIN | evaluated
    done = project.run(check=False)
    assert done.returncode != 0
    assert "make it once with `make lm-eval-environment`" in done.stdout + done.stderr
    assert not (project.path / "results/evaluations").exists()
    project.edit("config.yaml", "tiny-loss: {text: tiny-text, window: 32}", "tiny-loss: {text: tiny-text, window: 16}")
    project.run("results/losses/tiny-loss/small.json")  # needs no evaluation


def test_an_upgrade_of_the_harness_evaluates_all_models_again(project: Project) -> None:
    project.edit("config.yaml", "readouts:\n", "evaluations:\n  five: {tasks: [mmlu], shots: 5}\n\nreadouts:\n")
    project.edit("config.yaml", LINE, LINE + "  mmlu: {lm_eval: {task: mmlu, metric: acc, evaluation: five}}\n")
    for model in ("small", "small-instruct", "mine"):
        write(project.path / "results/evaluations/five" / f"{model}.json", result(SCORES, model=f"hub/{model}"))
    project.accept()
    assert project.plan() == set()
    lock = project.path / "envs" / "lm-eval.lock"
    lock.write_text(lock.read_text().replace("lm_eval==", "lm_eval==9."))
    assert project.plan() == JOIN | {("evaluate_model", model, "five") for model in ("small", "small-instruct", "mine")}


def test_fractions_beside_percentages_are_refused_before_any_job(project: Project) -> None:
    project.edit("config.yaml", "small-instruct: 0.5, mine: 0.75", "small-instruct: 50.0, mine: 0.75")
    done = project.run("--dry-run", check=False)
    assert done.returncode != 0
    assert "as if one were a fraction and the other a percentage" in done.stdout + done.stderr
