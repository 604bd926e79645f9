"""Models from the Hugging Face Hub: which commit, and its files.

Only what is read is downloaded: the weights in the one format asked for, and Python only where it may run.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from brainalign.errors import InputError
from brainalign.models.manifest import Weights, advice, file_patterns

_COMMIT = re.compile(r"[0-9a-f]{40}")
# Sub-folders hold other formats; "consolidated" files repeat the weights in the authors' own layout.
_IGNORED = ("*/*", "consolidated*")


def resolve_revision(repository: str, revision: str | None = None, endpoint: str | None = None) -> str:
    """Return the commit that a branch, a tag or nothing (the default branch) stands for now.

    Parameters
    ----------
    repository : "owner/name".
    revision : a full commit is returned as it is, without the network.
    endpoint : another Hub's address.

    Raises
    ------
    InputError : a repository or revision that is missing or gated, or no network.
    """
    if revision and _COMMIT.fullmatch(revision):
        return revision
    from huggingface_hub import HfApi

    with _sentences(repository, revision):
        return str(HfApi(endpoint=endpoint).model_info(repository, revision=revision).sha)


def download(
    repository: str,
    revision: str,
    cache: Path | None = None,
    weights: Weights | None = "safetensors",
    remote_code: bool = False,
    endpoint: str | None = None,
) -> Path:
    """Download one commit of a model, or find it in the cache, and return the folder of its files.

    Parameters
    ----------
    repository, revision : "owner/name" and a commit.
    cache : folder of downloads; the Hub's own cache by default.
    weights : the format to take; None takes config and tokenizer only, for an untrained twin.
    remote_code : with the repository's own Python.
    endpoint : another Hub's address.

    Raises
    ------
    InputError : a repository or revision that is missing or gated, no network, or no weights of this format in it.
    """
    from huggingface_hub import HfApi, snapshot_download

    with _sentences(repository, revision):
        folder = snapshot_download(
            repository,
            revision=revision,
            cache_dir=cache,
            allow_patterns=file_patterns(weights, remote_code),
            ignore_patterns=[*_IGNORED, *([] if weights else ["*.index.json"])],
            endpoint=endpoint,
        )
    folder = Path(folder)
    if weights and not list(folder.glob("*.safetensors" if weights == "safetensors" else "pytorch_model*.bin")):
        with _sentences(repository, revision):
            names = HfApi(endpoint=endpoint).list_repo_files(repository, revision=revision)
        what = "safetensors weights" if weights == "safetensors" else "pytorch_model.bin"
        raise InputError(f"the model {repository} at {revision[:12]} has no {what}{advice(names, weights)}")
    return folder


@contextmanager
def _sentences(repository: str, revision: str | None) -> Iterator[None]:
    """Turn what the Hub's client raises in the block into one sentence that says what to do."""
    from huggingface_hub.errors import HFValidationError, HTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        yield
    except (HFValidationError, HTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        raise InputError(_sentence(error, repository, f" at revision {revision!r}" if revision else "")) from error


def _sentence(error: Exception, repository: str, at: str) -> str:
    from huggingface_hub import errors

    if isinstance(error, errors.GatedRepoError):
        return (
            f"the model {repository} is gated: accept its terms on the Hub, "
            "then sign in on this machine with `hf auth login`."
        )
    if isinstance(error, errors.RevisionNotFoundError):
        return f"the model {repository} has no such revision{at}."
    if isinstance(error, errors.RepositoryNotFoundError | errors.HFValidationError):
        return f"the model {repository!r} is neither a folder here nor a repository on the Hub that you may read."
    if isinstance(error, errors.HfHubHTTPError):
        return f"the Hub refused the model {repository}{at}: {str(error).splitlines()[0]}"
    return f"the model {repository}{at} is not in the cache, and the Hub cannot be reached from here."
