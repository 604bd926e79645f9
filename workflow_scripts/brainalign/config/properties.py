"""The sections `properties` and `evaluations`: what is known of models from elsewhere, and benchmarks run here."""

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from brainalign.config.base import Column, Count, ExistingPath, Name, Section, refers
from brainalign.config.twins import with_twins

if TYPE_CHECKING:
    from brainalign.config.study import Study

Origin = Literal["values", "table", "files", "evaluation"]
Category = Literal[
    "mmlu-stem",
    "mmlu-humanities",
    "mmlu-social-sciences",
    "mmlu-other",
    "bbh-algorithmic",
    "bbh-language-understanding",
    "bbh-world-knowledge",
    "bbh-multilingual",
    "bbh-others",
]
Word = Annotated[str, Field(min_length=1)]
Limit = Annotated[float, Field(gt=0)]


def _folder_exists(path: str) -> str:
    if not Path(path).expanduser().is_dir():
        raise ValueError(f"holds {path!r}, which is no folder, seen from {Path.cwd()}")
    return path


class PropertyTable(Section):
    """A CSV with one row per model; those that the study does not name are passed over."""

    file: ExistingPath
    model: Column = "model"
    value: Column


class HarnessScores(Section):
    """Scores of one task or group from result files of lm-evaluation-harness."""

    task: Word = Field(description="a task or group, as the harness names it, such as mmlu or bbh")
    metric: Word = Field(description="such as acc (MMLU) or exact_match (BBH)")
    filter: Word = Field("none", description="such as none (MMLU) or get-answer (BBH with thoughts)")
    category: Category | None = Field(None, description="a category of the benchmark, from the tasks of the group")
    weighting: Literal["items", "tasks"] | None = Field(
        None, description="how the group's tasks are averaged, if not as the harness does (or as the category's paper)"
    )
    shots: Annotated[int, Field(ge=0)] | None = Field(None, description="what the files must have been run with")
    limit: Limit | None = Field(None, description="items of each task that the files must have been run with; all")
    files: dict[Name, ExistingPath] = Field({}, description="model → results_….json")
    evaluation: Name | None = Field(None, description="an entry of `evaluations`, which makes such files here")

    @model_validator(mode="after")
    def _some_source(self) -> Self:
        if not self.files and not self.evaluation:
            raise ValueError("files (model → results_….json) or evaluation (an entry of `evaluations`) is needed")
        return self


class Property(Section):
    """A number for each model, such as a benchmark score: given here, in a table, or in files of a harness."""

    values: dict[Name, Annotated[float, Field()]] = Field({}, description="model → number")
    table: PropertyTable | None = None
    lm_eval: HarnessScores | None = None
    units: Literal["number", "fraction"] | None = Field(
        None,
        description="fraction: every value must lie between 0 and 1; so do those of lm_eval unless told otherwise; "
        "number: whatever they are, so that 0.3 beside 41.9 is no mistake",
    )
    prefer: Origin | None = Field(None, description="which counts where a model has the number from two sources")
    source: str | None = Field(None, description="where the numbers are from")
    task_version: str | None = Field(None, description="of values and table: the benchmark's version")
    shots: Annotated[int, Field(ge=0)] | None = Field(None, description="of values and table: examples before an item")
    date: datetime.date | None = Field(None, description="of values and table: when they were measured")

    @model_validator(mode="after")
    def _some_source(self) -> Self:
        if not {"values", "table", "lm_eval"} & self.model_fields_set:
            raise ValueError("values (model → number), table or lm_eval is needed")
        if self.is_fraction:
            for model, value in self.values.items():
                if not 0 <= value <= 1:
                    hint = "; a percentage has to be divided by 100" if 1 < value <= 100 else ""
                    raise ValueError(f"the value of {model!r} is {value:g}; a fraction lies between 0 and 1{hint}")
        return self

    @property
    def is_fraction(self) -> bool:
        return self.units == "fraction" or (self.units is None and self.lm_eval is not None)

    def origins(self) -> list[Origin]:
        """Return where its numbers come from."""
        found: list[Origin] = ["values"] if self.values else []
        found += ["table"] if self.table else []
        found += ["files"] if self.lm_eval and self.lm_eval.files else []
        return found + (["evaluation"] if self.lm_eval and self.lm_eval.evaluation else [])


class Evaluation(Section):
    """Benchmarks that lm-evaluation-harness runs here, in an environment of its own (make lm-eval-environment)."""

    tasks: Annotated[list[Word], Field(min_length=1)] = Field(description="tasks and groups, as the harness names them")
    shots: Annotated[int, Field(ge=0)] | None = Field(None, description="examples before each item; the task's own")
    limit: Limit | None = Field(None, description="items of each task, or below 1 their share; for trials only")
    batch_size: Count = Field(8, description="items at once")
    chat_template: bool = Field(False, description="whether prompts are put into the model's chat template")
    include: Annotated[str, AfterValidator(_folder_exists)] | None = Field(
        None, description="folder with task files (YAML) of your own, whose data may be local files"
    )
    models: Annotated[list[Name], Field(min_length=1)] | None = Field(
        None, description="all with weights but untrained twins, unless named"
    )


