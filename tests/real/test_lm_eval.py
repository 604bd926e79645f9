"""lm-evaluation-harness itself, run through the workflow's rule on local tasks made of real benchmark items."""

import csv
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
import torch

from brainalign.models.loading import load
from brainalign.tables import read_table
from real.data import DATA, ROOT
from real.local_tasks import ITEMS, SUBJECTS, write_tasks
from workflow.project import SOURCES, Project

ENVIRONMENT = ROOT / ".venv-lm-eval"
MODEL = DATA / "models" / "stories260k"
STUDY = """
study: benchmarks
models:
  stories: {{source: {model}, family: stories, kind: vanilla}}
evaluations:
  local: {{tasks: [mmlu, bbh_fewshot], shots: 1, include: own}}
datasets:
  sim:
    {{loader: simulated, kind: passages, seed: 3, passages: 15, sentences: 4, subjects: 2, neuroids: 4,
    ceilings: {{known: {{}}}}}}
readouts:
  last: {{context: group, pooling: last}}
encoders:
  plain: {{regression: ols, split: {{kind: kfold, folds: 3, seed: 0}}, layer: best, bootstrap: {{draws: 20}}}}
properties:
  mmlu: {{lm_eval: {{evaluation: local, task: mmlu, metric: acc}}}}
  mmlu-over-subjects: {{lm_eval: {{evaluation: local, task: mmlu, metric: acc, weighting: tasks}}}}
  anatomy: {{lm_eval: {{evaluation: local, task: mmlu_anatomy, metric: acc}}}}
  language:
    lm_eval: {{evaluation: local, task: bbh_fewshot, metric: exact_match, category: bbh-language-understanding}}
figures: []
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("benchmarks") / "a project"
    path.mkdir()
    for name in SOURCES:
        source = ROOT / name
        ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
        (shutil.copytree(source, path / name, ignore=ignore) if source.is_dir() else shutil.copy2(source, path / name))
    (path / "config.yaml").write_text(STUDY.format(model=MODEL))
    write_tasks(path / "own", ITEMS)
    return path


def _snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "snakemake", *arguments, "--cores", "1"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_DATASETS_CACHE": str(folder / "cache")}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=500, check=False
    )


def test_without_its_environment_nothing_starts(checkout: Path) -> None:
    done = _snakemake(checkout)
    assert done.returncode != 0
    said = "evaluations are run by lm_eval, whose own environment is not at "
    assert (
        f"{said}{checkout / '.venv-lm-eval'}; make it once with `make lm-eval-environment`."
        in done.stdout + done.stderr
    )
    assert not (checkout / "results" / "sources").exists()


def _one_shot_accuracy(subject: str) -> float:
    """The task by hand: of four letters after the prompt, the most probable one."""
    torch.set_num_threads(1)
    model, tokenizer = load(MODEL, head=True)

    def rows(split: str) -> list[dict[str, str]]:
        with (DATA / "mmlu" / split / f"{subject}_{split}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def asked(row: dict[str, str]) -> str:
        letters = "".join(f"{letter}. {row[f'choice{number}']}\n" for number, letter in enumerate("ABCD"))
        return f"{row['question'].strip()}\n{letters}Answer:"

    about = subject.replace("_", " ")
    first = rows("dev")[0]
    begin = f"The following are multiple choice questions (with answers) about {about}.\n\n"
    begin += f"{asked(first)} {'ABCD'[int(first['answer'])]}\n\n"
    right = 0
    for row in rows("test")[: ITEMS[subject]]:
        sums = []
        for letter in "ABCD":
            prompt = tokenizer(begin + asked(row)).input_ids
            whole = tokenizer(begin + asked(row) + f" {letter}").input_ids
            with torch.inference_mode():
                logits = torch.log_softmax(model(torch.tensor([whole[-512:]])).logits[0], -1)
            cut = len(whole) - len(prompt)
            sums.append(sum(float(logits[-1 - cut + step][whole[-cut + step]]) for step in range(cut)))
        right += max(range(4), key=sums.__getitem__) == int(row["answer"])
    return right / ITEMS[subject]


@pytest.mark.slow
@pytest.mark.skipif(
    not (ENVIRONMENT / "bin" / "python").is_file(), reason=f"there is no {ENVIRONMENT} (make lm-eval-environment)"
)
def test_lm_eval_through_the_rule(checkout: Path) -> None:
    (checkout / ".venv-lm-eval").symlink_to(ENVIRONMENT, target_is_directory=True)
    done = _snakemake(checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    content = json.loads((checkout / "results/evaluations/local/stories.json").read_text())
    by_hand = {subject: _one_shot_accuracy(subject) for subject in SUBJECTS}
    assert {name: content["results"][f"mmlu_{name}"]["acc,none"] for name in SUBJECTS} == pytest.approx(by_hand)
    properties = pd.read_csv(checkout / "results/studies/benchmarks/properties.csv").iloc[0]
    items = sum(ITEMS.values())
    assert properties["mmlu"] == pytest.approx(sum(by_hand[name] * ITEMS[name] for name in SUBJECTS) / items)
    assert properties["mmlu-over-subjects"] == pytest.approx(sum(by_hand.values()) / len(by_hand))
    assert properties["anatomy"] == pytest.approx(by_hand["anatomy"])
    assert 0 <= properties["language"] <= 1
    sources = read_table(checkout / "results/studies/benchmarks/property_sources.csv").set_index("property")
    mmlu = sources.loc["mmlu"]
    told = ("source", "task_version", "shots", "filter", "items", "harness")
    expected = ["evaluations/local/stories.json", "2", 1, "none", items, content["lm_eval_version"]]
    assert [mmlu[key] for key in told] == expected
    assert mmlu["date"] == datetime.fromtimestamp(content["date"], UTC).date().isoformat()
    assert sources.loc["language", "weighting"] == "tasks"
    assert Project(checkout).plan() == set()
    # Other items: this evaluation and the joined tables, nothing else.
    data = checkout / "own" / "anatomy_test.jsonl"
    data.write_text("".join(data.read_text().splitlines(keepends=True)[:-1]))
    planned = {job[0] for job in Project(checkout).plan()}
    assert {"evaluate_model", "join_study", "correlate_properties"} <= planned
    assert not planned & {"fetch_model", "fetch_source", "extract_activations", "fit_encoder", "score_alignment"}
