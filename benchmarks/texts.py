"""Real texts that the benchmarks read where they lie beside the project, and models to read them with."""

from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.row import LeftOutError

DATA = Path(__file__).parents[2] / "shared" / "data"


def need(*parts: str) -> Path:
    """Return a path among the real data. Raises LeftOutError where it is not there."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        raise LeftOutError(f"it reads {'/'.join(parts)}, which is not at {DATA}")
    return path


def blank() -> pd.DataFrame:
    """Return the 1,317 parts of eight stories that were heard, one per image (Blank et al. 2014)."""
    table = pd.read_csv(need("pereira2018_blank2014_stimuli", "blank2014_tr_texts.csv"))
    table["text"] = table["text"].str.strip()
    table = table[table["text"] != ""].reset_index(drop=True)
    return table.assign(stimulus_id=table["story"] + "-" + table["tr"].astype(str), context_group=table["story"])


def pereira() -> pd.DataFrame:
    """Return the 627 sentences in passages of Pereira et al. 2018."""
    table = pd.read_csv(need("pereira2018_blank2014_stimuli", "pereira2018_stimulus_set.csv"))
    group = table["experiment"] + table["passage_label"] + table["passage_index"].astype(str)
    return table.assign(text=table["sentence"], context_group=group)[["stimulus_id", "text", "context_group"]]


def tuckute() -> pd.DataFrame:
    """Return the 1,000 sentences of Tuckute et al. 2024, each by itself."""
    table = pd.read_csv(need("tuckute2024", "bold_response_LH.csv"))
    ids = table["item_id"].astype(str)
    return pd.DataFrame({"stimulus_id": ids, "text": table["sentence"], "context_group": ids})


def natural_stories() -> pd.DataFrame:
    """Return the 10,256 words of the ten Natural Stories, each a part of its story (Futrell et al. 2018)."""
    table = pd.read_csv(need("natural_stories", "processed_wordinfo.tsv"), sep="\t", keep_default_na=False)
    table = table.sort_values(["item", "zone"]).reset_index(drop=True)
    ids = table["item"].astype(str) + "-" + table["zone"].astype(str)
    return pd.DataFrame({"stimulus_id": ids, "text": table["word"], "context_group": table["item"]})


def english_tokenizer(vocabulary: int = 50_257) -> Any:
    """Return a byte-level BPE tokenizer as GPT-2's, trained on the texts themselves and on WikiText-2."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    lines = need("wikitext2", "wiki.valid.txt").read_text(encoding="utf-8").splitlines()
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([*lines, *blank()["text"]], trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


def gpt2_small(positions: int) -> Any:
    """Return a model of GPT-2 small's shape with random weights, that can see so many positions."""
    import torch
    from transformers import AutoModel, GPT2Config

    torch.manual_seed(0)
    return AutoModel.from_config(GPT2Config(n_positions=positions), dtype=torch.float32).eval()
