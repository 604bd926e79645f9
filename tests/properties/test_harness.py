"""Scores from result files of lm-evaluation-harness, and every disagreement as one sentence."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from brainalign.errors import InputError
from brainalign.properties.agreement import check_agreement
from brainalign.properties.categories import CATEGORIES
from brainalign.properties.harness import Result, Wanted, read_result, score_of
from properties.result_files import BBH, MMLU, result, write

SCORES = {f"mmlu_{subject}": 0.2 + 0.01 * number for number, subject in enumerate(MMLU)}
ITEMS = {task: 50 + 3 * number for number, task in enumerate(SCORES)}
FILE = result(SCORES, ITEMS)
WANTED = Wanted(task="mmlu", metric="acc", shots=5)


def test_a_group_s_own_score_with_what_it_is_of() -> None:
    found = score_of(Result("a.json", FILE), WANTED)
    assert found.value == FILE["results"]["mmlu"]["acc,none"]
    assert (found.task_version, found.shots, found.items) == ("2", 5, sum(ITEMS.values()))
    assert (found.weighting, found.date, found.harness) == ("harness", "2026-11-21", "0.4.13")
    assert len(found.versions) == 57


@pytest.mark.parametrize("category", [name for name in CATEGORIES if name.startswith("mmlu")])
def test_categories_of_mmlu_count_questions(category: str) -> None:
    found = score_of(Result("a.json", FILE), Wanted(task="mmlu", metric="acc", category=category))
    own = [f"mmlu_{subject}" for subject in CATEGORIES[category]]
    items = sum(ITEMS[task] for task in own)
    assert found.value == pytest.approx(sum(SCORES[task] * ITEMS[task] for task in own) / items)
    assert (found.items, found.weighting) == (items, "items")


def test_categories_together_are_the_whole() -> None:
    parts = [
        score_of(Result("a", FILE), Wanted("mmlu", "acc", category=name))
        for name in CATEGORIES
        if name.startswith("mmlu")
    ]
    items = [part.items or 0 for part in parts]
    whole = sum(part.value * count for part, count in zip(parts, items, strict=True)) / sum(items)
    assert whole == pytest.approx(score_of(Result("a", FILE), WANTED).value)


def test_bbh_over_items_as_the_harness_and_over_tasks_as_aw_et_al() -> None:
    scores = {f"bbh_fewshot_{task}": (7 * number % 27) / 27 for number, task in enumerate(BBH)}
    items = dict.fromkeys(scores, 250) | {"bbh_fewshot_causal_judgement": 187, "bbh_fewshot_snarks": 178}
    file = Result("b.json", result(scores, items, "bbh_fewshot", "exact_match,none", 3))
    of_harness = score_of(file, Wanted("bbh_fewshot", "exact_match"))
    over_tasks = score_of(file, Wanted("bbh_fewshot", "exact_match", weighting="tasks"))
    correct = sum(scores[task] * items[task] for task in scores)
    assert of_harness.value == pytest.approx(correct / sum(items.values()))
    assert over_tasks.value == pytest.approx(sum(scores.values()) / 27)
    assert over_tasks.value != pytest.approx(of_harness.value, abs=1e-4)
    three = [f"bbh_fewshot_{task}" for task in CATEGORIES["bbh-language-understanding"]]
    found = score_of(file, Wanted("bbh_fewshot", "exact_match", category="bbh-language-understanding"))
    assert found.value == pytest.approx(sum(scores[task] for task in three) / 3)
    assert found.weighting == "tasks"
    sized = score_of(file, Wanted("bbh_fewshot", "exact_match", category="bbh-algorithmic"))
    of = {task: [score for name, score in scores.items() if task in name] for task in CATEGORIES["bbh-algorithmic"]}
    assert [len(found) for found in of.values()].count(3) == 2
    assert sized.value == pytest.approx(sum(sum(found) / len(found) for found in of.values()) / 8)


def test_groups_of_groups_and_single_tasks() -> None:
    nested = deepcopy(FILE)
    nested["group_subtasks"] = {"mmlu": ["mmlu_a", "mmlu_b"], "mmlu_a": list(SCORES)[:9], "mmlu_b": list(SCORES)[9:]}
    assert score_of(Result("a", nested), Wanted("mmlu", "acc", category="mmlu-other")).items
    one = score_of(Result("a", nested), Wanted("mmlu_anatomy", "acc"))
    assert (one.value, one.items, one.task_version) == (SCORES["mmlu_anatomy"], ITEMS["mmlu_anatomy"], "1")


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    content = deepcopy(FILE)
    change(content)
    return content


def limited(content: dict[str, Any]) -> None:
    content["config"]["limit"] = 10.0


def some_items(content: dict[str, Any]) -> None:
    content["n-samples"]["mmlu_anatomy"]["effective"] = 7


def not_a_number(content: dict[str, Any]) -> None:
    content["results"]["mmlu"]["acc,none"] = float("nan")


def without_anatomy(content: dict[str, Any]) -> None:
    content["group_subtasks"]["mmlu"].remove("mmlu_anatomy")


def without_counts(content: dict[str, Any]) -> None:
    del content["n-samples"]


def other_shots_of_one(content: dict[str, Any]) -> None:
    content["n-shot"]["mmlu_virology"] = 0


MISTAKES: dict[str, tuple[Callable[[dict[str, Any]], Any], Wanted, str]] = {
    "no such task": (
        lambda content: None,
        Wanted("mmlu_anatomi", "acc"),
        "a.json: unknown task 'mmlu_anatomi'; did you mean 'mmlu_anatomy'? Allowed: mmlu, mmlu_",
    ),
    "no such metric": (
        lambda content: None,
        Wanted("mmlu", "exact_match"),
        "a.json: mmlu has no metric 'exact_match' with the filter 'none', but acc,none; say `metric: acc, filter: "
        "none` or what else is meant.",
    ),
    "no such filter": (
        lambda content: None,
        Wanted("mmlu", "acc", filter="get-answer"),
        "a.json: mmlu has no metric 'acc' with the filter 'get-answer', but acc,none",
    ),
    "other shots": (
        lambda content: None,
        Wanted("mmlu", "acc", shots=0),
        "a.json: mmlu_abstract_algebra was asked with 5 shots, not with 0.",
    ),
    "shots of one task": (
        other_shots_of_one,
        Wanted("mmlu", "acc"),
        "a.json: its tasks were asked with 0 and 5 shots.",
    ),
    "a limited run": (
        limited,
        WANTED,
        "a.json is of a run with a limit of 10 items of each task, but all items are asked for.",
    ),
    "a run that is not limited": (
        lambda content: None,
        Wanted("mmlu", "acc", limit=10),
        "a.json is of a run without a limit, but a limit of 10 is asked for.",
    ),
    "chosen items": (some_items, WANTED, "a.json: only 7 of the 179 items of mmlu_anatomy were asked."),
    "no number": (not_a_number, WANTED, "a.json: acc,none of mmlu is nan; a finite number is needed."),
    "a missing task": (
        without_anatomy,
        Wanted("mmlu", "acc", category="mmlu-other"),
        "a.json: 13 of the 14 tasks of mmlu-other are there; missing: anatomy.",
    ),
    "no counts": (
        without_counts,
        Wanted("mmlu", "acc", category="mmlu-other"),
        "a.json does not say how many items mmlu_anatomy has.",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told(case: str) -> None:
    change, wanted, sentence = MISTAKES[case]
    with pytest.raises(InputError) as caught:
        score_of(Result("a.json", changed(change)), wanted)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"results": {}}', '{"results": {"hellaswag": {"acc": 0.2}}, "versions": {}}']
)
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "old.json"
    path.write_text(text)
    with pytest.raises(
        InputError, match=r"old\.json is not (JSON|a result file of lm-evaluation-harness 0\.4 or later)"
    ):
        read_result(path)
    with pytest.raises(InputError, match="is not there"):
        read_result(tmp_path / "none.json")


def version(content: dict[str, Any]) -> None:
    content["versions"]["mmlu_virology"] = 2


def group_version(content: dict[str, Any]) -> None:
    content["versions"]["mmlu"] = 1


def zero_shots(content: dict[str, Any]) -> None:
    content["n-shot"] = dict.fromkeys(content["n-shot"], 0)


def fewer_items(content: dict[str, Any]) -> None:
    content["n-samples"]["mmlu_anatomy"] = {"original": 9, "effective": 9}


def fewer_tasks(content: dict[str, Any]) -> None:
    content["group_subtasks"]["mmlu"].remove("mmlu_anatomy")


def prompt(content: dict[str, Any]) -> None:
    content["configs"]["mmlu_anatomy"]["doc_to_text"] = "Q: {{question}}"


DISAGREEMENTS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "version": (version, "differ in the version of mmlu_virology, 1 and 2; scores of models cannot be compared."),
    "version of the group": (group_version, "differ in the version of mmlu, 2 and 1; scores of models cannot"),
    "shots": (zero_shots, "differ in the shots of mmlu, 5 and 0; scores of models cannot be compared."),
    "items": (fewer_items, "differ in the items of mmlu, 7638 and 7468;"),
    "tasks": (fewer_tasks, "differ in the tasks of mmlu: a.json has mmlu_anatomy, b.json not."),
    "prompt": (prompt, "differ in how the items of mmlu_anatomy are asked; their versions are the same."),
    "model": (lambda content: None, "are both of some/model, but are given for two models."),
}


@pytest.mark.parametrize("case", DISAGREEMENTS)
def test_a_disagreement_names_both_files(case: str, tmp_path: Path) -> None:
    change, sentence = DISAGREEMENTS[case]
    content = changed(change)
    if case != "model":
        content |= {"model_name": "other/model"}
    files = [
        read_result(write(tmp_path / "a.json", FILE), "a.json"),
        read_result(write(tmp_path / "b.json", content), "b.json"),
    ]
    scores = [(file, score_of(file, Wanted("mmlu", "acc"))) for file in files]
    with pytest.raises(InputError) as caught:
        check_agreement(scores, "mmlu")
    assert str(caught.value).startswith(f"a.json and b.json {sentence}")


def test_versions_that_mean_the_same_agree() -> None:
    other = changed(lambda content: content["versions"].update({"mmlu": 2.0}))
    files = [Result("a", FILE), Result("b", other | {"model_name": "other"})]
    check_agreement([(file, score_of(file, WANTED)) for file in files], "mmlu")
    check_agreement([], "mmlu")
