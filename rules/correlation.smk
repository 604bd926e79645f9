"""Correlation: what about the models goes with their alignment.

REQUIRED: results/studies/{study}/alignment.csv, properties.csv, replicates.h5
MAKES: results/studies/{study}/correlations.csv, controlled_correlations.csv, averages.csv, pairs.csv
"""


rule correlate_properties:
    """Correlate alignment with size, loss and other properties over models."""
    input:
        alignment="results/studies/{study}/alignment.csv",
        properties="results/studies/{study}/properties.csv",
        replicates="results/studies/{study}/replicates.h5",
    output:
        table="results/studies/{study}/correlations.csv",
        controlled="results/studies/{study}/controlled_correlations.csv",
        averages="results/studies/{study}/averages.csv",
    log:
        "results/logs/correlate_properties/{study}.log",
    benchmark:
        "results/benchmarks/correlate_properties/{study}.tsv"
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(1_000),
    params:
        spec=spec(study_specs.correlation),
        code=code("correlate_properties"),
    shell:
        "python -m brainalign.stages.correlate_properties"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --alignment {input.alignment:q}"
        " --properties {input.properties:q}"
        " --replicates {input.replicates:q}"
        " --out {output.table:q}"
        " --controlled {output.controlled:q}"
        " --averages {output.averages:q}"
        " 2> {log:q}"


rule compare_pairs:
    """Compare each instruction-tuned model with its base."""
    input:
        alignment="results/studies/{study}/alignment.csv",
        properties="results/studies/{study}/properties.csv",
        replicates="results/studies/{study}/replicates.h5",
    output:
        table="results/studies/{study}/pairs.csv",
    log:
        "results/logs/compare_pairs/{study}.log",
    benchmark:
        "results/benchmarks/compare_pairs/{study}.tsv"
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(1_000),
    params:
        spec=spec(study_specs.pairs),
        code=code("compare_pairs"),
    shell:
        "python -m brainalign.stages.compare_pairs"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --alignment {input.alignment:q}"
        " --properties {input.properties:q}"
        " --replicates {input.replicates:q}"
        " --out {output.table:q}"
        " 2> {log:q}"
