"""A real pretrained model: its published text, its loss, and the fast path against the slow one."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from brainalign.activations.extraction import extract
from brainalign.activations.one_by_one import extract_one_by_one
from brainalign.activations.readout import Readout
from brainalign.losses import next_word_loss
from brainalign.models.loading import load
from brainalign.models.manifest import describe_folder
from real.data import DATA

FOLDER = DATA / "models" / "stories260k"


@pytest.fixture(scope="module")
def sample() -> str:
    """The greedy text printed in the model's own documentation."""
    text = (FOLDER / "stories260K.md").read_text(encoding="utf-8")
    return text.split("-t 0.0\n")[1].split("\n```")[0]


@pytest.fixture(scope="module")
def with_head() -> tuple[Any, Any]:
    torch.set_num_threads(1)
    return load(FOLDER, head=True)


@pytest.fixture(scope="module")
def base() -> tuple[Any, Any]:
    torch.set_num_threads(1)
    return load(FOLDER)


def test_manifest() -> None:
    manifest = describe_folder(FOLDER)
    assert (manifest.width, manifest.depth, manifest.vocabulary, manifest.context_limit) == (64, 5, 512, 512)
    assert manifest.parameters == 260_032
    assert (manifest.architecture, manifest.dtype) == ("LlamaForCausalLM", "float32")


def test_parameters_are_those_of_the_loaded_model(with_head: tuple[Any, Any]) -> None:
    assert describe_folder(FOLDER).parameters == sum(weight.numel() for weight in with_head[0].parameters())


def test_greedy_text(with_head: tuple[Any, Any], sample: str) -> None:
    model, tokenizer = with_head
    begin = torch.tensor([[tokenizer.bos_token_id]])
    said = model.generate(begin, attention_mask=torch.ones_like(begin), do_sample=False, max_new_tokens=256)
    assert tokenizer.decode(said[0], skip_special_tokens=True).strip() == sample


def test_loss_of_the_greedy_text(with_head: tuple[Any, Any], sample: str) -> None:
    found = next_word_loss(*with_head, [sample], window=512)
    assert found["nats_per_token"] == pytest.approx(0.4573, abs=5e-4)
    words = np.random.default_rng(0).permutation(sample.split())
    assert next_word_loss(*with_head, [" ".join(words)], window=512)["nats_per_token"] > 4


TEXTS = [
    ["Once upon a time,", "there was a little girl named Lily.", "She", "loved to play.", "a", "."],
    ["naïve café", "🙂 e\u0301", "日本", "Lily", "Lily", "Lily"],
    ["One day, she saw a big, red ball."] * 12,
]


@pytest.mark.parametrize("limit", [None, 40])
@pytest.mark.parametrize(
    "settings",
    [
        {"context": "none"},
        {"context": "group", "pooling": "mean"},
        {"context": "group", "pooling": "last", "overflow": "slide"},
        {"context": "window", "window": 3, "pooling": "max"},
        {"context": "group", "pooling": "first"},
        {"context": "group", "pooling": "sum"},
    ],
)
def test_fast_is_slow(base: tuple[Any, Any], settings: dict, limit: int | None) -> None:
    rows = [(f"{group}-{i}", text, group) for group, texts in enumerate(TEXTS) for i, text in enumerate(texts)]
    stimuli = pd.DataFrame(rows, columns=["stimulus_id", "text", "context_group"])
    readout = Readout.from_mapping({**settings, "limit": limit})
    fast = extract(*base, stimuli, readout).layers
    slow = extract_one_by_one(*base, stimuli, readout)
    assert list(fast) == ["embeddings", *(f"block_{number:02d}" for number in range(1, 6)), "final"]
    for layer, expected in slow.items():
        error = np.linalg.norm(fast[layer] - expected, axis=1) / np.linalg.norm(expected, axis=1)
        assert error.max() <= 1e-5, layer


def test_a_thousand_sentences(base: tuple[Any, Any]) -> None:
    table = pd.read_csv(DATA / "tuckute2024" / "bold_response_LH.csv")
    stimuli = pd.DataFrame({"stimulus_id": table["item_id"].astype(str), "text": table["sentence"]})
    extraction = extract(*base, stimuli, Readout("none", pooling="mean"))
    assert extraction.summary["parts"] == extraction.summary["passes"] == 1000
    chosen = slice(0, 1000, 50)
    slow = extract_one_by_one(*base, stimuli.iloc[chosen], Readout("none", pooling="mean"))
    for layer, expected in slow.items():
        np.testing.assert_allclose(extraction.layers[layer][chosen], expected, rtol=1e-3, atol=1e-4)
