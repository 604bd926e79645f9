"""Input functions: which files a job reads, by its wildcards. They compute nothing but names."""

from brainalign.config.joint_features import members_at
from brainalign.config.own_nulls import random_readouts_of, twins_of


def shown(kind):
    """An input function: the files of one kind, where the figure says that it needs them; nothing otherwise."""

    def inputs(wildcards):
        if kind not in needs(wildcards.figure):
            return []
        of_study = f"results/studies/{wildcards.study}/{kind}.csv"
        return files_shown(drawn_by(wildcards.figure)[1]).get(kind, of_study)

    return inputs


def files_shown(model):
    """The files of earlier stages that figures show, by kind, those of one model where a figure is of one."""
    own = [(e, r, f, d) for r, f, d in CELLS if f == model for e in STUDY.encoders if d in scored_by(STUDY, e)]
    return {
        "cells": [f"results/alignment/{'/'.join(cell)}.csv" for cell in own],
        "encodings": [f"results/encoding/{'/'.join(cell)}.h5" for cell in own],
        "activations": list(dict.fromkeys(f"results/activations/{'/'.join(cell[1:])}.h5" for cell in own)),
        "ceilings": [f"results/ceilings/{e}/{d}.h5" for e in STUDY.encoders for d in scored_by(STUDY, e)],
        "responses": [f"results/responses/{dataset}.h5" for dataset in WITH_RESPONSES],
        "manifests": [f"results/models/{model}/manifest.json"],
        "losses": [f"results/losses/{loss}/{model}.json" for loss in STUDY.losses],
    }


def parts_of(pattern):
    """An input function: the file that a pattern names, of every data set that is joined into one, in their order."""
    return lambda wildcards: [
        pattern.format(**{**wildcards, "dataset": part}) for part in STUDY.datasets[wildcards.dataset].datasets
    ]


def source_of(stage):
    """An input function: the manifest of the files that a stage reads of a data set."""
    return lambda wildcards: f"results/sources/{source_specs.read_by(STUDY, wildcards.dataset, stage)}/manifest.json"


def given_ceilings_of(wildcards):
    """The manifest of the user's table of ceilings; nothing where the data set has none."""
    return source_of("ceilings")(wildcards) if STUDY.datasets[wildcards.dataset].ceilings.given else []


def files_of_source(wildcards):
    """The user's files behind a source, in the order of their roles; their content is in the spec, not their times."""
    files = source_specs.files(STUDY, wildcards.source)
    return [ancient(str(Path(files[role]).expanduser())) for role in sorted(files)]


def files_of_properties(wildcards):
    """The user's tables and result files behind properties; their content is in the spec, not their times."""
    return [ancient(str(Path(file).expanduser())) for file in study_specs.properties(STUDY, CHECKSUMS)["files"]]


def files_of_evaluation(wildcards):
    """The user's own task files of an evaluation, in the order of their names."""
    return [ancient(path) for path in config_properties.files_of_evaluation(STUDY, wildcards.evaluation)]


def files_of_model(wildcards):
    """The files of a model that lies in a folder; nothing for one on the Hub."""
    return [ancient(path) for path in model_specs.files_of_model(STUDY.models[wildcards.model])]


def files_of_architecture(wildcards):
    """The config and tokenizer of a model that lies in a folder; nothing for one on the Hub."""
    return [ancient(path) for path in model_specs.files_of_architecture(STUDY.models[wildcards.model])]


def architecture_of(wildcards):
    """The config and tokenizer of the model that an untrained twin is the twin of."""
    return f"results/models/{MODELS[wildcards.model].base}/architecture.json"


def text_of(section):
    """An input function: the manifest of the text that a model or loss is made on."""

    def inputs(wildcards):
        if section == "losses":
            text = STUDY.losses[wildcards.loss].text
        else:
            text = getattr(MODELS[wildcards.model], section).text
        return f"results/sources/{text}/manifest.json"

    return inputs


def vocabulary_of(wildcards):
    """The manifests of the texts whose words a trained model's vocabulary holds beside those of its own text."""
    return [f"results/sources/{text}/manifest.json" for text in MODELS[wildcards.model].train.vocabulary]


def base_of(wildcards):
    """The manifest of the model that another is tuned from."""
    return f"results/models/{MODELS[wildcards.model].base}/manifest.json"


def base_of_delta(wildcards):
    """The manifest of the model that a delta is the difference to."""
    return f"results/models/{MODELS[wildcards.model].delta_of}/manifest.json"


def table_of_features(wildcards):
    """The user's table behind given features, or file behind static embeddings; nothing for another null."""
    entry = STUDY.features[wildcards.features]
    file = getattr(entry, "table", None) or getattr(entry, "file", None)
    return [ancient(str(Path(file).expanduser()))] if file else []


def localizer_of(wildcards):
    """The user's sentences and non-words, where a readout chooses units by them; nothing for another readout."""
    match = STUDY.readouts[wildcards.readout].match
    return [ancient(str(Path(match.sentences).expanduser()))] if match and match.sentences else []


