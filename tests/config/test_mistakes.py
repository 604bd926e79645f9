"""Every mistake in a config is one sentence that names the key, what it holds and what it may hold."""

from pathlib import Path

import pytest

from brainalign.config.study import read_study
from brainalign.errors import InputError

TABLE = {"loader": "table", "stimuli": "s.csv", "responses": "r.csv", "id": "item", "split": "topic"}
HUB = {"source": "openai-community/gpt2", "family": "gpt2", "kind": "vanilla"}
NAMES = "letters, digits, '.', '_' and '-' are allowed, the first a letter or digit."
COLUMNS = (
    "collection, citation, coordinates, control_region, ceilings, loader, stimuli, text, id, group, split, run, "
    "onset_s, order, columns, responses, responses_id, responses_key, neuroids, neuroid_table, neuroid, subject, "
    "region, region_per_neuroid, samples, map, bad_neuroids"
)
VANILLA = "tiny-16, tiny-32, tiny-48, tiny-80"
TUNED = "tiny-32-instruct, tiny-48-instruct, tiny-80-instruct"
TWINS = "tiny-16, tiny-16-untrained-0, tiny-32, tiny-32-untrained-0, tiny-48, tiny-48-untrained-0, tiny-80, "
TWINS += "tiny-80-untrained-0, tiny-16-instruct, " + TUNED
DOCUMENTS = "world-training, world-held-out"
PROPERTIES = "log10_parameters, parameters, width, depth, vocabulary, training_tokens"
FIGURES = (
    "'alignment', 'over-nulls', 'split-policies', 'layers', 'layers-of-families', 'ceilings', 'scaling', "
    "'width-and-size', 'losses', 'benchmarks', 'correlations', 'tuned-against-base', 'gains', 'pairs', "
    "'training-runs', 'behavior', 'cards', 'brains', 'card-<model>', 'brain-<model>'"
)
CONTROLS = "position, length, word-rate, autocorrelation, embeddings, random-embeddings, random"

UNKNOWN_KEYS = {
    "modles": (
        {"modles": {}},
        "unknown key 'modles'; did you mean 'models'? Allowed: study, texts, models, losses, features, published, "
        "datasets, readouts, encoders, similarities, predictions, evaluations, properties, runs, analyses, figures, "
        "license.",
    ),
    "trian": (
        {"models.tiny-16.trian": {}},
        "models.tiny-16: unknown key 'trian'; did you mean 'train'? Allowed: source, revision, weights, delta_of, "
        "remote_code, train, tune, published, family, kind, base, dtype, untrained, training_tokens.",
    ),
    "widht": (
        {"models.tiny-16.train.widht": 3},
        "models.tiny-16.train: unknown key 'widht'; did you mean 'width'? Allowed: text, vocabulary, architecture, "
        "width, layers, heads, context, steps, batch, learning_rate, seed.",
    ),
    "a misspelt key instead of one that is needed": (
        {"models.tiny-16.train.steps": ..., "models.tiny-16.train.step": 3},
        "models.tiny-16.train: unknown key 'step'; did you mean 'steps'? Allowed: text, vocabulary, architecture, "
        "width, layers, heads, context, steps, batch, learning_rate, seed.",
    ),
    "fold": (
        {"encoders.controlled.split.fold": 3},
        "encoders.controlled.split: unknown key 'fold'; did you mean 'folds'? Allowed: inner, kind, by, folds, seed, "
        "small_folds.",
    ),
    "a key of another kind of split": (
        {"encoders.controlled.split.test": 0.1},
        "encoders.controlled.split: unknown key 'test'. Allowed: inner, kind, by, folds, seed, small_folds.",
    ),
    "poling": (
        {"readouts.last-token.poling": "last"},
        "readouts.last-token: unknown key 'poling'; did you mean 'pooling'? Allowed: preset, context, pooling, "
        "overflow, limit, prompt, join, special_tokens, decoder_input, tokens, seed, match.",
    ),
    "fix": (
        {"encoders.controlled.layer": {"fix": "block_01"}},
        "encoders.controlled.layer: unknown key 'fix'; did you mean 'fixed'? Allowed: fixed, nested, dataset.",
    ),
    "sigma": (
        {"features.autocorrelation.sigma": [1]},
        "features.autocorrelation: unknown key 'sigma'; did you mean 'sigmas'? Allowed: control, sigmas.",
    ),
    "a folder that is not there": (
        {"models.tiny-16": {"source": "/no/such/folder", "family": "f", "kind": "vanilla"}},
        "models.tiny-16: source '/no/such/folder' is no Hub repository (owner/name), and there is no such folder.",
    ),
    "a window wider than a model's context": (
        {"losses.world-loss.window": 512},
        "losses.world-loss.window: holds 512, but the model 'tiny-16' sees only 256 tokens (context).",
    ),
    "a property that is measured": (
        {"properties": {"parameters": {"values": {}}}},
        "properties.parameters: 'parameters' is measured or named by the workflow itself; choose another name.",
    ),
    "an order that a matrix would not follow": (
        {"datasets.mine": TABLE | {"order": "n", "responses": "s.npy"}},
        "datasets.mine: `order` moves the stimuli, but not the rows of a matrix; give both in presentation order.",
    ),
    "a wrong key beside a table": (
        {"features.glove": {"table": "s.csv", "id": "item"}},
        "features.glove: unknown key 'id'. Allowed: table, match, datasets, as_null.",
    ),
    "tabel": (
        {"features.glove": {"tabel": "s.csv"}},
        "features.glove: unknown key 'tabel'; did you mean 'table'? Allowed: table, match, datasets, as_null.",
    ),
    "component": (
        {"readouts.last-token.match": {"component": 3}},
        "readouts.last-token.match: unknown key 'component'; did you mean 'components'? Allowed: components, "
        "projection, seed, localizer, sentences, text, condition, conditions, rank, over.",
    ),
    "pool of embeddings": (
        {"features.glove": {"control": "embeddings", "file": "s.csv", "pool": "mean"}},
        "features.glove: unknown key 'pool'; did you mean 'pooling'? Allowed: control, file, pooling, lower.",
    ),
    "txt": (
        {"datasets.mine": TABLE | {"txt": "a"}},
        f"datasets.mine: unknown key 'txt'; did you mean 'text'? Allowed: {COLUMNS}.",
    ),
    "subject_pool": (
        {"datasets.simulated-passages.ceilings": {"subject_pool": {}}},
        "datasets.simulated-passages.ceilings: unknown key 'subject_pool'; did you mean 'subject-pool'? "
        "Allowed: known, given, repeats, split-half, leave-one-subject-out, subject-pool, normalise.",
    ),
}

