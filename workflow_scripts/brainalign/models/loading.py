"""From a folder to a model and its tokenizer."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from brainalign.errors import InputError
from brainalign.models.bin_files import load_bin
from brainalign.models.manifest import Manifest, Weights, read_config, weight_files
from brainalign.models.quiet import without_progress_bars
from brainalign.models.remote_code import check_code, needs_code, own_classes

DataType = Literal["float32", "float16", "bfloat16", "float64"]

_HEAD = "AutoModelForCausalLM"
_NOT_READ = ("pooler.",)  # parts that no state of a block depends on
_logger = logging.getLogger(__name__)


def load(
    model: Manifest | Path,
    dtype: DataType = "float32",
    device: str | None = None,
    head: bool = False,
    device_map: str | Mapping[str, Any] | None = None,
    offload_folder: Path | None = None,
) -> tuple[Any, Any]:
    """Load a model for reading and its tokenizer, from files only.

    Parameters
    ----------
    model : a manifest with an absolute folder; or the folder of a model that has safetensors and runs no own Python.
    dtype : number format of the weights and of the computation, whatever the files hold.
    device : such as "cuda"; None is the CPU.
    head : with the head that predicts the next word.
    device_map : instead of a device, where each module's weights lie, as accelerate reads it ("auto", or module →
        device, "cpu" or "disk").
    offload_folder : where weights on "disk" lie that are not stored as the model uses them.

    Returns
    -------
    the model, in evaluation mode, and its tokenizer.

    Raises
    ------
    InputError : missing files, weights that do not fit the config, an architecture that transformers lacks, Python of
        the model's own that its manifest does not allow, a .bin file with more than tensors.
    """
    import torch
    from safetensors import SafetensorError

    folder, weights, remote_code = folder_of(model), _weights_of(model), _may_run_code(model)
    check_code(folder, remote_code)
    for path in weight_files(folder, weights):
        if weights == "bin":
            load_bin(path)  # says in one sentence what is wrong with it; the numbers stay in the file
    loader = auto_class(folder, remote_code, head)
    try:
        with without_progress_bars():
            loaded, report = loader.from_pretrained(
                folder,
                dtype=getattr(torch, dtype),
                local_files_only=True,
                use_safetensors=weights == "safetensors",
                weights_only=True,
                trust_remote_code=remote_code,
                output_loading_info=True,
                # To a card the weights go one by one, not by way of the host's memory.
                device_map=device if device_map is None and device != "cpu" else device_map,
                offload_folder=offload_folder,
            )
    except (ValueError, OSError, RuntimeError, ImportError, SafetensorError) as error:
        raise InputError(f"the model in {folder} cannot be loaded: {first_line(error)}") from error
    _check_complete(report, folder)
    return loaded.eval(), load_tokenizer(model)


def auto_class(folder: Path, remote_code: bool, head: bool = False) -> Any:
    """Return the class of transformers that loads a model; its own Python may have the one with the head only.

    The head of an encoder with a decoder is the decoder's.
    """
    from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM

    if head and not remote_code and read_config(folder).get("is_encoder_decoder"):
        return AutoModelForSeq2SeqLM
    headless = not remote_code or any(own_classes(folder, "AutoModel")) or not any(own_classes(folder, _HEAD))
    return AutoModel if headless and not head else AutoModelForCausalLM


def load_tokenizer(model: Manifest | Path) -> Any:
    """Load the tokenizer of a model.

    Raises
    ------
    InputError : no tokenizer, one that needs Python of its own and may not run it, or one that cannot say which
        characters a token stands for.
    """
    from transformers import AutoTokenizer

    folder, remote_code = folder_of(model), _may_run_code(model)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=remote_code)
    except (ValueError, OSError, TypeError, ImportError) as error:
        if "trust_remote_code" in str(error):
            raise needs_code(folder) from error
        raise InputError(f"the tokenizer in {folder} cannot be loaded: {first_line(error)}") from error
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


def _weights_of(model: Manifest | Path) -> Weights:
    return model.weights if isinstance(model, Manifest) else "safetensors"


def _may_run_code(model: Manifest | Path) -> bool:
    return isinstance(model, Manifest) and model.remote_code


def _check_complete(report: dict[str, Any], folder: Path) -> None:
    """Raise where transformers would have filled in weights at random."""
    missing = sorted(name for name in report["missing_keys"] if not name.startswith(_NOT_READ))
    mismatched = sorted(str(entry[0]) for entry in report["mismatched_keys"])
    for kind, names in (("lack", missing), ("have another shape for", mismatched)):
        if names:
            raise InputError(f"the weights in {folder} {kind} {names[0]}, which its config.json asks for.")
    if report["unexpected_keys"]:
        _logger.info("%s: %d weights are not used by this class", folder, len(report["unexpected_keys"]))


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, or its name where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
