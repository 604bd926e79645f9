"""Figures: one table each, drawn as PDF and PNG.

REQUIRED: the tables of results/studies/{study}/
MAKES: results/studies/{study}/figures/{figure}.csv, .pdf, .png
"""


rule draw_figure:
    """Select what a figure shows, and draw it."""
    input:
        alignment="results/studies/{study}/alignment.csv",
        properties="results/studies/{study}/properties.csv",
        correlations="results/studies/{study}/correlations.csv",
        pairs="results/studies/{study}/pairs.csv",
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
        spec=spec(specs.figure),
        code=code_of_figure,
    shell:
        "python -m brainalign.stages.draw_figure"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --alignment {input.alignment:q}"
        " --properties {input.properties:q}"
        " --correlations {input.correlations:q}"
        " --pairs {input.pairs:q}"
        " --table {output.table:q}"
        " --pdf {output.pdf:q}"
        " --png {output.png:q}"
        " 2> {log:q}"
