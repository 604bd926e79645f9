"""PyTorch's own weight files: the same model as from safetensors, and nothing of them is ever run."""

import os
import pickle
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from brainalign.errors import InputError
from brainalign.models.bin_files import load_bin, read_bin
from brainalign.models.loading import load
from brainalign.models.manifest import describe_folder, verify
from brainalign.models.stored_tensors import count_parameters, main_dtype
from models.tiny import to_bin

FORMS = [{"shards": 1}, {"shards": 3}, {"shards": 1, "zipped": False}, {"shards": 3, "zipped": False}]


def safetensors_of(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


@pytest.fixture
def copied(trained: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    for path in trained.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.mark.parametrize("form", FORMS)
def test_the_same_model_as_from_safetensors(copied: Path, trained: Path, form: dict[str, Any]) -> None:
    before = describe_folder(trained)
    to_bin(copied, **form)
    (copied / "training_args.bin").write_bytes(b"pickle")
    manifest = describe_folder(copied, weights="bin")
    verify(manifest)
    assert (manifest.parameters, manifest.dtype, manifest.weights) == (before.parameters, "float32", "bin")
    described = {name for name in before.files if not name.endswith(".safetensors")}
    weights = set(manifest.files) - described
    assert described <= set(manifest.files)
    assert len(weights) == (form["shards"] + 1 if form["shards"] > 1 else 1)
    assert all(name.startswith("pytorch_model") for name in weights)
    for head in (False, True):
        ours, _ = load(manifest, head=head)
        theirs, _ = load(before, head=head)
        for name, value in theirs.state_dict().items():
            assert torch.equal(ours.state_dict()[name], value)


def test_where_there_are_both_formats_the_one_asked_for_is_read(copied: Path) -> None:
    whole = safetensors_of(copied)
    torch.save({name: value + 1 for name, value in whole.items()}, copied / "pytorch_model.bin")
    plain, _ = load(describe_folder(copied), head=True)
    other, _ = load(describe_folder(copied, weights="bin"), head=True)
    name = "model.norm.weight"
    assert torch.equal(plain.state_dict()[name] + 1, other.state_dict()[name])
    assert "pytorch_model.bin" not in describe_folder(copied).files
    assert "model.safetensors" not in describe_folder(copied, weights="bin").files


@pytest.mark.parametrize("zipped", [True, False])
def test_tied_embeddings_count_once(tmp_path: Path, zipped: bool) -> None:
    """One matrix under three names, as a state dict of a tied model has it, and a parameter, as some were saved."""
    matrix = torch.nn.Parameter(torch.randn(10, 4).to(torch.bfloat16))
    held = {"shared.weight": matrix, "encoder.embed_tokens.weight": matrix, "lm_head.weight": matrix}
    held |= {"block.weight": torch.ones(4, 4), "attn.bias": torch.ones(1, 1, 4, 4)}
    torch.save(held, tmp_path / "w.bin", _use_new_zipfile_serialization=zipped)
    tensors = list(read_bin([tmp_path / "w.bin"]))
    assert [tensor.shape for tensor in tensors] == [(10, 4)] * 3 + [(4, 4), (1, 1, 4, 4)]
    assert count_parameters(tensors) == 40 + 16
    assert count_parameters(tensors, tied=False) == 40 + 40 + 16
    assert main_dtype(tensors) == "bfloat16"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's own peak")
def test_weights_are_described_without_being_held(tmp_path: Path) -> None:
    """Peak memory of another process that describes 256 MiB of weights, over that of one that describes 1 MiB."""
    script = """
        import sys
        from pathlib import Path
        from brainalign.models.bin_files import read_bin
        from brainalign.models.stored_tensors import count_parameters, main_dtype
        file = [Path(sys.argv[1])]
        print(count_parameters(read_bin(file)), main_dtype(read_bin(file)))
        print([line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")][0])
    """.replace("\n        ", "\n")
    peaks = []
    for name, rows in (("small", 256), ("large", 65536)):
        torch.save({"a": torch.zeros(rows, 512), "b": torch.zeros(rows, 512)}, tmp_path / f"{name}.bin")
        command = [sys.executable, "-c", script, str(tmp_path / f"{name}.bin")]
        packages = str(Path(__file__).parents[2] / "workflow_scripts")
        done = subprocess.run(
            command, env={**os.environ, "PYTHONPATH": packages}, capture_output=True, text=True, check=True
        )
        numbers, _, rest = done.stdout.partition(" ")
        assert int(numbers) == 2 * rows * 512
        peaks.append(int(rest.split()[1]))
    assert peaks[1] - peaks[0] < 64 * 1024  # KiB; the large file holds 256 MiB


class _Harm:
    """Unpickled without care, it writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.system, (f"touch '{self.path}'",)


@pytest.mark.parametrize("form", ["zip", "legacy", "plain pickle"])
def test_a_file_that_would_run_code_is_refused_and_runs_none(copied: Path, form: str) -> None:
    harm, done = copied / "pytorch_model.bin", copied.parent / "done"
    held = {"model.norm.weight": torch.ones(16), "extra": _Harm(done)}
    if form == "plain pickle":
        harm.write_bytes(pickle.dumps(_Harm(done), protocol=2))
    else:
        torch.save(held, harm, _use_new_zipfile_serialization=form == "zip")
    said = f"{harm} holds more than tensors (posix.system), and code in weight files is never run."
    with pytest.raises(InputError) as caught:
        describe_folder(copied, weights="bin")
    assert str(caught.value) == said
    # A file that became harmful after it was described, too large to be read again.
    (copied / "pytorch_model.bin").rename(copied / "kept")
    torch.save(safetensors_of(copied), copied / "pytorch_model.bin")
    manifest = describe_folder(copied, weights="bin")
    (copied / "kept").replace(harm)
    with pytest.raises(InputError) as caught:
        load(manifest)
    assert str(caught.value) == said
    assert not done.exists()
    if form == "zip":
        torch.load(harm, weights_only=False)
        assert done.exists(), "the file does no harm even without care, so this test shows nothing"


def test_a_whole_model_in_a_pickle_is_refused(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "w.bin")
    with pytest.raises(InputError, match=r"holds more than tensors \(torch\.nn\.modules\.linear\.Linear\)"):
        load_bin(tmp_path / "w.bin")


def _cut(zipped: bool, left: int = 3000) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        torch.save({"a": torch.ones(9000)}, path, _use_new_zipfile_serialization=zipped)
        path.write_bytes(path.read_bytes()[:left])

    return write


UNUSABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "is not a whole file of tensors"),
    "junk": (lambda path: path.write_bytes(b"x" * 999), "is not a whole file of tensors"),
    "cut": (_cut(True), "is not a whole file of tensors"),
    "cut later": (_cut(True, 5000), "w.bin is not a whole file of tensors"),
    "cut, in the old form": (_cut(False), "is not a whole file of tensors"),
    "a list": (lambda path: torch.save([1], path), "holds no tensors by name but a list"),
    "nothing": (lambda path: torch.save({}, path), "holds no tensors by name but a dict"),
    "a number": (
        lambda path: torch.save({"step": 3}, path),
        "'step', which is no tensor but a int",
    ),
    "one inside another": (
        lambda path: torch.save({"state_dict": {"a": torch.ones(1)}}, path),
        "'state_dict', which is no tensor but a dict",
    ),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_one_sentence(tmp_path: Path, case: str) -> None:
    write, sentence = UNUSABLE[case]
    write(tmp_path / "w.bin")
    with pytest.raises(InputError, match=sentence):
        list(read_bin([tmp_path / "w.bin"]))


def test_an_ordered_dict_is_a_state_dict(tmp_path: Path) -> None:
    torch.save(OrderedDict(a=torch.ones(3)), tmp_path / "w.bin")
    assert torch.equal(load_bin(tmp_path / "w.bin")["a"], torch.ones(3))


def test_the_environment_cannot_lift_the_restriction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    torch.save({"a": _Harm(tmp_path / "done")}, tmp_path / "w.bin")
    with pytest.raises(InputError, match="holds more than tensors"):
        load_bin(tmp_path / "w.bin")
    assert not (tmp_path / "done").exists()
