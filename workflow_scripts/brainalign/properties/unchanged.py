"""The user's files behind properties and evaluations, as they were when a run was planned."""

from collections.abc import Mapping
from pathlib import Path

from brainalign.errors import InputError
from brainalign.storage import file_digest


def check_unchanged(expected: Mapping[str, str], files: Mapping[str, Path]) -> None:
    """Check the SHA-256 of files. Raises InputError for one that is not as it was when the run was planned."""
    for name, digest in expected.items():
        if not files[name].is_file() or file_digest(files[name]) != digest:
            raise InputError(f"the file {name} changed after the run was planned; start the run again.")