MISSING = {
    "a section": ({"encoders": ...}, "the config: the key 'encoders' is missing."),
    "a loader": (
        {"datasets.simulated-passages.loader": ...},
        "datasets.simulated-passages: the key 'loader' is missing.",
    ),
    "a kind of split": (
        {"encoders.controlled.split": {"folds": 3}},
        "encoders.controlled.split: the key 'kind' is missing.",
    ),
    "a seed": ({"texts.world-training.seed": ...}, "texts.world-training: the key 'seed' is missing."),
    "responses": (
        {"datasets.mine": {"loader": "table", "stimuli": "s.csv", "split": "topic"}},
        "datasets.mine: the key 'responses' is missing.",
    ),
    "a file of vectors": (
        {"features.glove": {"control": "embeddings"}},
        "features.glove: the key 'file' is missing.",
    ),
    "a family": ({"models.tiny-16.family": ...}, "models.tiny-16: the key 'family' is missing."),
}

TYPES_AND_RANGES = {
    "text for a number": (
        {"models.tiny-16.train.width": "x"},
        "models.tiny-16.train.width: holds 'x'; a whole number is needed.",
    ),
    "a fraction": (
        {"datasets.simulated-passages.passages": 3.5},
        "datasets.simulated-passages.passages: holds 3.5; a whole number is needed.",
    ),
    "yes for a number": (
        {"texts.world-training.seed": True},
        "texts.world-training.seed: holds True; a whole number is needed.",
    ),
    "one fold": (
        {"encoders.controlled.split.folds": 1},
        "encoders.controlled.split.folds: holds 1; a number of at least 2 is needed.",
    ),
    "a negative seed": (
        {"texts.world-training.seed": -1},
        "texts.world-training.seed: holds -1; a number of at least 0 is needed.",
    ),
    "a huge seed": (
        {"texts.world-training.seed": 2**32},
        "texts.world-training.seed: holds 4294967296; a number below 4294967296 is needed.",
    ),
    "a huge rate": (
        {"models.tiny-16.train.learning_rate": 2},
        "models.tiny-16.train.learning_rate: holds 2; a number of at most 1 is needed.",
    ),
    "no number": (
        {"models.tiny-16.train.learning_rate": float("nan")},
        "models.tiny-16.train.learning_rate: holds nan; a finite number is needed.",
    ),
    "a window of nothing": (
        {"readouts.last-token.context": {"window": 0}},
        "readouts.last-token.context.window: holds 0; a number of at least 1 is needed.",
    ),
    "a penalty below 0": (
        {"encoders.controlled.penalties": -1},
        "encoders.controlled.penalties: holds -1; one of 'per-neuroid', 'shared' or a number above 0 is needed.",
    ),
    "few draws": (
        {"encoders.controlled.bootstrap.draws": 5},
        "encoders.controlled.bootstrap.draws: holds 5; a number of at least 20 is needed.",
    ),
    "a truth value": (
        {"encoders.controlled.zscore": "maybe"},
        "encoders.controlled.zscore: holds 'maybe'; true or false is needed.",
    ),
    "a number for a list": (
        {"encoders.controlled.delays": 4},
        "encoders.controlled.delays: holds 4; a list is needed.",
    ),
    "a negative delay": (
        {"encoders.controlled.delays": [1, -1]},
        "encoders.controlled.delays.1: holds -1; a number of at least 0 is needed.",
    ),
    "a delay twice": (
        {"encoders.controlled.delays": [1, 2, 1]},
        "encoders.controlled: delays [1, 2, 1] must be different numbers.",
    ),
    "a seed twice": (
        {"models.tiny-16.untrained": {"seeds": [0, 0]}},
        "models.tiny-16.untrained: seeds [0, 0] must be different numbers.",
    ),
    "no seeds": (
        {"models.tiny-16.untrained": {"seeds": []}},
        "models.tiny-16.untrained.seeds: holds []; at least 1 entry is needed.",
    ),
    "no data sets": ({"datasets": {}}, "datasets: holds {}; at least 1 entry is needed."),
    "an empty section": ({"datasets": None}, "datasets: holds None; a mapping of names to entries is needed."),
    "an empty entry": ({"models.tiny-16": None}, "models.tiny-16: holds None; a mapping of keys to values is needed."),
    "a list as an entry": (
        {"models.tiny-16.train": ["a"]},
        "models.tiny-16.train: holds ['a']; a mapping of keys to values is needed.",
    ),
    "a word as a data set": (
        {"datasets.mine": "mine.csv"},
        "datasets.mine: holds 'mine.csv'; a mapping of keys to values is needed.",
    ),
    "nothing as features": ({"features.x": None}, "features.x: holds None; a mapping of keys to values is needed."),
    "a score of words": (
        {"properties": {"mmlu": {"values": {"tiny-16": "high"}}}},
        "properties.mmlu.values.tiny-16: holds 'high'; a number is needed.",
    ),
    "an empty column": (
        {"datasets.mine": TABLE | {"text": ""}},
        "datasets.mine.text: holds ''; text of at least 1 character is needed.",
    ),
    "a grid from high to low": (
        {"encoders.controlled.grid": {"log10_min": 3, "log10_max": 1}},
        "encoders.controlled.grid: log10_min 3 must not be above log10_max 1.",
    ),
    "a grid of one penalty many times": (
        {"encoders.controlled.grid": {"log10_min": 3, "log10_max": 3}},
        "encoders.controlled.grid: count 13 does not go with log10_min 3 and log10_max 3: one penalty has equal ends, "
        "several have different ones.",
    ),
    "a grid of one penalty with two ends": (
        {"encoders.controlled.grid": {"count": 1}},
        "encoders.controlled.grid: count 1 does not go with log10_min -4 and log10_max 8: one penalty has equal ends, "
        "several have different ones.",
    ),
    "heads that do not divide the width": (
        {"models.tiny-16.train.width": 15},
        "models.tiny-16.train: width 15 must be a multiple of twice the heads, which are 2.",
    ),
}

