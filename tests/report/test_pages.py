"""The pages of the report, written by its stage and opened in a browser: sorted, filtered, and asking nobody."""

import base64
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from brainalign.report import tables
from brainalign.report.pages import PAGES, pages_of
from brainalign.report.summary import as_html, summarise
from brainalign.report.tables import MOST_BYTES, columns_in_view, select_rows, table_page
from brainalign.stages.write_report import write_report
from browser import Browser, Page, needs_browser
from invented_study import PROVENANCE
from report.conftest import Invented, settings

NAMES = ("alignment", "averages", "properties", "correlations", "controlled_correlations", "pairs")
HEADS = ".dt-scroll-head thead tr:first-child th"
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def write(study: Invented, folder: Path, spec: dict[str, Any] | None = None) -> Path:
    manifests = sorted((study.folder.parents[1] / "models").glob("*/manifest.json"))
    figure = folder / "alignment.png"
    folder.mkdir(exist_ok=True)
    figure.write_bytes(PIXEL)
    pages = [folder / f"{name}.html" for name in pages_of(NAMES)]
    files = [study.folder / f"{name}.csv" for name in NAMES]
    own = spec or settings()
    write_report(own, PROVENANCE, files, manifests, [figure], folder / "summary.html", folder / "methods.txt", pages)
    return folder


