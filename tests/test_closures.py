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
    "compare_pairs": (
        "correlation.observations correlation.pairs correlation.percentages correlation.scores "
        "correlation.signed_ranks correlation.subjects inference.paired inference.replicates inference.subjects "
        "intervals responses.samples responses.unit_names row_labels scored study tables "
    ),
    "compute_features": (
        "activations.given activations.nulls.embeddings activations.nulls.registry activations.nulls.words "
        "activations.stored given_tables progress tables "
    ),
    "correlate_properties": (
        "correlation.bases correlation.controlled correlation.corrections correlation.mixed "
        "correlation.observations correlation.partial correlation.power correlation.properties correlation.scores "
        "correlation.statistics inference.false_discovery intervals responses.samples responses.unit_names "
        "row_labels scored study tables "
    ),
    "describe_study": "export.crate tables",
    "draw_figure": (
        "figures.layout figures.needs figures.style figures.tables responses.samples responses.unit_names "
        "row_labels scored study tables "
    ),
    "estimate_ceilings": (
        "ceilings.ceiling ceilings.given ceilings.given_table ceilings.kinds ceilings.known "
        "ceilings.other_subjects ceilings.pool_scores ceilings.pools ceilings.predicted ceilings.repeats "
        "ceilings.resampling ceilings.saturation ceilings.shifted ceilings.split_half ceilings.stored "
        "ceilings.subject_pool encoding.bootstrap encoding.components encoding.contiguous encoding.delays "
        "encoding.dependence encoding.factors encoding.fit encoding.fold_features encoding.hats encoding.inner "
        "encoding.inner_scores encoding.kernels encoding.least_squares encoding.medians encoding.nested "
        "encoding.places encoding.preparation encoding.published_words encoding.rechosen encoding.ridge "
        "encoding.sampled_neuroids encoding.sampling encoding.scales encoding.scores encoding.settings "
        "encoding.spectrum encoding.split_kinds encoding.splits encoding.threads encoding.training encoding.trial "
        "free_memory given_tables inference.circular_shift inference.contributions inference.neuroid_pairs "
        "inference.p_values inference.replicates inference.shared_training intervals responses.samples "
        "responses.stored responses.unit_names sources.folder "
    ),
    "evaluate_model": (
        "devices models.bin_files models.limits models.manifest models.safetensors_headers models.sizes "
        "models.stored_tensors models.weight_tensors properties.running properties.unchanged tables "
    ),
    "export_scores": "export.scores tables",
    "extract_activations": (
        "activations.batches activations.blocks activations.extraction activations.journal activations.localizer "
        "activations.matched activations.matching activations.memory_errors activations.partial activations.parts "
        "activations.passes activations.placed activations.pooling activations.prefixes activations.prompts "
        "activations.random_tokens activations.readout activations.resident activations.rows activations.spill "
        "activations.store activations.stored activations.streamed activations.streaming activations.windows "
        "activations.word_independence activations.word_patterns devices free_memory given_tables models.batching "
        "models.bin_files models.limits models.loading models.manifest models.placement models.quiet "
        "models.remote_code models.safetensors_headers models.sizes models.stored_tensors models.tokenisation "
        "models.weight_tensors progress tables "
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
        "activations.stored devices encoding.bootstrap encoding.components encoding.contiguous encoding.cost "
        "encoding.delays encoding.dependence encoding.encoder encoding.expectation encoding.factors encoding.fit "
        "encoding.fold_features encoding.hats encoding.inner encoding.inner_scores encoding.kernels "
        "encoding.layers encoding.least_squares encoding.medians encoding.nested encoding.places "
        "encoding.preparation encoding.published_words encoding.rechosen encoding.ridge encoding.sampled_neuroids "
        "encoding.sampling encoding.scales encoding.scores encoding.settings encoding.spectrum "
        "encoding.split_kinds encoding.splits encoding.stored encoding.threads encoding.training encoding.trial "
        "free_memory inference.circular_shift inference.contributions inference.neuroid_pairs inference.p_values "
        "inference.replicates inference.shared_training responses.samples responses.stored responses.unit_names "
    ),
    "fit_joint_encoder": (
        "activations.stored devices encoding.bootstrap encoding.components encoding.contiguous encoding.cost "
        "encoding.delays encoding.dependence encoding.encoder encoding.expectation encoding.factors encoding.fit "
        "encoding.fold_features encoding.hats encoding.inner encoding.inner_scores encoding.joint "
        "encoding.joint_encoder encoding.kernels encoding.layers encoding.least_squares encoding.medians "
        "encoding.nested encoding.places encoding.preparation encoding.published_words encoding.rechosen "
        "encoding.ridge encoding.sampled_neuroids encoding.sampling encoding.scales encoding.scores "
        "encoding.settings encoding.spectrum encoding.split_kinds encoding.splits encoding.stored "
        "encoding.threads encoding.training encoding.trial free_memory inference.circular_shift "
        "inference.contributions inference.neuroid_pairs inference.p_values inference.replicates "
        "inference.shared_training responses.samples responses.stored responses.unit_names "
    ),
    "initialise_model": (
        "models.architecture_files models.architectures models.bin_files models.limits models.loading "
        "models.manifest models.quiet models.remote_code models.safetensors_headers models.sizes "
        "models.stored_tensors models.untrained models.weight_tensors tables "
    ),
    "join_activations": "activations.joined activations.stored joined_ids",
    "join_responses": (
        "joined_ids responses.joined responses.matrix responses.samples responses.stored responses.unusable "
    ),
    "join_similarity": "responses.samples responses.unit_names row_labels scored similarity.joined study tables",
    "join_stimuli": (
        "joined_ids responses.joined responses.matrix responses.samples responses.stored responses.unusable tables "
    ),
    "join_study": (
        "alarms alignment ceilings.ceiling ceilings.neuroids control_regions encoding.contiguous encoding.delays "
        "encoding.scores encoding.split_kinds encoding.splits encoding.threads false_discoveries given_tables "
        "inference.contributions inference.false_discovery inference.p_values inference.shared_training "
        "inference.sign_flip inference.simultaneous intervals own_nulls properties.agreement "
        "properties.categories properties.gathering properties.harness properties.result_shape properties.sources "
        "properties.unchanged published responses.samples responses.unit_names row_labels scored scored_ceilings "
        "scored_tests study tables "
    ),
    "keep_encoder": (
        "activations.stored encoding.components encoding.contiguous encoding.delays encoding.factors encoding.fit "
        "encoding.fit_to_all encoding.fitted encoding.fitted_stored encoding.fold_features encoding.inner "
        "encoding.inner_scores encoding.kept_settings encoding.kernels encoding.least_squares encoding.nested "
        "encoding.places encoding.preparation encoding.published_words encoding.ridge encoding.sampling "
        "encoding.scales encoding.scores encoding.settings encoding.spectrum encoding.split_kinds encoding.splits "
        "encoding.threads encoding.training free_memory responses.samples responses.stored responses.unit_names "
    ),
    "measure_loss": (
        "devices losses models.batching models.bin_files models.limits models.loading models.manifest "
        "models.quiet models.remote_code models.safetensors_headers models.sizes models.stored_tensors "
        "models.tokenisation models.weight_tensors sources.folder span_corruption tables texts "
    ),
    "measure_similarity": (
        "activations.stored encoding.delays encoding.scores intervals responses.samples responses.stored "
        "responses.unit_names similarity.debiased similarity.dissimilarity similarity.groups similarity.measure "
        "similarity.pairs similarity.preparation similarity.settings similarity.table tables "
    ),
    "predict_responses": (
        "activations.stored encoding.delays encoding.fitted encoding.fitted_stored encoding.threads "
        "responses.samples responses.stored tables "
    ),
    "prepare_responses": "sources.folder tables",
    "prepare_stimuli": "sources.folder tables",
    "reproduce_published": "correlation.reproduction given_tables tables",
    "score_alignment": (
        "alarms alignment ceilings.ceiling ceilings.neuroids control_regions encoding.contiguous encoding.delays "
        "encoding.scores encoding.split_kinds encoding.splits encoding.threads inference.contributions "
        "inference.p_values inference.shared_training inference.sign_flip inference.simultaneous intervals "
        "own_nulls responses.samples responses.unit_names row_labels scored scored_ceilings scored_tests study "
        "tables "
    ),
    "take_published": (
        "alarms alignment ceilings.ceiling ceilings.neuroids control_regions encoding.contiguous encoding.delays "
        "encoding.scores encoding.split_kinds encoding.splits encoding.threads given_tables "
        "inference.contributions inference.p_values inference.shared_training inference.sign_flip "
        "inference.simultaneous intervals own_nulls published responses.samples responses.unit_names row_labels "
        "scored scored_ceilings scored_tests tables "
    ),
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
    "write_report": (
        "control_regions correlation.bases correlation.statistics inference.p_values intervals number_texts "
        "own_nulls report.caveat report.caveats report.caveats_of_regions report.caveats_of_scores "
        "report.citations report.encoders report.features report.headline report.inference report.methods "
        "report.pages report.summary report.tables report.wording responses.samples responses.unit_names "
        "row_labels scored study tables "
    ),
}

