"""Evaluations: benchmarks that lm-evaluation-harness runs on the study's models, in an environment of its own.

REQUIRED: .venv-lm-eval (make lm-eval-environment) with the version that envs/lm-eval.lock names, results/models/{model}/manifest.json,
and the data of the tasks in the user's own files or in the cache of Hugging Face: nothing is downloaded here.
MAKES: results/evaluations/{evaluation}/{model}.json, the harness's own result file
"""


rule evaluate_model:
    """Run the tasks of one evaluation on one model."""
    input:
        model="results/models/{model}/manifest.json",
        task_files=files_of_evaluation,
    output:
        result="results/evaluations/{evaluation}/{model}.json",
    log:
        "results/logs/evaluate_model/{evaluation}/{model}.log",
    benchmark:
        "results/benchmarks/evaluate_model/{evaluation}/{model}.tsv"
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(8_000),
        gpu=gpus(),
    params:
        spec=spec(model_specs.evaluation, HARNESS),
        code=code("evaluate_model"),
    shell:
        "HF_DATASETS_OFFLINE=1 HF_EVALUATE_OFFLINE=1 python -m brainalign.stages.evaluate_model"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --model {input.model:q}"
        " --task-files {input.task_files:q}"
        ' --interpreter "$LM_EVAL"'
        " --out {output.result:q}"
        " 2> {log:q}"