@pytest.fixture(scope="module")
def report(invented: Invented, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(invented, tmp_path_factory.mktemp("report"))


def test_the_front_page_of_every_kind_of_study(unlike: tuple[str, Invented]) -> None:
    way, study = unlike
    found = summarise(study.tables, study.config, {}, {}, {})
    page = as_html(found)
    assert ("null" in page.replace("null distribution", "")) == (way != "without nulls")
    assert not re.search(r"\bnan\b|None", page)
    simulated = replace(found, caveats=[caveat for caveat in found.caveats if caveat.text.startswith("Simulated")])
    assert "No further alarm was raised by the tables." in as_html(simulated)
    assert "No alarm was raised by the tables." in as_html(replace(found, caveats=[]))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Browser(needs_browser(), tmp_path_factory.mktemp("profile")) as started:
        yield started


def opened(browser: Browser, path: Path) -> Page:
    page = browser.page()
    page.open(path)
    page.wait("document.querySelectorAll('div.dt-scroll-body tbody tr').length > 0")
    return page


def column(page: Page, name: str) -> list[str]:
    """The cells of a column in view, by its name."""
    script = f"""(() => {{
        const heads = [...document.querySelectorAll({HEADS!r})].map(head => head.innerText.trim());
        const place = heads.indexOf({name!r});
        return [...document.querySelectorAll('div.dt-scroll-body tbody tr')].map(r => r.children[place].innerText);
    }})()"""
    return list(page.evaluate(script))


def test_equal_tables_give_equal_bytes(invented: Invented, report: Path, tmp_path: Path) -> None:
    again = write(invented, tmp_path / "again")
    for path in report.glob("*.*"):
        if path.suffix in (".html", ".txt"):
            assert path.read_bytes() == (again / path.name).read_bytes(), path.name


def test_the_front_page_has_the_answer_before_warnings_before_figures(report: Path) -> None:
    page = (report / "summary.html").read_text(encoding="utf-8")
    order = ["Simulated data:", "The answer", "Before you believe it", "The best model", "data:image/png", "Methods"]
    places = [page.index(piece) for piece in order]
    assert places == sorted(places)
    assert "<script" not in page
    assert not re.search(r"(src|href)=.?https?:", page)


def test_names_from_the_config_are_never_markup(invented: Invented, tmp_path: Path) -> None:
    spec = settings()
    spec["config"]["datasets"]["passages"]["citation"] = "<script>alert(1)</script> & co"
    page = (write(invented, tmp_path / "escaped", spec) / "summary.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co" in page


def test_a_table_is_sorted_by_its_numbers(browser: Browser, report: Path) -> None:
    page = opened(browser, report / "scores.html")
    click = f"[...document.querySelectorAll({HEADS!r})]"
    click += ".find(h => h.innerText.trim() === 'r').querySelector('.dtcc-button').click()"
    page.evaluate(click)
    page.wait("document.querySelectorAll('th[aria-sort]').length > 0")
    found = [float(cell) for cell in column(page, "r")]
    assert found in (sorted(found), sorted(found, reverse=True))
    assert len(set(found)) > 5
    assert (page.errors, page.requests) == ([], [])


def test_a_table_is_filtered_by_what_is_typed_below_a_name(browser: Browser, report: Path) -> None:
    page = opened(browser, report / "scores.html")
    assert len(set(column(page, "features"))) > 5
    script = f"""(() => {{
        const heads = [...document.querySelectorAll({HEADS!r})].map(head => head.innerText.trim());
        const row = document.querySelectorAll('.dt-scroll-head thead tr')[1];
        const field = row.children[heads.indexOf('features')].querySelector('input');
        field.value = 'tiny-2-instruct';
        field.dispatchEvent(new Event('input', {{bubbles: true}}));
    }})()"""
    page.evaluate(script)
    page.wait("document.querySelectorAll('div.dt-scroll-body tbody tr').length === 4")
    assert set(column(page, "features")) == {"tiny-2-instruct"}
    assert (page.errors, page.requests) == ([], [])


def test_scores_and_their_intervals_are_in_view_at_first(browser: Browser, report: Path) -> None:
    page = opened(browser, report / "scores.html")
    right = page.evaluate(f"""Object.fromEntries([...document.querySelectorAll({HEADS!r})].map(
        head => [head.innerText.trim(), head.getBoundingClientRect().right]))""")
    order = "dataset encoder readout features r r_low r_high ceiling normalised over_null over_null_low over_null_high"
    assert list(right)[:13] == [*order.split(), "alarms"]
    assert right["over_null_high"] < page.evaluate("innerWidth") == 1400


def test_names_that_all_rows_share_are_told_once_and_stay_available(
    browser: Browser, invented: Invented, tmp_path: Path
) -> None:
    table = select_rows(invented.tables.alignment, "chosen")
    one = table[(table["encoder"] == "controlled") & (table["dataset"] == "passages")].assign(over_null_p=np.nan)
    in_view = columns_in_view(one, PAGES["scores"])
    assert in_view[:4] == ["readout", "features", "r", "r_low"]
    assert "over_null_p" not in in_view  # nothing stands there
    path = tmp_path / "scores.html"
    path.write_text(table_page("scores", one, "alignment.csv"), encoding="utf-8")
    page = opened(browser, path)
    assert "All rows are of dataset passages, encoder controlled." in page.evaluate("document.body.innerText")
    heads = f"[...document.querySelectorAll({HEADS!r})].map(head => head.innerText.trim())"
    assert page.evaluate(heads) == in_view
    page.evaluate("document.querySelector('.buttons-colvis').click()")
    page.wait("document.querySelectorAll('.buttons-columnVisibility').length > 0")
    buttons = "[...document.querySelectorAll('.buttons-columnVisibility')]"
    page.evaluate(f"{buttons}.find(button => button.innerText.trim() === 'dataset').click()")
    page.wait(f"{heads}.includes('dataset')")
    assert set(column(page, "dataset")) == {"passages"}
    assert (page.errors, page.requests) == ([], [])


def test_a_single_row_keeps_its_names(invented: Invented) -> None:
    row = invented.tables.alignment.iloc[:1]
    assert columns_in_view(row, PAGES["scores"])[:4] == ["dataset", "encoder", "readout", "features"]


def test_every_page_opens_and_asks_nobody(browser: Browser, report: Path) -> None:
    for name in pages_of(NAMES):
        page = browser.page()
        page.open(report / f"{name}.html")
        page.wait("document.querySelector('h1') !== null")
        assert page.evaluate("document.querySelector('h1').innerText") == PAGES[name].title
        assert "Simulated data." in page.evaluate("document.body.innerText") or name.endswith(
            ("properties", "controlled_correlations")
        )
        page.wait("document.querySelector('table.dataTable td') || document.body.innerText.includes('no rows')")
        assert "NaN" not in page.evaluate("document.body.innerText"), name
        assert (page.errors, page.requests) == ([], []), name


def test_a_page_too_large_to_open_has_the_first_rows_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    table = pd.DataFrame({"model": [f"m{n}" for n in range(4000)], "x": np.random.default_rng(0).random(4000)})
    whole = table_page("properties", table, "properties.csv")
    assert len(whole) < MOST_BYTES
    monkeypatch.setattr(tables, "MOST_BYTES", len(whole) - 1000)
    assert len(table_page("properties", table, "properties.csv")) < len(whole) - 1000
    assert "Only the first 2000 of 4000 rows are here." in tables._page("properties", table.iloc[:2000], 4000, "f")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_a_caption(name: str) -> None:
    caption = Path(__file__).parents[2] / "rules/report" / f"{name}_table.rst"
    assert len(caption.read_text(encoding="utf-8")) > 80