WORDS = {
    "widths of the autocorrelation null": (
        {"features.oasm": {"control": "autocorrelation", "sigmas": "publishd"}},
        "features.oasm.sigmas: holds 'publishd'; a list of numbers or 'published' is needed.",
    ),
    "tokens": (
        {"readouts.last-token.tokens": "randm"},
        "readouts.last-token.tokens: holds 'randm'; one of 'text', 'random' is needed; did you mean 'random'?",
    ),
    "a kind": (
        {"models.tiny-16.kind": "vanila"},
        "models.tiny-16.kind: holds 'vanila'; one of 'vanilla', 'instruction-tuned', 'untrained' is needed; "
        "did you mean 'vanilla'?",
    ),
    "a split": (
        {"encoders.controlled.split.kind": "group"},
        "encoders.controlled.split.kind: holds 'group'; did you mean 'grouped'? "
        "Allowed: shuffle, kfold, grouped, leave-one-group-out, contiguous, fixed.",
    ),
    "a unit of a gap": (
        {"encoders.controlled.split": {"kind": "contiguous", "gap": 2, "unit": "second"}},
        "encoders.controlled.split.unit: holds 'second'; one of 'samples', 'seconds' is needed; "
        "did you mean 'seconds'?",
    ),
    "a way with small folds": (
        {"encoders.controlled.split.small_folds": "drop"},
        "encoders.controlled.split.small_folds: holds 'drop'; one of 'refuse', 'pool' is needed.",
    ),
    "a value to train on": (
        {"encoders.controlled.split": {"kind": "fixed", "column": "split_group", "train": True, "test": "b"}},
        "encoders.controlled.split.train: holds True; text or a whole number or a number or a list is needed.",
    ),
    "penalties": (
        {"encoders.controlled.penalties": "per-voxel"},
        "encoders.controlled.penalties: holds 'per-voxel'; one of 'per-neuroid', 'shared' or a number is needed.",
    ),
    "a layer": (
        {"encoders.controlled.layer": "nestd"},
        "encoders.controlled.layer: holds 'nestd'; one of 'nested', 'best' or a mapping of keys to values is needed; "
        "did you mean 'nested'?",
    ),
    "a context": (
        {"readouts.last-token.context": "grup"},
        "readouts.last-token.context: holds 'grup'; one of 'none', 'group' or a mapping of keys to values is needed; "
        "did you mean 'group'?",
    ),
    "a control": (
        {"features.oasm": {"control": "autocorelation"}},
        f"features.oasm.control: holds 'autocorelation'; did you mean 'autocorrelation'? Allowed: {CONTROLS}.",
    ),
    "a control that is a number": (
        {"features.oasm": {"control": 3}},
        f"features.oasm.control: holds 3. Allowed: {CONTROLS}.",
    ),
    "a loader": (
        {"datasets.mine": TABLE | {"loader": "tabel"}},
        "datasets.mine.loader: holds 'tabel'; did you mean 'table'? Allowed: simulated, table, stimuli-only, joined.",
    ),
    "a figure": (
        {"figures": ["layers", "aligment"]},
        f"figures.1: holds 'aligment'; one of {FIGURES} is needed; did you mean 'alignment'?",
    ),
    "a figure of a model": (
        {"figures": ["card-tiny-17"]},
        "figures.0: holds 'tiny-17', which is the name of no model with weights; did you mean 'tiny-16'? "
        f"Allowed: {TWINS}.",
    ),
    "units": (
        {
            "datasets.mine": TABLE
            | {"ceilings": {"given": {"table": "s.csv", "neuroid": "a", "value": "b", "units": "z"}}}
        },
        "datasets.mine.ceilings.given.units: holds 'z'; one of 'r', 'r2' is needed.",
    ),
}

