"""Rows of the figures that show every feature space."""

import pandas as pd

from brainalign.figures import split_policies
from brainalign.figures.forest import rows_of
from brainalign.figures.style import looks

KINDS = {"gpt2": "model", "gpt2-untrained-0": "model", "glove": "given", "gpt2-and-nulls": "joint", "length": "null"}


def table(*features: str) -> pd.DataFrame:
    models = ("gpt2", "gpt2-untrained-0")
    return pd.DataFrame(
        {
            "features": features,
            "features_kind": [KINDS[name] for name in features],
            "family": ["gpt2" if name in models else "" for name in features],
            "kind": [{"gpt2": "vanilla", "gpt2-untrained-0": "untrained"}.get(name, "") for name in features],
            "base": ["gpt2" if name == "gpt2-untrained-0" else "" for name in features],
            "ceiling": float("nan"),
            "ceiling_kind": "",
        }
    )


def test_each_kind_of_features_has_its_heading() -> None:
    assert rows_of(table("length", "gpt2-and-nulls", "glove", "gpt2-untrained-0", "gpt2")) == [
        ("family gpt2", True),
        ("gpt2", False),
        ("given features", True),
        ("glove", False),
        ("joint features", True),
        ("gpt2-and-nulls", False),
        ("nulls", True),
        ("length", False),
    ]


def test_lines_without_a_family_are_named_by_what_there_is() -> None:
    def named(*features: str) -> list[str]:
        rows = table(*features)
        trained = looks(rows.loc[rows["kind"] != "untrained", "family"])
        return [handle.get_label() for handle in split_policies._legend(rows, trained, trained)][:2]

    assert named("gpt2", "glove", "gpt2-and-nulls") == ["family gpt2 (1 models)", "given and joint features"]
    assert named("gpt2", "gpt2-and-nulls") == ["family gpt2 (1 models)", "joint features"]
    assert named("gpt2", "glove")[1] == "given features"
