"""Activations: one vector per stimulus and layer, from a model, a null or a given table.

REQUIRED: results/stimuli/{dataset}.csv, and for a model results/models/{features}/manifest.json
MAKES: results/activations/{readout}/{features}/{dataset}.h5, and the digest of its content. While a model is read,
what is finished lies in {dataset}.h5.partial, where an interrupted run goes on. A readout may match all layers to one
width (match); for a localizer the model reads the user's sentences and non-words, too.
Where the weights lie (placement: auto, resident, sharded over several cards, streamed from disk block by block) and how
many tokens a batch holds are resources: they change how long a job takes, and of a state its last digits at most.
The readout `none` holds what no model computes; static embeddings come from the user's file of vectors.
Data sets that are joined into one take the rows of each, and no model runs again, but where what is computed depends on
all stimuli: nulls, random tokens, components, and units chosen by a localizer are computed for the joined stimuli.
"""


# What can be joined is not computed.
ruleorder: join_activations > extract_activations > compute_features


rule extract_activations:
    """Run one model over one data set's stimuli and keep every layer."""
    input:
        stimuli="results/stimuli/{dataset}.csv",
        model="results/models/{features}/manifest.json",
        localizer=localizer_of,
    output:
        activations="results/activations/{readout}/{features}/{dataset}.h5",
        digest="results/activations/{readout}/{features}/{dataset}.digest.json",
    log:
        "results/logs/extract_activations/{readout}/{features}/{dataset}.log",
    benchmark:
        "results/benchmarks/extract_activations/{readout}/{features}/{dataset}.tsv"
    wildcard_constraints:
        readout=names(STUDY.readouts),
        features=names(MODELS),
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(8_000),
        gpu=gpus(),
        placement="auto",
        batch_tokens=4096,
    params:
        spec=spec(specs.activations),
        code=code("extract_activations"),
    shell:
        "python -m brainalign.stages.extract_activations"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --stimuli {input.stimuli:q}"
        " --model {input.model:q}"
        " --localizer {input.localizer:q}"
        " --out {output.activations:q}"
        " --digest {output.digest:q}"
        " --placement {resources.placement:q}"
        " --batch-tokens {resources.batch_tokens}"
        " 2> {log:q}"


rule compute_features:
    """Compute a null from the stimulus table, or read a given table of features or a file of static embeddings."""
    input:
        stimuli="results/stimuli/{dataset}.csv",
        table=table_of_features,
    output:
        activations="results/activations/none/{features}/{dataset}.h5",
        digest="results/activations/none/{features}/{dataset}.digest.json",
    log:
        "results/logs/compute_features/{features}/{dataset}.log",
    benchmark:
        "results/benchmarks/compute_features/{features}/{dataset}.tsv"
    wildcard_constraints:
        features=names(name for name in STUDY.features if name not in JOINT_FEATURES),
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(2_000),
    params:
        spec=spec(specs.features),
        code=code_of_null,
    shell:
        "python -m brainalign.stages.compute_features"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --stimuli {input.stimuli:q}"
        " --table {input.table:q}"
        " --out {output.activations:q}"
        " --digest {output.digest:q}"
        " 2> {log:q}"


rule join_activations:
    """Put the activations of several data sets after one another."""
    input:
        activations=ancient(parts_of("results/activations/{readout}/{features}/{dataset}.h5")),
        digests=parts_of("results/activations/{readout}/{features}/{dataset}.digest.json"),
    output:
        activations="results/activations/{readout}/{features}/{dataset}.h5",
        digest="results/activations/{readout}/{features}/{dataset}.digest.json",
    log:
        "results/logs/join_activations/{readout}/{features}/{dataset}.log",
    benchmark:
        "results/benchmarks/join_activations/{readout}/{features}/{dataset}.tsv"
    wildcard_constraints:
        dataset=names(JOINED),
        readout=names(JOINED_READOUTS),
        features=names(JOINED_FEATURES),
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(1_000),
    params:
        spec=spec(specs.joined),
        code=code("join_activations"),
    shell:
        "python -m brainalign.stages.join_activations"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --activations {input.activations:q}"
        " --out {output.activations:q}"
        " --digest {output.digest:q}"
        " 2> {log:q}"
