"""Whether scores of different models may be compared: the same tasks, asked in the same way."""

from collections.abc import Sequence

from brainalign.errors import InputError
from brainalign.properties.harness import HarnessScore, Result


def check_agreement(scores: Sequence[tuple[Result, HarnessScore]], task: str) -> None:
    """Check that scores which are to be compared come from the same tasks, asked in the same way.

    Raises
    ------
    InputError : naming two files that differ in tasks, version, shots, items or prompts, or that are of one model.
    """
    if not scores:
        return
    first, one = scores[0]
    for result, other in scores[1:]:
        pair = f"{first.label} and {result.label}"
        if set(one.versions) != set(other.versions):
            extra = min(set(one.versions) ^ set(other.versions))
            holder, lacking = (first, result) if extra in one.versions else (result, first)
            raise InputError(f"{pair} differ in the tasks of {task}: {holder.label} has {extra}, {lacking.label} not.")
        versions = ((leaf, one.versions[leaf], other.versions[leaf]) for leaf in one.versions)
        facts = [
            *((f"the version of {leaf}", mine, theirs) for leaf, mine, theirs in versions),
            (f"the version of {task}", one.task_version, other.task_version),
            (f"the shots of {task}", one.shots, other.shots),
            (f"the items of {task}", one.items, other.items),
        ]
        for what, mine, theirs in facts:
            if mine != theirs:
                raise InputError(f"{pair} differ in {what}, {mine} and {theirs}; scores of models cannot be compared.")
        for leaf, prompt in one.prompts.items():
            if prompt and other.prompts[leaf] and prompt != other.prompts[leaf]:
                raise InputError(f"{pair} differ in how the items of {leaf} are asked; their versions are the same.")
        if first.subject[0] and first.subject == result.subject:
            raise InputError(f"{pair} are both of {first.subject[0]}, but are given for two models.")