BAD_NAMES = {
    "a study's": ({"study": "a/b"}, f"study: holds 'a/b', which cannot be a file's name here; {NAMES}"),
    "a data set's": (
        {"datasets.my data": TABLE},
        f"datasets: the name 'my data' cannot be a file's name here; {NAMES}",
    ),
    "a model's": ({"models.-x": HUB}, f"models: the name '-x' cannot be a file's name here; {NAMES}"),
    "a number": ({"study": 2024}, "study: holds 2024; text is needed."),
    "a long one": (
        {"study": "x" * 101},
        f"study: holds '{'x' * 101}'; text of at most 100 characters is needed.",
    ),
    "the reserved readout": (
        {"readouts.none": {"pooling": "last"}},
        "readouts.none: this name is kept for features that no model computes; choose another.",
    ),
    "of a model and a feature": (
        {"features.tiny-16": {"control": "position"}},
        "features.tiny-16: 'tiny-16' is also the name of a model; both would write the same files.",
    ),
    "of a text and a data set": (
        {"texts.simulated-passages": {"loader": "simulated", "kind": "documents", "seed": 1, "count": 3}},
        "texts.simulated-passages: 'simulated-passages' is also the name of a data set; "
        "both would write the same files.",
    ),
    "of a loss and a property": (
        {"losses.parameters": {"text": "world-held-out"}},
        "losses.parameters: 'parameters' is also the name of a property.",
    ),
    "of a twin": (
        {"models.tiny-16-untrained-0": HUB},
        "models: the name of an untrained twin (model-untrained-seed) is also the name of another model.",
    ),
}

