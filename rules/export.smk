"""Export: what a finished study hands on, made when it is asked for (`make export`, `snakemake export`).

REQUIRED: the tables, figures and report of results/studies/{study}/, and its config.json, which a run writes before its first job.
MAKES: results/studies/{study}/export/scores.csv, scores.parquet, and results/studies/{study}/ro-crate-metadata.json, which
    describes the folder as an RO-Crate.
"""


rule export_scores:
    """Put all scores into one long table, one row for each number."""
    input:
        tables=SCORE_TABLES,
    output:
        table="results/studies/{study}/export/scores.csv",
        parquet="results/studies/{study}/export/scores.parquet",
    log:
        "results/logs/export_scores/{study}.log",
    benchmark:
        "results/benchmarks/export_scores/{study}.tsv"
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(2_000),
    params:
        spec=spec(study_specs.exported),
        code=code("export_scores"),
    shell:
        "python -m brainalign.stages.export_scores"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --tables {input.tables:q}"
        " --out {output.table:q}"
        " --parquet {output.parquet:q}"
        " 2> {log:q}"


rule describe_study:
    """Describe the study's files, what made them and who to cite."""
    input:
        tables=REPORTED,
        figures=FIGURES,
        report=REPORT,
        replicates="results/studies/{study}/replicates.h5",
        scores="results/studies/{study}/export/scores.csv",
        parquet="results/studies/{study}/export/scores.parquet",
        citation=ancient(CITATION),
    output:
        description="results/studies/{study}/ro-crate-metadata.json",
    log:
        "results/logs/describe_study/{study}.log",
    benchmark:
        "results/benchmarks/describe_study/{study}.tsv"
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(1_000),
    params:
        spec=spec(study_specs.description, CITATION),
        code=code("describe_study"),
        config="results/studies/{study}/config.json",
    shell:
        "python -m brainalign.stages.describe_study"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --files {input.tables:q} {input.figures:q} {input.report:q}"
        " {input.replicates:q} {input.scores:q} {input.parquet:q}"
        " --config {params.config:q}"
        " --citation {input.citation:q}"
        " --out {output.description:q}"
        " 2> {log:q}"
