"""Stimuli: the texts that subjects read or heard, in presentation order.

REQUIRED: results/sources/{dataset}/manifest.json
MAKES: results/stimuli/{dataset}.csv
"""


rule prepare_stimuli:
    """Write one data set's stimuli in the common form."""
    input:
        source="results/sources/{dataset}/manifest.json",
    output:
        table="results/stimuli/{dataset}.csv",
    log:
        "results/logs/prepare_stimuli/{dataset}.log",
    benchmark:
        "results/benchmarks/prepare_stimuli/{dataset}.tsv"
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(1_000),
    params:
        spec=spec(specs.stimuli),
        code=code_of_loader("prepare_stimuli"),
    shell:
        "python -m brainalign.stages.prepare_stimuli"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --source {input.source:q}"
        " --out {output.table:q}"
        " 2> {log:q}"
