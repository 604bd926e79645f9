"""Encoding: how well each layer of one feature space predicts one data set's responses.

REQUIRED: results/activations/{readout}/{features}/{dataset}.h5, results/responses/{dataset}.h5
MAKES: results/encoding/{encoder}/{readout}/{features}/{dataset}.h5, and with the nulls in
    results/encoding/{encoder}/{readout}/{features}+nulls/{dataset}.h5 and results/encoding/{encoder}/none/+nulls/{dataset}.h5
Joint features, which are several of the others together, have no activations of their own; they are fitted by the
encoders that can join them, a linear ridge with an intercept.
Large inputs are followed by the digests of their content, not by their times. Jobs multiply on the processor unless
they are given a graphics card, as by `--set-resources fit_encoder:gpu=1`.
"""


rule fit_encoder:
    """Fit and score one encoder at every layer, and draw the bootstrap of its scores."""
    input:
        activations=ancient("results/activations/{readout}/{features}/{dataset}.h5"),
        activations_digest="results/activations/{readout}/{features}/{dataset}.digest.json",
        responses=ancient("results/responses/{dataset}.h5"),
        responses_digest="results/responses/{dataset}.digest.json",
        choosing=choosing,
    output:
        encoding="results/encoding/{encoder}/{readout}/{features}/{dataset}.h5",
    log:
        "results/logs/fit_encoder/{encoder}/{readout}/{features}/{dataset}.log",
    benchmark:
        "results/benchmarks/fit_encoder/{encoder}/{readout}/{features}/{dataset}.tsv"
    wildcard_constraints:
        features=names(SINGLE_FEATURES),
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(4_000),
        gpu=0,
    params:
        spec=spec(specs.encoder),
        code=code("fit_encoder"),
    shell:
        "python -m brainalign.stages.fit_encoder"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --activations {input.activations:q}"
        " --responses {input.responses:q}"
        " --choosing {input.choosing:q}"
        " --gpus {resources.gpu}"
        " --out {output.encoding:q}"
        " 2> {log:q}"


rule fit_nulls_together:
    """Fit all nulls of a data set together, each at the layer that was chosen in the fold."""
    input:
        activations=ancient(nulls_of("results/activations/{readout}/{features}/{dataset}.h5")),
        digests=nulls_of("results/activations/{readout}/{features}/{dataset}.digest.json"),
        encodings=nulls_of("results/encoding/{encoder}/{readout}/{features}/{dataset}.h5"),
        responses=ancient("results/responses/{dataset}.h5"),
        responses_digest="results/responses/{dataset}.digest.json",
    output:
        encoding="results/encoding/{encoder}/none/+nulls/{dataset}.h5",
    log:
        "results/logs/fit_nulls_together/{encoder}/none/+nulls/{dataset}.log",
    benchmark:
        "results/benchmarks/fit_nulls_together/{encoder}/none/+nulls/{dataset}.tsv"
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(4_000),
        gpu=0,
    params:
        spec=spec(specs.nulls_together),
        code=code("fit_joint_encoder"),
    shell:
        "python -m brainalign.stages.fit_joint_encoder"
        " --rule fit_nulls_together"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --activations {input.activations:q}"
        " --encodings {input.encodings:q}"
        " --responses {input.responses:q}"
        " --gpus {resources.gpu}"
        " --out {output.encoding:q}"
        " 2> {log:q}"


rule fit_beside_nulls:
    """Fit one feature space and all nulls together, for what it explains beyond them."""
    input:
        activations=ancient(with_nulls("results/activations/{readout}/{features}/{dataset}.h5")),
        digests=with_nulls("results/activations/{readout}/{features}/{dataset}.digest.json"),
        encodings=with_nulls("results/encoding/{encoder}/{readout}/{features}/{dataset}.h5"),
        responses=ancient("results/responses/{dataset}.h5"),
        responses_digest="results/responses/{dataset}.digest.json",
    output:
        encoding="results/encoding/{encoder}/{readout}/{features}+nulls/{dataset}.h5",
    log:
        "results/logs/fit_beside_nulls/{encoder}/{readout}/{features}+nulls/{dataset}.log",
    benchmark:
        "results/benchmarks/fit_beside_nulls/{encoder}/{readout}/{features}+nulls/{dataset}.tsv"
    wildcard_constraints:
        features=names(SINGLE_FEATURES),
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(4_000),
        gpu=0,
    params:
        spec=spec(specs.beside_nulls),
        code=code("fit_joint_encoder"),
    shell:
        "python -m brainalign.stages.fit_joint_encoder"
        " --rule fit_beside_nulls"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --activations {input.activations:q}"
        " --encodings {input.encodings:q}"
        " --responses {input.responses:q}"
        " --gpus {resources.gpu}"
        " --out {output.encoding:q}"
        " 2> {log:q}"


rule fit_joint_features:
    """Fit the feature spaces of an entry of `features` together, each at the layer that was chosen in the fold."""
    input:
        activations=ancient(members_of("results/activations/{readout}/{features}/{dataset}.h5")),
        digests=members_of("results/activations/{readout}/{features}/{dataset}.digest.json"),
        encodings=members_of("results/encoding/{encoder}/{readout}/{features}/{dataset}.h5"),
        responses=ancient("results/responses/{dataset}.h5"),
        responses_digest="results/responses/{dataset}.digest.json",
    output:
        encoding="results/encoding/{encoder}/{readout}/{features}/{dataset}.h5",
    log:
        "results/logs/fit_joint_features/{encoder}/{readout}/{features}/{dataset}.log",
    benchmark:
        "results/benchmarks/fit_joint_features/{encoder}/{readout}/{features}/{dataset}.tsv"
    wildcard_constraints:
        encoder=names(name for name, entry in STUDY.encoders.items() if entry.can_join),
        features=names(JOINT_FEATURES),
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(4_000),
        gpu=0,
    params:
        spec=spec(specs.joint_features),
        code=code("fit_joint_encoder"),
    shell:
        "python -m brainalign.stages.fit_joint_encoder"
        " --rule fit_joint_features"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --activations {input.activations:q}"
        " --encodings {input.encodings:q}"
        " --responses {input.responses:q}"
        " --gpus {resources.gpu}"
        " --out {output.encoding:q}"
        " 2> {log:q}"
