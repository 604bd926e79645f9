"""Generated sources: the same settings give the same files, and the manifest's entries describe them."""

import pytest

from brainalign.errors import InputError
from brainalign.sources.simulated import fetch
from brainalign.storage import file_digest

SETTINGS = {
    "documents": {"count": 3},
    "questions": {"count": 3},
    "passages": {"passages": 2, "sentences": 2, "subjects": 1, "neuroids": 2},
    "stories": {"stories": 2, "time_points": 20, "subjects": 1, "neuroids": 2},
}
BRAIN = {"stimuli", "neuroids", "true_features", "responses", "noise_free"}
ROLES = {
    "documents": {"documents"},
    "questions": {"questions"},
    "passages": BRAIN,
    "stories": BRAIN | {"samples"},
}


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_source_is_generated_from_its_settings_alone(kind, tmp_path):
    settings = {"kind": kind, "world": 0, "seed": 1, **SETTINGS[kind]}
    folders = [tmp_path / name for name in ("one", "other")]
    for folder in folders:
        folder.mkdir()
    one, other = (fetch(settings, [], folder) for folder in folders)
    assert one == other
    assert set(one) == ROLES[kind]
    assert {role: file_digest(folders[0] / entry["name"]) for role, entry in one.items()} == {
        role: entry["sha256"] for role, entry in one.items()
    }
    assert fetch(settings | {"seed": 2}, [], folders[1]) != one


def test_an_unknown_kind_is_told_with_the_nearest(tmp_path):
    with pytest.raises(InputError) as caught:
        fetch({"kind": "story", "world": 0, "seed": 1}, [], tmp_path)
    assert str(caught.value) == (
        "unknown kind of simulation 'story'; did you mean 'stories'? Allowed: documents, questions, passages, stories."
    )
