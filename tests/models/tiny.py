"""Tiny models of many families, in both formats of weights, and one that brings Python of its own."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from brainalign.models.architectures import make_tokenizer

WORDS = "the a red blue cat dog fox house runs sleeps near under big small it she .".split()

OWN_CONFIG = """
from transformers import PretrainedConfig


class OwnConfig(PretrainedConfig):
    model_type = "own-of-a-test"

    def __init__(self, hidden_size=8, num_hidden_layers=2, vocab_size=24, **others):
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.vocab_size = vocab_size
        super().__init__(**others)
"""
OWN_MODEL = """
import torch
from transformers import PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

from .own_config import OwnConfig


class OwnModel(PreTrainedModel):
    config_class = OwnConfig

    def __init__(self, config):
        super().__init__(config)
        self.embed = torch.nn.Embedding(config.vocab_size, config.hidden_size)
        self.blocks = torch.nn.ModuleList(
            torch.nn.Linear(config.hidden_size, config.hidden_size) for _ in range(config.num_hidden_layers)
        )
        self.head = torch.nn.Linear(config.hidden_size, config.vocab_size)
        self.post_init()

    def _init_weights(self, module):
        if isinstance(module, (torch.nn.Linear, torch.nn.Embedding)):
            torch.nn.init.normal_(module.weight)
        if isinstance(module, torch.nn.Linear):
            torch.nn.init.zeros_(module.bias)

    def forward(self, input_ids=None, **others):
        states = self.embed(input_ids)
        for block in self.blocks:
            states = states + block(states)
        return CausalLMOutput(logits=self.head(states))
"""


def write_tiny(folder: Path, model: Any, seed: int = 0, vocabulary: list[str] = WORDS) -> Path:
    """Write a model with its config and a tokenizer of a few words; the model may be a function that makes it."""
    torch.manual_seed(seed)
    (model() if callable(model) and not isinstance(model, torch.nn.Module) else model).save_pretrained(folder)
    make_tokenizer([" ".join(vocabulary)]).save_pretrained(folder)
    return folder


def to_bin(folder: Path, shards: int = 1, zipped: bool = True) -> Path:
    """Turn model.safetensors into PyTorch's own format, in one file or in shards with an index."""
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    if shards == 1:
        torch.save(weights, folder / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
        return folder
    where = {}
    for number in range(shards):
        file = f"pytorch_model-{number + 1:05d}-of-{shards:05d}.bin"
        part = {name: weights[name] for name in list(weights)[number::shards]}
        torch.save(part, folder / file, _use_new_zipfile_serialization=zipped)
        where |= dict.fromkeys(part, file)
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": where}))
    return folder


def write_own(folder: Path) -> Path:
    """Write a model that needs the two Python files beside it, with random weights."""
    folder.mkdir()
    make_tokenizer([" ".join(WORDS)]).save_pretrained(folder)
    (folder / "own_config.py").write_text(OWN_CONFIG)
    (folder / "own_model.py").write_text(OWN_MODEL)
    auto = {"AutoConfig": "own_config.OwnConfig", "AutoModelForCausalLM": "own_model.OwnModel"}
    config = {"model_type": "own-of-a-test", "hidden_size": 8, "num_hidden_layers": 2, "vocab_size": 24}
    (folder / "config.json").write_text(json.dumps(config | {"architectures": ["OwnModel"], "auto_map": auto}))
    shapes = {"embed.weight": (24, 8), "head.weight": (24, 8), "head.bias": (24,)}
    for block in (0, 1):
        shapes |= {f"blocks.{block}.weight": (8, 8), f"blocks.{block}.bias": (8,)}
    generator = torch.Generator().manual_seed(0)
    weights = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
