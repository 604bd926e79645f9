"""Models: everything that has weights.

REQUIRED: a Hub repository, a folder, or results/sources/{text}/manifest.json to train or tune on.
MAKES: results/models/{model}/manifest.json, with the weights beside it when they are made here.
Each rule makes the models of one origin; the wildcard's constraint says which. The rules that fetch are the only ones
that use the network, and run where Snakemake does; jobs on a cluster's nodes read what these have described.
"""


rule fetch_model:
    """Describe a model from a folder, or download one from the Hub at a fixed commit."""
    input:
        files=files_of_model,
    output:
        manifest="results/models/{model}/manifest.json",
    log:
        "results/logs/fetch_model/{model}.log",
    benchmark:
        "results/benchmarks/fetch_model/{model}.tsv"
    wildcard_constraints:
        model=names(models_made_by("fetched")),
    localrule: True
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(1_000),
    params:
        spec=spec(model_specs.model),
        code=code("fetch_model"),
    shell:
        "HF_HUB_OFFLINE=$HUB_OFFLINE python -m brainalign.stages.fetch_model"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --out {output.manifest:q}"
        " 2> {log:q}"


rule fetch_architecture:
    """Describe a fetched model's config and tokenizer, which its untrained twins are made from; no weights."""
    input:
        files=files_of_architecture,
    output:
        architecture="results/models/{model}/architecture.json",
    log:
        "results/logs/fetch_architecture/{model}.log",
    benchmark:
        "results/benchmarks/fetch_architecture/{model}.tsv"
    wildcard_constraints:
        model=names(models_made_by("fetched") + models_made_by("summed")),
    localrule: True
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(1_000),
    params:
        spec=spec(model_specs.architecture),
        code=code("fetch_architecture"),
    shell:
        "HF_HUB_OFFLINE=$HUB_OFFLINE python -m brainalign.stages.fetch_architecture"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --out {output.architecture:q}"
        " 2> {log:q}"


rule initialise_model:
    """Give the architecture of a fetched model random weights: an untrained twin."""
    input:
        architecture=architecture_of,
    output:
        manifest="results/models/{model}/manifest.json",
    log:
        "results/logs/initialise_model/{model}.log",
    benchmark:
        "results/benchmarks/initialise_model/{model}.tsv"
    wildcard_constraints:
        model=names(models_made_by("untrained")),
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(4_000),
    params:
        spec=spec(model_specs.model),
        code=code("initialise_model"),
    shell:
        "python -m brainalign.stages.initialise_model"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --architecture {input.architecture:q}"
        " --out {output.manifest:q}"
        " 2> {log:q}"


rule fetch_delta:
    """Describe or download weights that are the difference to another model's."""
    input:
        files=files_of_model,
    output:
        manifest="results/models/{model}/delta.json",
    log:
        "results/logs/fetch_delta/{model}.log",
    benchmark:
        "results/benchmarks/fetch_delta/{model}.tsv"
    wildcard_constraints:
        model=names(models_made_by("summed")),
    localrule: True
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(1_000),
    params:
        spec=spec(model_specs.fetched),
        code=code("fetch_model"),
    shell:
        "HF_HUB_OFFLINE=$HUB_OFFLINE python -m brainalign.stages.fetch_model"
        " --rule fetch_delta"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --out {output.manifest:q}"
        " 2> {log:q}"


rule apply_delta:
    """Add a delta to the model that it is the difference to; the sum is a model like any other."""
    input:
        base=base_of_delta,
        delta="results/models/{model}/delta.json",
    output:
        manifest="results/models/{model}/manifest.json",
    log:
        "results/logs/apply_delta/{model}.log",
    benchmark:
        "results/benchmarks/apply_delta/{model}.tsv"
    wildcard_constraints:
        model=names(models_made_by("summed")),
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(6_000),
    params:
        spec=spec(model_specs.model),
        code=code("apply_delta"),
    shell:
        "python -m brainalign.stages.apply_delta"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --base {input.base:q}"
        " --delta {input.delta:q}"
        " --out {output.manifest:q}"
        " 2> {log:q}"


rule train_model:
    """Train a small transformer from scratch; a twin of one is a training without steps."""
    input:
        text=text_of("train"),
        vocabulary=vocabulary_of,
    output:
        manifest="results/models/{model}/manifest.json",
    log:
        "results/logs/train_model/{model}.log",
    benchmark:
        "results/benchmarks/train_model/{model}.tsv"
    wildcard_constraints:
        model=names(models_made_by("trained")),
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(2_000),
    params:
        spec=spec(model_specs.model),
        code=code("train_model"),
    shell:
        "python -m brainalign.stages.train_model"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --text {input.text:q}"
        " --vocabulary {input.vocabulary:q}"
        " --out {output.manifest:q}"
        " 2> {log:q}"


rule tune_model:
    """Tune a model on questions and answers."""
    input:
        text=text_of("tune"),
        base=base_of,
    output:
        manifest="results/models/{model}/manifest.json",
    log:
        "results/logs/tune_model/{model}.log",
    benchmark:
        "results/benchmarks/tune_model/{model}.tsv"
    wildcard_constraints:
        model=names(models_made_by("tuned")),
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(2_000),
    params:
        spec=spec(model_specs.model),
        code=code("tune_model"),
    shell:
        "python -m brainalign.stages.tune_model"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --text {input.text:q}"
        " --base {input.base:q}"
        " --out {output.manifest:q}"
        " 2> {log:q}"
