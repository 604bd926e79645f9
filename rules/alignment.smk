"""Alignment: finished scores with intervals, raw, against the ceiling and over the nulls.

REQUIRED: an encoding, the data set's ceilings, the encodings of the nulls, and those of all of them together; of a model
    those of its untrained twins, and its own at readouts of random tokens, where the study has them.
MAKES: results/alignment/{encoder}/{readout}/{features}/{dataset}.csv
"""


rule score_alignment:
    """Finish the scores of one feature space on one data set."""
    input:
        encoding="results/encoding/{encoder}/{readout}/{features}/{dataset}.h5",
        ceilings="results/ceilings/{encoder}/{dataset}.h5",
        nulls=nulls_beside,
        together=nulls_together,
        twins=twins_beside,
        random_tokens=random_tokens_beside,
    output:
        table="results/alignment/{encoder}/{readout}/{features}/{dataset}.csv",
    log:
        "results/logs/score_alignment/{encoder}/{readout}/{features}/{dataset}.log",
    benchmark:
        "results/benchmarks/score_alignment/{encoder}/{readout}/{features}/{dataset}.tsv"
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(2_000),
    params:
        spec=spec(specs.alignment),
        code=code("score_alignment"),
    shell:
        "python -m brainalign.stages.score_alignment"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --encoding {input.encoding:q}"
        " --ceilings {input.ceilings:q}"
        " --nulls {input.nulls:q}"
        " --together {input.together:q}"
        " --twins {input.twins:q}"
        " --random-tokens {input.random_tokens:q}"
        " --out {output.table:q}"
        " 2> {log:q}"
