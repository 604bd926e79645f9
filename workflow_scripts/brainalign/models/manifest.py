"""What a model is: where its files lie, their checksums, and its sizes, read without loading a weight.

A manifest is the one thing that later stages need to know of a model, whether it came from the Hub, from a folder
or was made by this workflow.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from brainalign.errors import InputError, UnreadableFileError
from brainalign.models.safetensors_headers import count_parameters, main_dtype
from brainalign.storage import file_digest, write_json

Source = Literal["hub", "folder", "made"]

MODEL_FILES = ("*.json", "*.jinja", "*.model", "*.safetensors", "*.txt")
READ_AGAIN = 1 << 28  # bytes
_NOT_MODEL_FILES = ("manifest.json", ".provenance.json")  # endings of what this workflow adds

_WIDTH = ("hidden_size", "n_embd", "d_model")
_DEPTH = ("num_hidden_layers", "n_layer", "num_layers", "n_layers")
_CONTEXT_LIMIT = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len")


@dataclass(frozen=True)
class Manifest:
    """A model's identity and sizes.

    source : "hub", "folder" (the user's) or "made" (by this workflow).
    repository, commit : of a Hub model, otherwise None.
    folder : absolute path of the files; "." in the file of a made model, which lies beside its weights.
    files : name → SHA-256, of every file that describes or holds the model.
    width : units of the hidden state; depth : blocks; parameters : numbers in the weights, tied ones once.
    vocabulary : tokens; context_limit : positions that the model can see, None where there is no limit.
    architecture : the class that the weights belong to; dtype : the number format of most weights on disk.
    """

    source: Source
    repository: str | None
    commit: str | None
    folder: str
    files: Mapping[str, str]
    width: int
    depth: int
    parameters: int
    vocabulary: int
    context_limit: int | None
    architecture: str
    dtype: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values, equal for equal models."""
        return asdict(self) | {"files": dict(sorted(self.files.items()))}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Manifest":
        """Return the manifest that `to_json` gave. Raises KeyError where a field is missing."""
        return cls(**{field.name: value[field.name] for field in fields(cls)})


def describe_folder(
    folder: Path, source: Source = "folder", repository: str | None = None, commit: str | None = None
) -> Manifest:
    """Describe the model in a folder from its config.json and the headers of its safetensors files.

    Raises
    ------
    InputError : no folder, no config.json, no safetensors weights, or a size that the config does not state.
    """
    folder = Path(folder).expanduser().resolve()
    config = read_config(folder)
    weights = weight_files(folder)
    return Manifest(
        source=source,
        repository=repository,
        commit=commit,
        folder=str(folder),
        files={path.name: file_digest(path) for path in model_files(folder)},
        width=_size(config, _WIDTH, folder),
        depth=_size(config, _DEPTH, folder),
        parameters=count_parameters(weights, tied=config.get("tie_word_embeddings")),
        vocabulary=_size(config, ("vocab_size",), folder),
        context_limit=context_limit(config),
        architecture=(config.get("architectures") or [config.get("model_type", "unknown")])[0],
        dtype=main_dtype(weights),
    )


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write a manifest; a made model's folder must be the manifest's own and is written as "."."""
    path = Path(path)
    if manifest.source == "made":
        if Path(manifest.folder).resolve() != path.parent.resolve():
            raise ValueError(f"a made model lies beside its manifest, but {manifest.folder} is not {path.parent}")
        manifest = replace(manifest, folder=".")
    write_json(path, manifest.to_json())


def read_manifest(path: Path) -> Manifest:
    """Read a manifest; `folder` comes back absolute.

    Raises
    ------
    UnreadableFileError : not a manifest.
    """
    path = Path(path)
    try:
        manifest = Manifest.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise UnreadableFileError(path, f"it is not a model manifest ({error!r})") from error
    return replace(manifest, folder=str((path.parent / manifest.folder).resolve()))


def verify(manifest: Manifest, largest: int | None = None) -> None:
    """Check that the files are the ones that the manifest describes.

    Parameters
    ----------
    manifest : with an absolute folder.
    largest : files of more bytes are only looked for, not read; None reads all.

    Raises
    ------
    InputError : naming the first file that is missing or has another checksum.
    """
    for name, expected in manifest.files.items():
        path = Path(manifest.folder) / name
        if not path.is_file():
            raise InputError(f"the model's file {path} is missing.")
        if largest is not None and path.stat().st_size > largest:
            continue
        found = file_digest(path)
        if found != expected:
            raise InputError(
                f"the model's file {path} changed since it was recorded: its checksum is {found[:12]}…, "
                f"but {expected[:12]}… was expected."
            )


def read_verified_manifest(path: Path) -> Manifest:
    """Read a manifest and check that the model's files are still the ones that it describes.

    Files over READ_AGAIN bytes are only looked for: reading them twice would cost more than loading them.

    Raises
    ------
    UnreadableFileError : not a manifest; or files of a model from the Hub or made here that are gone or changed, so
        that the next run fetches or makes them again.
    InputError : files of the user's own folder that are gone or changed.
    """
    manifest = read_manifest(path)
    try:
        verify(manifest, READ_AGAIN)
    except InputError as error:
        if manifest.source == "folder":
            raise
        raise UnreadableFileError(path, str(error).rstrip(".")) from error
    return manifest


def model_files(folder: Path) -> list[Path]:
    """Return the files of a folder that describe or hold the model, sorted by name."""
    found = {path for pattern in MODEL_FILES for path in Path(folder).glob(pattern) if path.is_file()}
    return sorted((path for path in found if not path.name.endswith(_NOT_MODEL_FILES)), key=lambda path: path.name)


def weight_files(folder: Path) -> list[Path]:
    """Return the safetensors files that `AutoModel` loads: the index's shards, or the single file.

    Raises
    ------
    InputError : none, or an index that names a file which is not there.
    """
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        shards = sorted(set(_read_json(index).get("weight_map", {}).values()))
        missing = [name for name in shards if not (folder / name).is_file()]
        if missing or not shards:
            raise InputError(f"{index} names {missing[0] if missing else 'no file'}, which {folder} does not have.")
        return [folder / name for name in shards]
    if (folder / "model.safetensors").is_file():
        return [folder / "model.safetensors"]
    others = sorted(path.name for pattern in ("*.bin", "*.pt", "*.pth") for path in folder.glob(pattern))
    instead = f", only {others[0]}, and weights in pickle files are not read" if others else ""
    raise InputError(f"the model folder {folder} has no model.safetensors{instead}.")


def read_config(folder: Path) -> dict[str, Any]:
    """Return a model's config.json, of a composite model its text part. Raises InputError."""
    if not folder.is_dir():
        raise InputError(f"the model folder {folder} is not there.")
    path = folder / "config.json"
    if not path.is_file():
        raise InputError(f"the model folder {folder} has no config.json.")
    config = _read_json(path)
    inner = config.get("text_config")
    return config | inner if isinstance(inner, dict) else config


def context_limit(config: Mapping[str, Any]) -> int | None:
    """Return the positions that a model can see, from its config; None where none is stated."""
    limits = [int(config[name]) for name in _CONTEXT_LIMIT if config.get(name)]
    return limits[0] if limits else None


def _size(config: Mapping[str, Any], names: tuple[str, ...], folder: Path) -> int:
    for name in names:
        if config.get(name):
            return int(config[name])
    raise InputError(f"the config.json of {folder} states none of {', '.join(names)}.")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not JSON ({error}).") from error
    if not isinstance(value, dict):
        raise InputError(f"{path} holds no JSON object but a {type(value).__name__}.")
    return value
