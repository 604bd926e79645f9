"""Invented result files of lm-evaluation-harness, in the form of version 0.4.13."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from brainalign.properties.categories import CATEGORIES, SIZES

MMLU = [task for name, tasks in CATEGORIES.items() if name.startswith("mmlu") for task in tasks]
BBH = [
    file
    for name, tasks in CATEGORIES.items()
    if name.startswith("bbh")
    for task in tasks
    for file in (
        [f"{task}_{size}_objects" for size in SIZES]
        if task in ("logical_deduction", "tracking_shuffled_objects")
        else [task]
    )
]


def result(
    scores: Mapping[str, float],
    items: Mapping[str, int] | int = 100,
    group: str = "mmlu",
    metric: str = "acc,none",
    shots: int = 5,
    model: str = "some/model",
    **changes: Any,
) -> dict[str, Any]:
    """Return a file's content: the group's own score is the mean over items. Changes are of top-level keys."""
    counts = {task: items if isinstance(items, int) else items[task] for task in scores}
    overall = sum(counts[task] * scores[task] for task in scores) / sum(counts.values())
    own = {task: {"name": task, "alias": task, "sample_len": counts[task], metric: scores[task]} for task in scores}
    content = {
        "results": own | {group: {"name": group, "alias": group, metric: overall}},
        "groups": {group: {metric: overall}},
        "group_subtasks": {group: list(scores)},
        "configs": {
            task: {"doc_to_text": "{{question}}", "description": f"About {task}.", "num_fewshot": shots}
            for task in scores
        },
        "versions": {group: "2", **dict.fromkeys(scores, 1.0)},
        "n-shot": {group: shots, **dict.fromkeys(scores, shots)},
        "n-samples": {task: {"original": counts[task], "effective": counts[task]} for task in scores},
        "config": {"model": "hf", "model_args": {"pretrained": model, "dtype": "float32"}, "limit": None},
        "date": 1795259719.8,
        "lm_eval_version": "0.4.13",
        "model_name": model,
    }
    return content | changes


def write(path: Path, content: Mapping[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
