"""From a folder to a model and its tokenizer."""

import logging
from pathlib import Path
from typing import Any, Literal

from brainalign.errors import InputError
from brainalign.models.manifest import Manifest, weight_files
from brainalign.models.quiet import without_progress_bars

DataType = Literal["float32", "float16", "bfloat16", "float64"]

_NOT_READ = ("pooler.",)  # parts that no state of a block depends on
_logger = logging.getLogger(__name__)


def load(
    model: Manifest | Path,
    dtype: DataType = "float32",
    device: str | None = None,
    head: bool = False,
) -> tuple[Any, Any]:
    """Load a model for reading and its tokenizer, from files only.

    Parameters
    ----------
    model : a manifest with an absolute folder, or the folder.
    dtype : number format of the weights and of the computation, whatever the files hold.
    device : such as "cuda"; None is the CPU.
    head : with the head that predicts the next word.

    Returns
    -------
    the model, in evaluation mode, and its tokenizer.

    Raises
    ------
    InputError : missing files, weights that do not fit the config, an architecture that transformers lacks.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModel, AutoModelForCausalLM

    folder = folder_of(model)
    weight_files(folder)
    loader = AutoModelForCausalLM if head else AutoModel
    try:
        with without_progress_bars():
            loaded, report = loader.from_pretrained(
                folder,
                dtype=getattr(torch, dtype),
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
    except (ValueError, OSError, RuntimeError, SafetensorError) as error:
        raise InputError(f"the model in {folder} cannot be loaded: {_first_line(error)}") from error
    _check_complete(report, folder)
    if device is not None:
        loaded = loaded.to(device)
    return loaded.eval(), load_tokenizer(folder)


def load_tokenizer(model: Manifest | Path) -> Any:
    """Load the tokenizer of a model.

    Raises
    ------
    InputError : no tokenizer, or one that cannot say which characters a token stands for.
    """
    from transformers import AutoTokenizer

    folder = folder_of(model)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (ValueError, OSError, TypeError, ImportError) as error:
        raise InputError(f"the tokenizer in {folder} cannot be loaded: {_first_line(error)}") from error
    if not tokenizer.is_fast:
        raise InputError(
            f"the tokenizer in {folder} ({type(tokenizer).__name__}) gives no character offsets; "
            "a tokenizer.json is needed."
        )
    return tokenizer


def folder_of(model: Manifest | Path) -> Path:
    """Return the folder of a model's files. Raises InputError where it has no config.json."""
    folder = Path(model.folder if isinstance(model, Manifest) else model).expanduser()
    if not (folder / "config.json").is_file():
        raise InputError(f"the model folder {folder} has no config.json.")
    return folder


def _check_complete(report: dict[str, Any], folder: Path) -> None:
    """Raise where transformers would have filled in weights at random."""
    missing = sorted(name for name in report["missing_keys"] if not name.startswith(_NOT_READ))
    mismatched = sorted(str(entry[0]) for entry in report["mismatched_keys"])
    for kind, names in (("lack", missing), ("have another shape for", mismatched)):
        if names:
            raise InputError(f"the weights in {folder} {kind} {names[0]}, which its config.json asks for.")
    if report["unexpected_keys"]:
        _logger.info("%s: %d weights are not used by this class", folder, len(report["unexpected_keys"]))


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