def evaluated_models(study: "Study", evaluation: str) -> list[str]:
    """Return the models that an evaluation is of."""
    asked = study.evaluations[evaluation].models
    models = with_twins(study.models)
    return asked or [name for name, entry in models.items() if not entry.published and entry.kind != "untrained"]


def files_of_properties(study: "Study") -> list[str]:
    """Return the user's tables and result files behind the properties, each once, sorted."""
    found = {entry.table.file for entry in study.properties.values() if entry.table}
    found |= {file for entry in study.properties.values() if entry.lm_eval for file in entry.lm_eval.files.values()}
    return sorted(found)


def files_of_evaluation(study: "Study", evaluation: str) -> list[str]:
    """Return the files under the folder of an evaluation's own tasks, sorted."""
    include = study.evaluations[evaluation].include
    if include is None:
        return []
    files = (path for path in Path(include).expanduser().rglob("*") if path.is_file())
    return sorted(str(path) for path in files if not {"__pycache__"} & set(path.parts) and path.name[0] != ".")


def settings_of_property(study: "Study", name: str) -> dict[str, Any]:
    """Return what the joined tables need of a property; shots and limit of an evaluation are those of its scores."""
    entry = study.properties[name]
    plain = entry.model_dump(mode="json", exclude_none=True, exclude={"units"})
    evaluation = study.evaluations.get(entry.lm_eval.evaluation or "") if entry.lm_eval else None
    if evaluation:
        for key in ("shots", "limit"):
            if plain["lm_eval"].get(key) is None and getattr(evaluation, key) is not None:
                plain["lm_eval"][key] = getattr(evaluation, key)
    units = "fraction" if entry.is_fraction else entry.units
    return plain | ({"units": units} if units else {})


def impossible_properties(study: "Study") -> Iterator[str]:
    """Yield a sentence for each reference to nothing, and each number that would have two sources."""
    models = list(with_twins(study.models))
    for name, entry in study.properties.items():
        key = f"properties.{name}"
        asked = entry.lm_eval
        for model in entry.values:
            yield from refers(f"{key}.values", model, models, "model")
        for model in asked.files if asked else []:
            yield from refers(f"{key}.lm_eval.files", model, models, "model")
        if asked and asked.evaluation:
            yield from refers(f"{key}.lm_eval.evaluation", asked.evaluation, list(study.evaluations), "evaluation")
            yield from _other_conditions(name, study)
        if entry.prefer and entry.prefer not in entry.origins():
            yield (
                f"{key}.prefer: holds {entry.prefer!r}, but there are no such numbers; there are "
                f"{' and '.join(entry.origins()) or 'none'}."
            )
        yield from _two_sources(name, study)
    for name in study.evaluations:
        yield from _impossible_evaluation(name, study)


def _other_conditions(name: str, study: "Study") -> Iterator[str]:
    asked = study.properties[name].lm_eval
    assert asked is not None
    evaluation = study.evaluations.get(asked.evaluation or "")
    for setting in ("shots", "limit") if evaluation else ():
        wanted, run = getattr(asked, setting), getattr(evaluation, setting)
        if wanted is not None and wanted != run:
            done = "leaves it to the task" if run is None and setting == "shots" else f"has {run}"
            yield (
                f"properties.{name}.lm_eval.{setting}: holds {wanted}, but evaluations.{asked.evaluation}.{setting} "
                f"{done}; make them the same."
            )


def _two_sources(name: str, study: "Study") -> Iterator[str]:
    """What a table holds is not known before it is read; of all else it is."""
    entry = study.properties[name]
    known: dict[Origin, list[str]] = {"values": list(entry.values)}
    if entry.lm_eval:
        known["files"] = list(entry.lm_eval.files)
        if entry.lm_eval.evaluation in study.evaluations:
            known["evaluation"] = evaluated_models(study, entry.lm_eval.evaluation or "")
    origins: list[Origin] = [origin for origin in known if known[origin]]
    for number, first in enumerate(origins):
        for second in origins[number + 1 :]:
            chosen = known.get(entry.prefer, []) if entry.prefer else []
            both = [model for model in known[first] if model in known[second] and model not in chosen]
            if both:
                yield (
                    f"properties.{name}: the model {both[0]!r} has two sources, {first} and {second}; leave one out, "
                    f"or say which counts: `prefer: {first}` or `prefer: {second}`."
                )


def _impossible_evaluation(name: str, study: "Study") -> Iterator[str]:
    models = with_twins(study.models)
    with_weights = [model for model, entry in models.items() if not entry.published]
    for model in evaluated_models(study, name):
        yield from refers(f"evaluations.{name}.models", model, with_weights, "model with weights")
        if model in models and models[model].remote_code:
            yield (
                f"evaluations.{name}: the model {model!r} runs Python of its own (remote_code), which lm_eval is not "
                f"allowed to; name the other models in evaluations.{name}.models."
            )


def property_spec(study: "Study", digest: Callable[[str], str]) -> dict[str, Any]:
    """Return the properties' settings, and the SHA-256 of the files that they are from."""
    return {
        "properties": {name: settings_of_property(study, name) for name in study.properties},
        "files": {file: digest(file) for file in files_of_properties(study)},
    }
