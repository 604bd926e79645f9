"""The false discovery rate of joined scores, family by family."""

import itertools

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from brainalign.false_discoveries import with_false_discoveries

KINDS = {"m1": "model", "m2": "model", "m3": "model", "length": "null"}


def joined() -> pd.DataFrame:
    rows = itertools.product(
        "de", ["x"], ["last", "mean"], KINDS, ["all", "S1", "S2"], ["all", "a", "b"], ["0", "chosen"]
    )
    names = ["dataset", "encoder", "readout", "features", "subject", "region", "layer"]
    table = pd.DataFrame(rows, columns=names).sample(frac=1, random_state=0, ignore_index=True)
    table["features_kind"] = table["features"].map(KINDS)
    random = np.random.default_rng(1)
    for name in ("r_p", "over_null_p"):
        table[name] = random.uniform(size=len(table)) ** 3
    table.loc[table["features_kind"] == "null", "over_null_p"] = np.nan
    return table


def test_families_are_those_of_plain_loops() -> None:
    table = joined()
    found = with_false_discoveries(table)
    assert found.columns.tolist() == [*table.columns[:-1], "r_q", "over_null_p", "over_null_q"]
    pd.testing.assert_frame_equal(found[table.columns], table)
    seen = 0
    chosen = found[found["layer"] == "chosen"]
    for p, q in (("r_p", "r_q"), ("over_null_p", "over_null_q")):
        assert found.loc[found["layer"] != "chosen", q].isna().all()
        for dataset, readout, kind in itertools.product("de", ["last", "mean"], ["model", "null"]):
            here = chosen[(chosen["dataset"] == dataset) & (chosen["readout"] == readout)]
            here = here[here["features_kind"] == kind]
            for everybody, everywhere in itertools.product([True, False], repeat=2):
                family = here[((here["subject"] == "all") == everybody) & ((here["region"] == "all") == everywhere)]
                assert len(family) == (3 if kind == "model" else 1) * (1 if everybody else 2) * (1 if everywhere else 2)
                tested = family[family[p].notna()]
                assert family.loc[family[p].isna(), q].isna().all()
                if len(tested):
                    np.testing.assert_allclose(tested[q], false_discovery_control(tested[p]))
                seen += len(family)
    assert seen == 2 * len(chosen)


def test_scores_without_p_are_not_counted_and_tables_without_any_have_no_q() -> None:
    table = joined()
    published = table[table["features"] == "m1"].assign(features="m4", r_p=np.nan, over_null_p=np.nan)
    both = with_false_discoveries(pd.concat([table, published], ignore_index=True))
    pd.testing.assert_series_equal(both["r_q"].head(len(table)), with_false_discoveries(table)["r_q"])
    assert both["r_q"].tail(len(published)).isna().all()
    bare = table.drop(columns=["r_p", "over_null_p"])
    pd.testing.assert_frame_equal(with_false_discoveries(bare), bare)
    layers = with_false_discoveries(table[table["layer"] == "0"])
    assert layers["r_q"].isna().all()
