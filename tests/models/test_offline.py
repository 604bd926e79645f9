"""What computes never reaches for a network: every attempt to open a connection fails the test."""

import socket
from pathlib import Path
from typing import Any, NoReturn

import pytest

from brainalign.models.architecture_files import describe_architecture
from brainalign.models.deltas import apply_delta
from brainalign.models.loading import load
from brainalign.models.manifest import describe_folder
from brainalign.models.untrained import initialise
from models.families import FAMILIES, write_family
from models.tiny import to_bin


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Addresses that were asked for; whoever asks is refused."""
    found: list[str] = []

    def refuse(*arguments: Any, **options: Any) -> NoReturn:
        found.append(str(arguments))
        raise OSError("there is no network here")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return found


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("weights", ["safetensors", "bin"])
def test_models_are_described_loaded_and_initialised(
    asked: list[str], family: str, weights: str, tmp_path: Path
) -> None:
    folder = write_family(tmp_path / "model", family)
    if weights == "bin":
        to_bin(folder)
    manifest = describe_folder(folder, "hub", "owner/name", "c" * 40, weights=weights)  # type: ignore[arg-type]
    load(manifest)
    architecture = describe_architecture(folder, "hub", "owner/name", "c" * 40)
    initialise(Path(architecture.folder), 0, tmp_path / "twin")
    apply_delta(manifest, manifest, tmp_path / "sum")
    load(describe_folder(tmp_path / "sum"))
    assert asked == []


def test_that_check_can_fail(asked: list[str]) -> None:
    from huggingface_hub import HfApi

    with pytest.raises(Exception, match="no network here"):
        HfApi(endpoint="http://nowhere.invalid").model_info("owner/name", token=False)
    assert asked
