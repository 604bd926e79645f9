"""Similarity: representational similarity of features and responses, without an encoder, in tables of its own.

REQUIRED: results/activations/{readout}/{features}/{dataset}.h5, results/responses/{dataset}.h5
MAKES: results/similarity/{similarity}/{readout}/{features}/{dataset}.csv, results/studies/{study}/similarity.csv
Large inputs are followed by the digests of their content, not by their times.
"""


rule measure_similarity:
    """Compare every layer with the responses of every subject and region."""
    input:
        activations=ancient("results/activations/{readout}/{features}/{dataset}.h5"),
        activations_digest="results/activations/{readout}/{features}/{dataset}.digest.json",
        responses=ancient("results/responses/{dataset}.h5"),
        responses_digest="results/responses/{dataset}.digest.json",
    output:
        table="results/similarity/{similarity}/{readout}/{features}/{dataset}.csv",
    log:
        "results/logs/measure_similarity/{similarity}/{readout}/{features}/{dataset}.log",
    benchmark:
        "results/benchmarks/measure_similarity/{similarity}/{readout}/{features}/{dataset}.tsv"
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(2_000),
    params:
        spec=spec(specs.similarity),
        code=code("measure_similarity"),
    shell:
        "python -m brainalign.stages.measure_similarity"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --activations {input.activations:q}"
        " --responses {input.responses:q}"
        " --out {output.table:q}"
        " 2> {log:q}"


rule join_similarity:
    """Join the study's similarities into one table."""
    input:
        similarities=SIMILARITIES,
    output:
        table="results/studies/{study}/similarity.csv",
    log:
        "results/logs/join_similarity/{study}.log",
    benchmark:
        "results/benchmarks/join_similarity/{study}.tsv"
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(1_000),
    params:
        code=code("join_similarity"),
    shell:
        "python -m brainalign.stages.join_similarity"
        " --code {params.code:q}"
        " --similarities {input.similarities:q}"
        " --out {output.table:q}"
        " 2> {log:q}"
