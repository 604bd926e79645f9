"""The stage that measures losses: of the next word, and of an encoder with a decoder, of spans cut out."""

import json
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

from brainalign.models.architectures import make_config, make_model, make_tokenizer, save
from brainalign.models.manifest import describe_folder, write_manifest
from brainalign.provenance import Provenance
from brainalign.sources.folder import entries_of
from brainalign.stages.measure_loss import measure_loss
from brainalign.storage import write_json

TEXT = "the fox sees an owl and a hare in the woods by night\n\na hare sees the fox by night"
SPEC = {"window": 16, "stride": None, "seed": 0, "dtype": "float32"}


@pytest.fixture
def text(tmp_path: Path) -> Path:
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "documents.txt").write_text(TEXT)
    write_json(
        tmp_path / "text" / "manifest.json", {"files": entries_of(tmp_path / "text", {"documents": "documents.txt"})}
    )
    return tmp_path / "text" / "manifest.json"


def measured(folder: Path, text: Path) -> dict:
    write_manifest(folder.parent / "manifest.json", describe_folder(folder))
    out = folder.parent / "loss.json"
    measure_loss(SPEC, Provenance("tests", SPEC, "tests@0"), text, folder.parent / "manifest.json", out)
    return json.loads(out.read_text())


def test_a_decoder(tmp_path: Path, text: Path) -> None:
    tokenizer = make_tokenizer([TEXT])
    settings = {"architecture": "gpt2", "width": 8, "layers": 1, "heads": 2, "context": 16}
    save(make_model(make_config(settings, len(tokenizer)), seed=0), tokenizer, tmp_path / "model")
    found = measured(tmp_path / "model", text)
    assert (found["objective"], found["window"], found["stride"]) == ("next word", 16, 8)
    assert (found["tokens"], found["words"], found["documents"]) == (20, 20, 2)
    assert found["bytes"] == len(TEXT.encode()) - 2
    assert found["begin"] == "begin token"


def test_an_encoder_with_a_decoder(tmp_path: Path, text: Path) -> None:
    names = [f"<extra_id_{number}>" for number in range(10)]
    bare = make_tokenizer([TEXT])._tokenizer
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bare, unk_token="<unk>", eos_token="</s>", pad_token="<pad>")
    tokenizer.add_special_tokens({"additional_special_tokens": names})
    sizes = {"d_model": 8, "d_kv": 4, "d_ff": 16, "num_layers": 1, "num_heads": 2}
    torch.manual_seed(0)
    config = T5Config(vocab_size=len(tokenizer), **sizes, decoder_start_token_id=0, pad_token_id=0)
    T5ForConditionalGeneration(config).save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    found = measured(tmp_path / "model", text)
    assert (found["objective"], found["seed"], found["spans"]) == ("span corruption", 0, 2)
    assert found["span_nats_per_token"] == pytest.approx(found["nats"] / found["tokens"])
