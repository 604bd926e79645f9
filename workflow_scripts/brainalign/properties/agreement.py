"""Whether scores of different models may be compared: the same tasks, asked in the same way."""

import logging
from collections.abc import Iterator, Sequence

from brainalign.errors import InputError
from brainalign.properties.harness import HarnessScore, Result

_logger = logging.getLogger(__name__)


def check_agreement(scores: Sequence[tuple[Result, HarnessScore]], task: str) -> None:
    """Check that scores which are to be compared come from the same tasks, asked in the same way.

    Other versions of the harness, and chat templates that differ where all files have one, are no error: every tuned
    model brings a template of its own. They are logged as warnings, and stand in the table of the properties' sources.

    Raises
    ------
    InputError : naming two files that differ in tasks, version, shots, items, prompts, system instruction or in whether
        a chat template was used and how, or that are of one model.
    """
    asked: dict[str, tuple[Result, str]] = {}
    subjects: dict[tuple[str, str], Result] = {}
    for result, score in scores:
        _compare(scores[0], (result, score), task)
        for leaf, prompt in score.prompts.items():
            earlier, known = asked.setdefault(leaf, (result, prompt)) if prompt else (result, prompt)
            if prompt != known:
                raise InputError(
                    f"{earlier.label} and {result.label} differ in how the items of {leaf} are asked; their versions "
                    "are the same."
                )
        if result.subject[0] and result.subject in subjects:
            pair = f"{subjects[result.subject].label} and {result.label}"
            raise InputError(f"{pair} are both of {result.subject[0]}, but are given for two models.")
        subjects[result.subject] = result
    _warn(task, "versions of lm-evaluation-harness", [(result, score.harness) for result, score in scores])
    _warn(task, "chat templates", [(result, score.asked.chat_template[:12]) for result, score in scores])


def _compare(first: tuple[Result, HarnessScore], second: tuple[Result, HarnessScore], task: str) -> None:
    (one_file, one), (other_file, other) = first, second
    pair = f"{one_file.label} and {other_file.label}"
    if set(one.versions) != set(other.versions):
        extra = min(set(one.versions) ^ set(other.versions))
        holder, lacking = (one_file, other_file) if extra in one.versions else (other_file, one_file)
        raise InputError(f"{pair} differ in the tasks of {task}: {holder.label} has {extra}, {lacking.label} not.")
    for (what, mine), (_, theirs) in zip(_facts(one, task), _facts(other, task), strict=True):
        if mine != theirs:
            raise InputError(f"{pair} differ in {what}, {mine} and {theirs}; scores of models cannot be compared.")


def _facts(score: HarnessScore, task: str) -> Iterator[tuple[str, str]]:
    """Yield what must be the same in all files, and what it is in one."""
    for leaf in sorted(score.versions):
        yield f"the version of {leaf}", score.versions[leaf] or "unknown"
    yield f"the version of {task}", score.task_version or "unknown"
    yield f"the shots of {task}", _said(score.shots)
    yield f"the items of {task}", _said(score.items)
    yield "whether a chat template was used", "yes" if score.asked.chat_template else "no"
    yield "whether examples were turns of a chat", "yes" if score.asked.as_turns else "no"
    yield "the system instruction (SHA-256)", score.asked.system_instruction[:12] or "none"


def _said(count: int | None) -> str:
    return "unknown" if count is None else str(count)


def _warn(task: str, what: str, found: Sequence[tuple[Result, str]]) -> None:
    """Log which files have which of several values."""
    values = {value: result for result, value in reversed(found)}
    if len(values) > 1:
        named = ", ".join(f"{value or 'unknown'} ({result.label})" for value, result in sorted(values.items()))
        _logger.warning("the scores of %s are of different %s: %s", task, what, named)
