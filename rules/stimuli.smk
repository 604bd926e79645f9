"""Stimuli: the texts that subjects read or heard, in presentation order.

REQUIRED: results/sources/{source}/manifest.json of its texts; for data sets that are joined,
    results/stimuli/{dataset}.csv of each
MAKES: results/stimuli/{dataset}.csv
"""


rule prepare_stimuli:
    """Write one data set's stimuli in the common form."""
    input:
        source=source_of("stimuli"),
    output:
        table="results/stimuli/{dataset}.csv",
    log:
        "results/logs/prepare_stimuli/{dataset}.log",
    benchmark:
        "results/benchmarks/prepare_stimuli/{dataset}.tsv"
    wildcard_constraints:
        dataset=names(WITH_FILES),
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


rule join_stimuli:
    """Put the stimuli of several data sets after one another."""
    input:
        stimuli=parts_of("results/stimuli/{dataset}.csv"),
    output:
        table="results/stimuli/{dataset}.csv",
    log:
        "results/logs/join_stimuli/{dataset}.log",
    benchmark:
        "results/benchmarks/join_stimuli/{dataset}.tsv"
    wildcard_constraints:
        dataset=names(JOINED),
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(1_000),
    params:
        spec=spec(specs.joined),
        code=code("join_stimuli"),
    shell:
        "python -m brainalign.stages.join_stimuli"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --stimuli {input.stimuli:q}"
        " --out {output.table:q}"
        " 2> {log:q}"