REFERENCES = {
    "a base": (
        {"models.tiny-16-instruct.base": "tiny-17"},
        "models.tiny-16-instruct.base: holds 'tiny-17', which is the name of no other model; did you mean 'tiny-16'? "
        f"Allowed: {VANILLA}, {TUNED}.",
    ),
    "itself as a base": (
        {"models.tiny-16-instruct.base": "tiny-16-instruct"},
        "models.tiny-16-instruct.base: holds 'tiny-16-instruct', which is the name of no other model; "
        f"did you mean 'tiny-80-instruct'? Allowed: {VANILLA}, {TUNED}.",
    ),
    "a base that is tuned": (
        {"models.tiny-16-instruct.base": "tiny-32-instruct"},
        "models.tiny-16-instruct.base: holds 'tiny-32-instruct', which is instruction-tuned; "
        "a vanilla model is needed.",
    ),
    "a text": (
        {"losses.world-loss.text": "nowhere"},
        "losses.world-loss.text: holds 'nowhere', which is the name of no text with kind: documents. "
        f"Allowed: {DOCUMENTS}.",
    ),
    "questions to train on": (
        {"models.tiny-16.train.text": "world-questions"},
        "models.tiny-16.train.text: holds 'world-questions', which is the name of no text with kind: documents; "
        f"did you mean 'world-training'? Allowed: {DOCUMENTS}.",
    ),
    "documents to tune on": (
        {"models.tiny-16-instruct.tune.text": "world-training"},
        "models.tiny-16-instruct.tune.text: holds 'world-training', which is the name of no text with kind: questions"
        "; did you mean 'world-questions'? Allowed: world-questions.",
    ),
    "a vocabulary": (
        {"models.tiny-16.train.vocabulary": ["world-question"]},
        "models.tiny-16.train.vocabulary: holds 'world-question', which is the name of no text; did you mean "
        f"'world-questions'? Allowed: {DOCUMENTS}, world-questions.",
    ),
    "a data set": (
        {"features.glove": {"table": "s.csv", "datasets": ["simulated-story"]}},
        "features.glove.datasets: holds 'simulated-story', which is the name of no data set; did you mean "
        "'simulated-stories'? Allowed: simulated-passages, simulated-stories.",
    ),
    "a model's score": (
        {"properties": {"mmlu": {"values": {"gpt": 1}}}},
        f"properties.mmlu.values: holds 'gpt', which is the name of no model. Allowed: {TWINS}.",
    ),
    "a property": (
        {"analyses.correlate": ["mmlu"]},
        "analyses.correlate: holds 'mmlu', which is the name of no property or loss. "
        f"Allowed: {PROPERTIES}, world-loss, world-loss_nats_per_token, world-loss_nats_per_word, "
        "world-loss_nats_per_byte, world-loss_span_nats_per_token, world-loss_span_nats_per_word, "
        "world-loss_span_nats_per_byte.",
    ),
}

FILES = {
    "a lost table": (
        {"features.glove": {"table": "nowhere.csv"}},
        "features.glove.table: holds 'nowhere.csv', which is no file, seen from {here}.",
    ),
    "a folder": (
        {"datasets.mine": TABLE | {"stimuli": "."}},
        "datasets.mine.stimuli: holds '.', which is a folder; a file is needed.",
    ),
    "a lost text": (
        {"texts.mine": {"loader": "file", "file": "text.txt"}},
        "texts.mine.file: holds 'text.txt', which is no file, seen from {here}.",
    ),
}

