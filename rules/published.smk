"""Published: what others measured, brought into the form of this workflow's own tables and set beside them.

REQUIRED: the tables named in `published`; for the comparison, the file named in analyses.reproduce and the study's tables.
MAKES: results/published/{published}.csv, results/studies/{study}/reproduced.csv
"""


rule take_published:
    """Bring the published scores of one data set into the form of an alignment table."""
    input:
        table=table_of_published,
    output:
        table="results/published/{published}.csv",
    log:
        "results/logs/take_published/{published}.log",
    benchmark:
        "results/benchmarks/take_published/{published}.tsv"
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(1_000),
    params:
        spec=spec(study_specs.published),
        code=code("take_published"),
    shell:
        "python -m brainalign.stages.take_published"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --table {input.table:q}"
        " --out {output.table:q}"
        " 2> {log:q}"


rule reproduce_published:
    """Set published figures beside the study's own."""
    input:
        claims=claims_to_reproduce,
        correlations="results/studies/{study}/correlations.csv",
        controlled="results/studies/{study}/controlled_correlations.csv",
        pairs="results/studies/{study}/pairs.csv",
    output:
        table="results/studies/{study}/reproduced.csv",
    log:
        "results/logs/reproduce_published/{study}.log",
    benchmark:
        "results/benchmarks/reproduce_published/{study}.tsv"
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(1_000),
    params:
        spec=spec(study_specs.reproduction),
        code=code("reproduce_published"),
    shell:
        "python -m brainalign.stages.reproduce_published"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --claims {input.claims:q}"
        " --correlations {input.correlations:q}"
        " --controlled {input.controlled:q}"
        " --pairs {input.pairs:q}"
        " --out {output.table:q}"
        " 2> {log:q}"
