"""Models that bring Python of their own, which runs only where the model's entry allows it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from brainalign.errors import InputError

_NAMED_IN = ("config.json", "tokenizer_config.json")


def check_code(folder: Path, allowed: bool) -> None:
    """Check that a model can be loaded with the code that it may run, before anything of it runs.

    Parameters
    ----------
    folder : of the model.
    allowed : whether the Python in the folder may run.

    Raises
    ------
    InputError : a model that needs its own Python and may not run it; one whose Python is not right in the folder.
    """
    classes = list(own_classes(folder))
    if allowed:
        for name in classes:
            module = name.rpartition(".")[0]
            if "--" in name:
                raise InputError(
                    f"the model in {folder} names Python of another repository, {name.partition('--')[0]}, which is "
                    "not fetched; a folder that holds both model and code is needed."
                )
            if not module.isidentifier():
                raise InputError(
                    f"the model in {folder} names its Python as {name!r}; only file.Class of a file beside its "
                    "config.json is run."
                )
            if not (folder / f"{module}.py").is_file():
                raise InputError(f"the model in {folder} names {module}.py, which is not there.")
    elif classes and not _is_known(folder):
        raise needs_code(folder)


def needs_code(folder: Path) -> InputError:
    """Return the error for a model that needs its own Python and may not run it."""
    return InputError(
        f"the model in {folder} needs Python of its own, which runs only with `remote_code: true` in the model's entry."
    )


def own_classes(folder: Path, kind: str | None = None) -> Iterator[str]:
    """Yield the classes ("file.Class") that a model brings, of all kinds or of one, such as "AutoModel"."""
    for name in _NAMED_IN:
        named = _read(folder / name).get("auto_map")
        if isinstance(named, list):  # how older tokenizers say it
            named = {"AutoTokenizer": named}
        for own_kind, classes in named.items() if isinstance(named, dict) else ():
            if kind in (None, own_kind):
                yield from map(str, filter(None, classes if isinstance(classes, list) else [classes]))


def _is_known(folder: Path) -> bool:
    """Tell whether transformers has the architecture itself."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    return _read(folder / "config.json").get("model_type") in CONFIG_MAPPING_NAMES


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # said elsewhere, if it matters
    return value if isinstance(value, dict) else {}