CONTRADICTIONS = {
    "two ways to match": (
        {"readouts.last-token.match": {"components": 3, "projection": 3}},
        "readouts.last-token.match: exactly one of components, projection, localizer must be given, but there is "
        "components and projection.",
    ),
    "no way to match": (
        {"readouts.last-token.match": {"seed": 3}},
        "readouts.last-token.match: exactly one of components, projection, localizer must be given, but there is "
        "none of them.",
    ),
    "a seed of components": (
        {"readouts.last-token.match": {"components": 3, "seed": 3}},
        "readouts.last-token.match: seed belongs to projection, not to components.",
    ),
    "sentences for a projection": (
        {"readouts.last-token.match": {"projection": 3, "sentences": "s.csv"}},
        "readouts.last-token.match: sentences belongs to localizer, not to projection.",
    ),
    "a localizer without sentences": (
        {"readouts.last-token.match": {"localizer": 3}},
        "readouts.last-token.match: localizer needs `sentences`, a table of sentences and non-words.",
    ),
    "a localizer of one condition": (
        {"readouts.last-token.match": {"localizer": 3, "sentences": "s.csv", "conditions": ["S", "S"]}},
        "readouts.last-token.match: conditions must be two, but both are 'S'.",
    ),
    "a localizer of random tokens": (
        {"readouts.last-token": {"tokens": "random", "match": {"localizer": 3, "sentences": "s.csv"}}},
        "readouts.last-token: a localizer finds no language units where tokens are random; leave out one of both.",
    ),
    "a seed of the text's tokens": (
        {"readouts.last-token.seed": 3},
        "readouts.last-token: seed belongs to tokens: random.",
    ),
    "two origins": (
        {"models.tiny-16.source": "x"},
        "models.tiny-16: exactly one of source, train, tune, published must be given, but there is source and train.",
    ),
    "no origin": (
        {"models.x": {"family": "x", "kind": "vanilla"}},
        "models.x: exactly one of source, train, tune, published must be given, but there is none of them.",
    ),
    "tuned from nothing": (
        {"models.tiny-16-instruct.base": ...},
        "models.tiny-16-instruct: tune needs `base`, the model to start from.",
    ),
    "a pair without its base": (
        {"models.x": HUB | {"kind": "instruction-tuned"}},
        "models.x: an instruction-tuned model needs `base`, the vanilla model that it came from.",
    ),
    "a revision of what is made here": (
        {"models.tiny-16.revision": "abc"},
        "models.tiny-16: revision belongs to a Hub source, but the model is made here.",
    ),
    "twins of a tuned model": (
        {"models.tiny-16-instruct.untrained": {"seeds": [0]}},
        "models.tiny-16-instruct: untrained twins belong to the base, not to a tuned model.",
    ),
    "penalties of ols": (
        {"encoders.as-published.penalties": "shared"},
        "encoders.as-published: ols has no penalties: leave out penalties, grid, inner and criterion.",
    ),
    "components of none": (
        {"encoders.controlled.components": 9},
        "encoders.controlled: ridge has no components.",
    ),
    "a pca-ridge without components": (
        {"encoders.controlled.regression": "pca-ridge"},
        "encoders.controlled: pca-ridge needs `components`.",
    ),
    "a kernel of ols": (
        {"encoders.as-published.kernel": "rbf"},
        "encoders.as-published: the kernel rbf is for ridge, not for ols.",
    ),
    "bandwidths of a linear kernel": (
        {"encoders.controlled.bandwidths": [1.0]},
        "encoders.controlled: bandwidths belong to kernel: rbf.",
    ),
    "r2 of single rows": (
        {
            "encoders.controlled": {
                "regression": "ridge",
                "criterion": "r2",
                "inner": "leave-one-out",
                "split": {"kind": "kfold"},
            }
        },
        "encoders.controlled: criterion: r2 needs inner folds of several samples, not inner: leave-one-out.",
    ),
    "two layers": (
        {"encoders.controlled.layer": {"fixed": "final", "nested": "subject"}},
        "encoders.controlled.layer: exactly one of fixed, nested, dataset is needed.",
    ),
    "no intercept without standards": (
        {"encoders.controlled": {"regression": "ridge", "intercept": False, "split": {"kind": "kfold"}}},
        "encoders.controlled: intercept: false needs standardize: training or fold.",
    ),
    "no intercept of a kernel": (
        {
            "encoders.controlled": {
                "regression": "ridge",
                "kernel": "rbf",
                "standardize": "training",
                "intercept": False,
                "beyond_nulls": False,
                "split": {"kind": "kfold"},
            }
        },
        "encoders.controlled: a fit without an intercept needs features and responses of mean 0 and a linear kernel, "
        "but standardize is 'training' and the kernel 'rbf'.",
    ),
    "an unknown preset": (
        {"encoders.controlled": {"preset": "wehbe", "regression": "ridge", "split": {"kind": "kfold"}}},
        "encoders.controlled.preset: holds 'wehbe'; one of 'aw2023', 'wehbe2014', 'brain-score' is needed; did you "
        "mean 'wehbe2014'?",
    ),
    "a csv without ids": (
        {"datasets.mine": {key: value for key, value in TABLE.items() if key != "id"}},
        "datasets.mine: a CSV of responses is joined by ids: name the stimuli's column as `id`.",
    ),
    "samples without a map": (
        {"datasets.mine": TABLE | {"samples": "s.csv"}},
        "datasets.mine: `samples` needs `map`, which says what stimuli each sample goes with.",
    ),
    "the truth of real data": (
        {"datasets.mine": TABLE | {"ceilings": {"known": {}}}},
        "datasets.mine: ceilings.known exists for simulated data only.",
    ),
    "repetitions of simulated data": (
        {"datasets.simulated-passages.ceilings": {"split-half": {}}},
        "datasets.simulated-passages: ceilings.split-half needs repetitions, which simulated data have not.",
    ),
    "held-out draws of balanced pools": (
        {"datasets.simulated-passages.ceilings": {"subject-pool": {"held_out": 4}}},
        "datasets.simulated-passages.ceilings.subject-pool: held_out belongs to the design brain-score, "
        "not to balanced.",
    ),
    "neuroids normalised by nothing": (
        {"datasets.simulated-passages.ceilings": {"normalise": "neuroid"}},
        "datasets.simulated-passages.ceilings: normalise: neuroid needs a ceiling with an interval for each neuroid, "
        "but there is none.",
    ),
    "neuroids normalised by what was given": (
        {
            "datasets.mine": TABLE
            | {
                "ceilings": {
                    "given": {"table": "s.csv", "neuroid": "a", "value": "b"},
                    "subject-pool": {},
                    "normalise": "neuroid",
                }
            }
        },
        "datasets.mine.ceilings: normalise: neuroid needs a ceiling with an interval for each neuroid, "
        "but given ceilings have none.",
    ),
    "neuroids normalised by pools that are resampled as published": (
        {"datasets.mine": TABLE | {"ceilings": {"subject-pool": {"design": "brain-score"}, "normalise": "neuroid"}}},
        "datasets.mine.ceilings: normalise: neuroid needs a ceiling with an interval for each neuroid, "
        "but the design brain-score does not resample stimuli; take balanced.",
    ),
    "models without a readout": (
        {"readouts": {}},
        "readouts: there are models but no readout; give one, as last-token: {context: group, pooling: last}.",
    ),
    "nothing to compare": (
        {"models": {}, "features": {}, "losses": {}, "analyses": {}},
        "models: there is neither a model nor an entry of `features`; nothing could be compared with responses.",
    ),
    "groups that a data set lacks": (
        {"datasets.mine": {key: value for key, value in TABLE.items() if key != "split"}},
        "encoders.controlled.split.by: holds 'split_group', but the data set 'mine' has no groups; "
        "name its column as datasets.mine.split or .group, or use a split of kind kfold.",
    ),
    "a column that simulated data lack": (
        {"encoders.controlled.split.by": "story"},
        [
            "encoders.controlled.split.by: holds 'story', but the data set 'simulated-passages' is simulated and has "
            "only split_group.",
            "encoders.controlled.split.by: holds 'story', but the data set 'simulated-stories' is simulated and has "
            "only split_group and run.",
        ],
    ),
    "a column that was not brought": (
        {"datasets": {"mine": TABLE}, "encoders.controlled.split.by": "story"},
        "encoders.controlled.split.by: holds 'story', but the samples of the data set 'mine' have no such column; "
        "name a column of its table in datasets.mine.columns.",
    ),
    "a misspelt column": (
        {
            "datasets": {"mine": TABLE | {"columns": ["story"]}},
            "encoders.controlled.split": {"kind": "fixed", "column": "storys", "train": 1, "test": 2},
        },
        "encoders.controlled.split.column: holds 'storys', but the samples of the data set 'mine' have no such column; "
        "did you mean 'story'? Name a column of its table in datasets.mine.columns.",
    ),
    "a column of inner folds": (
        {"datasets": {"mine": TABLE}, "encoders.controlled.split.inner": {"by": "run"}},
        "encoders.controlled.split.inner.by: holds 'run', but the data set 'mine' has no runs.",
    ),
    "a column that has another name already": (
        {"datasets.mine": TABLE | {"columns": ["story", "topic"]}},
        "datasets.mine: `columns` names 'topic', which is the data set's `split` already.",
    ),
    "a column whose name is kept": (
        {"datasets.mine": TABLE | {"columns": ["region"]}},
        "datasets.mine: `columns` names 'region', a name that is kept; rename it in the table.",
    ),
    "a column twice": (
        {"datasets.mine": TABLE | {"columns": ["story", "story"]}},
        "datasets.mine: `columns` names 'story' more than once.",
    ),
    "seconds without onsets": (
        {"encoders.controlled.split": {"kind": "contiguous", "gap": 2, "unit": "seconds"}},
        "encoders.controlled.split.unit: holds 'seconds', but the data set 'simulated-passages' has no onsets.",
    ),
    "half a sample": (
        {"encoders.controlled.split": {"kind": "contiguous", "gap": 2.5}},
        "encoders.controlled.split: the gap of 2.5 samples must be a whole number; or give unit: seconds.",
    ),
    "a published gap in seconds": (
        {"encoders.controlled.split": {"kind": "contiguous", "gap": 2.5, "unit": "seconds", "at": "published"}},
        "encoders.controlled.split: the published rule counts its gap in samples: leave out `unit`.",
    ),
    "the same to train and to test": (
        {"encoders.controlled.split": {"kind": "fixed", "column": "split_group", "train": ["a", "b"], "test": "b"}},
        "encoders.controlled.split: train and test must be different values of 'split_group', but both hold 'b'.",
    ),
    "runs that a data set lacks": (
        {"encoders.controlled.split.by": "run"},
        "encoders.controlled.split.by: holds 'run', but the data set 'simulated-passages' has no runs.",
    ),
}

