"""Tensors of PyTorch's own weight files (.bin).

Such a file is a pickle, which could hold any code. Only torch's restricted reader opens it here, which makes tensors
and plain containers and refuses everything else before any of it runs.
"""

import errno
import re
import zipfile
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from brainalign.errors import InputError
from brainalign.models.stored_tensors import StoredTensor

_REFUSED = re.compile(r"GLOBAL (\S+)")  # what torch's restricted reader says of anything that would run


def read_bin(files: Iterable[Path]) -> Iterator[StoredTensor]:
    """Yield the tensors that .bin files hold, without reading the numbers of files that torch 1.6 or later wrote.

    Raises
    ------
    InputError : a file that is damaged or holds more than tensors.
    """
    for path in files:
        for name, tensor in load_bin(path).items():
            dtype = str(tensor.dtype).removeprefix("torch.")
            yield StoredTensor(path, name, dtype, tuple(tensor.shape), partial(_content, path, name))


def load_bin(path: Path) -> dict[str, Any]:
    """Return name → tensor of one .bin file.

    The numbers stay in the file until they are used; those of a file from before torch 1.6, which is no zip archive,
    are in memory.

    Raises
    ------
    InputError : a file that is damaged or holds more than tensors; nothing of it is run.
    """
    import torch

    try:
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except MemoryError:
        raise
    except OSError as error:
        if error.errno != errno.EINVAL:  # what torch meets where a file ends before the place it seeks
            raise
        raise InputError(_sentence(path, str(error))) from error
    except Exception as error:  # a pickle that is damaged or made to harm can fail in any way
        raise InputError(_sentence(path, str(error))) from error
    if not isinstance(found, dict) or not found:
        raise InputError(f"{path} holds no tensors by name but a {type(found).__name__}.")
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor):
            raise InputError(f"{path} holds {name!r}, which is no tensor but a {type(value).__name__}.")
    return {name: value.detach() for name, value in found.items()}


def _content(path: Path, name: str) -> Iterator[memoryview]:
    import torch

    yield memoryview(load_bin(path)[name].flatten().view(torch.uint8).numpy())


def _sentence(path: Path, said: str) -> str:
    refused = _REFUSED.search(said)
    if refused:
        return f"{path} holds more than tensors ({refused[1]}), and code in weight files is never run."
    return f"{path} is not a whole file of tensors as PyTorch writes it."
