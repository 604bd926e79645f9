"""The code that each stage depends on: an edit in one of these modules reruns the stage's jobs, no other edit does.

A new stage, or a new import, fails here until it is written down. The failure prints the line to put in.
"""

from pathlib import Path

import pytest

from brainalign.provenance import closure

PACKAGES = Path(__file__).parents[1] / "workflow_scripts"

# What every stage has.
COMMON = "command errors provenance storage"

STAGES = {
    "apply_delta": (
        "models.architecture_files models.bin_files models.deltas models.limits models.manifest "
        "models.safetensors_headers models.safetensors_writing models.sizes models.stored_tensors "
        "models.weight_tensors tables "
    ),
    "compare_pairs": "alignment correlation.pairs correlation.scores intervals study tables",
    "compute_features": "activations.given activations.nulls.registry activations.stored given_tables tables",
    "correlate_properties": (
        "alignment correlation.properties correlation.scores correlation.statistics intervals study tables "
    ),
    "draw_figure": "alignment figures.style figures.tables intervals study tables",
    "estimate_ceilings": (
        "ceilings.ceiling ceilings.given ceilings.kinds ceilings.known ceilings.saturation ceilings.stored "
        "ceilings.subject_pool encoding.bootstrap encoding.delays encoding.fit encoding.inner "
        "encoding.preparation encoding.ridge intervals responses.samples encoding.scores encoding.settings "
        "encoding.spectrum encoding.splits responses.stored "
    ),
    "extract_activations": (
        "activations.batches activations.blocks activations.extraction activations.journal "
        "activations.memory_errors activations.partial activations.parts activations.passes activations.placed "
        "activations.pooling activations.prefixes activations.prompts activations.readout activations.resident "
        "activations.rows activations.spill activations.store activations.stored activations.streamed "
        "activations.streaming activations.windows activations.word_independence activations.word_patterns devices "
        "models.batching models.bin_files models.limits models.loading models.manifest models.placement "
        "models.quiet models.remote_code models.safetensors_headers models.sizes models.stored_tensors "
        "models.tokenisation models.weight_tensors progress tables "
    ),
    "fetch_architecture": (
        "models.architecture_files models.bin_files models.fetching models.hub models.limits models.manifest "
        "models.remote_code models.safetensors_headers models.sizes models.stored_tensors models.weight_tensors "
        "tables "
    ),
    "fetch_model": (
        "models.bin_files models.fetching models.hub models.limits models.manifest models.remote_code "
        "models.safetensors_headers models.sizes models.stored_tensors models.weight_tensors tables "
    ),
    "fetch_source": "tables",
    "fit_encoder": (
        "activations.stored encoding.bootstrap encoding.delays encoding.encoder encoding.fit encoding.inner "
        "encoding.layers encoding.preparation encoding.ridge responses.samples encoding.scores "
        "encoding.settings encoding.spectrum encoding.splits encoding.stored responses.stored "
    ),
    "initialise_model": (
        "models.architecture_files models.architectures models.bin_files models.limits models.loading "
        "models.manifest models.quiet models.remote_code models.safetensors_headers models.sizes "
        "models.stored_tensors models.untrained models.weight_tensors tables "
    ),
    "join_study": "alignment intervals study tables",
    "measure_loss": (
        "devices losses models.batching models.bin_files models.limits models.loading models.manifest models.quiet "
        "models.remote_code models.safetensors_headers models.sizes models.stored_tensors models.tokenisation "
        "models.weight_tensors sources.folder tables texts "
    ),
    "prepare_responses": "sources.folder tables",
    "prepare_stimuli": "sources.folder tables",
    "score_alignment": "alignment intervals tables",
    "train_model": (
        "models.architectures models.bin_files models.limits models.loading models.manifest models.packing "
        "models.quiet models.remote_code models.safetensors_headers models.settings models.sizes "
        "models.stored_tensors models.training models.weight_tensors sources.folder sources.words tables texts "
    ),
    "tune_model": (
        "models.architectures models.bin_files models.limits models.loading models.manifest models.packing "
        "models.quiet models.remote_code models.safetensors_headers models.settings models.sizes "
        "models.stored_tensors models.training models.weight_tensors sources.folder tables texts "
    ),
}

# Modules that a stage finds by name, and that its rule gives as a second root.
FOUND_BY_NAME = {
    "sources.simulated": (
        "errors simulation.brain simulation.catalogue simulation.features simulation.grammar "
        "simulation.haemodynamics simulation.narration simulation.noise simulation.source_files "
        "simulation.streams simulation.world sources.folder storage texts "
    ),
    "sources.table": "errors sources.folder storage",
    "stimuli.table": "errors given_tables",
    "responses.table": "errors given_tables responses.matrix storage",
    "activations.nulls.autocorrelation": "errors",
    "activations.nulls.length": "",
    "activations.nulls.position": "",
    "activations.nulls.random_features": "",
    "figures.alignment": "alignment errors figures.style figures.tables intervals storage study",
    "figures.layers": "alignment errors figures.style figures.tables intervals storage study",
    "figures.losses": (
        "alignment correlation.scores errors figures.scatter figures.style figures.tables intervals storage study "
    ),
    "figures.pairs": (
        "alignment correlation.pairs correlation.scores errors figures.style figures.tables intervals storage study "
    ),
    "figures.scaling": (
        "alignment correlation.scores errors figures.scatter figures.style figures.tables intervals storage study "
    ),
}


def local(module: str) -> set[str]:
    """Names of the modules that one imports, directly or not, without the package's own name."""
    found = closure(PACKAGES, [f"brainalign.{module}"])
    return {name.removeprefix("brainalign.") for name in found} - {module}


def existing_stages() -> list[str]:
    return sorted(path.stem for path in (PACKAGES / "brainalign" / "stages").glob("[!_]*.py"))


@pytest.mark.parametrize("stage", existing_stages())
def test_a_stage_depends_on_exactly(stage):
    found = local(f"stages.{stage}")
    assert set(COMMON.split()) <= found
    further = " ".join(sorted(found - set(COMMON.split())))
    assert stage in STAGES, f'a new stage; write down its closure in {Path(__file__).name}: "{stage}": "{further}"'
    assert further == " ".join(sorted(STAGES[stage].split())), f'"{stage}": "{further}"'


def test_no_stage_is_written_down_that_is_gone():
    assert set(STAGES) - set(existing_stages()) == set()


@pytest.mark.parametrize("module", FOUND_BY_NAME)
def test_a_module_that_is_found_by_name_depends_on_exactly(module):
    further = " ".join(sorted(local(module)))
    assert further == " ".join(sorted(FOUND_BY_NAME[module].split())), f'"{module}": "{further}"'


def test_activations_and_what_comes_before_know_nothing_of_encoders():
    before = "fetch_source fetch_model train_model tune_model initialise_model prepare_stimuli prepare_responses"
    for stage in [*before.split(), "compute_features", "extract_activations", "measure_loss"]:
        assert not [name for name in local(f"stages.{stage}") if name.startswith(("encoding", "ceilings", "study"))]
