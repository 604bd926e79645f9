"""Tiny decoder-only transformers from a few sizes, and the word tokenizer that goes with them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from brainalign.errors import InputError, unknown
from brainalign.models.manifest import model_files
from brainalign.models.quiet import without_progress_bars

UNKNOWN, BEGIN, END, PADDING = "<unk>", "<s>", "</s>", "<pad>"
_SPECIAL = (UNKNOWN, BEGIN, END, PADDING)  # their ids are their positions
_SIZES = ("width", "layers", "heads", "context")


def make_config(settings: Mapping[str, Any], vocabulary: int) -> Any:
    """Return the transformers config of a small model.

    Parameters
    ----------
    settings : architecture "llama" or "gpt2", width (units), layers (blocks), heads, context (tokens).
    vocabulary : tokens.

    Raises
    ------
    InputError : an unknown architecture, or sizes that do not fit together.
    """
    architecture = settings["architecture"]
    if architecture not in _CONFIGS:
        raise unknown("architecture", architecture, _CONFIGS)
    for name in _SIZES:
        if settings[name] < 1:
            raise InputError(f"{name} must be at least 1, but is {settings[name]}.")
    if settings["width"] % (2 * settings["heads"]):
        raise InputError(
            f"the width must be a multiple of twice the heads, but is {settings['width']} with {settings['heads']}."
        )
    return _CONFIGS[architecture](settings, vocabulary)


def make_tokenizer(texts: Iterable[str]) -> Any:
    """Return a tokenizer whose tokens are the words of the texts, split at white space.

    Ids 0 to 3 are <unk>, <s>, </s>, <pad>, then the words in alphabetical order. A text is preceded by <s>.
    """
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    words = sorted({word for text in texts for word in text.split()} - set(_SPECIAL))
    vocabulary = {word: position for position, word in enumerate([*_SPECIAL, *words])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.post_processor = TemplateProcessing(
        single=f"{BEGIN} $A",
        pair=f"{BEGIN} $A $B",
        special_tokens=[(BEGIN, vocabulary[BEGIN])],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token=UNKNOWN, bos_token=BEGIN, eos_token=END, pad_token=PADDING
    )


def make_model(config: Any, seed: int) -> Any:
    """Return a model with the config's random initial weights (float32), the same for the same seed."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return AutoModelForCausalLM.from_config(config, dtype=torch.float32, trust_remote_code=False)


def save(model: Any, tokenizer: Any | None, folder: Path) -> None:
    """Write model (safetensors) and tokenizer, if one is given, as AutoModel and AutoTokenizer load them.

    Files of an earlier model in the folder are deleted first, so that none is taken for one of this.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in model_files(folder):
        path.unlink()
    with without_progress_bars():
        model.save_pretrained(folder)
    if tokenizer is not None:
        tokenizer.save_pretrained(folder)


def _llama(settings: Mapping[str, Any], vocabulary: int) -> Any:
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=settings["width"],
        intermediate_size=4 * settings["width"],
        num_hidden_layers=settings["layers"],
        num_attention_heads=settings["heads"],
        num_key_value_heads=settings["heads"],
        max_position_embeddings=settings["context"],
        tie_word_embeddings=True,
        **_special_ids(),
    )


def _gpt2(settings: Mapping[str, Any], vocabulary: int) -> Any:
    from transformers import GPT2Config

    return GPT2Config(
        vocab_size=vocabulary,
        n_embd=settings["width"],
        n_layer=settings["layers"],
        n_head=settings["heads"],
        n_positions=settings["context"],
        # With dropout, a few hundred updates of a tiny model would mostly fit the noise.
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        **_special_ids(),
    )


def _special_ids() -> dict[str, int]:
    return {
        f"{name}_token_id": _SPECIAL.index(token) for name, token in (("bos", BEGIN), ("eos", END), ("pad", PADDING))
    }


_CONFIGS = {"llama": _llama, "gpt2": _gpt2}
