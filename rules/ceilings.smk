"""Ceilings: how well a perfect model could do on one data set, by one encoder's folds and aggregation.

REQUIRED: results/responses/{dataset}.h5; for given ceilings results/sources/{dataset}/ceilings/manifest.json
MAKES: results/ceilings/{encoder}/{dataset}.h5
"""


rule estimate_ceilings:
    """Estimate every ceiling that the data set asks for."""
    input:
        responses=ancient("results/responses/{dataset}.h5"),
        digest="results/responses/{dataset}.digest.json",
        given=given_ceilings_of,
    output:
        ceilings="results/ceilings/{encoder}/{dataset}.h5",
    log:
        "results/logs/estimate_ceilings/{encoder}/{dataset}.log",
    benchmark:
        "results/benchmarks/estimate_ceilings/{encoder}/{dataset}.tsv"
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(4_000),
    params:
        spec=spec(specs.ceilings),
        code=code("estimate_ceilings"),
    shell:
        "python -m brainalign.stages.estimate_ceilings"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --responses {input.responses:q}"
        " --given {input.given:q}"
        " --out {output.ceilings:q}"
        " 2> {log:q}"
