"""Sources that are the user's own files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from brainalign.sources.folder import copy_into


def fetch(settings: Mapping[str, Any], inputs: Sequence[Path], folder: Path) -> dict[str, dict[str, str]]:
    """Copy the files of a data set or text into its folder and return the manifest's entries.

    Parameters
    ----------
    settings : `files`, role → SHA-256.
    inputs : the user's files, in the alphabetical order of their roles.
    folder : where the copies go.

    Raises
    ------
    InputError : a file that is missing or has changed since the run was planned.
    """
    roles = settings["files"]
    return {role: copy_into(folder, role, path, roles[role]) for role, path in zip(sorted(roles), inputs, strict=True)}
