"""Scores from result files of lm-evaluation-harness (github.com/EleutherAI/lm-evaluation-harness), version 0.4 on.

A file has one model's scores: `results` (task → "metric,filter" → number), `group_subtasks`, `versions`, `n-shot`,
`n-samples` (items there and items used), `config` with the limit, and `date`. It is read as JSON; the harness is not
imported.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from brainalign.errors import InputError, unknown
from brainalign.properties.categories import Weighting, mean_score, tasks_of, weighting_of
from brainalign.properties.result_shape import check_shape

AS_HARNESS = "harness"
_PROMPT = ("description", "doc_to_text", "doc_to_choice", "doc_to_target", "output_type", "target_delimiter")


@dataclass(frozen=True)
class Result:
    """One result file. label : how sentences and tables name it; content : its JSON."""

    label: str
    content: Mapping[str, Any]

    @property
    def subject(self) -> tuple[str, str]:
        """What was evaluated: the model's name and arguments."""
        arguments = self.content["config"].get("model_args")
        return str(self.content.get("model_name", "")), json.dumps(arguments, sort_keys=True)


@dataclass(frozen=True)
class Wanted:
    """Which score is taken of a file, and under which conditions.

    task : a task or a group; category : of `categories.CATEGORIES`, from the tasks of that group.
    metric, filter : as the harness names them, such as "acc" and "none".
    weighting : how tasks are weighted; None is the harness's own score, or a category's usual weights.
    shots : examples before each item; None takes what the files have. limit : items of each task, None for all.
    """

    task: str
    metric: str
    filter: str = "none"
    category: str | None = None
    weighting: Weighting | None = None
    shots: int | None = None
    limit: float | None = None


@dataclass(frozen=True)
class Asked:
    """How a model was addressed in all of a file.

    chat_template, system_instruction : SHA-256 of the text, "" where there was none; as_turns : whether the examples
    before an item were turns of a chat, which they can be where there are examples and a template.
    """

    chat_template: str = ""
    system_instruction: str = ""
    as_turns: bool = False


@dataclass(frozen=True)
class HarnessScore:
    """A score and what it is of.

    versions : leaf task → version; prompts : leaf task → what its prompts are made of; shots, items : None where
    the file does not say; weighting : "harness", "items" or "tasks"; date : of the evaluation, ISO, or "".
    """

    value: float
    task_version: str
    versions: Mapping[str, str]
    prompts: Mapping[str, str]
    shots: int | None
    items: int | None
    weighting: str
    date: str
    harness: str
    asked: Asked = Asked()


def read_result(path: Path, label: str | None = None) -> Result:
    """Read a result file.

    Raises
    ------
    InputError : not JSON, or not a result of version 0.4 or later, or one with something else where a number should be.
    """
    label = label or str(path)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"the result file {label} is not there.") from error
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{label} is not JSON ({error}).") from error
    check_shape(content, label)
    return Result(label, content)


def score_of(result: Result, wanted: Wanted) -> HarnessScore:
    """Return the score of one file.

    Raises
    ------
    InputError : no such task, metric, filter or category there; other shots or another limit than asked for; a score
        that is no finite number.
    """
    tasks: Mapping[str, Any] = result.content["results"]
    there = {**(result.content.get("group_subtasks") or {}), **tasks}
    if wanted.task not in there:
        raise InputError(f"{result.label}: {unknown('task', wanted.task, there)}")
    leaves = _leaves(result, wanted.task)
    if wanted.category:
        try:
            leaves = tasks_of(wanted.category, leaves)
        except InputError as error:
            raise InputError(f"{result.label}: {error}") from None
    limit = result.content["config"].get("limit")
    _check_limit(result, leaves, limit, wanted.limit)
    shots = _shots(result, [wanted.task] if leaves == [wanted.task] else leaves, wanted.shots)
    items = {leaf: _items(result, leaf) for leaf in leaves}
    known = {leaf: count for leaf, count in items.items() if count is not None}
    weighting = wanted.weighting or (weighting_of(wanted.category) if wanted.category else None)
    if weighting is None or leaves == [wanted.task]:
        value = _number(result, tasks.get(wanted.task, {}), wanted.task, wanted)
    else:
        if weighting == "items" and len(known) < len(leaves):
            raise InputError(f"{result.label} does not say how many items {min(set(leaves) - set(known))} has.")
        scores = {leaf: _number(result, tasks.get(leaf, {}), leaf, wanted) for leaf in leaves}
        value = mean_score(scores, known, weighting, sizes_first=wanted.category is not None)
    versions = {leaf: _version(result.content["versions"].get(leaf)) for leaf in leaves}
    own = _version(result.content["versions"].get(wanted.task))
    return HarnessScore(
        value=value,
        task_version=own or " ".join(sorted(set(versions.values()))),
        versions=versions,
        prompts={leaf: _prompt(result, leaf) for leaf in leaves},
        shots=shots,
        items=sum(known.values()) if len(known) == len(leaves) else None,
        weighting=AS_HARNESS if weighting is None or leaves == [wanted.task] else weighting,
        date=_date(result),
        harness=str(result.content.get("lm_eval_version") or ""),
        asked=_asked(result, shots),
    )


