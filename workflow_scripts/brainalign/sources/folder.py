"""A source on disk: a folder with a data set's files and a manifest of their checksums.

`manifest.json` maps each role ("stimuli", "responses", …) to a file in the folder and its SHA-256. Whoever reads
a source goes through `source_file`, which refuses a file that is not the one the manifest describes.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from brainalign.errors import InputError, UnreadableFileError
from brainalign.storage import file_digest, replacing


def copy_into(folder: Path, role: str, source: Path, sha256: str) -> dict[str, str]:
    """Copy one file into the folder and return its manifest entry, {"name": …, "sha256": …}.

    The name in the folder is the role with the file's own ending.

    Raises
    ------
    InputError : the file is not there, or its checksum is not the expected one.
    """
    if not source.is_file():
        raise InputError(f"the file {source} ({role}) is not there.")
    name = role + "".join(source.suffixes[-1:])
    with replacing(folder / name) as temporary:
        shutil.copyfile(source, temporary)
        found = file_digest(temporary)
        if found != sha256:
            raise InputError(
                f"the file {source} ({role}) changed after the run was planned (its checksum is {found[:12]}…, "
                f"{sha256[:12]}… was expected); start the run again."
            )
    return {"name": name, "sha256": sha256}


def entries_of(folder: Path, files: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return manifest entries for files that already lie in the folder, given as role → name."""
    return {role: {"name": name, "sha256": file_digest(folder / name)} for role, name in files.items()}


def source_roles(manifest: Path) -> list[str]:
    """Return the roles that a source has."""
    return list(_entries(manifest))


def source_file(manifest: Path, role: str) -> Path:
    """Return the path of one file of a source, after checking its checksum.

    Raises
    ------
    UnreadableFileError : the manifest cannot be read, lacks the role, or the file is missing or changed.
    """
    entries = _entries(manifest)
    if role not in entries:
        raise UnreadableFileError(manifest, f"it has no {role!r}, only {', '.join(sorted(entries))}")
    name = entries[role]["name"]
    if Path(name).name != name:
        raise UnreadableFileError(manifest, f"it names {name!r}, which is outside its folder")
    path = manifest.parent / name
    if not path.is_file():
        raise UnreadableFileError(manifest, f"its file {name} is missing")
    if file_digest(path) != entries[role]["sha256"]:
        raise UnreadableFileError(manifest, f"its file {name} is not the one that was fetched (checksum)")
    return path


def _entries(manifest: Path) -> dict[str, dict[str, str]]:
    try:
        entries = json.loads(manifest.read_text(encoding="utf-8"))["files"]
        return {role: {key: str(entry[key]) for key in ("name", "sha256")} for role, entry in entries.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnreadableFileError(manifest, f"it is not a manifest ({error!r})") from error
