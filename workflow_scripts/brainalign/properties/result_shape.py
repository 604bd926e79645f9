"""Whether a result file of lm-evaluation-harness holds what it should where it is read, so that no reader stumbles."""

from collections.abc import Iterator, Mapping
from typing import Any

from brainalign.errors import InputError

_TABLES = ("results", "versions", "n-shot", "config")
_OPTIONAL_TABLES = ("group_subtasks", "n-samples", "configs")


def check_shape(content: Any, label: str) -> None:
    """Check what a result file holds.

    Parameters
    ----------
    content : the file's JSON; label : how sentences name the file.

    Raises
    ------
    InputError : naming the file and the first entry that is not what lm-evaluation-harness 0.4 writes there.
    """
    if not isinstance(content, dict) or not all(isinstance(content.get(key), dict) for key in _TABLES):
        raise InputError(
            f"{label} is not a result file of lm-evaluation-harness 0.4 or later: it needs {', '.join(_TABLES)}."
        )
    for place, held, needed in _wrong(content):
        raise InputError(f"{label}: {place} is {held!r}; {needed} is needed.")


def _wrong(content: Mapping[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """Yield each place, what it holds, and what it should hold."""
    for key in _OPTIONAL_TABLES:
        if content.get(key) is not None and not isinstance(content[key], dict):
            yield key, content[key], "a mapping of tasks"
            return  # nothing of it can be looked at
    for key in ("results", "configs"):
        for task, held in (content.get(key) or {}).items():
            if not isinstance(held, dict):
                yield f"{key} of {task}", held, "a mapping"
    for task, shots in content["n-shot"].items():
        if shots is not None and not _is_count(shots):
            yield f"n-shot of {task}", shots, "a whole number"
    for task, counts in (content.get("n-samples") or {}).items():
        if not isinstance(counts, dict) or not all(_is_count(counts.get(key)) for key in ("original", "effective")):
            yield f"n-samples of {task}", counts, "a whole number for each of original and effective"
    for group, tasks in (content.get("group_subtasks") or {}).items():
        if not isinstance(tasks, list) or not all(isinstance(task, str) for task in tasks):
            yield f"group_subtasks of {group}", tasks, "a list of tasks"
    limit = content["config"].get("limit")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int | float)):
        yield "limit of config", limit, "a number or nothing"


def _is_count(held: Any) -> bool:
    return isinstance(held, int) and not isinstance(held, bool) and held >= 0