def _leaves(result: Result, task: str) -> list[str]:
    """Return the tasks of a group, through groups of groups; of a task, itself."""
    groups = result.content.get("group_subtasks") or {}
    found: list[str] = []
    todo, seen = [task], {task}
    while todo:
        name = todo.pop(0)
        children = [child for child in groups.get(name) or [] if child != name]
        if not children and name not in found:
            found.append(name)
        todo.extend(child for child in children if child not in seen)
        seen.update(children)
    return found


def _number(result: Result, metrics: Mapping[str, Any], task: str, wanted: Wanted) -> float:
    key = f"{wanted.metric},{wanted.filter}"
    if key not in metrics:
        there = [name for name in metrics if "," in name and "_stderr," not in name]
        if not there:
            raise InputError(f"{result.label} has no score of {task}.")
        metric, filter_ = there[0].split(",", 1)
        raise InputError(
            f"{result.label}: {task} has no metric {wanted.metric!r} with the filter {wanted.filter!r}, but "
            f"{', '.join(there)}; say `metric: {metric}, filter: {filter_}` or what else is meant."
        )
    value = metrics[key]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{result.label}: {key} of {task} is {value}; a finite number is needed.")
    return float(value)


def _shots(result: Result, tasks: Sequence[str], wanted: int | None) -> int | None:
    told = result.content["n-shot"]
    found: dict[str, int | None] = {task: told.get(task) for task in tasks}
    different = sorted({shots for shots in found.values() if shots is not None})
    if wanted is not None:
        for task, shots in found.items():
            if shots is None:
                raise InputError(
                    f"{result.label} does not say how many shots {task} was asked with; {wanted} are needed."
                )
            if shots != wanted:
                raise InputError(f"{result.label}: {task} was asked with {shots} shots, not with {wanted}.")
    if len(different) > 1:
        raise InputError(f"{result.label}: its tasks were asked with {' and '.join(map(str, different))} shots.")
    return different[0] if None not in found.values() else None


def _check_limit(result: Result, leaves: Sequence[str], limit: Any, wanted: float | None) -> None:
    if limit != wanted:
        asked = "all items are asked for" if wanted is None else f"a limit of {wanted:g} is asked for"
        done = "without a limit" if limit is None else f"with a limit of {limit:g} items of each task"
        raise InputError(f"{result.label} is of a run {done}, but {asked}.")
    for leaf in leaves:
        counts = (result.content.get("n-samples") or {}).get(leaf)
        if wanted is None and counts and counts["effective"] < counts["original"]:
            raise InputError(
                f"{result.label}: only {counts['effective']} of the {counts['original']} items of {leaf} were asked."
            )


def _items(result: Result, task: str) -> int | None:
    counts = (result.content.get("n-samples") or {}).get(task)
    return int(counts["effective"]) if counts else None


def _version(told: Any) -> str:
    """Return a version as text, 2 and 2.0 and "2" alike; nothing where there is none."""
    if told is None or told == "N/A":
        return ""
    try:
        return f"{float(told):g}"
    except (TypeError, ValueError):
        return str(told)


def _prompt(result: Result, task: str) -> str:
    """Return what a task's prompts are made of; nothing where that is a function, which a file does not hold."""
    config = (result.content.get("configs") or {}).get(task) or {}
    told = json.dumps({key: config.get(key) for key in _PROMPT}, sort_keys=True)
    return "" if not config or "<function" in told or "functools" in told else told


def _asked(result: Result, shots: int | None) -> Asked:
    template = _sha256(result, "chat_template")
    turns = bool(template) and shots != 0 and bool(result.content.get("fewshot_as_multiturn"))
    return Asked(template, _sha256(result, "system_instruction"), turns)


def _sha256(result: Result, key: str) -> str:
    """Return the SHA-256 of a text of the file, as the harness wrote it or taken here; "" where there is no text."""
    text = result.content.get(key)
    return str(result.content.get(f"{key}_sha") or (hashlib.sha256(str(text).encode()).hexdigest() if text else ""))


def _date(result: Result) -> str:
    seconds = result.content.get("date")
    if not isinstance(seconds, int | float):
        return ""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()
