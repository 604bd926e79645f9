"""Each change reruns the jobs that depend on it, and no others."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from workflow.project import Job, Project

PACKAGE = "workflow_scripts/brainalign"
STUDY = "small"
TEXTS = ("tiny-text", "tiny-questions")
MODELS = ("small", "small-untrained-0", "small-instruct", "mine")
DATASETS = ("sim", "user")
ENCODERS = ("nested", "plain")
FIGURES = ("alignment", "layers", "scaling", "losses", "pairs")
CELLS = [
    *(("last", model, dataset) for model in MODELS for dataset in DATASETS),
    *(("none", "length", dataset) for dataset in DATASETS),
    ("none", "given", "user"),
]

DRAW = {("draw_figure", STUDY, figure) for figure in FIGURES}
DRAW_CORRELATIONS = {("draw_figure", STUDY, figure) for figure in ("scaling", "losses")}
TABLES = {("correlate_properties", STUDY), ("compare_pairs", STUDY)}
REPORT = {("write_report", STUDY)}
JOIN = {("join_study", STUDY), *TABLES, *DRAW, *REPORT}


def encoded(cells: list[tuple[str, str, str]], encoders: tuple[str, ...] = ENCODERS) -> set[Job]:
    """The fits and scores of some cells, alone and, where the encoder is a ridge, together with the null."""
    rules = ("fit_encoder", "score_alignment")
    own = {(rule, encoder, *cell) for rule in rules for encoder in encoders for cell in cells}
    return own | (joined(cells) if "nested" in encoders else set())


def joined(cells: list[tuple[str, str, str]]) -> set[Job]:
    """The fits of some cells together with the null, and of the nulls together where it is among the cells."""
    nulls = {("fit_nulls_together", "nested", cell[2]) for cell in cells if cell[1] == "length"}
    return nulls | {("fit_beside_nulls", "nested", *cell) for cell in cells if cell[1] != "length"}


def scored(cells: list[tuple[str, str, str]], encoders: tuple[str, ...] = ENCODERS) -> set[Job]:
    """The scores of some cells, their fits left as they are."""
    return {job for job in encoded(cells, encoders) if job[0] == "score_alignment"}


def computed(cells: list[tuple[str, str, str]]) -> set[Job]:
    """The jobs that make the activations of some cells."""
    return {("extract_activations", *cell) if cell[0] != "none" else ("compute_features", *cell[1:]) for cell in cells}


def of(*features: str) -> list[tuple[str, str, str]]:
    """The cells of some models or features."""
    return [cell for cell in CELLS if cell[1] in features]


def on(*datasets: str) -> list[tuple[str, str, str]]:
    """The cells on some data sets."""
    return [cell for cell in CELLS if cell[2] in datasets]


def ceilings(datasets: tuple[str, ...] = DATASETS, encoders: tuple[str, ...] = ENCODERS) -> set[Job]:
    return {("estimate_ceilings", encoder, dataset) for encoder in encoders for dataset in datasets}


def losses(*models: str) -> set[Job]:
    return {("measure_loss", model, "tiny-loss") for model in models}


def downstream_of_model(*models: str) -> set[Job]:
    """All that follows a model's manifest."""
    return losses(*models) | computed(of(*models)) | encoded(of(*models)) | JOIN


def downstream_of_ceilings(dataset: str) -> set[Job]:
    """All that follows the ceilings that are given with a data set: no fit."""
    return ceilings((dataset,)) | scored(on(dataset)) | JOIN


def downstream_of_responses(dataset: str) -> set[Job]:
    """All that follows the files of a data set's responses: no activations."""
    return {("prepare_responses", dataset)} | ceilings((dataset,)) | encoded(on(dataset)) | JOIN


def downstream_of_dataset(dataset: str) -> set[Job]:
    """All that follows a data set's stimuli."""
    return {("prepare_stimuli", dataset)} | computed(on(dataset)) | downstream_of_responses(dataset)


EVERY_CELL = encoded(CELLS) | JOIN


def test_a_finished_run_has_nothing_to_do(project: Project) -> None:
    assert project.plan() == set()


EXTRA = "\nEXTRA = 1\n"

