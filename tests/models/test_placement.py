from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModel, LlamaConfig

from brainalign.errors import InputError
from brainalign.models import placement
from brainalign.models.placement import Sizes, choose_placement, free_memory, sizes, skeleton

GIB = 1 << 30
NEEDS = Sizes(weights=10 * GIB, block=GIB, outside=GIB, per_token=1 << 18)


def _llama(**shape: int) -> Any:
    with torch.device("meta"):
        return AutoModel.from_config(LlamaConfig(**shape), dtype=torch.float32)


def test_sizes_of_weights() -> None:
    model = _llama(vocab_size=50, hidden_size=8, intermediate_size=20, num_hidden_layers=3, num_attention_heads=2)
    block = 4 * 8 * 8 + 3 * 8 * 20 + 2 * 8
    found = sizes(model, list(model.layers), "bfloat16")
    assert (found.weights, found.block, found.outside) == (2 * (3 * block + 50 * 8 + 8), 2 * block, 2 * (50 * 8 + 8))
    assert found.per_token == 2 * (8 * 8 + 4 * 20) + 8 * 8
    assert sizes(model, list(model.layers), "float32").weights == 2 * found.weights


def test_a_33b_model_is_streamed_on_a_16_gib_card() -> None:
    """LLaMA-33B: 60 blocks, width 6,656; 65 GB of bfloat16."""
    model = _llama(
        vocab_size=32_000, hidden_size=6656, intermediate_size=17_920, num_hidden_layers=60, num_attention_heads=52
    )
    needs = sizes(model, list(model.layers), "bfloat16")
    assert needs.weights == pytest.approx(64.6e9, rel=0.01)
    assert needs.streamed(4096) < 4 * GIB
    chosen, sentence = choose_placement("auto", needs, 4096, [16 * GIB], 64 * GIB)
    assert chosen == "streamed"
    assert sentence.startswith("streamed, which needs 3.")
    assert "16 GiB are free on the card" in sentence


@pytest.mark.parametrize(
    ("cards", "host", "expected"),
    [
        ([], 20 * GIB, "resident"),
        ([], 11 * GIB, "streamed"),
        ([20 * GIB], 0, "resident"),
        ([8 * GIB], 99 * GIB, "streamed"),
        ([8 * GIB, 8 * GIB], 0, "sharded"),
        ([4 * GIB, 4 * GIB], 0, "streamed"),
        ([20 * GIB, 20 * GIB], 0, "resident"),
    ],
)
def test_what_fits(cards: list[int], host: int, expected: str) -> None:
    chosen, sentence = choose_placement("auto", NEEDS, 4096, cards, host)
    assert chosen == expected
    assert "the model needs 11.9 GiB with a batch of 4096 tokens" in sentence


def test_a_larger_batch_needs_more() -> None:
    assert choose_placement("auto", NEEDS, 4096, [], 12 * GIB)[0] == "resident"
    assert choose_placement("auto", NEEDS, 40_960, [], 12 * GIB)[0] == "streamed"


def test_by_hand() -> None:
    assert choose_placement("streamed", NEEDS, 1, [], 99 * GIB)[0] == "streamed"
    assert choose_placement("resident", NEEDS, 1, [], GIB)[1].startswith("resident, as asked for: the model needs")
    assert choose_placement("sharded", NEEDS, 1, [GIB, GIB], GIB)[0] == "sharded"
    with pytest.raises(InputError, match="placement=sharded needs at least 2 cards, but there are 1; streamed needs"):
        choose_placement("sharded", NEEDS, 1, [GIB], GIB)
    with pytest.raises(InputError, match="unknown placement 'stream'; did you mean 'streamed'"):
        choose_placement("stream", NEEDS, 1, [], GIB)


def test_free_memory_is_that_of_the_cards_and_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda card: ((card + 1) * GIB, 80 * GIB))
    monkeypatch.setattr(placement, "free_memory_of_host", lambda: 5 * GIB)
    assert free_memory() == ([GIB, 2 * GIB], 5 * GIB)


def test_a_skeleton_holds_no_weights(tmp_path: Path) -> None:
    config = LlamaConfig(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1)
    config.save_pretrained(tmp_path)
    assert all(weight.is_meta for weight in skeleton(tmp_path).parameters())
    (tmp_path / "config.json").write_text('{"model_type": "no such model"}')
    with pytest.raises(InputError, match=r"the config\.json in .* cannot be used"):
        skeleton(tmp_path)
