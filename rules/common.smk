"""Names, wildcard constraints and the functions that rules use; input functions are in inputs.smk. No other rules file has
functions.
"""

import re
import shlex
import shutil
import sys
from pathlib import Path

import yaml
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

ROOT = Path(workflow.current_basedir.get_path_or_uri(secret_free=True)).parent
SCRIPTS = ROOT / "workflow_scripts"
sys.path.insert(0, str(SCRIPTS))

from brainalign import model_specs, source_specs, specs, study_specs
from brainalign.activations.nulls.registry import module_of
from brainalign.checksums import Checksums
from brainalign.config import properties as config_properties
from brainalign.config.claims import conflicts, record
from brainalign.config.joined import covered_by, scored_by, with_responses
from brainalign.config.joint_features import datasets_of, joint_features, readouts_of
from brainalign.config.study import read_study
from brainalign.config.twins import with_twins
from brainalign.config.yaml_files import keys_without_values, refuse_repeated_keys
from brainalign.errors import InputError
from brainalign.figures.needs import drawn_by, expanded, needs
from brainalign.properties.running import missing_environment, pinned_version
from brainalign.provenance import canonical, code_param
from brainalign.report import pages as report_pages
from brainalign.run_lock import hold_folder

# The Python of the environment in which lm_eval runs (make lm-eval-environment); one rule finds it in its shell.
LM_EVAL = ROOT / ".venv-lm-eval" / "bin" / "python"
HARNESS = pinned_version(ROOT / "envs" / "lm-eval.lock")

# Stages run under the interpreter that runs Snakemake, unless a software deployment was asked for, and import this
# checkout's package, whatever else lies in the working directory. File descriptor 3 keeps Snakemake's standard error,
# where a stage that fails says its one sentence besides writing it to its log. Jobs compute without the Hub, whatever
# a library that they call would ask it; HUB_OFFLINE keeps the user's own wish for the jobs that fetch.
interpreter = (
    "" if workflow.deployment_settings.deployment_method else f"{shlex.quote(str(Path(sys.executable).parent))}:"
)
shell.prefix(
    f'set -euo pipefail; exec 3>&2; export PATH={interpreter}"$PATH"'
    f" PYTHONPATH={shlex.quote(str(SCRIPTS))} LM_EVAL={shlex.quote(str(LM_EVAL))}; export PYTHONSAFEPATH=1; "
    "export HUB_OFFLINE=${{HF_HUB_OFFLINE-}} HF_HUB_OFFLINE=1; "
)


def validated_study():
    """Read the config as a study that agrees with the studies whose results lie here."""
    try:
        for path in workflow.configfiles:
            refuse_repeated_keys(Path(path))
        without_values = [keys for path in workflow.configfiles for keys in keys_without_values(Path(path))]
        study = read_study(config, without_values)
        clashes = conflicts(study, Path("results/studies"))
    except InputError as error:
        raise WorkflowError(f"The config cannot be used.\n{error}") from None
    if clashes:
        raise WorkflowError("\n".join(clashes))
    return study


STUDY = validated_study()

for name, model in STUDY.models.items():
    if model.source and not model.revision and not model_specs.is_folder(model.source):
        logger.warning(
            f"models.{name} has no revision: {model.source} is taken as it is when first fetched, and recorded."
        )

# How to cite the tool itself, where the checkout says so.
TOOL = yaml.safe_load(citation.read_text(encoding="utf-8")) if (citation := ROOT / "CITATION.cff").exists() else {}

CHECKSUMS = Checksums(Path(".snakemake/brainalign-checksums.json"))


def check_property_files():
    """Refuse tables and result files that the last job could not use, before the first one."""
    known = study_specs.properties(STUDY, CHECKSUMS)
    if known["properties"]:
        from brainalign.properties.gathering import gather  # with pandas, which takes a moment

        files = {name: Path(name).expanduser() for name in known["files"]}
        try:
            gather(known["models"], known["properties"], files, {})
        except InputError as error:
            raise WorkflowError(str(error)) from None


