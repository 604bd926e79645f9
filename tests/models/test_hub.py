"""The real client of the Hub against a server on this machine that answers like the Hub."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from brainalign.errors import InputError
from brainalign.models.hub import download, resolve_revision

COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "good/model": {
        "config.json": b'{"model_type": "llama"}',
        "model.safetensors": save({"a": np.ones(3, np.float32)}),
        "consolidated.safetensors": b"the same again",
        "pytorch_model.bin": b"pickle",
        "onnx/config.json": b"{}",
        "README.md": b"words",
    },
    "old/model": {"config.json": b"{}", "pytorch_model.bin": b"pickle"},
}


class _Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        parts = self.path.partition("?")[0].strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            self._api("/".join(parts[2:4]), parts[4:])
        else:
            self._file("/".join(parts[:2]), "/".join(parts[4:]))

    def _api(self, repository: str, rest: list[str]) -> None:
        if repository == "gated/model":
            return self._answer(403, b"", {"X-Error-Code": "GatedRepo", "X-Error-Message": "no"})
        if repository not in FILES:
            return self._answer(401, b"", {"X-Error-Code": "RepoNotFound"})
        if len(rest) > 1 and rest[1] not in ("main", COMMIT):
            return self._answer(404, b"", {"X-Error-Code": "RevisionNotFound"})
        files = FILES[repository]
        if rest and rest[0] == "tree":
            entries = [
                {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                for name, data in files.items()
            ]
            return self._answer(200, json.dumps(entries).encode(), {"Content-Type": "application/json"})
        info = {"id": repository, "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
        return self._answer(200, json.dumps(info).encode(), {"Content-Type": "application/json"})

    def _file(self, repository: str, name: str) -> None:
        self.server.asked.append(name)  # type: ignore[attr-defined]
        data = FILES[repository][name]
        self._answer(200, data, {"X-Repo-Commit": COMMIT, "ETag": f'"{hashlib.sha1(data).hexdigest()}"'})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hub)
    server.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def endpoint(hub: ThreadingHTTPServer) -> str:
    return f"http://127.0.0.1:{hub.server_address[1]}"


def test_a_branch_becomes_a_commit(endpoint: str) -> None:
    assert resolve_revision("good/model", endpoint=endpoint) == COMMIT
    assert resolve_revision("good/model", "main", endpoint=endpoint) == COMMIT


def test_a_commit_needs_no_network() -> None:
    assert resolve_revision("any/model", COMMIT, endpoint="http://127.0.0.1:9") == COMMIT


def test_only_what_is_read_is_downloaded(hub: ThreadingHTTPServer, endpoint: str, tmp_path: Path) -> None:
    folder = download("good/model", COMMIT, tmp_path, endpoint=endpoint)
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]
    assert (folder / "config.json").read_bytes() == FILES["good/model"]["config.json"]
    assert set(hub.asked) == {"config.json", "model.safetensors"}  # type: ignore[attr-defined]


def test_an_untrained_twin_needs_no_weights(hub: ThreadingHTTPServer, endpoint: str, tmp_path: Path) -> None:
    folder = download("old/model", COMMIT, tmp_path, weights=False, endpoint=endpoint)
    assert [path.name for path in folder.iterdir()] == ["config.json"]


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
