"""The categories of MMLU and BIG-Bench Hard, and how scores of tasks become one score.

MMLU: the four domains of Hendrycks et al. 2021 (github.com/hendrycks/test, categories.py): 18, 13, 12 and 14 subjects.
The groups of lm-evaluation-harness differ from them: it counts anatomy as stem, its authors as other.

BIG-Bench Hard: the groups in which Suzgun et al. 2022 (section 5) discuss its 23 tasks, with the one task that they
name in two groups, salient translation, counted as multilingual only; these are the 8, 3, 5, 1 and 6 tasks of Aw et al.
2023 (Table 2). Two tasks come in three sizes each, 27 files in all. A category's mean averages the sizes of one task
first; the mean of all of BBH over tasks is over the 27 files, as instruct-eval takes it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from brainalign.errors import InputError

Weighting = Literal["items", "tasks"]

_MMLU = {
    "stem": (
        "abstract_algebra astronomy college_biology college_chemistry college_computer_science college_mathematics "
        "college_physics computer_security conceptual_physics electrical_engineering elementary_mathematics "
        "high_school_biology high_school_chemistry high_school_computer_science high_school_mathematics "
        "high_school_physics high_school_statistics machine_learning"
    ),
    "humanities": (
        "formal_logic high_school_european_history high_school_us_history high_school_world_history "
        "international_law jurisprudence logical_fallacies moral_disputes moral_scenarios philosophy prehistory "
        "professional_law world_religions"
    ),
    "social-sciences": (
        "econometrics high_school_geography high_school_government_and_politics high_school_macroeconomics "
        "high_school_microeconomics high_school_psychology human_sexuality professional_psychology public_relations "
        "security_studies sociology us_foreign_policy"
    ),
    "other": (
        "anatomy business_ethics clinical_knowledge college_medicine global_facts human_aging management marketing "
        "medical_genetics miscellaneous nutrition professional_accounting professional_medicine virology"
    ),
}
_BBH = {
    "algorithmic": (
        "boolean_expressions dyck_languages geometric_shapes logical_deduction multistep_arithmetic_two navigate "
        "temporal_sequences tracking_shuffled_objects"
    ),
    "language-understanding": "disambiguation_qa hyperbaton snarks",
    "world-knowledge": "causal_judgement date_understanding movie_recommendation ruin_names sports_understanding",
    "multilingual": "salient_translation_error_detection",
    "others": (
        "formal_fallacies object_counting penguins_in_a_table reasoning_about_colored_objects web_of_lies word_sorting"
    ),
}
SIZES = ("three", "five", "seven")
_SIZED = ("logical_deduction", "tracking_shuffled_objects")

# category → its tasks, as the benchmark names them
CATEGORIES: Mapping[str, tuple[str, ...]] = {
    f"{benchmark}-{name}": tuple(tasks.split())
    for benchmark, groups in (("mmlu", _MMLU), ("bbh", _BBH))
    for name, tasks in groups.items()
}


def weighting_of(category: str) -> Weighting:
    """Return how a category's tasks are weighted: MMLU's by their items, BBH's alike, as Aw et al. 2023 did."""
    return "items" if category.startswith("mmlu-") else "tasks"


def tasks_of(category: str, available: Sequence[str]) -> list[str]:
    """Return the names, as a harness has them, of a category's tasks: mmlu_anatomy or mmlu_flan_anatomy for anatomy.

    Raises
    ------
    InputError : naming the tasks that are not available.
    """
    wanted = [file for task in CATEGORIES[category] for file in _files(task)]
    # Longest first: no name of a task ends another's, but what stands before it could.
    ending = re.compile(rf"(?:^|_)({'|'.join(sorted(map(re.escape, wanted), key=len, reverse=True))})$")
    found: dict[str, str] = {}
    for name in available:
        match = ending.search(name)
        if match is None:
            continue
        if match[1] in found:
            raise InputError(f"{found[match[1]]} and {name} are both {match[1]}; name the group that has one of them.")
        found[match[1]] = name
    missing = [file for file in wanted if file not in found]
    if missing:
        raise InputError(
            f"{len(wanted) - len(missing)} of the {len(wanted)} tasks of {category} are there; missing: "
            f"{', '.join(missing)}."
        )
    return [found[file] for file in wanted]


def mean_score(
    scores: Mapping[str, float], items: Mapping[str, int], weighting: Weighting, sizes_first: bool = False
) -> float:
    """Return the mean of tasks' scores: Σ n_i s_i / Σ n_i over items, or Σ s_i / T over tasks.

    Parameters
    ----------
    scores : task, as a harness names it → score.
    items : task → items; read for "items" only.
    sizes_first : over tasks, whether the three sizes of one task are averaged first, so that they count as one.
    """
    if weighting == "items":
        return float(np.average([scores[name] for name in scores], weights=[items[name] for name in scores]))
    together: dict[str, list[float]] = {}
    for name, score in scores.items():
        together.setdefault(_without_size(name) if sizes_first else name, []).append(score)
    return float(np.mean([np.mean(of_one) for of_one in together.values()]))


def _files(task: str) -> list[str]:
    return [f"{task}_{size}_objects" for size in SIZES] if task in _SIZED else [task]


def _without_size(name: str) -> str:
    sized = re.search(rf"({'|'.join(_SIZED)})_({'|'.join(SIZES)})_objects$", name)
    return name[: sized.end(1)] if sized else name
