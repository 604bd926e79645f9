"""A model's own Python runs where its entry allows it, and nowhere else."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import dynamic_module_utils

from brainalign.errors import InputError
from brainalign.models.fetching import fetch
from brainalign.models.loading import load, load_tokenizer
from brainalign.models.manifest import describe_folder, verify
from brainalign.models.remote_code import check_code, own_classes
from brainalign.models.untrained import initialise
from models.tiny import write_own

NEEDED = "needs Python of its own, which runs only with `remote_code: true` in the model's entry."


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The model's folder; what transformers copies of its Python goes to a folder of the test."""
    modules = tmp_path / "modules"
    modules.mkdir()
    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(modules))
    monkeypatch.setattr(sys, "path", [str(modules), *sys.path])
    for name in [name for name in sys.modules if name.startswith("transformers_modules")]:
        monkeypatch.delitem(sys.modules, name)
    return write_own(tmp_path / "own")


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize("head", [False, True])
def test_it_loads_where_it_is_allowed(own: Path, head: bool) -> None:
    """The only class that it brings has the head, so that is the one for both."""
    manifest = describe_folder(own, remote_code=True)
    assert {"own_config.py", "own_model.py"} <= manifest.files.keys()
    model, _ = load(manifest, head=head)
    weights = load_file(own / "model.safetensors")
    ids = torch.tensor([[4, 5, 6]])
    states = weights["embed.weight"][ids]
    for block in ("blocks.0", "blocks.1"):
        states = states + states @ weights[f"{block}.weight"].T + weights[f"{block}.bias"]
    expected = states @ weights["head.weight"].T + weights["head.bias"]
    with torch.no_grad():
        assert torch.allclose(model(input_ids=ids).logits, expected, atol=1e-5)


def test_it_is_refused_and_not_run_where_it_is_not_allowed(own: Path) -> None:
    (own / "own_config.py").write_text(f"open({str(own / 'ran')!r}, 'w')")
    manifest = describe_folder(own)
    assert not [name for name in manifest.files if name.endswith(".py")]
    for attempt in (
        lambda: load(manifest),
        lambda: load(own),
        lambda: initialise(own, 0, own / "twin"),
        lambda: fetch({"source": str(own), "files": {}}),
    ):
        with pytest.raises(InputError) as caught:
            attempt()
        assert str(caught.value) == f"the model in {own} {NEEDED}"
    assert not (own / "ran").exists()


def test_changed_code_is_found(own: Path) -> None:
    manifest = describe_folder(own, remote_code=True)
    verify(manifest)
    (own / "own_model.py").write_text("import os")
    with pytest.raises(InputError, match=r"own_model\.py changed since it was recorded"):
        verify(manifest)


def test_a_tokenizer_that_needs_code(own: Path) -> None:
    auto = {"AutoTokenizer": ["own_tokenizer.OwnTokenizer", None]}
    change(own / "tokenizer_config.json", auto_map=auto, tokenizer_class="OwnTokenizer")
    change(own / "config.json", auto_map={}, model_type="bloom")
    (own / "own_tokenizer.py").write_text(f"open({str(own / 'ran')!r}, 'w')")
    with pytest.raises(InputError) as caught:
        load_tokenizer(own)
    assert str(caught.value) == f"the model in {own} {NEEDED}"
    assert not (own / "ran").exists()


def test_code_beside_an_architecture_that_transformers_has_is_not_needed(own: Path, trained: Path) -> None:
    change(own / "config.json", model_type="llama")
    check_code(own, allowed=False)
    (own / "config.json").write_text((trained / "config.json").read_text())
    check_code(own, allowed=True)


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("other/repository--own_model.OwnModel", "names Python of another repository, other/repository, which"),
        ("lost_model.OwnModel", r"names lost_model\.py, which is not there\."),
        ("/abs/elsewhere/own_model.OwnModel", "names its Python as '/abs/elsewhere/own_model.OwnModel'; only file"),
        ("sub/own_model.OwnModel", "names its Python as 'sub/own_model.OwnModel'; only file"),
        ("../own_model.OwnModel", "names its Python as '../own_model.OwnModel'; only file"),
        ("own_model", "names its Python as 'own_model'; only file"),
        (5, "names its Python as '5'; only file"),
    ],
)
def test_code_that_is_not_in_the_folder(own: Path, named: str | int, said: str) -> None:
    (own / "sub").mkdir()
    for folder in (own / "sub", own.parent):
        (folder / "own_model.py").write_text((own / "own_model.py").read_text())
    change(own / "config.json", auto_map={"AutoModel": named})
    with pytest.raises(InputError, match=said):
        check_code(own, allowed=True)
    with pytest.raises(InputError, match=said):
        load(describe_folder(own, remote_code=True))


def test_the_older_form_of_a_tokenizers_code(own: Path) -> None:
    change(own / "tokenizer_config.json", auto_map=["own_tokenizer.Slow", None])
    assert list(own_classes(own, "AutoTokenizer")) == ["own_tokenizer.Slow"]
    with pytest.raises(InputError, match=r"names own_tokenizer\.py, which is not there"):
        check_code(own, allowed=True)
    change(own / "config.json", model_type="llama")
    check_code(own, allowed=False)


@pytest.mark.parametrize("value", [None, "x", 3, []])
def test_a_model_that_names_no_code(own: Path, value: Any) -> None:
    for name in ("config.json", "tokenizer_config.json"):
        change(own / name, auto_map=value)
    assert list(own_classes(own)) == []
    check_code(own, allowed=False)


def test_what_own_code_may_read_is_recorded(own: Path) -> None:
    (own / "table.txt").write_text("1")
    assert "table.txt" in describe_folder(own, remote_code=True).files
    assert "table.txt" not in describe_folder(own).files


def test_code_that_imports_what_is_not_installed(own: Path) -> None:
    text = (own / "own_model.py").read_text()
    (own / "own_model.py").write_text("import nobody_has_this\n" + text)
    with pytest.raises(InputError, match=r"cannot be loaded: .*not found in your environment: nobody_has_this"):
        load(describe_folder(own, remote_code=True))


def test_an_untrained_twin_brings_the_code_along(own: Path) -> None:
    for path in own.glob("*.safetensors"):
        path.unlink()
    for seed in (0, 1):
        initialise(own, seed, own.parent / f"twin-{seed}", remote_code=True)
    twins = [describe_folder(own.parent / f"twin-{seed}", "made", remote_code=True) for seed in (0, 1)]
    assert {"own_config.py", "own_model.py", "tokenizer.json"} <= twins[0].files.keys()
    weights = [load(twin)[0].state_dict() for twin in twins]
    assert not torch.equal(weights[0]["embed.weight"], weights[1]["embed.weight"])
    initialise(own, 0, own.parent / "again", remote_code=True)
    assert describe_folder(own.parent / "again", "made", remote_code=True).files == twins[0].files
