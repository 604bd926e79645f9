"""Encoding: how well each layer of one feature space predicts one data set's responses.

REQUIRED: results/activations/{readout}/{features}/{dataset}.h5, results/responses/{dataset}.h5
MAKES: results/encoding/{encoder}/{readout}/{features}/{dataset}.h5
Large inputs are followed by the digests of their content, not by their times.
"""


rule fit_encoder:
    """Fit and score one encoder at every layer, and draw the bootstrap of its scores."""
    input:
        activations=ancient("results/activations/{readout}/{features}/{dataset}.h5"),
        activations_digest="results/activations/{readout}/{features}/{dataset}.digest.json",
        responses=ancient("results/responses/{dataset}.h5"),
        responses_digest="results/responses/{dataset}.digest.json",
    output:
        encoding="results/encoding/{encoder}/{readout}/{features}/{dataset}.h5",
    log:
        "results/logs/fit_encoder/{encoder}/{readout}/{features}/{dataset}.log",
    benchmark:
        "results/benchmarks/fit_encoder/{encoder}/{readout}/{features}/{dataset}.tsv"
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(4_000),
    params:
        spec=spec(specs.encoder),
        code=code("fit_encoder"),
    shell:
        "python -m brainalign.stages.fit_encoder"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --activations {input.activations:q}"
        " --responses {input.responses:q}"
        " --out {output.encoding:q}"
        " 2> {log:q}"
