"""Which twins and which readouts of random tokens a model's scores stand beside."""

import pytest

from brainalign.config.own_nulls import random_readouts_of, twins_of
from brainalign.config.study import read_study

TEXT = {"context": "group", "pooling": "last"}


def test_twins_are_those_of_the_model_or_of_the_base_that_it_is_tuned_from(changed):
    hub = {"source": "a/b", "revision": "c", "family": "f", "kind": "vanilla", "untrained": {"seeds": [4]}}
    elsewhere = {"source": "a/d", "family": "f", "kind": "instruction-tuned", "base": "hub"}
    changes = {"models.tiny-16.untrained": {"seeds": [3, 1]}, "models.hub": hub, "models.hub-tuned": elsewhere}
    models = read_study(changed(changes)).models
    assert twins_of(models, "tiny-16") == ["tiny-16-untrained-1", "tiny-16-untrained-3"]
    assert twins_of(models, "tiny-16-instruct") == twins_of(models, "tiny-16")
    assert twins_of(models, "hub") == ["hub-untrained-4"]
    for name in ("hub-tuned", "tiny-16-untrained-1", "position"):  # one tuned elsewhere may be built otherwise
        assert twins_of(models, name) == []


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({"b": {"tokens": "random", "seed": 5}, "a": {"tokens": "random"}}, ["a", "b"]),
        ({"a": {"tokens": "random", "pooling": "mean"}}, []),
        ({"a": {"tokens": "random", "match": {"components": 5}}}, []),
        ({"a": {"pooling": "mean"}}, []),
    ],
)
def test_random_tokens_are_read_in_the_same_way_otherwise(others, expected, changed):
    given = {"last-token": TEXT} | {name: TEXT | entry for name, entry in others.items()}
    readouts = {name: entry.model_dump() for name, entry in read_study(changed({"readouts": given})).readouts.items()}
    assert random_readouts_of(readouts, "last-token") == expected
    for name in (*expected, "none"):
        assert random_readouts_of(readouts, name) == []
