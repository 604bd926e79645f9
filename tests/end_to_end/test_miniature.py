"""The main job, from a bare checkout to the report, as a newcomer would run it."""

import re
import shutil
import subprocess
from pathlib import Path

import h5py
import pandas as pd
import pytest
import xarray

ROOT = Path(__file__).parents[2]
FILES = ("Snakefile", "Makefile", "config.yaml", "requirements.lock", "rules", "envs", "profiles", "workflow_scripts")
MODELS = [f"tiny-{width}{suffix}" for width in (16, 32, 48, 80) for suffix in ("", "-instruct", "-untrained-0")]
NULLS = ["position", "length", "autocorrelation"]

pytestmark = pytest.mark.slow


def _demo(folder: Path) -> str:
    done = subprocess.run(
        ["make", "demo", "CORES=2"], cwd=folder, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A checkout in a folder with a space in its name, after `make demo`, and what that said."""
    folder = tmp_path_factory.mktemp("demo") / "my checkout"
    folder.mkdir()
    for name in FILES:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder, _demo(folder)


@pytest.fixture(scope="module")
def scores(demo: tuple[Path, str]) -> pd.DataFrame:
    return pd.read_csv(demo[0] / "results/studies/miniature/alignment.csv")


def test_it_shows_progress_and_says_where_the_results_are(demo: tuple[Path, str]) -> None:
    folder, said = demo
    assert re.search(r"\d+ of \d+ steps \(\d+%\) done", said)
    assert "Report:  results/studies/miniature/report.html" in said
    assert "Figures: results/studies/miniature/figures/" in said
    for name in ("alignment.csv", "properties.csv", "correlations.csv", "pairs.csv", "report.html", "config.json"):
        assert (folder / "results/studies/miniature" / name).stat().st_size > 100
    for figure in ("alignment", "layers", "scaling", "losses", "pairs"):
        for ending in ("csv", "pdf", "png"):
            assert (folder / f"results/studies/miniature/figures/{figure}.{ending}").stat().st_size > 100


def test_a_second_demo_has_nothing_to_do(demo: tuple[Path, str]) -> None:
    report = demo[0] / "results/studies/miniature/report.html"
    before = report.stat().st_mtime_ns
    assert "Nothing to be done" in _demo(demo[0])
    assert report.stat().st_mtime_ns == before


def test_no_job_needs_three_gigabytes(demo: tuple[Path, str]) -> None:
    peaks = {}
    for path in (demo[0] / "results/benchmarks").rglob("*.tsv"):
        peaks[path] = pd.to_numeric(pd.read_csv(path, sep="\t")["max_rss"], errors="coerce").max()  # MiB
    assert len(peaks) > 150
    assert 2 * max(peak for peak in peaks.values() if peak == peak) < 3 * 1024  # two jobs at a time


def test_every_cell_is_in_the_table(scores: pd.DataFrame) -> None:
    chosen = scores[(scores["layer"] == "chosen") & (scores["subject"] == "all") & (scores["region"] == "all")]
    found = set(zip(chosen["encoder"], chosen["features"], chosen["dataset"], strict=True))
    expected = {
        (encoder, features, dataset)
        for encoder in ("controlled", "as-published")
        for features in [*MODELS, *NULLS]
        for dataset in ("simulated-passages", "simulated-stories")
    }
    assert found == expected
    assert len(chosen) == len(expected)


def test_every_score_stands_beside_ceiling_null_and_interval(scores: pd.DataFrame) -> None:
    everyone = scores[(scores["subject"] == "all") & (scores["region"] == "all")]
    assert (everyone["simulated"] == 1).all()
    assert (everyone["ceiling_kind"] == "known").all()
    assert everyone["ceiling_subject_pool"].notna().all()
    assert (everyone["r_low"] <= everyone["r_high"]).all()
    models = everyone[everyone["features_kind"] == "model"]
    assert set(models["best_null"]) <= set(NULLS)
    assert (models["over_null"] - (models["r"] - models["best_null_r"])).abs().max() < 1e-6


def test_the_leak_is_in_the_table(scores: pd.DataFrame) -> None:
    """The text-free null: far above zero under shuffled splits, zero with passages held out."""
    null = scores.query("features == 'autocorrelation' and layer == 'chosen' and subject == 'all' and region == 'all'")
    r = null.set_index(["encoder", "dataset"])["r"]
    assert r["as-published", "simulated-passages"] > 0.3
    assert r["controlled", "simulated-passages"] == 0


def test_models_learn_and_their_twins_do_not(demo: tuple[Path, str]) -> None:
    table = pd.read_csv(demo[0] / "results/studies/miniature/properties.csv").set_index("model")
    loss = table["world-loss_nats_per_token"]
    for width in (16, 32, 48, 80):
        assert loss[f"tiny-{width}"] < loss[f"tiny-{width}-untrained-0"] - 1
    assert table["parameters"].max() < 350_000


def test_pairs_and_correlations_say_that_they_are_simulated(demo: tuple[Path, str]) -> None:
    folder = demo[0] / "results/studies/miniature"
    pairs = pd.read_csv(folder / "pairs.csv")
    assert (pairs["simulated"] == 1).all()
    assert set(pairs["tuned"].dropna()) == {f"tiny-{width}-instruct" for width in (16, 32, 48, 80)}
    correlations = pd.read_csv(folder / "correlations.csv")
    assert (correlations["simulated"] == 1).all()
    assert (correlations["n"] == 8).all()
    assert set(correlations["property"]) == {"log10_parameters", "world-loss"}


def test_arrays_open_without_this_project(demo: tuple[Path, str]) -> None:
    results = demo[0] / "results"
    with xarray.open_dataset(
        results / "activations/last-token/tiny-16/simulated-passages.h5", engine="h5netcdf"
    ) as activations:
        assert activations["block_01"].dims == ("stimulus", "unit_16")
        assert activations["stimulus"].size == 384
    with xarray.open_dataset(
        results / "encoding/controlled/last-token/tiny-16/simulated-stories.h5", engine="h5netcdf"
    ) as encoding:
        assert encoding["r"].dims == ("layer", "scored_fold", "neuroid")
        assert encoding["replicates"].sizes["draw"] == 200
    with h5py.File(results / "responses/simulated-stories.h5") as file:
        assert file["responses"].shape == (480, 300)
        assert file["responses"].dims[1][0].name == "/neuroid"


def test_the_report_is_one_page_with_captions(demo: tuple[Path, str]) -> None:
    page = (demo[0] / "results/studies/miniature/report.html").read_text(encoding="utf-8")
    for text in ("Simulated data", "Score of every model on every data set", "Every score of the study"):
        assert text in page
