# brainalign: how well language models predict human brain activity, and what about the models explains it.
#
# Without --configfile, the study is config.yaml (the miniature, simulated); a study given with --configfile replaces it.
# Each stage has its rules in rules/<stage>.smk, its library in workflow_scripts/brainalign/<stage> and its files in
# results/<stage>/.
from snakemake.utils import min_version

min_version("9.20")

if not workflow.overwrite_configfiles:

    configfile: workflow.source_path("config.yaml")


report: "rules/report/workflow.rst"


include: "rules/common.smk"
include: "rules/inputs.smk"
include: "rules/sources.smk"
include: "rules/models.smk"
include: "rules/stimuli.smk"
include: "rules/responses.smk"
include: "rules/activations.smk"
include: "rules/encoding.smk"
include: "rules/ceilings.smk"
include: "rules/alignment.smk"
include: "rules/similarity.smk"
include: "rules/prediction.smk"
include: "rules/losses.smk"
include: "rules/evaluations.smk"
include: "rules/published.smk"
include: "rules/study.smk"
include: "rules/correlation.smk"
include: "rules/figures.smk"
include: "rules/export.smk"
include: "rules/report.smk"


onstart:
    begin_run()


onsuccess:
    end_run()


onerror:
    end_run()


rule all:
    default_target: True
    input:
        TABLES,
        FIGURES,
        REPORT,
        PREDICTIONS,
    localrule: True


rule activations:
    input:
        ACTIVATIONS,
    localrule: True


rule encodings:
    input:
        ENCODINGS,
    localrule: True


rule predictions:
    input:
        PREDICTIONS,
    localrule: True


rule export:
    input:
        f"results/studies/{STUDY.study}/export/scores.csv",
        f"results/studies/{STUDY.study}/ro-crate-metadata.json",
    localrule: True
