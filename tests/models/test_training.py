import logging
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from brainalign.errors import InputError
from brainalign.losses import next_word_loss
from brainalign.models.loading import load, load_tokenizer
from brainalign.models.manifest import describe_folder
from brainalign.models.settings import Training, Tuning
from brainalign.models.training import _answered, learning_rate, train, tune
from brainalign.models.untrained import initialise


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _loss(folder: Path, documents: Sequence[str]) -> float:
    return next_word_loss(*load(folder, head=True), documents, window=24)["nats_per_token"]


def test_training_lowers_the_loss(small: Any, trained: Path, tmp_path: Path) -> None:
    train(small.documents, small.settings(steps=0), tmp_path)
    assert _loss(trained, small.documents) < 0.75 * _loss(tmp_path, small.documents)


def test_equal_inputs_give_equal_bytes(small: Any, trained: Path, tmp_path: Path) -> None:
    train(small.documents, small.settings(), tmp_path, further_texts=small.words)
    assert _bytes(tmp_path) == _bytes(trained)


def test_another_seed_gives_other_weights(small: Any, trained: Path, tmp_path: Path) -> None:
    settings = small.settings(steps=1, seed=4)
    train(small.documents, settings, tmp_path)
    weights = [load_file(folder / "model.safetensors") for folder in (trained, tmp_path)]
    assert weights[0].keys() == weights[1].keys()
    assert not np.array_equal(*(entry["model.layers.0.mlp.up_proj.weight"] for entry in weights))


@pytest.mark.parametrize("architecture", ["llama", "gpt2"])
def test_the_folder_describes_itself_and_loads(small: Any, tmp_path: Path, architecture: str) -> None:
    train(small.documents, small.settings(architecture=architecture, steps=1), tmp_path)
    manifest = describe_folder(tmp_path, "made")
    model, tokenizer = load(manifest, head=True)
    assert manifest.parameters == sum(weight.numel() for weight in model.parameters())
    assert (manifest.width, manifest.depth, manifest.context_limit) == (16, 2, 24)
    assert manifest.vocabulary == len(tokenizer)
    assert not model.training


def test_training_leaves_torch_as_it_was(small: Any, tmp_path: Path) -> None:
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    train(small.documents, small.settings(steps=1), tmp_path)
    assert torch.rand(1) == expected
    assert not torch.are_deterministic_algorithms_enabled()


def test_progress_is_logged(small: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "brainalign.models.training"):
        train(small.documents, small.settings(steps=2), tmp_path)
    assert "step 2 of 2, loss" in caplog.text


def test_the_untrained_twin_is_the_training_without_steps(small: Any, trained: Path, tmp_path: Path) -> None:
    train(small.documents, small.settings(steps=0), tmp_path / "none", further_texts=small.words)
    initialise(trained, small.sizes["seed"], tmp_path / "twin")
    assert _bytes(tmp_path / "none") == _bytes(tmp_path / "twin")


def test_the_twin_never_opens_the_weights(trained: Path, tmp_path: Path) -> None:
    initialise(trained, 0, tmp_path / "with")
    bare = tmp_path / "bare"
    bare.mkdir()
    for path in trained.iterdir():
        if path.suffix != ".safetensors":
            (bare / path.name).write_bytes(path.read_bytes())
    initialise(bare, 0, tmp_path / "without")
    assert _bytes(tmp_path / "with") == _bytes(tmp_path / "without")
    initialise(bare, 1, tmp_path / "other")
    assert _bytes(tmp_path / "other")["model.safetensors"] != _bytes(tmp_path / "with")["model.safetensors"]


def test_a_twin_needs_a_known_config(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no config\.json"):
        initialise(tmp_path, 0, tmp_path / "out")
    (tmp_path / "config.json").write_text('{"model_type": "nobody-knows"}')
    with pytest.raises(InputError, match="cannot be used"):
        initialise(tmp_path, 0, tmp_path / "out")


def test_tuning_teaches_the_answers(small: Any, trained: Path, tmp_path: Path) -> None:
    tune(trained, small.questions, Tuning(steps=40, batch=4, learning_rate=1e-2), tmp_path / "a")
    tune(trained, small.questions, Tuning(steps=40, batch=4, learning_rate=1e-2), tmp_path / "b")
    assert _bytes(tmp_path / "a") == _bytes(tmp_path / "b")
    model, tokenizer = load(tmp_path / "a", head=True)
    asked = tokenizer("who sleeps ?", return_tensors="pt")
    said = model.generate(**asked, do_sample=False, max_new_tokens=3)[0, asked.input_ids.shape[1] :]
    assert tokenizer.decode(said) == "the owl </s>"


def test_only_answers_count(trained: Path) -> None:
    tokenizer = load_tokenizer(trained)
    ids, answers = _answered([("who sleeps ?", "the owl")], tokenizer, None)
    assert tokenizer.decode(ids[0]) == "<s> who sleeps ? the owl </s>"
    assert tokenizer.decode(ids[0][answers[0] :]) == "the owl </s>"


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ([], "no questions and answers"),
        ([("who ?", " ")], "its answer is empty"),
        ([("who " * 30, "owl")], "has 33 tokens, the model sees 24"),
    ],
)
def test_questions_that_cannot_be_tuned_on(trained: Path, tmp_path: Path, pairs: list, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        tune(trained, pairs, Tuning(steps=1), tmp_path)


def test_no_text_to_train_on(small: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no text to train on"):
        train([" "], small.settings(), tmp_path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"stepz": 1}, "unknown training setting 'stepz'; did you mean 'steps'"),
        ({"steps": -1}, "steps must be 0 or more"),
        ({"batch": 0}, "batch 1 or more"),
    ],
)
def test_settings_are_checked(small: Any, change: dict, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        small.settings(**change)


def test_settings_that_lack_something() -> None:
    with pytest.raises(InputError, match=r"incomplete.*architecture"):
        Training.from_mapping({"steps": 1, "width": 16, "layers": 1, "heads": 1, "context": 8})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"architecture": "lama"}, "unknown architecture 'lama'; did you mean 'llama'"),
        ({"heads": 3}, "multiple of twice the heads, but is 16 with 3"),
        ({"layers": 0}, "layers must be at least 1, but is 0"),
    ],
)
def test_sizes_are_checked(small: Any, tmp_path: Path, change: dict, sentence: str) -> None:
    settings = small.settings(**change)
    with pytest.raises(InputError, match=sentence):
        train(small.documents, settings, tmp_path)


def test_the_learning_rate_rises_and_falls() -> None:
    settings = Tuning(steps=100, learning_rate=1.0)
    rates = [learning_rate(step, settings) for step in range(100)]
    assert rates[:6] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0])
    assert all(earlier > later for earlier, later in pairwise(rates[5:]))
    assert 0.1 <= rates[-1] < 0.11


def test_words_outside_the_vocabulary_are_unknown(trained: Path) -> None:
    tokenizer = load_tokenizer(trained)
    encoded = tokenizer("the  zebra .", return_offsets_mapping=True)
    assert tokenizer.convert_ids_to_tokens(encoded.input_ids) == ["<s>", "the", "<unk>", "."]
    assert encoded.offset_mapping == [(0, 0), (0, 3), (5, 10), (11, 12)]
