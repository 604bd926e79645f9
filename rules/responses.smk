"""Responses: brain activity as a matrix of samples × neuroids.

REQUIRED: results/sources/{dataset}/manifest.json, results/stimuli/{dataset}.csv
MAKES: results/responses/{dataset}.h5, and the digest of its content.
"""


rule prepare_responses:
    """Write one data set's responses, with what is known of samples and neuroids."""
    input:
        source="results/sources/{dataset}/manifest.json",
        stimuli="results/stimuli/{dataset}.csv",
    output:
        responses="results/responses/{dataset}.h5",
        digest="results/responses/{dataset}.digest.json",
    log:
        "results/logs/prepare_responses/{dataset}.log",
    benchmark:
        "results/benchmarks/prepare_responses/{dataset}.tsv"
    wildcard_constraints:
        dataset=names(WITH_RESPONSES),
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(4_000),
    params:
        spec=spec(specs.responses),
        code=code_of_loader("prepare_responses"),
    shell:
        "python -m brainalign.stages.prepare_responses"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --source {input.source:q}"
        " --stimuli {input.stimuli:q}"
        " --out {output.responses:q}"
        " --digest {output.digest:q}"
        " 2> {log:q}"
