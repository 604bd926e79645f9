"""Losses: how well each model predicts the next word of a text.

REQUIRED: results/sources/{text}/manifest.json, results/models/{model}/manifest.json
MAKES: results/losses/{loss}/{model}.json
"""


rule measure_loss:
    """Measure one model's next-word loss on one text."""
    input:
        text=text_of("losses"),
        model="results/models/{model}/manifest.json",
    output:
        loss="results/losses/{loss}/{model}.json",
    log:
        "results/logs/measure_loss/{loss}/{model}.log",
    benchmark:
        "results/benchmarks/measure_loss/{loss}/{model}.tsv"
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(8_000),
        gpu=gpus(),
    params:
        spec=spec(model_specs.loss),
        code=code("measure_loss"),
    shell:
        "python -m brainalign.stages.measure_loss"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --text {input.text:q}"
        " --model {input.model:q}"
        " --out {output.loss:q}"
        " 2> {log:q}"
