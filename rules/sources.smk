"""Sources: data sets and texts as files, checksummed.

REQUIRED: the files or addresses named in `datasets` and `texts`.
MAKES: results/sources/{source}/manifest.json, with the files beside it. A text and a simulated data set are one source;
the user's files of a data set are one for each stage that reads any, {dataset}/stimuli, {dataset}/responses and
{dataset}/ceilings, so that a change in one stage's files runs the jobs of no other.
"""


rule fetch_source:
    """Copy or generate the files of one source."""
    input:
        files=files_of_source,
    output:
        manifest="results/sources/{source}/manifest.json",
    log:
        "results/logs/fetch_source/{source}.log",
    benchmark:
        "results/benchmarks/fetch_source/{source}.tsv"
    localrule: True
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(1_000),
    params:
        spec=spec(source_specs.source),
        code=code_of_loader("fetch_source"),
    shell:
        "python -m brainalign.stages.fetch_source"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --inputs {input.files:q}"
        " --out {output.manifest:q}"
        " 2> {log:q}"
