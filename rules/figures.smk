"""Figures: one table each, drawn as PDF and PNG.

REQUIRED: of the tables in results/studies/{study}/ and the files of earlier stages, those that a figure's module names in
its constant NEEDS; so a figure is drawn again where what it shows changed, and not otherwise
MAKES: results/studies/{study}/figures/{figure}.csv, .pdf, .png
"""


rule draw_figure:
    """Select what a figure shows, and draw it."""
    input:
        alignment=shown("alignment"),
        properties=shown("properties"),
        correlations=shown("correlations"),
        controlled_correlations=shown("controlled_correlations"),
        pairs=shown("pairs"),
        averages=shown("averages"),
        ceilings=shown("ceilings"),
        responses=shown("responses"),
        cells=shown("cells"),
        encodings=shown("encodings"),
        activations=shown("activations"),
        manifests=shown("manifests"),
        losses=shown("losses"),
    output:
        table="results/studies/{study}/figures/{figure}.csv",
        pdf="results/studies/{study}/figures/{figure}.pdf",
        png=report(
            "results/studies/{study}/figures/{figure}.png",
            caption="report/figure.rst",
            category="Figures",
            labels={"figure": "{figure}"},
        ),
    log:
        "results/logs/draw_figure/{study}/{figure}.log",
    benchmark:
        "results/benchmarks/draw_figure/{study}/{figure}.tsv"
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(1_000),
    params:
        spec=spec(study_specs.figure),
        code=code_of_figure,
    shell:
        "python -m brainalign.stages.draw_figure"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --alignment {input.alignment:q}"
        " --properties {input.properties:q}"
        " --correlations {input.correlations:q}"
        " --controlled-correlations {input.controlled_correlations:q}"
        " --pairs {input.pairs:q}"
        " --averages {input.averages:q}"
        " --ceilings {input.ceilings:q}"
        " --responses {input.responses:q}"
        " --cells {input.cells:q}"
        " --encodings {input.encodings:q}"
        " --activations {input.activations:q}"
        " --manifests {input.manifests:q}"
        " --losses {input.losses:q}"
        " --table {output.table:q}"
        " --pdf {output.pdf:q}"
        " --png {output.png:q}"
        " 2> {log:q}"
