"""Scores from result files of lm-evaluation-harness, and every disagreement as one sentence."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from brainalign.errors import InputError
from brainalign.properties.agreement import check_agreement
from brainalign.properties.categories import CATEGORIES
from brainalign.properties.harness import HarnessScore, Result, Wanted, read_result, score_of
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


SHAPES: dict[str, tuple[dict[str, Any], str]] = {
    "a task's results": ({"results": {"mmlu": 0.3}}, "results of mmlu is 0.3; a mapping is needed."),
    "a task's settings": ({"configs": {"mmlu_anatomy": []}}, "configs of mmlu_anatomy is []; a mapping is needed."),
    "shots in words": ({"n-shot": {"mmlu": "five"}}, "n-shot of mmlu is 'five'; a whole number is needed."),
    "shots of truth": ({"n-shot": {"mmlu": True}}, "n-shot of mmlu is True; a whole number is needed."),
    "items that were there only": (
        {"n-samples": {"mmlu_anatomy": {"original": 9}}},
        "n-samples of mmlu_anatomy is {'original': 9}; a whole number for each of original and effective is needed.",
    ),
    "items as a number": (
        {"n-samples": {"mmlu_anatomy": 9}},
        "n-samples of mmlu_anatomy is 9; a whole number for each of original and effective is needed.",
    ),
    "groups as a list": (
        {"group_subtasks": ["mmlu"]},
        "group_subtasks is ['mmlu']; a mapping of tasks is needed.",
    ),
    "a group's tasks": ({"group_subtasks": {"mmlu": 3}}, "group_subtasks of mmlu is 3; a list of tasks is needed."),
    "a limit in quotes": ({"config": {"limit": "10"}}, "limit of config is '10'; a number or nothing is needed."),
}


@pytest.mark.parametrize("case", SHAPES)
def test_a_file_of_another_shape_is_told_in_one_sentence(case: str, tmp_path: Path) -> None:
    change, sentence = SHAPES[case]
    with pytest.raises(InputError) as caught:
        read_result(write(tmp_path / "a.json", FILE | change), "a.json")
    assert str(caught.value) == f"a.json: {sentence}"


def test_shots_that_are_not_told_are_unknown_and_refused_where_some_are_asked_for() -> None:
    silent = Result("a.json", FILE | {"n-shot": {}})
    assert score_of(silent, Wanted("mmlu", "acc")).shots is None
    with pytest.raises(InputError, match=r"^a\.json does not say how many shots mmlu_abstract_algebra was asked with"):
        score_of(silent, Wanted("mmlu", "acc", shots=0))


def test_groups_that_hold_each_other_come_to_an_end() -> None:
    groups = {"mmlu": ["mmlu_a", *list(SCORES)[:3]], "mmlu_a": ["mmlu"]}
    assert score_of(Result("a.json", FILE | {"group_subtasks": groups}), WANTED).value


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


def template(content: dict[str, Any]) -> None:
    content["chat_template"] = "{{messages}}"


def instruction(content: dict[str, Any]) -> None:
    content |= {"system_instruction": "Be good.", "system_instruction_sha": "0123456789abcdef"}


DISAGREEMENTS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "version": (version, "differ in the version of mmlu_virology, 1 and 2; scores of models cannot be compared."),
    "version of the group": (group_version, "differ in the version of mmlu, 2 and 1; scores of models cannot"),
    "shots": (zero_shots, "differ in the shots of mmlu, 5 and 0; scores of models cannot be compared."),
    "items": (fewer_items, "differ in the items of mmlu, 7638 and 7468;"),
    "tasks": (fewer_tasks, "differ in the tasks of mmlu: a.json has mmlu_anatomy, b.json not."),
    "prompt": (prompt, "differ in how the items of mmlu_anatomy are asked; their versions are the same."),
    "template": (template, "differ in whether a chat template was used, no and yes; scores of models cannot be"),
    "instruction": (instruction, "differ in the system instruction (SHA-256), none and 0123456789ab; scores of models"),
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


def scored(*contents: dict[str, Any]) -> list[tuple[Result, HarnessScore]]:
    """The MMLU scores of files a.json, b.json, …, each of a model of its own unless it says of which."""
    files = [
        Result(f"{name}.json", FILE | {"model_name": f"hub/{name}"} | content)
        for name, content in zip("abcd", contents, strict=False)
    ]
    return [(file, score_of(file, Wanted("mmlu", "acc"))) for file in files]


def test_the_second_and_third_file_are_compared_too() -> None:
    with pytest.raises(InputError, match=r"^b\.json and c\.json are both of hub/same, but are given for two models\.$"):
        check_agreement(scored({}, {"model_name": "hub/same"}, {"model_name": "hub/same"}), "mmlu")
    check_agreement(scored({"model_name": ""}, {"model_name": ""}), "mmlu")
    silent = {"configs": {}}
    other = {"configs": changed(prompt)["configs"]}
    with pytest.raises(InputError, match=r"^b\.json and c\.json differ in how the items of mmlu_anatomy are asked"):
        check_agreement(scored(silent, {}, other), "mmlu")
    check_agreement(scored(silent, {}, {}, silent), "mmlu")


def test_examples_as_turns_of_a_chat_matter_where_there_are_examples() -> None:
    turns = {"chat_template_sha": "ab", "fewshot_as_multiturn": True}
    with pytest.raises(InputError, match="differ in whether examples were turns of a chat, yes and no"):
        check_agreement(scored(turns, turns | {"fewshot_as_multiturn": False}), "mmlu")
    none = {"n-shot": dict.fromkeys(FILE["n-shot"], 0)}
    check_agreement(scored(turns | none, turns | none | {"fewshot_as_multiturn": False}), "mmlu")
    check_agreement(scored({"fewshot_as_multiturn": True}, {}), "mmlu")


def test_other_versions_and_templates_are_told_but_no_error(caplog: pytest.LogCaptureFixture) -> None:
    templates = [{"chat_template_sha": "ab"}, {"chat_template_sha": "cd", "lm_eval_version": "0.4.9"}]
    check_agreement(scored(*templates), "mmlu")
    assert (
        "the scores of mmlu are of different versions of lm-evaluation-harness: 0.4.13 (a.json), 0.4.9 (b.json)"
        in caplog.text
    )
    assert "the scores of mmlu are of different chat templates: ab (a.json), cd (b.json)" in caplog.text
    caplog.clear()
    check_agreement(scored({}, {}), "mmlu")
    assert not caplog.records


def test_versions_that_mean_the_same_agree() -> None:
    other = changed(lambda content: content["versions"].update({"mmlu": 2.0}))
    files = [Result("a", FILE), Result("b", other | {"model_name": "other"})]
    check_agreement([(file, score_of(file, WANTED)) for file in files], "mmlu")
    check_agreement([], "mmlu")
