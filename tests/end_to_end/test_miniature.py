"""The main job, from a bare checkout to the report, as a newcomer would run it."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import h5py
import pandas as pd
import pytest
import xarray

from browser import Browser, Page, needs_browser

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
    assert (folder / "results/studies/miniature/report/methods.txt").stat().st_size > 1000


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


@pytest.fixture(scope="module")
def report(demo: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The report, open in a browser."""
    with Browser(needs_browser(), tmp_path_factory.mktemp("profile")) as browser:
        page = browser.page()
        page.open(demo[0] / "results/studies/miniature/report.html")
        page.wait("document.querySelector('#study-summary') !== null")
        yield page


def click(page: Page, text: str, inside: str = "body") -> None:
    """Click what holds just this text."""
    found = (
        f"[...document.querySelectorAll('{inside} *')].findLast(e => e.innerText && e.innerText.trim() === {text!r})"
    )
    page.wait(f"{found} !== undefined")
    page.evaluate(f"{found}.click()")


def test_the_report_is_one_page_with_captions(demo: tuple[Path, str]) -> None:
    page = (demo[0] / "results/studies/miniature/report.html").read_text(encoding="utf-8")
    for text in ("Simulated data", "Score of every model on every data set", "Scores of the chosen layers"):
        assert text in page


def test_the_report_opens_with_the_answer_and_the_warnings_in_view(report: Page) -> None:
    said = report.evaluate("document.querySelector('#study-summary').innerText")
    assert "Simulated data: the responses of simulated-passages and simulated-stories" in said
    assert "Encoder as-published leaks." in said
    assert said.index("The answer") < said.index("Before you believe it") < said.index("Methods")
    for heading in ("The answer", "Before you believe it"):
        place = f"[...document.querySelectorAll('h2')].find(h => h.innerText === '{heading}').getBoundingClientRect()"
        top, left = report.evaluate(f"(() => {{ const p = {place}; return [p.top, p.left] }})()")
        menu = report.evaluate("document.querySelector('nav').getBoundingClientRect().right")
        assert 0 <= top < 1000
        assert left >= menu  # not under the menu
    assert (report.errors, report.requests) == ([], [])


def test_every_table_and_figure_of_the_report_can_be_seen(report: Page) -> None:
    results = report.evaluate(
        "Object.entries(results).map(([path, r]) => [path, Object.values(r.labels)[0], r.caption])"
    )
    assert {path.rpartition(".")[2] for path, _, _ in results} == {"html", "png"}
    assert {"Scores", "Layers", "Subjects and regions", "alignment", "pairs"} <= {label for _, label, _ in results}
    for path, label, caption in results:
        assert len(caption) > 80, path
        assert len(report.evaluate(f"results[{path!r}].data_uri")) < 2 * 2**20 or path.endswith("png")
        click(report, "Tables" if path.endswith("html") else "Figures", "nav")
        view = f"[...document.querySelectorAll('nav tbody tr')].find(r => r.innerText.trim() === {label!r})"
        report.wait(f"{view} !== undefined")
        report.evaluate(f"{view}.querySelector('a').click()")
        if path.endswith("png"):
            report.wait("document.querySelector('img[src^=\"data:image/png\"]')?.naturalWidth > 300")
        else:
            title = report.wait("document.querySelector('h1')?.innerText", in_frame=True)
            assert title == label
            report.wait(
                "document.querySelector('table.dataTable td') || /no rows/.test(document.body.innerText)", in_frame=True
            )
        report.evaluate("document.querySelector('nav a').click()")
        report.evaluate("app.setView({navbarMode: 'menu', content: 'metadata'})")
        report.wait("document.querySelector('#study-summary') !== null")
    assert (report.errors, report.requests) == ([], [])


def test_tables_of_the_report_are_sorted_and_filtered(report: Page) -> None:
    click(report, "Tables", "nav")
    view = "[...document.querySelectorAll('nav tbody tr')].find(r => r.innerText.trim() === 'Scores')"
    report.wait(f"{view} !== undefined")
    report.evaluate(f"{view}.querySelector('a').click()")
    rows = "[...document.querySelectorAll('div.dt-scroll-body tbody tr')]"
    report.wait(f"{rows}.length === 25", in_frame=True)
    heads = "[...document.querySelectorAll('.dt-scroll-head thead tr:first-child th')]"
    place = f"{heads}.findIndex(h => h.innerText.trim() === 'r')"
    report.evaluate_in_frame(f"{heads}[{place}].querySelector('.dtcc-button').click(), true")
    report.wait("document.querySelectorAll('th[aria-sort]').length > 0", in_frame=True)
    cells = report.evaluate_in_frame(f"{rows}.map(r => Number(r.children[{place}].innerText))")
    assert cells in (sorted(cells), sorted(cells, reverse=True))
    field = "document.querySelectorAll('.dt-scroll-head thead tr')[1].querySelectorAll('input')[3]"
    typed = f"{field}.value = 'tiny-80-instruct', {field}.dispatchEvent(new Event('input', {{bubbles: true}}))"
    report.evaluate_in_frame(typed)
    report.wait(f"{rows}.length === 4", in_frame=True)
    assert (report.errors, report.requests) == ([], [])
