"""Untrained twins: an architecture with random weights, made without its trained ones."""

import shutil
from pathlib import Path
from typing import Any

from brainalign.errors import InputError
from brainalign.models.architectures import make_model, save
from brainalign.models.loading import folder_of
from brainalign.models.manifest import MODEL_FILES

_NOT_COPIED = ("config.json", "generation_config.json", "manifest.json", "model.safetensors.index.json")


def initialise(folder: Path, seed: int, out: Path) -> None:
    """Write a model of the folder's architecture with weights drawn as its class initialises them.

    Parameters
    ----------
    folder : config.json and tokenizer; weights in it are never opened.
    seed : of the draw.
    out : folder for the config, the weights (safetensors, float32) and the tokenizer, copied as it is.

    Raises
    ------
    InputError : no config.json, or an architecture that transformers lacks.
    """
    folder = folder_of(folder)
    model = make_model(_config(folder), seed)
    save(model, None, out)
    for path in sorted(path for pattern in MODEL_FILES for path in folder.glob(pattern)):
        if path.suffix != ".safetensors" and path.name not in _NOT_COPIED:
            shutil.copyfile(path, out / path.name)


def _config(folder: Path) -> Any:
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (ValueError, OSError) as error:
        raise InputError(f"the config.json in {folder} cannot be used: {str(error).splitlines()[0]}") from error