# Modules that a stage finds by name, and that its rule gives as a second root.
FOUND_BY_NAME = {
    "activations.nulls.autocorrelation": "errors",
    "activations.nulls.length": "",
    "activations.nulls.position": "",
    "activations.nulls.random_embeddings": "activations.nulls.words",
    "activations.nulls.random_features": "",
    "activations.nulls.word_rate": "errors",
    "figures.alignment": (
        "errors figures.forest figures.layout figures.style figures.tables provenance responses.samples "
        "responses.unit_names row_labels scored storage study tables "
    ),
    "figures.behavior": (
        "correlation.observations correlation.pairs correlation.percentages correlation.scores "
        "correlation.signed_ranks correlation.subjects errors figures.labels figures.layout figures.pairs "
        "figures.scatter figures.style figures.tables figures.tuned_against_base inference.paired "
        "inference.replicates inference.subjects intervals number_texts provenance responses.samples "
        "responses.unit_names row_labels scored storage study tables "
    ),
    "figures.benchmarks": (
        "errors figures.labels figures.layout figures.scatter figures.style figures.tables number_texts "
        "provenance responses.samples responses.unit_names row_labels scored storage study tables "
    ),
    "figures.brain": (
        "ceilings.ceiling errors figures.layout figures.style figures.tables provenance responses.samples "
        "responses.unit_names row_labels scored storage study tables "
    ),
    "figures.card": (
        "errors figures.layers figures.layout figures.style figures.tables number_texts provenance "
        "responses.samples responses.unit_names row_labels scored storage study tables "
    ),
    "figures.ceilings": (
        "ceilings.ceiling errors figures.layout figures.style figures.tables provenance responses.samples "
        "responses.unit_names row_labels scored storage study tables "
    ),
    "figures.correlations": (
        "errors figures.layout figures.style figures.tables provenance responses.samples responses.unit_names "
        "row_labels scored storage study tables "
    ),
    "figures.gains": (
        "correlation.observations correlation.pairs correlation.percentages correlation.scores "
        "correlation.signed_ranks correlation.subjects errors figures.layout figures.pairs figures.style "
        "figures.tables inference.paired inference.replicates inference.subjects intervals number_texts "
        "provenance responses.samples responses.unit_names row_labels scored storage study tables "
    ),
    "figures.layers": (
        "errors figures.layout figures.style figures.tables provenance responses.samples responses.unit_names "
        "row_labels scored storage study tables "
    ),
    "figures.layers_of_families": (
        "errors figures.layers figures.layout figures.style figures.tables provenance responses.samples "
        "responses.unit_names row_labels scored storage study tables "
    ),
    "figures.losses": (
        "errors figures.labels figures.layout figures.scatter figures.style figures.tables number_texts "
        "provenance responses.samples responses.unit_names row_labels scored storage study tables "
    ),
    "figures.over_nulls": (
        "errors figures.alignment figures.forest figures.layout figures.style figures.tables provenance "
        "responses.samples responses.unit_names row_labels scored storage study tables "
    ),
    "figures.pairs": (
        "correlation.observations correlation.pairs correlation.percentages correlation.scores "
        "correlation.signed_ranks correlation.subjects errors figures.layout figures.style figures.tables "
        "inference.paired inference.replicates inference.subjects intervals number_texts provenance "
        "responses.samples responses.unit_names row_labels scored storage study tables "
    ),
    "figures.scaling": (
        "errors figures.labels figures.layout figures.scatter figures.style figures.tables number_texts "
        "provenance responses.samples responses.unit_names row_labels scored storage study tables "
    ),
    "figures.split_policies": (
        "errors figures.alignment figures.forest figures.layout figures.style figures.tables provenance "
        "responses.samples responses.unit_names row_labels scored storage study tables "
    ),
    "figures.training_runs": (
        "errors figures.layout figures.style figures.tables provenance responses.samples responses.unit_names "
        "row_labels scored storage study tables "
    ),
    "figures.tuned_against_base": (
        "correlation.observations correlation.pairs correlation.percentages correlation.scores "
        "correlation.signed_ranks correlation.subjects errors figures.labels figures.layout figures.pairs "
        "figures.style figures.tables inference.paired inference.replicates inference.subjects intervals "
        "number_texts provenance responses.samples responses.unit_names row_labels scored storage study tables "
    ),
    "figures.width_and_size": (
        "errors figures.labels figures.layout figures.scatter figures.style figures.tables number_texts "
        "provenance responses.samples responses.unit_names row_labels scored storage study tables "
    ),
    "responses.table": (
        "errors given_tables responses.matrix responses.samples responses.unit_names responses.unusable storage "
    ),
    "sources.simulated": (
        "errors simulation.brain simulation.catalogue simulation.features simulation.grammar "
        "simulation.haemodynamics simulation.narration simulation.noise simulation.source_files "
        "simulation.streams simulation.world sources.folder storage texts "
    ),
    "sources.table": "errors sources.folder storage",
    "sources.wikitext": "errors sources.folder storage texts wikitext",
    "stimuli.table": "errors given_tables",
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
