"""What the manifest says of a model, against the model itself."""

from pathlib import Path
from typing import Any

import pytest
import torch

from brainalign.models.limits import context_limit
from brainalign.models.loading import load
from brainalign.models.manifest import Manifest, describe_folder
from models.families import FAMILIES, write_family
from models.tiny import to_bin, write_tiny


def parameters_of(model: Any) -> int:
    """Numbers of all parameters, those under two names once."""
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def check(manifest: Manifest, family: str, model: Any) -> None:
    assert manifest.parameters == parameters_of(model)
    assert (manifest.width, manifest.depth, manifest.vocabulary) == (8, FAMILIES[family].depth, 24)
    assert manifest.context_limit == FAMILIES[family].limit
    assert (manifest.dtype, manifest.architecture) == ("float32", type(model).__name__)


def test_sizes(family: str, tmp_path: Path) -> None:
    model = FAMILIES[family].make()
    check(describe_folder(write_tiny(tmp_path / "model", model)), family, model)


@pytest.mark.parametrize("zipped", [True, False])
def test_sizes_of_a_whole_state_dict(family: str, tmp_path: Path, zipped: bool) -> None:
    """As torch.save(model.state_dict()) has it: every name of a tied tensor, buffers, and constants beside them."""
    model = FAMILIES[family].make()
    folder = write_tiny(tmp_path / "model", model)
    (folder / "model.safetensors").unlink()
    held = model.state_dict() | {"some.position_ids": torch.arange(32)}
    torch.save(held, folder / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    check(describe_folder(folder, weights="bin"), family, model)


def test_the_manifest_and_the_loaded_model_agree_on_the_limit(family: str, tmp_path: Path) -> None:
    manifest = describe_folder(write_family(tmp_path / "model", family))
    assert manifest.context_limit == context_limit(load(manifest)[0])


def test_every_family_loads_from_either_format(family: str, tmp_path: Path) -> None:
    folder = write_family(tmp_path / "model", family)
    theirs, _ = load(folder)
    to_bin(folder, shards=2)
    ours, _ = load(describe_folder(folder, weights="bin"))
    for name, value in theirs.state_dict().items():
        if name.startswith("pooler."):
            continue  # not among the weights, and not read
        assert torch.equal(ours.state_dict()[name], value), name
