"""Sources: data sets and texts as files, checksummed.

REQUIRED: the files or addresses named in `datasets` and `texts`.
MAKES: results/sources/{source}/manifest.json, with the files beside it.
"""


rule fetch_source:
    """Copy or generate the files of one data set or text."""
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
        spec=spec(specs.source),
        code=code_of_loader("fetch_source"),
    shell:
        "python -m brainalign.stages.fetch_source"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --inputs {input.files:q}"
        " --out {output.manifest:q}"
        " 2> {log:q}"
