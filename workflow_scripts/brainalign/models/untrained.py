"""Untrained twins: an architecture with random weights, made without its trained ones."""

from pathlib import Path
from typing import Any

from brainalign.errors import InputError
from brainalign.models.architecture_files import copy_description
from brainalign.models.architectures import save
from brainalign.models.loading import folder_of
from brainalign.models.manifest import WEIGHTS_KEY
from brainalign.models.remote_code import check_code

_NOT_COPIED = ("config.json", "generation_config.json")
_OF_TRAINED_WEIGHTS = ("quantization_config", WEIGHTS_KEY)  # keys of a config that say how its weights are stored
_CLASSES = ("AutoModelForCausalLM", "AutoModelForSeq2SeqLM", "AutoModelForMaskedLM", "AutoModel")


def initialise(folder: Path, seed: int, out: Path, remote_code: bool = False) -> None:
    """Write a model of the folder's architecture with weights drawn as its class initialises them.

    The class is the first that there is for the config: a causal language model, a sequence-to-sequence one (which
    comes first where the config is that of an encoder with a decoder), a masked one, one without a head.

    Parameters
    ----------
    folder : config.json and tokenizer; weights in it are never opened.
    seed : of the draw.
    out : folder for the config, the weights (safetensors, float32) and the tokenizer, copied as it is.
    remote_code : whether the Python in the folder may run; it is copied too.

    Raises
    ------
    InputError : no config.json, an architecture that transformers lacks, or one that needs its own Python.
    """
    folder = folder_of(folder)
    check_code(folder, remote_code)
    try:
        model = _draw(folder, seed, remote_code)
    except (ValueError, OSError, ImportError) as error:
        raise InputError(f"the config.json in {folder} cannot be used: {str(error).splitlines()[0]}") from error
    save(model, None, out)
    copy_description(folder, out, remote_code, _NOT_COPIED)


def _draw(folder: Path, seed: int, remote_code: bool) -> Any:
    import torch
    import transformers

    config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=remote_code)
    for part in (config, config.get_text_config()):
        for key in _OF_TRAINED_WEIGHTS:
            vars(part).pop(key, None)
    # BART is a causal model too, but then without its encoder.
    first = "AutoModelForSeq2SeqLM" if config.is_encoder_decoder else _CLASSES[0]
    classes = [getattr(transformers, name) for name in sorted(_CLASSES, key=lambda name: name != first)]
    own = getattr(config, "auto_map", None) or {}
    fitting = [loader for loader in classes if loader.__name__ in own or type(config) in loader._model_mapping]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return (fitting or classes)[0].from_config(config, dtype=torch.float32, trust_remote_code=remote_code)