SEVERAL = {
    "a bad name and what it lacks": (
        {"datasets.my data": {"loader": "table", "stimuli": "s.csv"}},
        [
            f"datasets: the name 'my data' cannot be a file's name here; {NAMES}",
            "datasets.my data: the key 'responses' is missing.",
        ],
    ),
    "an empty config": (
        dict.fromkeys(("study", "datasets", "encoders"), ...),
        [f"the config: the key '{key}' is missing." for key in ("study", "datasets", "encoders")],
    ),
    "a loss that is gone": (
        {"losses": {}},
        [f"analyses.correlate: holds 'world-loss', which is the name of no property or loss. Allowed: {PROPERTIES}."],
    ),
    "two mistakes in two sections": (
        {"study": "a b", "figures": ["bars"]},
        [
            f"study: holds 'a b', which cannot be a file's name here; {NAMES}",
            f"figures.0: holds 'bars'; one of {FIGURES} is needed; did you mean 'pairs'?",
        ],
    ),
    "texts that are gone": (
        {"texts": {}, "models": {"x": HUB}, "losses.second": {"text": "a"}},
        [
            "losses.world-loss.text: holds 'world-held-out', which is the name of no text with kind: documents; "
            "there is none.",
            "losses.second.text: holds 'a', which is the name of no text with kind: documents; there is none.",
        ],
    ),
}