check_property_files()

MODELS = with_twins(STUDY.models)
WITH_WEIGHTS = [name for name, entry in MODELS.items() if not entry.published]
READOUTS = {name: entry.model_dump() for name, entry in STUDY.readouts.items()}
DATASETS = list(STUDY.datasets)
WITH_RESPONSES = with_responses(STUDY)
JOINED = [name for name, entry in STUDY.datasets.items() if entry.loader == "joined"]
WITH_FILES = [name for name in DATASETS if name not in JOINED]
NULLS = specs.nulls(STUDY)
JOINT_FEATURES = list(joint_features(STUDY))
SINGLE_FEATURES = [*WITH_WEIGHTS, *(name for name in STUDY.features if name not in JOINT_FEATURES)]
JOINED_READOUTS = [*(name for name in STUDY.readouts if specs.follow_from_stimuli(STUDY, name)), "none"]
JOINED_FEATURES = [*WITH_WEIGHTS, *specs.from_files(STUDY)]


def names(values):
    """A wildcard constraint for these names and no others; one that nothing matches where there are none."""
    return "|".join(re.escape(value) for value in values) or "(?!)"


def models_made_by(origin):
    """Names of the models that are trained, tuned, untrained, summed, fetched or published."""
    return [name for name, entry in MODELS.items() if model_specs.model_origin(entry) == origin]


wildcard_constraints:
    study=names([STUDY.study]),
    dataset=names(DATASETS),
    source=names(source_specs.sources(STUDY)),
    model=names(WITH_WEIGHTS),
    features=names([*WITH_WEIGHTS, *STUDY.features]),
    readout=names([*STUDY.readouts, "none"]),
    encoder=names(STUDY.encoders),
    similarity=names(STUDY.similarities),
    loss=names(STUDY.losses),
    evaluation=names(STUDY.evaluations),
    figure=names(expanded(STUDY.figures, WITH_WEIGHTS)),
    published=names(STUDY.published),


def cells():
    """Every (readout, features, dataset) of the study that is scored."""
    found = [(r, m, d) for r in STUDY.readouts for m in WITH_WEIGHTS for d in WITH_RESPONSES]
    for name in STUDY.features:
        if name in JOINT_FEATURES:
            found += [(r, name, d) for r in readouts_of(STUDY, name) for d in datasets_of(STUDY, name)]
        else:
            found += [("none", name, dataset) for dataset in covered_by(STUDY, name)]
    return found


CELLS = cells()


def paths(pattern):
    """The pattern for every cell of the study and every encoder that is for its data and, if it is joint, can join."""
    return [
        pattern.format(encoder=encoder, readout=readout, features=features, dataset=dataset)
        for encoder, entry in STUDY.encoders.items()
        for readout, features, dataset in CELLS
        if dataset in scored_by(STUDY, encoder) and (entry.can_join or features not in JOINT_FEATURES)
    ]


ACTIVATIONS = [f"results/activations/{r}/{f}/{d}.h5" for r, f, d in CELLS if f not in JOINT_FEATURES]
ENCODINGS = paths("results/encoding/{encoder}/{readout}/{features}/{dataset}.h5")
ALIGNMENTS = paths("results/alignment/{encoder}/{readout}/{features}/{dataset}.csv")
SIMILARITIES = [
    f"results/similarity/{similarity}/{readout}/{features}/{dataset}.csv"
    for similarity in STUDY.similarities
    for readout, features, dataset in CELLS
    if dataset not in JOINED  # two sessions' patterns differ by more than their stimuli
    and features not in JOINT_FEATURES
]
MANIFESTS = [f"results/models/{model}/manifest.json" for model in WITH_WEIGHTS]
LOSSES = [f"results/losses/{loss}/{model}.json" for loss in STUDY.losses for model in WITH_WEIGHTS]
EVALUATIONS = [
    f"results/evaluations/{evaluation}/{model}.json"
    for evaluation in STUDY.evaluations
    for model in config_properties.evaluated_models(STUDY, evaluation)
]
PREDICTIONS = [f"results/predictions/{prediction}.h5" for prediction in STUDY.predictions]
PUBLISHED = [f"results/published/{published}.csv" for published in STUDY.published]
TABLES = [
    f"results/studies/{STUDY.study}/{table}.csv"
    for table in ("alignment", "averages", "properties", "correlations", "controlled_correlations", "pairs")
]
if STUDY.analyses.reproduce:
    TABLES.append(f"results/studies/{STUDY.study}/reproduced.csv")