CHANGES: dict[str, tuple[str, str, str, set[Job]]] = {
    "a training setting": (
        "config.yaml",
        "context: 64, steps: 2",
        "context: 64, steps: 3",
        {("train_model", "small"), ("tune_model", "small-instruct")} | downstream_of_model("small", "small-instruct"),
    ),
    "a model's number format": (
        "config.yaml",
        "mine: {source: mine/model,",
        "mine: {source: mine/model, dtype: bfloat16,",
        downstream_of_model("mine"),
    ),
    "a model's family": ("config.yaml", "family: g", "family: h", JOIN),
    "a property": ("config.yaml", "mine: 0.75", "mine: 0.7", JOIN),
    "a setting of the correlations": (
        "config.yaml",
        "draws: 100",
        "draws: 101",
        TABLES | DRAW_CORRELATIONS | {("draw_figure", STUDY, "pairs")} | REPORT,
    ),
    "an encoder's setting": (
        "config.yaml",
        "log10_max: 2",
        "log10_max: 3",
        ceilings(encoders=("nested",)) | encoded(CELLS, ("nested",)) | JOIN,
    ),
    "a readout's setting": (
        "config.yaml",
        "pooling: last",
        "pooling: mean",
        computed(of(*MODELS)) | encoded(of(*MODELS)) | JOIN,
    ),
    "the size of a simulated data set": (
        "config.yaml",
        "passages: 15",
        "passages: 16",
        {("fetch_source", "sim")} | downstream_of_dataset("sim"),
    ),
    "which column is the text": (
        "config.yaml",
        "text: sentence",
        "text: passage",
        downstream_of_dataset("user"),
    ),
    "a data set's control region": (
        "config.yaml",
        "user: {loader: table,",
        "user: {control_region: x, loader: table,",
        scored(on("user")) | JOIN,
    ),
    "the units of given ceilings": (
        "config.yaml",
        "value: nc",
        "value: nc, units: r2",
        downstream_of_ceilings("user"),
    ),
    "ceilings that are no longer given": (
        "config.yaml",
        ", ceilings: {given: {table: mine/ceilings.csv, neuroid: neuroid_id, value: nc}}",
        "",
        downstream_of_ceilings("user"),
    ),
    "a ceiling": (
        "mine/ceilings.csv",
        "n1,0.6",
        "n1,0.65",
        {("fetch_source", "user/ceilings")} | downstream_of_ceilings("user"),
    ),
    "a neuroid's name": (
        "mine/neuroids.csv",
        "n1,",
        "m1,",
        {("fetch_source", "user/responses")} | downstream_of_responses("user"),
    ),
    "how few subjects are resampled": (
        "config.yaml",
        "  draws: 100",
        "  few_subjects: resample\n  draws: 100",
        {("compare_pairs", STUDY), ("draw_figure", STUDY, "pairs")} | REPORT,
    ),
    "code of a figure": (
        f"{PACKAGE}/figures/pairs.py",
        "",
        EXTRA,
        {("draw_figure", STUDY, "pairs")},
    ),
    "code of the correlations": (
        f"{PACKAGE}/stages/correlate_properties.py",
        "",
        EXTRA,
        {("correlate_properties", STUDY)} | DRAW_CORRELATIONS | REPORT,
    ),
    "code of the encoding": (
        f"{PACKAGE}/encoding/encoder.py",
        "",
        EXTRA,
        EVERY_CELL,
    ),
    "code of the ridge, which ceilings use too": (
        f"{PACKAGE}/encoding/ridge.py",
        "",
        EXTRA,
        ceilings() | EVERY_CELL,
    ),
    "code of the extraction": (
        f"{PACKAGE}/activations/extraction.py",
        "",
        EXTRA,
        computed(of(*MODELS)) | encoded(of(*MODELS)) | JOIN,
    ),
    "code of one null": (
        f"{PACKAGE}/activations/nulls/length.py",
        "",
        EXTRA,
        computed(of("length")) | encoded(of("length")) | joined(CELLS) | scored(CELLS) | JOIN,
    ),
    "code of the loss": (
        f"{PACKAGE}/losses.py",
        "",
        EXTRA,
        losses(*MODELS) | JOIN,
    ),
    "a comment": (
        f"{PACKAGE}/encoding/ridge.py",
        "\nimport numpy as np\n",
        "\n# closed form\nimport numpy as np\n",
        set(),
    ),
    "a docstring": (f"{PACKAGE}/stages/fit_encoder.py", '"""Write scores', '"""Write all scores', set()),
    "the order of keys": ("config.yaml", "family: g, kind: vanilla", "kind: vanilla, family: g", set()),
    "a memory request": ("rules/alignment.smk", "megabytes(2_000)", "megabytes(9_000)", set()),
    "a citation": ("config.yaml", "sim: {loader: simulated,", "sim: {citation: nobody, loader: simulated,", REPORT),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_reruns_exactly(project: Project, change: str) -> None:
    file, old, new, expected = CHANGES[change]
    project.edit(file, old, new)
    assert project.plan() == expected


def test_a_model_added_runs_its_own_jobs_and_the_joins(project: Project) -> None:
    line = "  mine: {source: mine/model, family: g, kind: vanilla}\n"
    project.edit("config.yaml", line, line + line.replace("mine:", "yours:"))
    cells = [("last", "yours", dataset) for dataset in DATASETS]
    own = {("fetch_model", "yours")} | losses("yours") | computed(cells) | encoded(cells)
    assert project.plan() == own | JOIN
    project.run()
    assert project.plan() == set()


def test_a_twin_added_is_set_beside_what_has_its_architecture(project: Project) -> None:
    project.edit("config.yaml", "untrained: {seeds: [0]}", "untrained: {seeds: [0, 1]}")
    twin = "small-untrained-1"
    cells = [("last", twin, dataset) for dataset in DATASETS]
    own = {("train_model", twin)} | losses(twin) | computed(cells) | encoded(cells)
    assert project.plan() == own | scored(of("small", "small-instruct")) | JOIN


def test_a_readout_of_random_tokens_added_is_set_beside_the_one_that_is_like_it(project: Project) -> None:
    line = "  last: {context: group, pooling: last}\n"
    project.edit("config.yaml", line, line + "  random: {context: group, pooling: last, tokens: random}\n")
    cells = [("random", model, dataset) for model in MODELS for dataset in DATASETS]
    assert project.plan() == computed(cells) | encoded(cells) | scored(of(*MODELS)) | JOIN


def test_a_model_removed_reruns_the_joins(project: Project) -> None:
    project.edit("config.yaml", "  mine: {source: mine/model, family: g, kind: vanilla}\n", "")
    project.edit("config.yaml", ", mine: 0.75", "")
    assert project.plan() == JOIN


def test_a_hub_models_revision(project: Project) -> None:
    """No network here: the Hub model's files are another model's, accepted as its own."""
    line = "  mine: {source: mine/model, family: g, kind: vanilla}\n"
    hub = "  hub: {source: owner/name, revision: aaaa, family: g, kind: vanilla}\n"
    project.edit("config.yaml", line, line + hub)
    results = project.path / "results"
    for path in sorted(results.rglob("*mine*"), reverse=True):
        twin = path.with_name(path.name.replace("mine", "hub"))
        (shutil.copytree if path.is_dir() else shutil.copy2)(path, twin)
    project.accept()
    assert project.plan() == set()
    project.edit("config.yaml", "revision: aaaa", "revision: bbbb")
    cells = [("last", "hub", dataset) for dataset in DATASETS]
    own = {("fetch_model", "hub")} | losses("hub") | computed(cells) | encoded(cells)
    assert project.plan() == own | JOIN


def test_a_file_of_a_models_folder(project: Project) -> None:
    path = project.path / "mine/model/config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"attn_pdrop": 0.2}))
    assert project.plan() == {("fetch_model", "mine")} | downstream_of_model("mine")


def test_a_data_set_added(project: Project) -> None:
    line = next(line for line in (project.path / "config.yaml").read_text().splitlines() if line.startswith("  sim:"))
    project.edit("config.yaml", line, line + "\n" + line.replace("sim:", "sim2:").replace("seed: 3", "seed: 4"))
    cells = [(readout, features, "sim2") for readout, features, dataset in CELLS if dataset == "sim"]
    own = {(rule, "sim2") for rule in ("fetch_source", "prepare_stimuli", "prepare_responses")}
    own |= computed(cells) | ceilings(("sim2",)) | encoded(cells)
    assert project.plan() == own | JOIN


def _edit_one_stimulus(project: Project) -> None:
    path = project.path / "mine/stimuli.csv"
    table = pd.read_csv(path)
    table.loc[7, "sentence"] = "the fox sleeps ."
    table.to_csv(path, index=False)


def test_one_stimulus_edited(project: Project) -> None:
    _edit_one_stimulus(project)
    assert project.plan() == {("fetch_source", "user/stimuli")} | downstream_of_dataset("user")


def test_one_response_edited(project: Project) -> None:
    """No model reads the stimuli again."""
    path = project.path / "mine/responses.npy"
    values = np.load(path)
    values[7, 2] += 1
    np.save(path, values)
    assert project.plan() == {("fetch_source", "user/responses")} | downstream_of_responses("user")


def test_ceilings_and_stimuli_edited_together(project: Project) -> None:
    """What is spared for the one is not spared for the other."""
    _edit_one_stimulus(project)
    project.edit("mine/ceilings.csv", "n1,0.6", "n1,0.65")
    fetched = {("fetch_source", f"user/{stage}") for stage in ("stimuli", "ceilings")}
    assert project.plan() == fetched | downstream_of_dataset("user")


def test_the_same_stimuli_in_a_file_of_another_format(project: Project) -> None:
    """A file's ending says how it is read, so that it counts as much as what it holds."""
    (project.path / "mine/stimuli.csv").rename(project.path / "mine/stimuli.tsv")
    project.edit("config.yaml", "mine/stimuli.csv", "mine/stimuli.tsv")
    assert project.plan() == {("fetch_source", "user/stimuli")} | downstream_of_dataset("user")


def test_given_features_edited(project: Project) -> None:
    path = project.path / "mine/features.csv"
    table = pd.read_csv(path)
    table.loc[0, "f1"] += 1
    table.to_csv(path, index=False)
    assert project.plan() == computed(of("given")) | encoded(of("given")) | JOIN


def test_fresh_modification_times_rerun_nothing(project: Project) -> None:
    """As after a clone, a checkout or a copy that does not keep times."""
    later = time.time() + 10
    touched = 0
    for path in project.path.rglob("*"):
        if path.is_file() and not {"results", ".snakemake"} & set(path.relative_to(project.path).parts):
            os.utime(path, (later, later))
            touched += 1
    assert touched > 50
    assert project.plan() == set()


def test_a_lost_figure_is_redrawn(project: Project) -> None:
    (project.path / f"results/studies/{STUDY}/figures/layers.png").unlink()
    assert project.plan() == {("draw_figure", STUDY, "layers")}


def test_a_lost_intermediate_is_rebuilt_only_when_needed(project: Project) -> None:
    """Snakemake looks no further back than the outputs that it was asked for."""
    (project.path / "results/activations/last/mine/user.h5").unlink()
    assert project.plan() == set()
    project.edit("config.yaml", "log10_max: 2", "log10_max: 3")
    assert ("extract_activations", "last", "mine", "user") in project.plan()


def test_activations_remade_with_the_same_numbers_do_not_refit(project: Project) -> None:
    """Two runs: the first remakes the activations, the second finds their content unchanged."""
    target = "results/activations/last/mine/user.h5"
    project.run("--until", "extract_activations", "--forcerun", target)
    assert project.plan() == set()


@pytest.mark.parametrize("damage", ["truncated", "foreign"])
def test_an_unreadable_cache_is_set_aside_and_rebuilt(project: Project, damage: str) -> None:
    path, fit = project.path / "results/activations/last/mine/user.h5", "results/encoding/nested/last/mine/user.h5"
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2] if damage == "truncated" else b"not a cache at all")
    project.edit("config.yaml", "log10_max: 2", "log10_max: 3")
    first = project.run(fit, check=False)
    assert first.returncode != 0
    said = f"{path.relative_to(project.path)} cannot be used"
    assert said in first.stdout + first.stderr
    assert path.with_name("user.h5.unreadable").exists()
    remade = ("extract_activations", "last", "mine", "user")
    assert remade in project.plan()
    project.run(fit)
    assert path.read_bytes() == content
    assert project.plan(target=fit) == set()
    assert remade not in project.plan()