ALL = {
    f"{group}: {case}": (changes, said if isinstance(said, list) else [said])
    for group, cases in {
        "unknown key": UNKNOWN_KEYS,
        "missing": MISSING,
        "type or range": TYPES_AND_RANGES,
        "word": WORDS,
        "name": BAD_NAMES,
        "reference": REFERENCES,
        "file": FILES,
        "contradiction": CONTRADICTIONS,
        "several": SEVERAL,
    }.items()
    for case, (changes, said) in cases.items()
}


@pytest.mark.parametrize("case", ALL)
def test_a_mistake_is_told(case, changed, tmp_path, monkeypatch):
    for name in ("s.csv", "r.csv", "s.npy"):
        (tmp_path / name).write_text("a\n1\n")
    monkeypatch.chdir(tmp_path)
    changes, sentences = ALL[case]
    with pytest.raises(InputError) as caught:
        read_study(changed(changes))
    assert str(caught.value).split("\n") == [sentence.replace("{here}", str(Path.cwd())) for sentence in sentences]


def test_keys_that_yaml_does_not_read_as_text_are_told(changed):
    config = changed({})
    config["models"][True] = HUB
    config["datasets"][7] = {"loader": "simulated", "kind": "passages", "seed": 1}
    with pytest.raises(InputError) as caught:
        read_study(config)
    assert str(caught.value).split("\n") == [
        "models: the name True is not text to YAML; put it in quotes.",
        "datasets: the name 7 is not text to YAML; put it in quotes.",
    ]
