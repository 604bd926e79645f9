"""Task files for lm-evaluation-harness made of a few items of real MMLU subjects and BIG-Bench Hard tasks."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from real.data import DATA

SUBJECTS = ("anatomy", "astronomy", "sociology", "world_religions")
TASKS = ("disambiguation_qa", "hyperbaton", "snarks")
ITEMS = {"anatomy": 6, "astronomy": 5, "sociology": 4, "world_religions": 3}


def write_tasks(folder: Path, items: dict[str, int] | int = 4) -> None:
    """Write a group `mmlu` of four subjects and a group `bbh_fewshot` of three tasks, with their data beside them.

    Paths of data are relative to the folder in which the harness runs, which is the one above.
    """
    folder.mkdir(parents=True)
    for subject in SUBJECTS:
        _write_subject(folder, subject, items if isinstance(items, int) else items[subject])
    for task in TASKS:
        _write_task(folder, task, items if isinstance(items, int) else 4)
    _write_group(folder, "mmlu", [f"mmlu_{subject}" for subject in SUBJECTS], "acc", 2)
    _write_group(folder, "bbh_fewshot", [f"bbh_fewshot_{task}" for task in TASKS], "exact_match", 3)


def _write_subject(folder: Path, subject: str, count: int) -> None:
    files = {}
    for split, most in (("dev", 5), ("test", count)):
        with (DATA / "mmlu" / split / f"{subject}_{split}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))[:most]
        plain = [
            {
                "question": row["question"],
                "choices": [row[f"choice{number}"] for number in range(4)],
                "answer": int(row["answer"]),
            }
            for row in rows
        ]
        files[split] = _write_lines(folder / f"{subject}_{split}.jsonl", plain)
    name = subject.replace("_", " ")
    task = {
        "task": f"mmlu_{subject}",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": files},
        "test_split": "test",
        "fewshot_split": "dev",
        "fewshot_config": {"sampler": "first_n"},
        "output_type": "multiple_choice",
        "description": f"The following are multiple choice questions (with answers) about {name}.\n\n",
        "doc_to_text": "{{question.strip()}}\nA. {{choices[0]}}\nB. {{choices[1]}}\nC. {{choices[2]}}\n"
        "D. {{choices[3]}}\nAnswer:",
        "doc_to_choice": ["A", "B", "C", "D"],
        "doc_to_target": "answer",
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
        "metadata": {"version": 1.0},
    }
    _write_yaml(folder / f"mmlu_{subject}.yaml", task)


def _write_task(folder: Path, name: str, count: int) -> None:
    examples = json.loads((DATA / "bbh" / f"{name}.json").read_text(encoding="utf-8"))["examples"]
    task = {
        "task": f"bbh_fewshot_{name}",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": _write_lines(folder / f"{name}.jsonl", examples[:count])}},
        "test_split": "test",
        "output_type": "generate_until",
        "doc_to_text": "Q: {{input}}\nA:",
        "doc_to_target": "{{target}}",
        "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
        "generation_kwargs": {"until": ["\n\n"], "do_sample": False, "temperature": 0.0, "max_gen_toks": 8},
        "fewshot_config": {"sampler": "first_n", "samples": examples[-3:]},
        "metadata": {"version": 2.0},
    }
    _write_yaml(folder / f"bbh_fewshot_{name}.yaml", task)


def _write_group(folder: Path, name: str, tasks: Sequence[str], metric: str, version: int) -> None:
    group = {
        "group": name,
        "task": list(tasks),
        "aggregate_metric_list": [{"metric": metric, "aggregation": "mean", "weight_by_size": True}],
        "metadata": {"version": version},
    }
    _write_yaml(folder / f"_{name}.yaml", group)


def _write_lines(path: Path, entries: Sequence[Any]) -> str:
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    return f"{path.parent.name}/{path.name}"


def _write_yaml(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")  # JSON is YAML
