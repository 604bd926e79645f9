"""Published figures beside a study's own: each picks one number, or says why not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainalign.correlation.reproduction import COLUMNS, read_claims, reproduced
from brainalign.errors import InputError

HEADER = "statement,where,published,table,rows,column\n"
TABLES = {
    "correlations": pd.DataFrame(
        {"dataset": ["a", "b", "b"], "property": ["x", "x", "y"], "n": [4, 5, 6], "r": [0.1, 0.2, 0.3]}
    ),
    "pairs": pd.DataFrame({"row": ["mean of the pairs"], "pairs": [17], "gain": [6.99]}),
}


def claims(folder: Path, *lines: str) -> pd.DataFrame:
    path = folder / "claims.csv"
    path.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    return read_claims(path)


def test_published_and_here(tmp_path: Path) -> None:
    found = claims(
        tmp_path, "one,Table 2,0.25,correlations,dataset=b; property=y,r", "two,,,pairs,row=mean of the pairs,gain"
    )
    table = reproduced(found, TABLES)
    assert table.columns.tolist() == COLUMNS
    assert table["here"].tolist() == [0.3, 6.99]
    assert table.loc[0, "difference"] == pytest.approx(0.05)
    assert table["n"].tolist() == [6, 17]
    assert np.isnan(table.loc[1, ["published", "difference"]].astype(float)).all()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("s,,0.2,correlations,dataset=b,r", "the rows of 's', 'dataset=b', pick 2 rows; one is needed."),
        ("s,,0.2,correlations,dataset=c,r", "the rows of 's', 'dataset=c', pick 0 rows; one is needed."),
        ("s,,0.2,correlations,b,r", "the rows of 's' hold 'b'; column=value is needed."),
        ("s,,0.2,correlations,datset=b,r", "unknown column in the rows of 's' 'datset'; did you mean 'dataset'?"),
        ("s,,0.2,pairs,row=mean of the pairs,gian", "unknown column of the table 'pairs' 'gian'; did you mean 'gain'?"),
        ("s,,0.2,pears,row=x,gain", "unknown table of a published figure 'pears'; did you mean 'pairs'?"),
        ("s,,0.2 %,pairs,row=x,gain", "claims.csv: published holds '0.2 %'; a number is needed."),
    ],
)
def test_a_figure_that_is_not_there(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        reproduced(claims(tmp_path, line), TABLES)
    assert str(error.value).startswith(message)
