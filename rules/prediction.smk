"""Prediction: responses that the neuroids of one data set would have to the stimuli of another.

REQUIRED: results/activations/{readout}/{features}/{dataset}.h5 and results/responses/{dataset}.h5 of the data set that
    an encoder is fitted to, with its encoding where the layer is chosen by it; activations of the new stimuli.
MAKES: results/encoders/{encoder}/{readout}/{features}/{dataset}/{layer}.h5 (fitted to all samples, penalties chosen by
    one cross-validation over the encoder's folds), results/predictions/{prediction}.h5 (sample × neuroid)
New stimuli are a data set of the study: one with responses, whose own samples are then predicted for, or one of stimuli
alone, `{loader: stimuli-only, stimuli: my/new.csv, text: sentence, ...}`, whose samples are its stimuli. In Python:
`brainalign.encoding.fitted_stored.read_fitted(path)`, then `brainalign.encoding.fitted.predict(fitted, features, samples)`.
"""


rule keep_encoder:
    """Fit an encoder to all samples of a data set, at one layer."""
    input:
        activations=ancient("results/activations/{readout}/{features}/{dataset}.h5"),
        activations_digest="results/activations/{readout}/{features}/{dataset}.digest.json",
        responses=ancient("results/responses/{dataset}.h5"),
        responses_digest="results/responses/{dataset}.digest.json",
        encoding=encoding_that_chose,
    output:
        fitted="results/encoders/{encoder}/{readout}/{features}/{dataset}/{layer}.h5",
    log:
        "results/logs/keep_encoder/{encoder}/{readout}/{features}/{dataset}/{layer}.log",
    benchmark:
        "results/benchmarks/keep_encoder/{encoder}/{readout}/{features}/{dataset}/{layer}.tsv"
    wildcard_constraints:
        layer=names({entry.layer for entry in STUDY.predictions.values()}),
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(4_000),
    params:
        spec=spec(specs.kept_encoder),
        code=code("keep_encoder"),
    shell:
        "python -m brainalign.stages.keep_encoder"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --activations {input.activations:q}"
        " --responses {input.responses:q}"
        " --encoding {input.encoding:q}"
        " --out {output.fitted:q}"
        " 2> {log:q}"


rule predict_responses:
    """Predict the responses to a data set's stimuli."""
    input:
        fitted=of_prediction("results/encoders/{encoder}/{readout}/{features}/{dataset}/{layer}.h5"),
        activations=ancient(of_prediction("results/activations/{readout}/{features}/{stimuli_of}.h5")),
        activations_digest=of_prediction("results/activations/{readout}/{features}/{stimuli_of}.digest.json"),
        stimuli=of_prediction("results/stimuli/{stimuli_of}.csv"),
        responses=ancient(of_prediction("results/responses/{stimuli_of}.h5", responses=True)),
        responses_digest=of_prediction("results/responses/{stimuli_of}.digest.json", responses=True),
    output:
        predictions="results/predictions/{prediction}.h5",
    log:
        "results/logs/predict_responses/{prediction}.log",
    benchmark:
        "results/benchmarks/predict_responses/{prediction}.tsv"
    wildcard_constraints:
        prediction=names(STUDY.predictions),
    conda:
        "../envs/workflow.yaml"
    resources:
        mem_mb=megabytes(4_000),
    params:
        spec=spec(specs.prediction),
        code=code("predict_responses"),
    shell:
        "python -m brainalign.stages.predict_responses"
        " --spec {params.spec:q}"
        " --code {params.code:q}"
        " --fitted {input.fitted:q}"
        " --activations {input.activations:q}"
        " --stimuli {input.stimuli:q}"
        " --responses {input.responses:q}"
        " --out {output.predictions:q}"
        " 2> {log:q}"
