"""Models from the Hub, in PyTorch's own format, as deltas, with Python of their own, and their twins."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from fake_hub import COMMIT, FakeHub, serving
from models.families import write_family
from models.tiny import to_bin, write_own
from workflow.project import Job, Project, checkout

CLOSED = "http://127.0.0.1:9"
RULES = ("fetch_model", "fetch_architecture", "fetch_delta", "apply_delta", "initialise_model")
MODELS = f"""
models:
  hub: {{source: tiny/gpt2, revision: {COMMIT}, family: h, kind: vanilla, untrained: {{seeds: [0, 1]}}}}
  old: {{source: mine/old, weights: bin, family: o, kind: vanilla}}
  sum: {{source: mine/delta, delta_of: old, family: o, kind: instruction-tuned, base: old, untrained: {{seeds: [0]}}}}
  own: {{source: mine/own, remote_code: true, family: p, kind: vanilla, untrained: {{seeds: [0]}}}}

losses:"""
FETCHED = [
    *(f"results/models/{model}/manifest.json" for model in ("hub", "old", "own")),
    *(f"results/models/{model}/architecture.json" for model in ("hub", "sum", "own")),
    "results/models/sum/delta.json",
]
COMPUTED = [
    *(f"results/models/{model}-untrained-{seed}/manifest.json" for model, seed in (("hub", 0), ("hub", 1), ("sum", 0))),
    "results/models/own-untrained-0/manifest.json",
    "results/models/sum/manifest.json",
    *(f"results/losses/tiny-loss/{model}.json" for model in ("hub", "hub-untrained-1", "old", "sum")),
]
FETCHES: set[Job] = {
    *(("fetch_model", model) for model in ("hub", "old", "own")),
    *(("fetch_architecture", model) for model in ("hub", "sum", "own")),
    ("fetch_delta", "sum"),
}
TWINS: set[Job] = {("initialise_model", f"{model}-untrained-0") for model in ("hub", "sum", "own")}
TWINS |= {("initialise_model", "hub-untrained-1")}


def planned(project: Project) -> set[Job]:
    """The jobs of the models stage that Snakemake would run."""
    return {job for job in project.plan() if job[0] in RULES}


def said(project: Project, *targets: str) -> str:
    """What a run that fails says."""
    done = project.run(*targets, check=False)
    assert done.returncode != 0
    return done.stdout + done.stderr


@pytest.fixture(scope="session")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a tiny model, as a repository of the Hub has them."""
    folder = write_family(tmp_path_factory.mktemp("hub") / "model", "gpt2")
    return {path.name: path.read_bytes() for path in folder.iterdir()} | {"own.py": b"raise SystemExit"}


@pytest.fixture(autouse=True)
def _no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No way to any Hub, and a cache of the test's own."""
    monkeypatch.setenv("HF_ENDPOINT", CLOSED)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, CLOSED)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)


