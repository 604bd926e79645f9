"""A model without its weights: the config and the tokenizer, from which untrained twins are made."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from brainalign.errors import InputError, UnreadableFileError
from brainalign.models.manifest import WEIGHTS_KEY, Source, model_files, read_config, verify_files
from brainalign.storage import file_digest, write_json


@dataclass(frozen=True)
class Architecture:
    """Where a model's config and tokenizer lie.

    source : "hub" or "folder" (the user's); repository, commit : of a Hub model, otherwise None.
    folder : absolute path of the files.
    files : name → SHA-256, without weights.
    remote_code : whether the model may run the Python that lies beside them.
    """

    source: Source
    repository: str | None
    commit: str | None
    folder: str
    files: Mapping[str, str]
    remote_code: bool = False


def describe_architecture(
    folder: Path,
    source: Source = "folder",
    repository: str | None = None,
    commit: str | None = None,
    remote_code: bool = False,
) -> Architecture:
    """Describe the config and tokenizer in a folder; weights in it are passed over.

    Raises
    ------
    InputError : no folder, or no config.json.
    """
    folder = Path(folder).expanduser().resolve()
    read_config(folder)
    files = {path.name: file_digest(path) for path in model_files(folder, None, remote_code)}
    return Architecture(source, repository, commit, str(folder), files, remote_code)


def write_architecture(path: Path, architecture: Architecture) -> None:
    """Write an architecture as JSON."""
    write_json(path, asdict(architecture))


def read_verified_architecture(path: Path) -> Architecture:
    """Read an architecture and check that its files are still the ones that it describes.

    Raises
    ------
    UnreadableFileError : not an architecture; or files from the Hub that are gone or changed, so that the next run
        fetches them again.
    InputError : files of the user's own folder that are gone or changed.
    """
    try:
        value: Any = json.loads(Path(path).read_text(encoding="utf-8"))
        architecture = Architecture(**{field.name: value[field.name] for field in fields(Architecture)})
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise UnreadableFileError(path, f"it describes no architecture ({error!r})") from error
    try:
        verify_files(Path(architecture.folder), architecture.files)
    except InputError as error:
        if architecture.source == "folder":
            raise
        raise UnreadableFileError(path, str(error).rstrip(".")) from error
    return architecture


def copy_description(folder: Path, out: Path, remote_code: bool = False, besides: tuple[str, ...] = ()) -> None:
    """Copy what describes a model, tokenizer included, to another folder, without weights and some other names.

    A config that names a weight file loses that key: the file is not copied.
    """
    for path in model_files(folder, None, remote_code):
        if path.name in besides:
            continue
        shutil.copyfile(path, out / path.name)
        if path.name == "config.json":
            config = json.loads(path.read_text(encoding="utf-8"))
            if config.pop(WEIGHTS_KEY, None) is not None:
                write_json(out / path.name, config)
