"""The real client of the Hub against a server on this machine that answers like the Hub."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from brainalign.errors import InputError
from brainalign.models.hub import download, resolve_revision
from fake_hub import COMMIT, FakeHub, serving

FILES = {
    "good/model": {
        "config.json": b'{"model_type": "llama"}',
        "model.safetensors": save({"a": np.ones(3, np.float32)}),
        "consolidated.safetensors": b"the same again",
        "pytorch_model.bin": b"pickle",
        "training_args.bin": b"pickle",
        "modeling_own.py": b"",
        "onnx/config.json": b"{}",
        "onnx/pytorch_model.bin": b"pickle",
        "README.md": b"words",
    },
    "old/model": {"config.json": b"{}", "pytorch_model.bin": b"pickle", "pytorch_model.bin.index.json": b"{}"},
    "sharded/model": {
        "config.json": b"{}",
        "pytorch_model-00001-of-00001.bin": b"pickle",
        "pytorch_model.bin.index.json": b"{}",
    },
    "new/model": {"config.json": b"{}", "model.safetensors": b""},
    "none/model": {"config.json": b"{}"},
}


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with serving(FILES) as server:
        yield server


@pytest.fixture
def endpoint(hub: FakeHub) -> str:
    return hub.endpoint


def test_a_branch_becomes_a_commit(endpoint: str) -> None:
    assert resolve_revision("good/model", endpoint=endpoint) == COMMIT
    assert resolve_revision("good/model", "main", endpoint=endpoint) == COMMIT


def test_a_commit_needs_no_network() -> None:
    assert resolve_revision("any/model", COMMIT, endpoint="http://127.0.0.1:9") == COMMIT


def test_only_what_is_read_is_downloaded(hub: FakeHub, endpoint: str, tmp_path: Path) -> None:
    folder = download("good/model", COMMIT, tmp_path, endpoint=endpoint)
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]
    assert (folder / "config.json").read_bytes() == FILES["good/model"]["config.json"]
    assert set(hub.asked) == {"config.json", "model.safetensors"}


def test_an_untrained_twin_needs_no_weights(hub: FakeHub, endpoint: str, tmp_path: Path) -> None:
    folder = download("old/model", COMMIT, tmp_path, weights=None, endpoint=endpoint)
    assert [path.name for path in folder.iterdir()] == ["config.json"]
    assert set(hub.asked) == {"config.json"}


@pytest.mark.parametrize(
    ("repository", "remote_code", "expected"),
    [
        ("good/model", False, ["config.json", "pytorch_model.bin"]),
        ("good/model", True, ["config.json", "modeling_own.py", "pytorch_model.bin"]),
        ("sharded/model", False, ["config.json", "pytorch_model-00001-of-00001.bin", "pytorch_model.bin.index.json"]),
    ],
)
def test_bin_files_and_code_are_downloaded_where_asked_for(
    hub: FakeHub, endpoint: str, tmp_path: Path, repository: str, remote_code: bool, expected: list[str]
) -> None:
    folder = download(repository, COMMIT, tmp_path, weights="bin", remote_code=remote_code, endpoint=endpoint)
    assert sorted(path.name for path in folder.iterdir()) == expected
    assert sorted(set(hub.asked)) == expected


ADVICE = {
    (
        "old/model",
        "safetensors",
    ): "safetensors weights, only pytorch_model.bin; add `weights: bin` to the model's entry.",
    ("new/model", "bin"): "pytorch_model.bin, only model.safetensors; leave out `weights: bin`.",
    ("none/model", "bin"): "pytorch_model.bin.",
}


@pytest.mark.parametrize(("repository", "weights"), ADVICE)
def test_weights_in_another_format(endpoint: str, tmp_path: Path, repository: str, weights: str) -> None:
    with pytest.raises(InputError) as caught:
        download(repository, COMMIT, tmp_path, weights=weights, endpoint=endpoint)  # type: ignore[arg-type]
    assert str(caught.value) == f"the model {repository} at 0123456789ab has no {ADVICE[repository, weights]}"


def test_what_was_downloaded_is_found_without_the_hub(endpoint: str, tmp_path: Path) -> None:
    folder = download("good/model", COMMIT, tmp_path, endpoint=endpoint)
    assert download("good/model", COMMIT, tmp_path, endpoint="http://127.0.0.1:9") == folder


@pytest.mark.parametrize(
    ("repository", "revision", "sentence"),
    [
        ("missing/model", "main", "'missing/model' is neither a folder here nor a repository on the Hub"),
        ("no such name", "main", "'no such name' is neither a folder here"),
        ("gated/model", "main", "gated/model is gated: accept its terms on the Hub"),
        ("good/model", "v9", "good/model has no such revision at revision 'v9'"),
        ("old/model", COMMIT, "old/model at 0123456789ab has no safetensors weights"),
    ],
)
def test_one_sentence(endpoint: str, tmp_path: Path, repository: str, revision: str, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        download(repository, revision, tmp_path, endpoint=endpoint)
    if revision != COMMIT:
        with pytest.raises(InputError, match=sentence):
            resolve_revision(repository, revision, endpoint=endpoint)


UNREACHABLE = "not in the cache, and the Hub cannot be reached"


def test_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)  # the client tries again
    with pytest.raises(InputError, match=UNREACHABLE):
        resolve_revision("good/model", endpoint="http://127.0.0.1:9")
    with pytest.raises(InputError, match=UNREACHABLE):
        download("good/model", COMMIT, tmp_path, endpoint="http://127.0.0.1:9")


def test_offline_mode(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = download("good/model", COMMIT, tmp_path / "full", endpoint=endpoint)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert download("good/model", COMMIT, tmp_path / "full", endpoint=endpoint) == folder
    with pytest.raises(InputError, match=UNREACHABLE):
        download("good/model", COMMIT, tmp_path / "empty", endpoint=endpoint)
    with pytest.raises(InputError, match=UNREACHABLE):
        resolve_revision("good/model", endpoint=endpoint)
