"""What made a file: a fingerprint of the code's meaning, the settings, and the versions of the libraries.

A fingerprint covers a module and every local module that it imports, directly or not. It hashes a canonical walk
of the syntax trees, so comments, docstrings, layout, modification times and the minor version of Python do not
enter it: editing those never reruns a job, and any other edit reruns exactly the stages that import it.
"""

import ast
import hashlib
import importlib.metadata
import json
import platform
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_LEFT_OUT = ("ctx", "kind")  # fields that carry no meaning or differ between versions of Python
_LIBRARIES = (
    "fastparquet",
    "h5py",
    "huggingface_hub",
    "itables",
    "matplotlib",
    "nilearn",
    "numpy",
    "pandas",
    "rocrate",
    "safetensors",
    "scipy",
    "statsmodels",
    "tokenizers",
    "torch",
    "transformers",
)


@dataclass(frozen=True)
class Provenance:
    """The record that every output carries.

    stage : the module that ran; spec : its settings; code : its fingerprint.
    """

    stage: str
    spec: Any
    code: str

    def attributes(self) -> dict[str, str]:
        """Return the record as strings, with the versions of the libraries imported so far."""
        return {
            "stage": self.stage,
            "spec": canonical(self.spec),
            "code": self.code,
            "versions": canonical(library_versions()),
        }


def canonical(value: Any) -> str:
    """Serialise plain values so that equal values are equal strings, whatever their order of keys."""
    return json.dumps(value, sort_keys=True, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def library_versions() -> dict[str, str]:
    """Return the version of Python and of each tracked library that this process has imported."""
    found = {name: importlib.metadata.version(name) for name in _LIBRARIES if name in sys.modules}
    return {"python": platform.python_version(), **found}


def code_param(root: Path, *modules: str) -> str:
    """Return "module+module@fingerprint": what a rule passes to its stage, and what the stage checks.

    The first module is the stage; the others are those that it finds by name at run time.
    """
    return f"{'+'.join(modules)}@{fingerprint(root, modules)}"


def code_is_current(root: Path, code: str) -> bool:
    """Tell whether the modules named in a `code_param` still have the fingerprint that it holds."""
    modules = code.partition("@")[0].split("+")
    try:
        return code == code_param(root, *modules)
    except ModuleNotFoundError:
        return False


def fingerprint(root: Path, modules: Sequence[str]) -> str:
    """Hash the meaning of modules and of their local import closure.

    Parameters
    ----------
    root : folder in which top-level packages lie.
    modules : dotted names.

    Raises
    ------
    ModuleNotFoundError : a module named here is not under `root`.
    """
    digest = hashlib.sha256()
    for name, meaning in sorted(closure(root, modules).items()):
        digest.update(f"{name}\0{meaning}\0".encode())
    return digest.hexdigest()[:16]


def closure(root: Path, modules: Sequence[str]) -> dict[str, str]:
    """Return name → hash of meaning for the modules and everything local that they import; empty files left out."""
    found: dict[str, str] = {}
    todo = list(modules)
    for name in modules:
        if _find(root, name) is None:
            raise ModuleNotFoundError(f"no module {name!r} under {root}")
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        todo.append(name.rpartition(".")[0])  # importing a module runs the packages around it
        path = _find(root, name)
        if path is None:
            continue
        meaning, imported = _read(path.read_bytes(), name, path.name == "__init__.py")
        if meaning:
            found[name] = meaning
        todo.extend(imported)
    return found


_read_before: dict[tuple[bytes, str, bool], tuple[str, list[str]]] = {}


def _read(source: bytes, name: str, is_package: bool) -> tuple[str, list[str]]:
    """Parse one module once per content: (hash of its meaning, or "" for an empty file; names it imports)."""
    key = (source, name, is_package)
    if key not in _read_before:
        tree = ast.parse(source, filename=name)
        _normalise(tree)
        imported = list(_imports(tree, name, is_package))
        digest = hashlib.sha256()
        _walk(tree, digest)
        _read_before[key] = (digest.hexdigest() if tree.body else "", imported)
    return _read_before[key]


def _find(root: Path, module: str) -> Path | None:
    if not module:
        return None
    base = root.joinpath(*module.split("."))
    candidates = (base / "__init__.py", base.with_suffix(".py"))  # in Python's order
    return next((path for path in candidates if path.is_file()), None)


def _imports(tree: ast.AST, module: str, is_package: bool) -> Iterator[str]:
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(parents if node.level else []), *filter(None, [node.module])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _normalise(tree: ast.AST) -> None:
    """Remove, in place, what does nothing: docstrings, `...`, `pass`, `if TYPE_CHECKING:`, empty text in f-strings."""
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            statements = getattr(node, field, None)
            if isinstance(statements, list):
                setattr(node, field, [item for item in statements if not (_idle(item) or _only_for_types(item))])
        if isinstance(node, ast.JoinedStr):  # Python 3.12 adds an empty text after a nested format
            node.values = [item for item in node.values if not (isinstance(item, ast.Constant) and item.value == "")]


def _idle(node: ast.AST) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _only_for_types(node: ast.AST) -> bool:
    if not isinstance(node, ast.If) or node.orelse:
        return False
    test = node.test
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _walk(value: Any, digest: Any) -> None:
    """Feed the names and values of a tree's fields to the digest, leaving out empty and meaningless ones."""
    if isinstance(value, ast.AST):
        digest.update(f"({type(value).__name__}".encode())
        for field, child in ast.iter_fields(value):
            if child is None and not isinstance(value, ast.Constant):
                continue
            if child == [] or field in _LEFT_OUT or field.startswith("type_"):
                continue
            digest.update(f" {field}=".encode())
            _walk(child, digest)
        digest.update(b")")
    elif isinstance(value, list):
        digest.update(b"[")
        for item in value:
            _walk(item, digest)
        digest.update(b"]")
    else:
        # ascii, since repr shows a character or escapes it as the Unicode tables of this Python know it or not
        digest.update(f"{type(value).__name__}:{value!a};".encode())