@pytest.fixture
def hub(gpt2: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A Hub that jobs find, until the test closes the way to it."""
    with serving({"tiny/gpt2": gpt2}) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.endpoint)
        yield server


@pytest.fixture
def fresh(tmp_path: Path) -> Project:
    """A checkout with models of every origin, of which none is made."""
    project = checkout(tmp_path / "a project")
    mine = project.path / "mine"
    to_bin(write_family(mine / "old", "gpt2"), shards=2)
    write_family(mine / "delta", "gpt2")
    write_own(mine / "own")
    text = (project.path / "config.yaml").read_text()
    start, end = text.index("\nmodels:"), text.index("\nlosses:")
    text = text[:start] + MODELS + text[end + len("\nlosses:") :]
    scores = "{small: 0.25, small-instruct: 0.5, mine: 0.75}"
    assert text.count(scores) == 1
    (project.path / "config.yaml").write_text(text.replace(scores, "{hub: 0.25, old: 0.5, sum: 0.75}"))
    return project


def test_only_what_fetches_needs_a_network(fresh: Project, hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    assert planned(fresh) == FETCHES | TWINS | {("apply_delta", "sum")}

    # The twins' architecture alone: no weights are asked for, nor code, which may not run.
    fresh.run("results/models/hub/architecture.json")
    assert {"config.json", "tokenizer.json"} <= set(hub.asked)
    assert not [name for name in hub.asked if name.endswith((".safetensors", ".py"))]
    architecture = json.loads((fresh.path / "results/models/hub/architecture.json").read_text())
    assert (architecture["repository"], architecture["commit"]) == ("tiny/gpt2", COMMIT)
    fresh.run(*FETCHED)
    assert hub.asked.count("config.json") <= 2  # its header and its content, once for both rules
    assert planned(fresh) == TWINS | {("apply_delta", "sum")}

    # All that computes, where no Hub can be reached.
    monkeypatch.setenv("HF_ENDPOINT", CLOSED)
    asked = list(hub.asked)
    seen = fresh.path / "seen"
    own_config = fresh.path / "mine/own/own_config.py"
    own_config.write_text(
        f"import os\nopen({str(seen)!r}, 'w').write(os.environ['HF_HUB_OFFLINE'])\n" + own_config.read_text()
    )
    fresh.run(*FETCHED, *COMPUTED)
    assert hub.asked == asked
    assert seen.read_text() == "1"
    assert planned(fresh) == set()

    # The sum is a model with the delta's config and both models' weights.
    results = fresh.path / "results/models"
    total = load_file(results / "sum/model.safetensors")
    delta = load_file(fresh.path / "mine/delta/model.safetensors")
    for name in delta:
        assert torch.equal(total[name], delta[name] + delta[name])  # the base has the same weights
    manifest = json.loads((results / "sum/manifest.json").read_text())
    assert (manifest["source"], manifest["folder"]) == ("made", ".")
    assert not {"architecture.json", "delta.json", "weights", "remote_code"} & {*manifest["files"], *manifest}
    assert json.loads((results / "old/manifest.json").read_text())["weights"] == "bin"
    for model in ("own", "own-untrained-0"):
        recorded = json.loads((results / model / "manifest.json").read_text())
        assert recorded["remote_code"] is True
        assert "own_model.py" in recorded["files"]

    _check_reruns(fresh)


def _check_reruns(project: Project) -> None:
    """Each change reruns the jobs that it reaches, and no others, of the models stage."""
    project.edit("config.yaml", "seeds: [0, 1]", "seeds: [0, 1, 2]")
    assert planned(project) == {("initialise_model", "hub-untrained-2")}
    project.edit("config.yaml", "seeds: [0, 1, 2]", "seeds: [0, 1]")
    config = (project.path / "config.yaml").read_text()

    project.edit("config.yaml", "{source: mine/delta, delta_of: old,", "{source: mine/delta,")
    assert ("fetch_model", "sum") in planned(project)
    (project.path / "config.yaml").write_text(config)
    assert planned(project) == set()

    project.edit("config.yaml", COMMIT, "f" * 40)
    twins = {("initialise_model", f"hub-untrained-{seed}") for seed in (0, 1)}
    assert planned(project) == {("fetch_model", "hub"), ("fetch_architecture", "hub")} | twins
    (project.path / "config.yaml").write_text(config)

    weights = project.path / "mine/delta/model.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    assert planned(project) == {("fetch_delta", "sum"), ("apply_delta", "sum")}
    weights.write_bytes(weights.read_bytes()[:-1])
    assert planned(project) == set()

    tokenizer = project.path / "mine/old/tokenizer.json"
    tokenizer.write_text(tokenizer.read_text() + " ")
    assert planned(project) == {("fetch_model", "old"), ("apply_delta", "sum")}


def test_what_cannot_be_fetched_is_told_in_one_sentence(fresh: Project) -> None:
    mine = fresh.path / "mine"
    asked = "results/models/hub/architecture.json"
    assert f"the model tiny/gpt2 at revision '{COMMIT}' is not in the cache, and the Hub cannot be reached" in said(
        fresh, asked
    )
    fresh.edit("config.yaml", "{source: mine/old, weights: bin,", "{source: mine/old,")
    folder = mine.resolve() / "old"
    assert (
        f"fetch_model: the model folder {folder} has no model.safetensors, only pytorch_model.bin.index.json; "
        "add `weights: bin` to the model's entry."
    ) in said(fresh, "results/models/old/manifest.json")
    fresh.edit("config.yaml", "{source: mine/own, remote_code: true,", "{source: mine/own,")
    for target in ("manifest", "architecture"):
        assert "needs Python of its own, which runs only with `remote_code: true` in the model's entry." in said(
            fresh, f"results/models/own/{target}.json"
        )


def test_the_users_wish_to_be_offline_holds_for_what_fetches(
    fresh: Project, hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "the Hub cannot be reached from here" in said(fresh, "results/models/hub/manifest.json")
    assert hub.asked == []


def test_a_cache_that_is_lost_is_fetched_again(fresh: Project, hub: FakeHub, tmp_path: Path) -> None:
    fresh.run("results/models/hub/architecture.json")
    shutil.rmtree(tmp_path / "hf")
    twin = "results/models/hub-untrained-0/manifest.json"
    assert "architecture.json cannot be used: the model's file" in said(fresh, twin)
    fresh.run(twin)
    assert (fresh.path / twin).exists()
