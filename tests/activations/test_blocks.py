import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertModel, GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaModel

from activations.families import DECODERS
from brainalign.activations.blocks import depends_on_length, find_blocks, is_causal, reading
from brainalign.errors import InputError


def _states(model: Any) -> dict[str, torch.Tensor]:
    states: dict[str, torch.Tensor] = {}
    blocks = find_blocks(model)
    with torch.inference_mode(), reading(blocks, states.__setitem__):
        blocks.base(input_ids=torch.arange(6)[None], use_cache=False)
    return states


@pytest.mark.parametrize("family", DECODERS)
def test_layers_against_hidden_states(make_model: Callable[[str], Any], family: str) -> None:
    """`hidden_states` holds the embeddings, every block but the last, and the state after the final norm."""
    model = make_model(family)
    with torch.inference_mode():
        output = model(input_ids=torch.arange(6)[None], output_hidden_states=True, use_cache=False)
    states = _states(model)
    names = list(states)
    assert names == list(find_blocks(model).layers)
    depth = model.config.num_hidden_layers
    assert names == ["embeddings", *(f"block_{number:02d}" for number in range(1, depth + 1)), "final"]
    published = names[1:] if family == "mamba" else [*names[:-2], "final"]  # Mamba's lack the embeddings only
    for name, expected in zip(published, output.hidden_states, strict=True):
        torch.testing.assert_close(states[name], expected, msg=name)
    torch.testing.assert_close(states["final"], output.last_hidden_state)
    assert not torch.allclose(states[names[-2]], states["final"])


@pytest.mark.parametrize("family", DECODERS)
def test_decoders_are_causal(make_model: Callable[[str], Any], family: str) -> None:
    assert is_causal(make_model(family))
    assert not depends_on_length(make_model(family))


def test_a_tiny_encoder_with_initial_weights_is_not_taken_for_causal() -> None:
    config = BertConfig(vocab_size=9, hidden_size=4, num_hidden_layers=1, num_attention_heads=1, intermediate_size=4)
    assert not is_causal(BertModel(config).eval())


def test_an_encoder_is_not_causal_and_has_no_final_norm(make_model: Callable[[str], Any]) -> None:
    assert not is_causal(make_model("bert"))
    assert find_blocks(make_model("bert")).layers == ("embeddings", "block_01", "block_02")


def test_a_model_with_a_head_is_read_without_it() -> None:
    model = GPT2LMHeadModel(GPT2Config(vocab_size=10, n_embd=4, n_layer=1, n_head=1, n_positions=8)).eval()
    assert find_blocks(model).base is model.transformer
    assert list(_states(model)) == ["embeddings", "block_01", "final"]


def test_hooks_are_gone_afterwards(make_model: Callable[[str], Any]) -> None:
    model = make_model("gpt2")

    def hooks() -> list[int]:
        return [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()]

    _states(model)
    before = hooks()
    with reading(find_blocks(model), lambda layer, states: None):
        assert sum(hooks()) == sum(before) + len(find_blocks(model).layers)
    assert hooks() == before


def test_positions_that_depend_on_the_length() -> None:
    rope = {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 2.0}
    config = LlamaConfig(
        vocab_size=10, hidden_size=4, intermediate_size=4, num_hidden_layers=1, num_attention_heads=1,
        max_position_embeddings=64, rope_parameters=rope,
    )  # fmt: skip
    assert depends_on_length(LlamaModel(config))


def test_an_encoder_decoder_has_two_stacks(make_model: Callable[[str], Any]) -> None:
    """T5's `hidden_states` end with the state after the final norm, in both stacks."""
    model = make_model("t5")
    blocks = find_blocks(model)
    assert blocks.layers == (
        "encoder_embeddings", "encoder_block_01", "encoder_block_02", "encoder_final",
        "decoder_embeddings", "decoder_block_01", "decoder_block_02", "decoder_block_03", "decoder_final",
    )  # fmt: skip
    assert not is_causal(model)
    states: dict[str, torch.Tensor] = {}
    inputs = {"input_ids": torch.arange(6)[None], "decoder_input_ids": torch.arange(4)[None]}
    with torch.inference_mode(), reading(blocks, states.__setitem__):
        output = model(**inputs, output_hidden_states=True, use_cache=False)
    assert tuple(states) == blocks.layers
    for prefix, expected in (("encoder_", output.encoder_hidden_states), ("decoder_", output.decoder_hidden_states)):
        names = [name for name in blocks.layers if name.startswith(prefix)]
        for name, value in zip([*names[:-2], names[-1]], expected, strict=True):
            torch.testing.assert_close(states[name], value, msg=name)


def test_stacks_without_a_final_norm(make_model: Callable[[str], Any]) -> None:
    assert find_blocks(make_model("bart")).layers == (
        "encoder_embeddings", "encoder_block_01", "encoder_block_02", "decoder_embeddings", "decoder_block_01",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "sizes"),
    [
        ("CTRL", {"n_embd": 16, "dff": 16, "n_layer": 2, "n_head": 2}),
        ("Lfm2", {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
                  "num_key_value_heads": 1, "layer_types": ["full_attention"] * 2}),
    ],
)  # fmt: skip
def test_norms_of_other_names_are_found(name: str, sizes: dict) -> None:
    import transformers

    model = transformers.AutoModel.from_config(getattr(transformers, f"{name}Config")(vocab_size=64, **sizes)).eval()
    states = _states(model)
    torch.testing.assert_close(states["final"], model(input_ids=torch.arange(6)[None], use_cache=False)[0])


@pytest.mark.parametrize(
    ("name", "sizes", "sentence"),
    [
        ("Albert", {"hidden_size": 16, "embedding_size": 16, "intermediate_size": 16, "num_hidden_layers": 3},
         "the blocks of AlbertModel cannot be found: 0 of its lists have the 3 entries"),
        ("XLNet", {"d_model": 16, "n_layer": 2, "n_head": 2, "d_inner": 32},
         "the states of XLNetModel at embeddings are of shape (8, 2, 16), not (2, 8) and the width"),
    ],
)  # fmt: skip
def test_families_that_cannot_be_read_are_refused_by_name(name: str, sizes: dict, sentence: str) -> None:
    import transformers

    config = getattr(transformers, f"{name}Config")(vocab_size=64, num_attention_heads=2, **sizes)
    with pytest.raises(InputError, match=re.escape(sentence)):
        is_causal(transformers.AutoModel.from_config(config).eval())


def test_a_model_whose_blocks_cannot_be_told_is_refused_by_name() -> None:
    class Strange(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.config = type("Config", (), {"num_hidden_layers": 2})()
            self.left = torch.nn.ModuleList([torch.nn.Linear(1, 1) for _ in range(2)])
            self.right = torch.nn.ModuleList([torch.nn.Linear(1, 1) for _ in range(2)])

    with pytest.raises(InputError, match="the blocks of Strange cannot be found: 2 of its lists have the 2 entries"):
        find_blocks(Strange())


def test_an_unseen_family_with_one_fitting_list() -> None:
    class Unseen(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.config = type("Config", (), {"num_hidden_layers": 2})()
            self.stages = torch.nn.ModuleList([torch.nn.Linear(1, 1) for _ in range(2)])
            self.other = torch.nn.ModuleList([torch.nn.Linear(1, 1)])

    assert find_blocks(Unseen()).layers == ("embeddings", "block_01", "block_02")
