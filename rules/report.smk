"""Report: a study's answer, what to know before believing it, its methods, and its tables as pages.

REQUIRED: the tables of results/studies/{study}/, its first figure, and the manifests of its models
MAKES: results/studies/{study}/report/summary.html (the front page), methods.txt and a page for each table
`snakemake --report` puts them, with all figures, into one file; rules/report/workflow.rst is where it begins.
"""


rule write_report:
    """Write the front page, the methods and the tables as pages that can be sorted and filtered."""
    input:
        tables=REPORTED,
        manifests=MANIFESTS,
        figures=first_figure,
    output:
        summary="results/studies/{study}/report/summary.html",
        methods="results/studies/{study}/report/methods.txt",
        pages=[table_page(page) for page in PAGES],
    log:
        "results/logs/write_report/{study}.log",
    benchmark:
        "results/benchmarks/write_report/{study}.tsv"
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(1_000),
    params:
        spec=spec(study_specs.report, TOOL),
        code=code("write_report"),
    shell:
        "python -m brainalign.stages.write_report"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --tables {input.tables:q}"
        " --manifests {input.manifests:q}"
        " --figures {input.figures:q}"
        " --summary {output.summary:q}"
        " --methods {output.methods:q}"
        " --pages {output.pages:q}"
        " 2> {log:q}"
