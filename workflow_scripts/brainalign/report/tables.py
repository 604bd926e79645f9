"""The study's tables as pages that can be sorted and filtered in a browser that is offline (DataTables, by itables)."""

import base64
import gzip
from html import escape

import pandas as pd
from itables import options, to_html_datatable
from itables.javascript import generate_init_offline_itables_html

from brainalign.report.pages import PAGES, Page, Rows

MOST_ROWS = 10_000  # of one page, which a browser still sorts at once
MOST_BYTES = 1_400_000  # of one page, packed; Chromium takes no address of more than 2 MB, which is 4/3 of a page
_HOW = (
    " Click a column's name to sort by it, type below it to filter (the sign in a field changes how); <em>Columns</em> "
    "shows those that are hidden."
)
_STYLE = (
    "body { font: 14px system-ui, sans-serif; margin: 1rem; color: #1e293b } h1 { font-size: 1.3rem; margin: 0 } "
    "p { max-width: 60rem; margin: .4rem 0 .8rem } .simulated { color: #b91c1c; font-weight: 600 } "
    "td { max-width: 28rem; overflow: hidden; text-overflow: ellipsis } "
    ".dt-column-title { font-weight: 600 }"
)


def select_rows(table: pd.DataFrame, rows: Rows) -> pd.DataFrame:
    """Return the rows of a table that a page has.

    "everyone" are those over all subjects and regions; of these "chosen" is the chosen layer and "layers" every single
    one; "parts" is the chosen layer of each subject and region.
    """
    if rows == "all":
        return table
    everyone = (table["subject"] == "all") & (table["region"] == "all")
    if rows == "everyone":
        return table[everyone]
    chosen = table["layer"] == "chosen"
    return table[{"chosen": everyone & chosen, "layers": everyone & ~chosen, "parts": ~everyone & chosen}[rows]]


def table_page(name: str, table: pd.DataFrame, file: str) -> str:
    """Return a page of its own, with everything that it needs inside.

    Browsers refuse addresses of more than about 2 MB, and in Snakemake's report a page is an address; so the page is
    packed, and where it is still too large it has the first rows only and says so.

    Parameters
    ----------
    name : one of PAGES.
    table : the joined table that the page is of.
    file : where the table lies, for those who want all of it.
    """
    rows = select_rows(table, PAGES[name].rows)
    shown = rows.iloc[:MOST_ROWS]
    packed = _packed(PAGES[name].title, _page(name, shown, len(rows), file))
    while len(packed) > MOST_BYTES and len(shown) > 1:
        shown = shown.iloc[: len(shown) // 2]
        packed = _packed(PAGES[name].title, _page(name, shown, len(rows), file))
    return packed


def _page(name: str, rows: pd.DataFrame, of: int, file: str) -> str:
    page = PAGES[name]
    cut = f" Only the first {len(rows)} of {of} rows are here." if len(rows) < of else ""
    return "\n".join(
        [
            f"<style>{_STYLE}</style><h1>{escape(page.title)}</h1>",
            f"<p>{_simulated(rows)}{escape(page.about + _shared(rows, page))}{cut}{_HOW if len(rows) else ''} The "
            f"whole table is {escape(file)}.</p>",
            _interactive(name, rows),
        ]
    )


def _packed(title: str, body: str) -> str:
    """Return a page that unpacks itself into the one that it holds."""
    data = base64.b64encode(gzip.compress(body.encode(), mtime=0)).decode("ascii")
    head = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
    unpack = f"""<script>
(async () => {{
    const packed = Uint8Array.from(atob("{data}"), (letter) => letter.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const body = await new Response(stream).text();
    document.open();
    document.write(`{head}</head><body>${{body}}</body></html>`);
    document.close();
}})();
</script>"""
    return f"{head}</head><body>{unpack}<noscript>This table needs JavaScript.</noscript></body></html>\n"


def columns_in_view(rows: pd.DataFrame, page: Page) -> list[str]:
    """Return the columns that are seen at first, in their order; all where the page names none.

    They are the names that differ between rows, then what the page shows, without columns that are empty.
    """
    names = [column for column in page.names.split() if column in rows and column not in _held_by_all(rows, page)]
    return names + [column for column in page.shown.split() if column in rows and _is_held(rows[column]).any()]


def _held_by_all(rows: pd.DataFrame, page: Page) -> dict[str, str]:
    """Return name → value of what a page's rows have in common; of a single row nothing, whose names are shown."""
    columns = [column for column in page.names.split() if column in rows] if len(rows) > 1 else []
    return {column: str(rows[column].iloc[0]) for column in columns if rows[column].nunique(dropna=False) == 1}


def _is_held(cells: pd.Series) -> pd.Series:
    return cells.notna() & (cells.astype(object) != "")


def _shared(rows: pd.DataFrame, page: Page) -> str:
    held = [f"{column} {value}" for column, value in _held_by_all(rows, page).items() if value not in ("", "nan")]
    return f" All rows are of {', '.join(held)}." if held else ""


def _interactive(name: str, rows: pd.DataFrame) -> str:
    if rows.empty:
        return "<p>This table has no rows.</p>"
    first = columns_in_view(rows, PAGES[name])
    ordered = rows[[*first, *rows.columns.difference(first, sort=False)]]
    hidden = list(range(len(first), ordered.shape[1])) if first else []
    texts = ordered.select_dtypes(exclude="number").columns
    counts = ordered.select_dtypes("Int64").columns  # itables writes their missing values as text
    with pd.option_context("display.float_format", _short):
        body = to_html_datatable(
            ordered.astype(dict.fromkeys(counts, float)).fillna(dict.fromkeys(texts, "")),
            connected=False,
            table_id=name,
            maxBytes=0,
            maxColumns=0,
            showIndex=False,
            display_logo_when_loading=False,
            classes="display nowrap compact",
            style="width:auto;margin:0",
            scrollX=True,
            pageLength=25,
            columnDefs=[{"targets": hidden, "visible": False}],
            columnControl=[{"target": 0, "content": ["order"]}, {"target": 1, "content": ["search"]}],
            ordering={"indicators": False, "handler": True},
            buttons=[{"extend": "colvis", "text": "Columns"}, {"extend": "csvHtml5", "text": "Save as CSV"}],
            layout={"topStart": "buttons", "topEnd": "search", "bottomStart": "info", "bottomEnd": "paging"},
        )
    cells = str(body).replace(r"[\"NaN\", ", r"[\"\", ")  # what is not known is an empty cell
    return str(generate_init_offline_itables_html(options.dt_bundle)) + cells


def _short(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.4g}"


def _simulated(rows: pd.DataFrame) -> str:
    if "simulated" not in rows or not (rows["simulated"] > 0).any():
        return ""
    every = (rows["simulated"] == 1).all()
    return f'<span class="simulated">{"Simulated data." if every else "Some data are simulated."}</span> '
