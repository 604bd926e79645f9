"""The categories have the tasks that their papers count, and scores are averaged as said."""

import numpy as np
import pytest

from brainalign.errors import InputError
from brainalign.properties.categories import CATEGORIES, mean_score, tasks_of, weighting_of
from properties.result_files import BBH, MMLU


def test_mmlu_has_57_subjects_and_bbh_23_tasks_in_27_files() -> None:
    counts = {name: len(tasks) for name, tasks in CATEGORIES.items()}
    assert counts == {
        "mmlu-stem": 18,
        "mmlu-humanities": 13,
        "mmlu-social-sciences": 12,
        "mmlu-other": 14,
        "bbh-algorithmic": 8,
        "bbh-language-understanding": 3,
        "bbh-world-knowledge": 5,
        "bbh-multilingual": 1,
        "bbh-others": 6,
    }
    assert len(set(MMLU)) == len(MMLU) == 57
    assert len(set(BBH)) == len(BBH) == 27


@pytest.mark.parametrize("prefix", ["mmlu_", "mmlu_flan_n_shot_generative_", ""])
def test_tasks_are_found_whatever_stands_before_their_names(prefix: str) -> None:
    names = [f"{prefix}{subject}" for subject in MMLU]
    found = [task for category in CATEGORIES if category.startswith("mmlu") for task in tasks_of(category, names)]
    assert found == names


def test_the_sizes_of_a_task_are_all_needed() -> None:
    names = [f"bbh_fewshot_{task}" for task in BBH]
    assert len(tasks_of("bbh-algorithmic", names)) == 12
    names.remove("bbh_fewshot_logical_deduction_five_objects")
    with pytest.raises(
        InputError,
        match=r"^11 of the 12 tasks of bbh-algorithmic are there; missing: logical_deduction_five_objects\.$",
    ):
        tasks_of("bbh-algorithmic", names)


def test_two_variants_of_one_task_are_refused() -> None:
    names = [f"{prefix}{task}" for task in BBH for prefix in ("bbh_fewshot_", "bbh_zeroshot_")]
    with pytest.raises(InputError, match=r"bbh_fewshot_[a-z_]+ and bbh_zeroshot_[a-z_]+ are both"):
        tasks_of("bbh-language-understanding", names)


def test_means_against_sums() -> None:
    random = np.random.default_rng(0)
    names = [f"bbh_{task}" for task in BBH]
    scores = dict(zip(names, random.uniform(size=27).tolist(), strict=True))
    items = dict(zip(names, random.integers(100, 251, 27).tolist(), strict=True))
    correct = sum(scores[name] * items[name] for name in names)
    assert mean_score(scores, items, "items") == pytest.approx(correct / sum(items.values()))
    sized = {"logical_deduction": 0.0, "tracking_shuffled_objects": 0.0}
    rest = [score for name, score in scores.items() if not name.endswith("_objects")]
    for task in sized:
        sized[task] = np.mean([score for name, score in scores.items() if task in name]).item()
    rest += [scores["bbh_reasoning_about_colored_objects"]]
    assert len(rest) == 21
    assert mean_score(scores, {}, "tasks", sizes_first=True) == pytest.approx((sum(rest) + sum(sized.values())) / 23)
    assert mean_score(scores, {}, "tasks") == pytest.approx(sum(scores.values()) / 27)


def test_usual_weights() -> None:
    assert weighting_of("mmlu-stem") == "items"
    assert weighting_of("bbh-others") == "tasks"
