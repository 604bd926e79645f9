"""Responses: brain activity as a matrix of samples × neuroids.

REQUIRED: results/sources/{source}/manifest.json of its responses, results/stimuli/{dataset}.csv; for data sets that are
    joined, results/responses/{dataset}.h5 of each
MAKES: results/responses/{dataset}.h5, and the digest of its content.
"""


rule prepare_responses:
    """Write one data set's responses, with what is known of samples and neuroids."""
    input:
        source=source_of("responses"),
        stimuli="results/stimuli/{dataset}.csv",
    output:
        responses="results/responses/{dataset}.h5",
        digest="results/responses/{dataset}.digest.json",
    log:
        "results/logs/prepare_responses/{dataset}.log",
    benchmark:
        "results/benchmarks/prepare_responses/{dataset}.tsv"
    wildcard_constraints:
        dataset=names([name for name in WITH_RESPONSES if name not in JOINED]),
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


rule join_responses:
    """Put the responses of several data sets after one another, over the neuroids that all of them have."""
    input:
        responses=ancient(parts_of("results/responses/{dataset}.h5")),
        digests=parts_of("results/responses/{dataset}.digest.json"),
    output:
        responses="results/responses/{dataset}.h5",
        digest="results/responses/{dataset}.digest.json",
    log:
        "results/logs/join_responses/{dataset}.log",
    benchmark:
        "results/benchmarks/join_responses/{dataset}.tsv"
    wildcard_constraints:
        dataset=names(JOINED),
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(4_000),
    params:
        spec=spec(specs.joined),
        code=code("join_responses"),
    shell:
        "python -m brainalign.stages.join_responses"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --responses {input.responses:q}"
        " --out {output.responses:q}"
        " --digest {output.digest:q}"
        " 2> {log:q}"
