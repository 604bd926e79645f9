"""What a model is: where its files lie, their checksums, and its sizes, read without holding the weights in memory.

A manifest is the one thing that later stages need to know of a model, whether it came from the Hub, from a folder
or was made by this workflow.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import MISSING, asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from brainalign.errors import InputError, UnreadableFileError
from brainalign.models import sizes
from brainalign.models.stored_tensors import count_parameters, main_dtype
from brainalign.models.weight_tensors import list_tensors
from brainalign.storage import file_digest, write_json

Source = Literal["hub", "folder", "made"]
Weights = Literal["safetensors", "bin"]

READ_AGAIN = 1 << 28  # bytes
WEIGHTS_KEY = "transformers_weights"  # of a config.json, with the weight file that transformers then loads
# What loaders read beside the weights; other notes in a folder are none of the model's.
_DESCRIPTION = (
    "*.jinja",
    "*.model",
    "adapter_config.json",
    "added_tokens.json",
    "chat_template*.json",
    "config.json",
    "generation_config.json",
    "merges.txt",
    "preprocessor_config.json",
    "processor_config.json",
    "special_tokens_map.json",
    "tekken.json",
    "tokenizer*.json",
    "vocab*.json",
    "vocab*.txt",
)
_READ_BY_CODE = ("*.json", "*.py", "*.txt")  # a model's own Python may read any of these
_WEIGHTS: Mapping[Weights, str] = {"safetensors": "*.safetensors", "bin": "pytorch_model*.bin"}
# What `AutoModel` looks for, in its order.
_SINGLE: Mapping[Weights, str] = {"safetensors": "model.safetensors", "bin": "pytorch_model.bin"}
# What this workflow adds.
_NOT_MODEL_FILES = ("manifest.json", ".provenance.json")  # endings
_BESIDE_MANIFEST = ("architecture.json", "delta.json")


@dataclass(frozen=True)
class Manifest:
    """A model's identity and sizes.

    source : "hub", "folder" (the user's) or "made" (by this workflow).
    repository, commit : of a Hub model, otherwise None.
    folder : absolute path of the files; "." in the file of a made model, which lies beside its weights.
    files : name → SHA-256, of every file that describes or holds the model.
    width : units of the hidden state; depth : blocks, of encoder and decoder together.
    parameters : numbers in the weights, tied ones once; vocabulary : tokens.
    context_limit : positions that the model can see, None where there is no limit.
    architecture : the class that the weights belong to; dtype : the number format of most weights on disk.
    weights : the format of the weight files; remote_code : whether the model may run the Python that lies beside them.
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
    weights: Weights = "safetensors"
    remote_code: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain values, equal for equal models; a field that holds its default is left out."""
        plain = asdict(self) | {"files": dict(sorted(self.files.items()))}
        return {field.name: plain[field.name] for field in fields(self) if plain[field.name] != field.default}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Manifest":
        """Return the manifest that `to_json` gave. Raises KeyError where a field without default is missing."""
        given = [field.name for field in fields(cls) if field.default is MISSING or field.name in value]
        return cls(**{name: value[name] for name in given})


def describe_folder(
    folder: Path,
    source: Source = "folder",
    repository: str | None = None,
    commit: str | None = None,
    weights: Weights = "safetensors",
    remote_code: bool = False,
) -> Manifest:
    """Describe the model in a folder from its config.json and the headers of its weight files.

    Parameters
    ----------
    folder : with config.json, tokenizer and weights.
    source, repository, commit : where the model is from, see `Manifest`.
    weights : which weight files are the model's, where there may be both.
    remote_code : whether the folder's own Python is part of the model.

    Raises
    ------
    InputError : no folder, no config.json, no weights of this format, a damaged file, a .bin file with more than
        tensors, a size that the config does not state, or a config that names weight files of its own.
    """
    folder = Path(folder).expanduser().resolve()
    config = read_config(folder)
    _check_weights_key(folder)
    files = weight_files(folder, weights)
    found = {*model_files(folder, weights, remote_code), *files}
    return Manifest(
        source=source,
        repository=repository,
        commit=commit,
        folder=str(folder),
        files={path.name: file_digest(path) for path in sorted(found)},
        width=sizes.width(config, folder),
        depth=sizes.depth(config, folder),
        parameters=count_parameters(list_tensors(files), tied=config.get("tie_word_embeddings")),
        vocabulary=sizes.vocabulary(config, folder),
        context_limit=sizes.limit(config, folder),
        architecture=(config.get("architectures") or [config.get("model_type", "unknown")])[0],
        dtype=main_dtype(list_tensors(files)),
        weights=weights,
        remote_code=remote_code,
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
    """Check that the files are the ones that the manifest describes, see `verify_files`."""
    verify_files(Path(manifest.folder), manifest.files, largest)


def verify_files(folder: Path, files: Mapping[str, str], largest: int | None = None) -> None:
    """Check that the files of a folder have their checksums.

    Parameters
    ----------
    folder : absolute.
    files : name → SHA-256.
    largest : files of more bytes are only looked for, not read; None reads all.

    Raises
    ------
    InputError : naming the first file that is missing or has another checksum.
    """
    for name, expected in files.items():
        path = folder / name
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


def file_patterns(weights: Weights | None = "safetensors", remote_code: bool = False) -> list[str]:
    """Return the patterns of the files that describe or hold a model; None leaves out the weights."""
    patterns = {*_DESCRIPTION, *(_READ_BY_CODE if remote_code else ())}
    return sorted(patterns | {_WEIGHTS[weights], f"{_SINGLE[weights]}.index.json"} if weights else patterns)


def model_files(folder: Path, weights: Weights | None = "safetensors", remote_code: bool = False) -> list[Path]:
    """Return the files of a folder that describe or hold the model, sorted by name.

    Parameters
    ----------
    folder : of the model.
    weights : the format of the weight files; None leaves out weights and their index.
    remote_code : with the folder's own Python.
    """
    found = {path for pattern in file_patterns(weights, remote_code) for path in Path(folder).glob(pattern)}
    endings = (*_NOT_MODEL_FILES, *(() if weights else (".index.json",)))
    own = (path for path in found if not path.name.endswith(endings) and path.name not in _BESIDE_MANIFEST)
    return sorted((path for path in own if path.is_file()), key=lambda path: path.name)


def weight_files(folder: Path, weights: Weights = "safetensors") -> list[Path]:
    """Return the weight files that `AutoModel` loads: the single file, or the index's shards.

    Raises
    ------
    InputError : none of this format, a damaged index, or one that names a file which is not there.
    """
    single = folder / _SINGLE[weights]
    if single.is_file():
        return [single]
    index = folder / f"{_SINGLE[weights]}.index.json"
    if index.is_file():
        named = _read_json(index).get("weight_map", {})
        if not isinstance(named, dict) or not all(isinstance(name, str) for name in named.values()):
            raise InputError(f"{index} is damaged: its weight_map is not one of tensors to files.")
        shards = sorted(set(named.values()))
        missing = [name for name in shards if Path(name).name != name or not (folder / name).is_file()]
        if missing or not shards:
            raise InputError(f"{index} names {missing[0] if missing else 'no file'}, which {folder} does not have.")
        return [folder / name for name in shards]
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    raise InputError(f"the model folder {folder} has no {single.name}{advice(names, weights)}")


def advice(names: Collection[str], weights: Weights) -> str:
    """Return the end of a sentence about missing weights: which format the files' names speak of instead."""
    other: Weights = "safetensors" if weights == "bin" else "bin"
    there = [name for name in (_SINGLE[other], f"{_SINGLE[other]}.index.json") if name in names]
    if not there:
        return "."
    what = "leave out `weights: bin`" if weights == "bin" else "add `weights: bin` to the model's entry"
    return f", only {there[0]}; {what}."


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


def _check_weights_key(folder: Path) -> None:
    """Raise InputError where transformers would load another file than the recorded ones."""
    value = _read_json(folder / "config.json").get(WEIGHTS_KEY)
    if value is not None:
        raise InputError(
            f"the config.json of {folder} names weights of its own under {WEIGHTS_KEY} ({value!r}), which would be "
            "loaded in place of the recorded files; take the key out."
        )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not JSON ({error}).") from error
    if not isinstance(value, dict):
        raise InputError(f"{path} holds no JSON object but a {type(value).__name__}.")
    return value