def test_a_made_model_whose_weights_are_lost_is_made_again(project: Project) -> None:
    """The manifest is there, its weights are not: it is set aside, and the next run trains the model again."""
    weights = project.path / "results/models/small/model.safetensors"
    content = weights.read_bytes()
    weights.unlink()
    project.edit("config.yaml", "window: 32", "window: 30")
    loss = "results/losses/tiny-loss/small.json"
    first = project.run(loss, check=False)
    assert first.returncode != 0
    assert "results/models/small/manifest.json cannot be used: the model's file" in first.stdout + first.stderr
    assert ("train_model", "small") in project.plan()
    project.run(loss)
    assert weights.read_bytes() == content
    assert project.plan(target=loss) == set()
    assert ("train_model", "small") not in project.plan()


def test_a_killed_run_goes_on(project: Project) -> None:
    """SIGKILL to the whole group in the middle of a fit: the next run makes what is missing and ends well."""
    project.edit("config.yaml", "log10_max: 2", "log10_max: 3")
    wanted = project.plan()
    command = [sys.executable, "-m", "snakemake", "--cores", "2"]
    running = subprocess.Popen(
        command, cwd=project.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    encodings = project.path / "results/encoding/nested"
    before = {path: path.stat().st_mtime_ns for path in encodings.rglob("*.h5")}
    for _ in range(600):
        changed = [path for path in before if path.exists() and path.stat().st_mtime_ns != before[path]]
        if len(changed) >= 4:  # Snakemake has noted the first of them as done
            break
        time.sleep(0.05)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    left = project.plan()
    assert len(changed) >= 4
    assert left < wanted
    project.run()
    assert project.plan() == set()
    assert not list((project.path / "results").rglob("*.tmp"))


def test_two_runs_at_once_are_refused(project: Project) -> None:
    """The second is told which process is at work; a lock that nobody holds stops nobody."""
    from brainalign.run_lock import hold_folder

    project.edit("config.yaml", "mine: 0.75", "mine: 0.7")
    joined = "results/studies/small/properties.csv"
    with hold_folder(project.path / "results/.lock"):
        second = project.run(joined, check=False)
    assert second.returncode != 0
    assert f"another run (process {os.getpid()}) is at work on" in second.stdout + second.stderr
    project.run(joined)
    assert project.plan(target=joined) == set()


def test_code_that_changes_under_a_planned_job_is_refused(project: Project) -> None:
    """The job was planned with one code; by the time it starts, there is another."""
    code = "brainalign.stages.prepare_stimuli+brainalign.stimuli.table@0000000000000000"
    arguments = ["--spec", "{}", "--code", code, "--source", "x", "--out", "y.csv"]
    done = subprocess.run(
        [sys.executable, "-m", "brainalign.stages.prepare_stimuli", *arguments],
        cwd=project.path,
        env={**os.environ, "PYTHONPATH": str(project.path / "workflow_scripts")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "prepare_stimuli: its code changed after Snakemake planned this job" in done.stderr
    assert not (project.path / "y.csv").exists()


def _second_study(project: Project, name: str = "second", **changes: tuple[str, str]) -> str:
    text = (project.path / "config.yaml").read_text().replace("study: small\n", f"study: {name}\n")
    for old, new in changes.values():
        assert text.count(old) == 1
        text = text.replace(old, new)
    (project.path / "studies").mkdir(exist_ok=True)
    (project.path / f"studies/{name}.yaml").write_text(text)
    return f"studies/{name}.yaml"


def test_a_second_study_shares_files(project: Project) -> None:
    second = _second_study(project)
    expected = {
        ("join_study", "second"),
        ("correlate_properties", "second"),
        ("compare_pairs", "second"),
        ("write_report", "second"),
    } | {("draw_figure", "second", figure) for figure in FIGURES}
    assert project.plan(second) == expected
    project.run("--configfile", second)
    assert project.plan(second) == set()
    assert project.plan() == set()


def test_a_name_with_two_meanings_stops_the_run(project: Project) -> None:
    second = _second_study(project, readout=("pooling: last", "pooling: mean"))
    done = project.run("--configfile", second, "--dry-run", check=False)
    assert done.returncode != 0
    assert (
        "readouts.last means two things: pooling is mean in the study 'second', but last in 'small', whose results lie "
        "in the same folder; rename it in one of them, or, if 'small' is to change too or is no longer wanted, delete "
        "its config.json there."
    ) in done.stdout + done.stderr


def test_the_resolved_config_is_kept(project: Project) -> None:
    kept = json.loads((project.path / f"results/studies/{STUDY}/config.json").read_text())
    split = {"kind": "grouped", "by": "split_group", "folds": 3, "seed": None}
    assert kept["encoders"]["nested"]["split"] == split | {"inner": None, "small_folds": "refuse"}


def test_results_carry_what_made_them(project: Project) -> None:
    import h5py

    path = project.path / "results/encoding/nested/last/small/sim.h5"
    with h5py.File(path) as file:
        attributes = dict(file.attrs)
    assert attributes["stage"] == "brainalign.stages.fit_encoder"
    assert json.loads(attributes["spec"])["regression"] == "ridge"
    assert attributes["code"].startswith("brainalign.stages.fit_encoder@")
    assert "numpy" in json.loads(attributes["versions"])
    record = json.loads((project.path / "results/stimuli/user.csv.provenance.json").read_text())
    assert record["code"].startswith("brainalign.stages.prepare_stimuli+brainalign.stimuli.table@")


def test_every_file_of_the_results_is_accounted_for(project: Project) -> None:
    """No stage leaves temporary or unnamed files at the top of results/."""
    top = {path.name for path in (project.path / "results").iterdir() if path.name != ".lock"}
    assert top == {
        "activations", "alignment", "benchmarks", "ceilings", "encoding", "logs", "losses", "models", "responses",
        "sources", "stimuli", "studies",
    }  # fmt: skip
