"""lm_eval as a command of another environment, with a stand-in for it: what it is asked for, and how it fails."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from brainalign.errors import InputError
from brainalign.models.architectures import make_config, make_model, make_tokenizer, save
from brainalign.models.manifest import describe_folder, write_manifest
from brainalign.properties.running import check_version, pinned_version, run_harness
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
    """An interpreter that is given the harness's command line and does something else with its config.

    The harness that it has is of version 0.4.13.
    """
    path = folder / "venv" / "bin" / "python"
    path.parent.mkdir(parents=True)
    content = json.dumps(result({"mmlu_anatomy": 0.5}))
    path.write_text(
        f"#!{sys.executable}\n"
        "import json, os, pathlib, sys\n"
        "if sys.argv[1:3] == ['-P', '-c']:\n    print('0.4.13')\n    sys.exit()\n"
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


def test_another_version_of_the_harness_is_refused_before_it_runs(tmp_path: Path, manifest: Path) -> None:
    interpreter = stand_in(tmp_path, "sys.exit('it ran')")
    check_version(interpreter, "0.4.13")
    spec = {"settings": SETTINGS, "include": None, "files": {}, "harness": "0.5.0"}
    with pytest.raises(InputError) as caught:
        evaluate_model(spec, Provenance("tests", spec, "tests@0"), manifest, [], interpreter, tmp_path / "out.json")
    assert str(caught.value) == (
        f"the environment at {tmp_path / 'venv'} has lm_eval 0.4.13, but envs/lm-eval.lock names 0.5.0; renew it with "
        "`make lm-eval-environment`, so that all models are evaluated by one version."
    )


def test_the_version_is_that_of_the_list(tmp_path: Path) -> None:
    (tmp_path / "x.lock").write_text("# lm_eval==1\ntorch==2\nlm_eval==0.4.13 ; python_version > '3'\n")
    assert pinned_version(tmp_path / "x.lock") == "0.4.13"
    assert pinned_version(Path(__file__).parents[2] / "envs" / "lm-eval.lock")
    (tmp_path / "x.lock").write_text("torch==2\n")
    with pytest.raises(InputError, match="has no line `lm_eval==…`"):
        pinned_version(tmp_path / "x.lock")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    tokenizer = make_tokenizer(["a b c"])
    settings = {"architecture": "gpt2", "width": 8, "layers": 1, "heads": 2, "context": 16}
    save(make_model(make_config(settings, len(tokenizer)), seed=0), tokenizer, tmp_path / "model")
    write_manifest(tmp_path / "manifest.json", describe_folder(tmp_path / "model"))
    return tmp_path / "manifest.json"


def test_the_stage_writes_the_result_and_refuses_changed_task_files(
    tmp_path: Path, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    interpreter, out = stand_in(tmp_path, WRITES), tmp_path / "out.json"
    task = tmp_path / "own" / "t.yaml"
    task.parent.mkdir()
    task.write_text("task: t")
    spec = {"settings": SETTINGS, "include": "~/own", "files": {str(task): file_digest(task)}, "harness": "0.4.13"}
    evaluate_model(spec, Provenance("tests", spec, "tests@0"), manifest, [task], interpreter, out)
    written = json.loads(out.read_text())
    assert written["versions"]["mmlu"] == "2"
    assert written["config"]["asked"]["include_path"] == str(tmp_path / "own")
    assert out.with_name("out.json.provenance.json").exists()
    task.write_text("task: other")
    with pytest.raises(InputError, match=r"t\.yaml changed after the run was planned"):
        evaluate_model(spec, Provenance("tests", spec, "tests@0"), manifest, [task], interpreter, out)
