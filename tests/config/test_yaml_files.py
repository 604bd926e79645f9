"""Keys that come twice, of which YAML would drop the first in silence, and keys without a value, as null to it."""

from pathlib import Path

import pytest

from brainalign.config.yaml_files import keys_without_values, refuse_repeated_keys
from brainalign.errors import InputError

ROOT = Path(__file__).parents[2]


def refused(path, content: str | bytes) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InputError) as caught:
        refuse_repeated_keys(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "key", "lines"),
    [
        ("study: a\nmodels: {}\nstudy: b\n", "'study'", "1 and 3"),
        ("models:\n  x: {kind: vanilla}\n  y: {}\n  x: {}\n", "'x'", "2 and 4"),
        ("models:\n  x: {kind: vanilla, family: f, kind: untrained}\n", "'kind'", "2 and 2"),
        ("a:\n  - {b: 1}\n  - b: 1\n    c: 2\n    'b': 3\n", "'b'", "3 and 5"),
        ("1: a\n0x1: b\n", "1", "1 and 2"),
    ],
)
def test_a_repeated_key_is_told_with_both_lines(content, key, lines, tmp_path):
    path = tmp_path / "study.yaml"
    assert refused(path, content) == (
        f"{path}: the key {key} comes twice in one mapping, in lines {lines}; only one can count."
    )


@pytest.mark.parametrize(
    "content",
    [
        "a: {x: 1}\nb: {x: 1}\n",
        "base: &base {x: 1, y: 2}\nother: {<<: *base, x: 3}\n",
        "a: &a {x: 1}\nb: &b {y: 1}\nc:\n  <<: *a\n  <<: *b\n",
        "",
        "- 1\n- 1\n",
    ],
)
def test_keys_of_different_mappings_and_merged_ones_may_be_the_same(content, tmp_path):
    (tmp_path / "study.yml").write_text(content)
    refuse_repeated_keys(tmp_path / "study.yml")


def test_the_default_study_repeats_no_key():
    refuse_repeated_keys(ROOT / "config.yaml")


def test_what_is_not_yaml_by_its_ending_is_left_alone(tmp_path):
    (tmp_path / "study.json").write_text('{"a": 1, "a": 2}')
    refuse_repeated_keys(tmp_path / "study.json")


def test_what_cannot_be_parsed_is_told_with_its_place(tmp_path):
    path = tmp_path / "study.yaml"
    assert refused(path, "a: [1\nb: 2\n").startswith(f"{path} is not YAML: while parsing a flow sequence in ")
    assert "line 2, column 2" in refused(path, "a: [1\nb: 2\n")
    assert refused(path, "? [a, b]\n: 1\n").startswith(f"{path} is not YAML: while constructing a mapping in ")
    assert refused(path, "caf\xe9: 1\n".encode("latin-1")) == f"{path} is not UTF-8 text (byte 3); save it as UTF-8."


def test_keys_without_a_value_are_told_from_null(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text("a:\n  b:\n  c: null\n  d: ~\n  e: ''\n  f: {g: , h: 1}\ni:\nj: [{k: }]\n")
    assert keys_without_values(path) == [("a", "b"), ("a", "f", "g"), ("i",)]
    path.write_text("")
    assert keys_without_values(path) == []
    (tmp_path / "study.json").write_text('{"a": null}')
    assert keys_without_values(tmp_path / "study.json") == []
