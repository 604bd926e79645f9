"""Sources on disk: copies with a manifest, and the refusal of whatever the manifest does not describe."""

import hashlib
import json

import pytest

from brainalign.errors import InputError, UnreadableFileError
from brainalign.sources import table
from brainalign.sources.folder import copy_into, entries_of, source_file, source_roles
from brainalign.storage import write_json


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def manifest(tmp_path):
    folder = tmp_path / "a source"
    folder.mkdir()
    (folder / "stimuli.csv").write_bytes(b"text\na\n")
    (folder / "responses.npy").write_bytes(b"numbers")
    write_json(
        folder / "manifest.json",
        {"files": entries_of(folder, {"stimuli": "stimuli.csv", "responses": "responses.npy"})},
    )
    return folder / "manifest.json"


def test_the_files_of_a_source_are_found_by_role(manifest):
    assert sorted(source_roles(manifest)) == ["responses", "stimuli"]
    assert source_file(manifest, "stimuli") == manifest.parent / "stimuli.csv"
    assert json.loads(manifest.read_text())["files"]["stimuli"] == {
        "name": "stimuli.csv",
        "sha256": sha256(b"text\na\n"),
    }


def test_files_are_copied_under_their_roles(tmp_path):
    (tmp_path / "My Sentences.v2.CSV").write_bytes(b"text\na\n")
    (tmp_path / "voxels").write_bytes(b"x")
    files = {"stimuli": sha256(b"text\na\n"), "responses": sha256(b"x")}
    inputs = [tmp_path / "voxels", tmp_path / "My Sentences.v2.CSV"]  # in the order of their roles
    assert table.fetch({"files": files}, inputs, tmp_path / "copy") == {
        "responses": {"name": "responses", "sha256": sha256(b"x")},
        "stimuli": {"name": "stimuli.CSV", "sha256": sha256(b"text\na\n")},
    }
    assert (tmp_path / "copy" / "stimuli.CSV").read_bytes() == b"text\na\n"


def test_a_file_that_changed_since_the_plan_is_refused_and_the_old_copy_stays(tmp_path):
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "stimuli.csv").write_bytes(b"old")
    (tmp_path / "a.csv").write_bytes(b"new")
    with pytest.raises(InputError) as caught:
        copy_into(tmp_path / "copy", "stimuli", tmp_path / "a.csv", sha256(b"planned"))
    assert str(caught.value) == (
        f"the file {tmp_path / 'a.csv'} (stimuli) changed after the run was planned (its checksum is "
        f"{sha256(b'new')[:12]}…, {sha256(b'planned')[:12]}… was expected); start the run again."
    )
    assert {path.name: path.read_bytes() for path in (tmp_path / "copy").iterdir()} == {"stimuli.csv": b"old"}


@pytest.mark.parametrize("name", ["gone.csv", "."])
def test_a_missing_file_is_refused(name, tmp_path):
    with pytest.raises(InputError) as caught:
        copy_into(tmp_path / "copy", "map", tmp_path / name, "0")
    assert str(caught.value) == f"the file {tmp_path / name} (map) is not there."


def with_stimuli(manifest, **entry) -> None:
    files = json.loads(manifest.read_text())["files"]
    write_json(manifest, {"files": files | {"stimuli": files["stimuli"] | entry}})


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/b.csv", "./stimuli.csv"])
def test_a_manifest_that_names_a_file_elsewhere_is_unreadable(name, manifest):
    (manifest.parent.parent / "x").write_bytes(b"text\na\n")
    with_stimuli(manifest, name=name)
    with pytest.raises(UnreadableFileError) as caught:
        source_file(manifest, "stimuli")
    assert str(caught.value) == f"{manifest}: it names {name!r}, which is outside its folder"


@pytest.mark.parametrize("name", ["..", ".", ""])
def test_a_folder_is_no_file_of_a_source(name, manifest):
    with_stimuli(manifest, name=name)
    with pytest.raises(UnreadableFileError) as caught:
        source_file(manifest, "stimuli")
    assert caught.value.path == manifest


def test_a_role_that_is_not_there_is_told_with_those_that_are(manifest):
    with pytest.raises(UnreadableFileError) as caught:
        source_file(manifest, "map")
    assert str(caught.value) == f"{manifest}: it has no 'map', only responses, stimuli"


def test_a_lost_file_is_told(manifest):
    (manifest.parent / "stimuli.csv").unlink()
    with pytest.raises(UnreadableFileError) as caught:
        source_file(manifest, "stimuli")
    assert str(caught.value) == f"{manifest}: its file stimuli.csv is missing"


def test_a_changed_file_is_told(manifest):
    (manifest.parent / "stimuli.csv").write_bytes(b"text\nb\n")
    with pytest.raises(UnreadableFileError) as caught:
        source_file(manifest, "stimuli")
    assert str(caught.value) == f"{manifest}: its file stimuli.csv is not the one that was fetched (checksum)"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "JSONDecodeError('Expecting value: line 1 column 1 (char 0)')"),
        (b'{"files": {"sti', "JSONDecodeError('Unterminated string starting at: line 1 column 12 (char 11)')"),
        (b"{}", "KeyError('files')"),
        (b"[]", "TypeError('list indices must be integers or slices, not str')"),
        (b'{"files": []}', "AttributeError(\"'list' object has no attribute 'items'\")"),
        (b'{"files": {"stimuli": {"name": "a"}}}', "KeyError('sha256')"),
        (b'{"files": {"stimuli": "a"}}', "TypeError("),
        (b"\xff\xfe", "UnicodeDecodeError("),
    ],
)
def test_what_is_no_manifest_is_unreadable(content, why, manifest):
    manifest.write_bytes(content)
    for read in (source_roles, lambda path: source_file(path, "stimuli")):
        with pytest.raises(UnreadableFileError) as caught:
            read(manifest)
        assert caught.value.path == manifest
        assert caught.value.reason.startswith(f"it is not a manifest ({why}")
