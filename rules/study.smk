"""Study: the cells joined into tables; nothing is computed anew.

REQUIRED: every alignment, encoding, manifest, loss and evaluation of the study, its published scores, and the files of its
properties.
MAKES: results/studies/{study}/alignment.csv, properties.csv, property_sources.csv, replicates.h5
"""


rule join_study:
    """Join the study's cells into one table of scores and one of the models' properties."""
    input:
        alignments=ALIGNMENTS,
        encodings=ENCODINGS,
        manifests=MANIFESTS,
        losses=LOSSES,
        published=PUBLISHED,
        property_files=files_of_properties,
        evaluations=EVALUATIONS,
    output:
        alignment="results/studies/{study}/alignment.csv",
        properties="results/studies/{study}/properties.csv",
        property_sources="results/studies/{study}/property_sources.csv",
        replicates="results/studies/{study}/replicates.h5",
    log:
        "results/logs/join_study/{study}.log",
    benchmark:
        "results/benchmarks/join_study/{study}.tsv"
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(2_000),
    params:
        spec=spec(study_specs.properties),
        code=code("join_study"),
    shell:
        "python -m brainalign.stages.join_study"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --alignments {input.alignments:q}"
        " --encodings {input.encodings:q}"
        " --manifests {input.manifests:q}"
        " --losses {input.losses:q}"
        " --published {input.published:q}"
        " --alignment {output.alignment:q}"
        " --properties {output.properties:q}"
        " --replicates {output.replicates:q}"
        " --property-sources {output.property_sources:q}"
        " --property-files {input.property_files:q}"
        " --evaluations {input.evaluations:q}"
        " 2> {log:q}"
