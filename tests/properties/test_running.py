"""lm_eval as a command of another environment, with a stand-in for it: what it is asked for, and how it fails."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from brainalign.errors import InputError
from brainalign.models.architectures import make_config, make_model, make_tokenizer, save
from brainalign.models.manifest import describe_folder, write_manifest
from brainalign.properties.running import run_harness
from brainalign.provenance import Provenance
from brainalign.stages.evaluate_model import evaluate_model
from brainalign.storage import file_digest
from properties.result_files import result

SETTINGS = {"tasks": ["mmlu"], "shots": 5, "limit": None, "batch_size": 4, "chat_template": False, "dtype": "float32"}
WRITES = """
folder = pathlib.Path(asked["output_path"]) / "model"
folder.mkdir(parents=True)
(folder / "results_2024-01-01T00-00-00.json").write_text(json.dumps(RESULT | {"config": {"asked": asked}}))
"""


def stand_in(folder: Path, does: str) -> Path:
    """An interpreter that is given the harness's command line and does something else with its config."""
    path = folder / "venv" / "bin" / "python"
    path.parent.mkdir(parents=True)
    content = json.dumps(result({"mmlu_anatomy": 0.5}))
    path.write_text(
        f"#!{sys.executable}\n"
        "import json, os, pathlib, sys\n"
        "assert sys.argv[1:6] == ['-P', '-m', 'lm_eval', 'run', '--config'], sys.argv\n"
        "asked = json.loads(pathlib.Path(sys.argv[6]).read_text())\n"
        f"RESULT = json.loads({content!r})\n{does}\n"
    )
    path.chmod(0o755)
    return path


def test_it_is_asked_for_what_the_study_says_and_for_no_remote_code(tmp_path: Path) -> None:
    found = run_harness(stand_in(tmp_path, WRITES), tmp_path / "a model, this=that", SETTINGS, "cpu", tmp_path / "own")
    asked: dict[str, Any] = found["config"]["asked"]
    assert asked["model_args"] == {"pretrained": str(tmp_path / "a model, this=that"), "dtype": "float32"}
    assert (asked["tasks"], asked["num_fewshot"], asked["limit"], asked["device"]) == (["mmlu"], 5, None, "cpu")
    assert asked["include_path"] == str(tmp_path / "own")
    assert asked["seed"] == [0, 1234, 1234, 1234]
    assert not any("trust" in key or "unsafe" in key for key in asked)
    assert found["results"]["mmlu"]["acc,none"] == 0.5


@pytest.mark.parametrize(
    ("does", "said"),
    [
        ("sys.exit('ConnectionError: offline\\n\\nTasks not found: mmlux')", "Tasks not found: mmlux"),
        ("", "it said nothing."),
    ],
)
def test_what_it_said_last_is_told_when_it_fails(tmp_path: Path, does: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        run_harness(stand_in(tmp_path, does), tmp_path / "m", SETTINGS, "cpu")
    assert str(caught.value).startswith(
        f"lm_eval could not evaluate the model in {tmp_path / 'm'}: {said} (It runs without"
    )


def test_no_environment(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        run_harness(tmp_path / ".venv-lm-eval/bin/python", tmp_path, SETTINGS, "cpu")
    assert str(caught.value) == (
        f"evaluations are run by lm_eval, whose own environment is not at {tmp_path / '.venv-lm-eval'}; make it once "
        "with `make lm-eval-environment`."
    )


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    tokenizer = make_tokenizer(["a b c"])
    settings = {"architecture": "gpt2", "width": 8, "layers": 1, "heads": 2, "context": 16}
    save(make_model(make_config(settings, len(tokenizer)), seed=0), tokenizer, tmp_path / "model")
    write_manifest(tmp_path / "manifest.json", describe_folder(tmp_path / "model"))
    return tmp_path / "manifest.json"


def test_the_stage_writes_the_result_and_refuses_changed_task_files(tmp_path: Path, manifest: Path) -> None:
    interpreter, out = stand_in(tmp_path, WRITES), tmp_path / "out.json"
    task = tmp_path / "own" / "t.yaml"
    task.parent.mkdir()
    task.write_text("task: t")
    spec = {"settings": SETTINGS, "include": str(task.parent), "files": {str(task): file_digest(task)}}
    evaluate_model(spec, Provenance("tests", spec, "tests@0"), manifest, [task], interpreter, out)
    assert json.loads(out.read_text())["versions"]["mmlu"] == "2"
    assert out.with_name("out.json.provenance.json").exists()
    task.write_text("task: other")
    with pytest.raises(InputError, match=r"t\.yaml changed after the run was planned"):
        evaluate_model(spec, Provenance("tests", spec, "tests@0"), manifest, [task], interpreter, out)