if STUDY.similarities:
    TABLES.append(f"results/studies/{STUDY.study}/similarity.csv")
REPORTED = [*TABLES, f"results/studies/{STUDY.study}/property_sources.csv"]
PAGES = report_pages.pages_of(Path(table).stem for table in REPORTED)
REPORT = [f"results/studies/{STUDY.study}/report/{file}" for file in ("summary.html", "methods.txt")]
REPORT += [f"results/studies/{STUDY.study}/report/{page}.html" for page in PAGES]
FIGURES = [
    f"results/studies/{STUDY.study}/figures/{figure}.{ending}"
    for figure in expanded(STUDY.figures, WITH_WEIGHTS)
    for ending in ("pdf", "png")
]
SCORE_TABLES = [table for table in TABLES if Path(table).stem != "reproduced"]
CITATION = str(ROOT / "CITATION.cff")


def begin_run():
    """Take the folder for this run, and keep the study's resolved config, where others look for what names mean."""
    global folder_lock
    to_run = () if workflow.touch else workflow.dag.needrun_jobs()
    if not LM_EVAL.is_file() and any(job.rule.name == "evaluate_model" for job in to_run):
        raise WorkflowError(missing_environment(LM_EVAL))
    try:
        folder_lock = hold_folder(Path("results/.lock"))
    except InputError as error:
        raise WorkflowError(str(error)) from None
    record(STUDY, Path("results/studies"))


def end_run():
    """Give the folder back."""
    folder_lock.close()


def spec(build, *arguments):
    """A params function: the stage's settings as canonical JSON. `arguments` follow the study; wildcards the rest."""

    def params(wildcards):
        accepted = build.__code__.co_varnames[1 : build.__code__.co_argcount]
        known = {name: value for name, value in wildcards.items() if name in accepted}
        if "digest" in accepted:
            known["digest"] = CHECKSUMS
        return canonical(build(STUDY, *arguments, **known))

    return params


def code(stage, *modules):
    """The fingerprint of a stage, of modules that it finds by name, and of everything local that they import."""
    return code_param(SCRIPTS, f"brainalign.stages.{stage}", *(f"brainalign.{module}" for module in modules))


def code_of_loader(stage):
    """A params function: the fingerprint of a stage and of the loader that its spec names."""
    builds = {
        "fetch_source": ("sources", lambda w: source_specs.source(STUDY, w.source, CHECKSUMS)),
        "prepare_stimuli": ("stimuli", lambda w: specs.stimuli(STUDY, w.dataset)),
        "prepare_responses": ("responses", lambda w: specs.responses(STUDY, w.dataset)),
    }
    package, build = builds[stage]
    return lambda wildcards: code(stage, f"{package}.{build(wildcards)['loader']}")


def code_of_null(wildcards):
    """The fingerprint of compute_features and of the null that it computes."""
    null = specs.features(STUDY, wildcards.features, CHECKSUMS)["null"]
    by_name = null not in ("table", "embeddings")  # which the stage imports itself
    modules = [module_of(null).removeprefix("brainalign.")] if by_name else []
    return code("compute_features", *modules)


def code_of_figure(wildcards):
    """The fingerprint of draw_figure and of the figure that it draws."""
    return code("draw_figure", f"figures.{drawn_by(wildcards.figure)[0]}")