def table_of_published(wildcards):
    """The user's table behind published scores; its content is in the spec, not its time."""
    return ancient(str(Path(STUDY.published[wildcards.published].table).expanduser()))


def claims_to_reproduce(wildcards):
    """The user's file of published figures."""
    return ancient(str(Path(STUDY.analyses.reproduce).expanduser()))


def nulls_beside(wildcards):
    """The encodings of the nulls on the same data set with the same encoder, for anything but a null."""
    if wildcards.features in NULLS:
        return []
    beside = [null for null in NULLS if ("none", null, wildcards.dataset) in CELLS]
    return [f"results/encoding/{wildcards.encoder}/none/{null}/{wildcards.dataset}.h5" for null in beside]


def nulls_together(wildcards):
    """The encodings of the nulls together, and of the features with them, where the encoder joins them."""
    beside = nulls_beside(wildcards)
    if not beside or not STUDY.encoders[wildcards.encoder].joins or wildcards.features in JOINT_FEATURES:
        return []
    folder = f"results/encoding/{wildcards.encoder}"
    together = f"{wildcards.readout}/{wildcards.features}+nulls"
    return [f"{folder}/none/+nulls/{wildcards.dataset}.h5", f"{folder}/{together}/{wildcards.dataset}.h5"]


def twins_beside(wildcards):
    """The encodings of a model's untrained twins on the same data set with the same encoder; none of anything else."""
    folder = f"results/encoding/{wildcards.encoder}/{wildcards.readout}"
    return [f"{folder}/{twin}/{wildcards.dataset}.h5" for twin in twins_of(STUDY.models, wildcards.features)]


def random_tokens_beside(wildcards):
    """The encodings of a model that reads random tokens, at the readouts that are else like the one of its score."""
    if wildcards.features not in WITH_WEIGHTS:
        return []
    file = f"{wildcards.features}/{wildcards.dataset}.h5"
    readouts = random_readouts_of(READOUTS, wildcards.readout)
    return [f"results/encoding/{wildcards.encoder}/{readout}/{file}" for readout in readouts]


def nulls_of(pattern):
    """An input function: the file that a pattern names, of every null of a data set."""

    def inputs(wildcards):
        found = [null for null in NULLS if ("none", null, wildcards.dataset) in CELLS]
        return [pattern.format(**{**wildcards, "readout": "none", "features": null}) for null in found]

    return inputs


def with_nulls(pattern):
    """An input function: the file that a pattern names, of a feature space and then of every null of the data set."""
    nulls = nulls_of(pattern)
    return lambda wildcards: [pattern.format(**wildcards), *nulls(wildcards)]


def members_of(pattern):
    """An input function: the file that a pattern names, of every member of joint features, in their order."""
    return lambda wildcards: [
        pattern.format(**{**wildcards, "readout": readout, "features": features})
        for readout, features in members_at(STUDY, wildcards.features, wildcards.readout)
    ]


def choosing(wildcards):
    """The encoding of the data set by which the layer is chosen, where it is another one's."""
    layer = specs.encoder(STUDY, wildcards.encoder, wildcards.readout, wildcards.dataset)["layer"]
    if not isinstance(layer, dict) or "dataset" not in layer:
        return []
    return [f"results/encoding/{wildcards.encoder}/{wildcards.readout}/{wildcards.features}/{layer['dataset']}.h5"]


def encoding_that_chose(wildcards):
    """The encoding by which the layer of a kept encoder is chosen; nothing where the layer is named."""
    if wildcards.layer != "chosen":
        return []
    return "results/encoding/{encoder}/{readout}/{features}/{dataset}.h5".format(**wildcards)


def of_prediction(pattern, responses=False):
    """An input function: the file that a pattern names, of a prediction; nothing where it would be of responses that
    the new stimuli have not."""

    def inputs(wildcards):
        entry = STUDY.predictions[wildcards.prediction]
        if responses and entry.stimuli_of not in WITH_RESPONSES:
            return []
        return pattern.format(**specs.prediction(STUDY, wildcards.prediction))

    return inputs


def table_page(page):
    """The page of one table, which Snakemake's report shows with its caption."""
    options = {"category": "Tables", "labels": {"table": report_pages.PAGES[page].title}}
    path = f"results/studies/{{study}}/report/{page}.html"
    return report(path, caption=f"report/{page}_table.rst", **options)


def first_figure(wildcards):
    """The figure that the report's front page shows: the first of the study's figures; none where there is none."""
    figures = expanded(STUDY.figures, WITH_WEIGHTS)[:1]
    return [f"results/studies/{wildcards.study}/figures/{figure}.png" for figure in figures]


def megabytes(first):
    """A resource function: memory in MB, twice as much at every further attempt."""
    return lambda wildcards, attempt: first * 2 ** (attempt - 1)


def gpus():
    """One for jobs that run a model where this machine has an NVIDIA card, none elsewhere; profiles may say more."""
    return int(shutil.which("nvidia-smi") is not None)
