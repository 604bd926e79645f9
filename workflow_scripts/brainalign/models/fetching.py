"""The files of a model, wherever they are from."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brainalign.models.hub import download, resolve_revision
from brainalign.models.manifest import Source, Weights
from brainalign.models.remote_code import check_code

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fetched:
    """Where files lie and where they are from; repository and commit of a Hub model, otherwise None."""

    folder: Path
    source: Source
    repository: str | None = None
    commit: str | None = None


def fetch(settings: Mapping[str, Any], weights: Weights | None = "safetensors", remote_code: bool = False) -> Fetched:
    """Find a model's folder, or download one commit of a Hub repository.

    Parameters
    ----------
    settings : source, and either files (of a folder: there is nothing to download) or revision (a commit, a branch, a
        tag, or None for the default branch as it is now).
    weights : the format to take; None takes config and tokenizer only.
    remote_code : with the model's own Python, which may then run.

    Raises
    ------
    InputError : a repository that is missing, gated, or without such weights; no network; a model that needs Python
        of its own and may not run it.
    """
    if "files" in settings:
        found = Fetched(Path(settings["source"]).expanduser(), "folder")
    else:
        repository, revision = settings["source"], settings["revision"]
        commit = resolve_revision(repository, revision)
        if revision is None:
            _logger.warning("%s has no revision in the config; it is taken at %s from now on", repository, commit)
        folder = download(repository, commit, weights=weights, remote_code=remote_code)
        found = Fetched(folder, "hub", repository, commit)
    check_code(found.folder, remote_code)
    return found
