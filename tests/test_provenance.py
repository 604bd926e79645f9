"""The fingerprint of code: what it must not notice, what it must notice, and that every Python agrees."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from brainalign.provenance import (
    Provenance,
    canonical,
    closure,
    code_is_current,
    code_param,
    fingerprint,
    library_versions,
)

PACKAGES = Path(__file__).parents[1] / "workflow_scripts"
VERSIONS = ("3.11", "3.12", "3.13")

# Everything whose syntax tree differs, or might, between versions of Python, and everything that must be told apart.
TRICKY = r'''
"""A docstring."""
from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")
width, name = 7, "x"
nested = f"{f'{name!r:>{width}}'} {width:0{width}d} {{literal}} {name=} {name = !s:^10}"
joined = "a" f"{name}" 'b' f"" "c" rf"\d{width}"
only_text = f"no field" "and" f"none here"
debugged = f"{name['a']=} { {1: 2}[1] = } {{}}{name}{{{width}}}"
empty = f"" f""
empty_spec = f"{name:}"
continued = (f"one {name}"
             "two" f"{width:{'>'}{10}}")
multiline = f"""{
    name
} and
{width!a}"""
raw, unicode, octets = r"\n", u"kind", b"\x00\xff" b"z"
escapes = "\N{SNOWMAN} \u2603 \U00011F00 \U0001FAE8 \x7f \u0378 \ud800"
numbers = (0x10, 1_000, 1e400, -0.0, 1j, 10**3, 2.5e-8, 123456789012345678901234567890)
constants = (None, True, False, ..., NotImplemented)


@staticmethod
def decorated(a, /, b: int = 1, *args: "str", c, d=None, **kwargs: dict[str, int]) -> list[T] | None:
    """Docstring."""
    global width
    return [x := b, *args, {**kwargs}, (lambda y, *z, k=1: y)(a)][::2]


class Documented(Generic[T], metaclass=type):
    """Docstring."""

    field: Callable[..., int] = len
    bare: int

    async def run(self):
        async with self as one, two as (three, four):
            async for item in one:
                yield [await x async for x in item if x if not x]
        try:
            pass
        except* ValueError as group:
            raise KeyError from group
        else:
            assert item, f"{item}"
        finally:
            del one.two[3], four


def match_all(value):
    match value:
        case None | True:
            return 1
        case -1.5 | 2 + 3j | "a" "b":
            return 2
        case [1, *rest] | (2, *_) if rest:
            return 3
        case {"key": int(x), "other": [y], **others}:
            return 4
        case Documented(field=1, bare=[_, z]) as whole:
            return 5
        case _:
            ...


with (open("a") as one, open("b") as two):
    while True:
        for i, (j, *k) in zip(one, two, strict=True):
            continue
        else:
            break
print(*"ab", sep="", **{}) if not (yes := 1) < 2 <= 3 != 4 else [i for i in "a" for j in "b" if j]
'''

# Another value means that every job of every user runs again.
OF_TRICKY = "a098eea8d15cab1d9098d22d48341daa4f15983ef6421e43d005f62cd7d43396"

NEWER = """
type Pair[T: (int, str)] = tuple[T, T]
def first[T: int, *Ts, **P](a: T) -> T: return f"{f'{a}{'same quotes'}'}"
class Box[T]:
    x: T
"""


# --- every version of Python agrees ---------------------------------------------------------------------------------


def interpreter(version: str) -> str | None:
    """A Python of this version that starts, from PATH or from pyenv; None where there is none."""
    candidates = [shutil.which(f"python{version}")]
    candidates += [str(path) for path in Path.home().glob(f".pyenv/versions/{version}.*/bin/python")]
    for candidate in filter(None, candidates):
        said = subprocess.run([candidate, "-V"], capture_output=True, text=True, check=False).stdout
        if said.startswith(f"Python {version}."):
            return candidate
    return None


def fingerprints_by(python: str, root: Path, modules: list[str]) -> dict[str, str]:
    """What a bare interpreter, without site-packages, makes of modules."""
    script = f"""
        import json, sys
        sys.path.insert(0, {str(PACKAGES)!r})
        from pathlib import Path
        from brainalign.provenance import closure
        print(json.dumps(closure(Path({str(root)!r}), {modules!r})))
    """
    command = [python, "-I", "-S", "-B", "-W", "ignore", "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def stages() -> list[str]:
    return sorted(path.stem for path in (PACKAGES / "brainalign" / "stages").glob("[!_]*.py"))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_fingerprint_is_the_same_on(version, tmp_path):
    python = interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} on this machine")
    (tmp_path / "tricky.py").write_text(TRICKY, encoding="utf-8")
    assert fingerprints_by(python, tmp_path, ["tricky"]) == {"tricky": OF_TRICKY}
    modules = [f"brainalign.stages.{stage}" for stage in stages()]
    assert fingerprints_by(python, PACKAGES, modules) == closure(PACKAGES, modules)


def test_newer_syntax_has_one_fingerprint_where_it_exists(tmp_path):
    pythons = [python for python in map(interpreter, VERSIONS[1:]) if python]
    if len(pythons) < 2:
        pytest.skip("this machine does not have both Python 3.12 and 3.13")
    (tmp_path / "newer.py").write_text(NEWER, encoding="utf-8")
    one, other = (fingerprints_by(python, tmp_path, ["newer"]) for python in pythons)
    assert list(one) == ["newer"]
    assert one == other


# --- what it must not notice, and what it must ----------------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "pkg/__init__.py": "",
        "pkg/stage.py": "from pkg.library import solve\n\ndef main(x: int = 1):\n    return solve(x)\n",
        "pkg/library.py": "from . import shared\n\ndef solve(x):\n    from pkg.lazy import slow\n    return slow(x)\n",
        "pkg/shared.py": "TOLERANCE = 1e-5\n",
        "pkg/lazy.py": "from .deep.inner import f as slow\n",
        "pkg/deep/__init__.py": "",
        "pkg/deep/inner.py": "from ...pkg.deep import sibling\nimport pkg.dotted\n\ndef f(x):\n    return x\n",
        "pkg/deep/sibling.py": "x = 1\n",
        "pkg/dotted.py": "y = 2\n",
        "pkg/unused.py": "z = 3\n",
        "pkg/loader.py": "from pkg import of_loader\n",
        "pkg/of_loader.py": "w = 4\n",
    }
    for name, source in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source)
    return tmp_path


def of_source(root: Path, source: str | bytes) -> str:
    path = root / "one.py"
    path.write_bytes(source.encode() if isinstance(source, str) else source)
    return fingerprint(root, ["one"])


SAME = {
    "a comment": ("x = 1", "# why\nx = 1  # what"),
    "a module's docstring": ("x = 1", '"""Doc."""\nx = 1'),
    "a changed docstring": ('def f():\n    """One."""\n    return 1', 'def f():\n    """Two."""\n    return 1'),
    "a class's docstring": ("class A:\n    x = 1", 'class A:\n    """Doc."""\n    x = 1'),
    "an async docstring": ("async def f(): return 1", 'async def f():\n    """Doc."""\n    return 1'),
    "a note under a field": ("class A:\n    x = 1", 'class A:\n    x = 1\n    """Doc of x."""'),
    "layout": ("f(1,2)", "f(\n    1,\n    2,\n)"),
    "quotes": ("x = 'a'", 'x = "a"'),
    "implicit concatenation": ('x = "ab"', 'x = ("a"\n     "b")'),
    "the form of a number": ("x = 1000", "x = 1_000"),
    "hexadecimal": ("x = 16", "x = 0x10"),
    "parentheses": ("x = 1, 2", "x = (1, 2)"),
    "the u of text": ("x = 'a'", "x = u'a'"),
    "raw text": ("x = 'a\\\\d'", "x = r'a\\d'"),
    "line ends": ("x = 1\ny = 2\n", "x = 1\r\ny = 2\r\n"),
    "a byte-order mark": (b"x = 1", b"\xef\xbb\xbfx = 1"),
    "the encoding": ("x = 'é'".encode(), "# coding: latin-1\nx = 'é'".encode("latin-1")),
    "an import for types": ("x = 1", "if TYPE_CHECKING:\n    import pandas\nx = 1"),
    "an import for types of typing": ("x = 1", "if typing.TYPE_CHECKING:\n    import pandas\nx = 1"),
    "an import for types in a class": (
        "class A:\n    x = 1",
        "class A:\n    x = 1\n    if TYPE_CHECKING:\n        y: int",
    ),
    "pass beside code": ("def f():\n    return 1", "def f():\n    pass\n    return 1"),
    "a docstring in place of ...": ("def f(): ...", 'def f():\n    """Doc."""'),
    "a docstring in place of pass": ("class E(Exception): pass", 'class E(Exception):\n    """Doc."""'),
    "an idle else": ("if x: f()", "if x: f()\nelse: pass"),
}

DIFFERENT = {
    "an operator": ("x = a + b", "x = a - b"),
    "a comparison": ("x = a < b", "x = a <= b"),
    "a constant": ("x = 1", "x = 2"),
    "an int and a float": ("x = 1", "x = 1.0"),
    "an int and a truth value": ("x = 1", "x = True"),
    "a zero and False": ("x = 0", "x = False"),
    "a sign of zero": ("x = 0.0", "x = -0.0"),
    "text and bytes": ("x = 'a'", "x = b'a'"),
    "None and its name": ("x = None", "x = 'None'"),
    "the last digit of a float": ("x = 0.1", "x = 0.10000000000000002"),
    "text": ("x = 'a'", "x = 'b'"),
    "a space in text": ("x = 'a b'", "x = 'a  b'"),
    "the text of an f-string": ("x = f'{a} b'", "x = f'{a} c'"),
    "the format of an f-string": ("x = f'{a:.2f}'", "x = f'{a:.3f}'"),
    "the conversion of an f-string": ("x = f'{a}'", "x = f'{a!r}'"),
    "a name": ("x = a", "x = b"),
    "an attribute": ("x = a.b", "x = a.c"),
    "a function's name": ("def f(): return 1", "def g(): return 1"),
    "a default": ("def f(a=1): return a", "def f(a=2): return a"),
    "where a default belongs": ("def f(*, a=1, b): return a", "def f(*, a, b=1): return a"),
    "a keyword-only parameter": ("def f(a, b): return a", "def f(a, *, b): return a"),
    "a positional-only parameter": ("def f(a, b): return a", "def f(a, /, b): return a"),
    "a decorator": ("def f(): return 1", "@cache\ndef f(): return 1"),
    "another decorator": ("@cache\ndef f(): return 1", "@lru_cache\ndef f(): return 1"),
    "the order of decorators": ("@a\n@b\ndef f(): return 1", "@b\n@a\ndef f(): return 1"),
    "an annotation": ("def f(a: int): return a", "def f(a: float): return a"),
    "a return annotation": ("def f(): return 1", "def f() -> int: return 1"),
    "a field's annotation": ("class A:\n    x: int = 1", "class A:\n    x: float = 1"),
    "a base": ("class A: x = 1", "class A(B): x = 1"),
    "a keyword argument": ("f(a=1)", "f(b=1)"),
    "a star": ("f(*a)", "f(**a)"),
    "the order of statements": ("f()\ng()", "g()\nf()"),
    "what a block holds": ("if a:\n    f()\n    g()", "if a:\n    f()\ng()"),
    "a branch": ("if a: f()", "if a: pass\nelse: f()"),
    "an exception": ("try: f()\nexcept A: g()", "try: f()\nexcept B: g()"),
    "a case": ("match a:\n    case None: f()", "match a:\n    case False: f()"),
    "a capture and a wildcard": ("match a:\n    case x: f()", "match a:\n    case _: f()"),
    "await": ("async def f(): return g()", "async def f(): return await g()"),
    "async": ("def f(): return 1", "async def f(): return 1"),
    "a generator": ("def f(): return 1", "def f(): yield 1"),
    "a slice": ("x = a[1:]", "x = a[:1]"),
    "an entry of a dict": ("x = {**a, 'b': 1}", "x = {'b': 1, **a}"),
    "global": ("def f():\n    global x\n    x = 1", "def f():\n    x = 1"),
    "what types alone decide otherwise": (
        "if TYPE_CHECKING: x = 1\nelse: x = 2",
        "if TYPE_CHECKING: x = 1\nelse: x = 3",
    ),
    "code that runs without types": ("if not TYPE_CHECKING: x = 1", "if not TYPE_CHECKING: x = 2"),
    "a module that is imported": ("import os", "import sys"),
    "an alias": ("import numpy as a", "import numpy as b"),
}


@pytest.mark.parametrize("case", SAME)
def test_it_does_not_notice(case, tmp_path):
    one, other = SAME[case]
    assert of_source(tmp_path, one) == of_source(tmp_path, other)


@pytest.mark.parametrize("case", DIFFERENT)
def test_it_notices(case, tmp_path):
    one, other = DIFFERENT[case]
    assert of_source(tmp_path, one) != of_source(tmp_path, other)


def test_modification_times_do_not_enter(root):
    before = fingerprint(root, ["pkg.stage"])
    for path in root.rglob("*.py"):
        os.utime(path, (0, 0))
    assert fingerprint(root, ["pkg.stage"]) == before


def test_another_folder_does_not_enter(root, tmp_path_factory):
    copy = shutil.copytree(root, tmp_path_factory.mktemp("another folder") / "copy")
    assert fingerprint(copy, ["pkg.stage"]) == fingerprint(root, ["pkg.stage"])


# --- the closure ----------------------------------------------------------------------------------------------------

IN_CLOSURE = "pkg.stage pkg.library pkg.shared pkg.lazy pkg.deep.inner pkg.deep.sibling pkg.dotted".split()


def test_the_closure_follows_lazy_relative_and_dotted_imports(root):
    assert sorted(closure(root, ["pkg.stage"])) == sorted(IN_CLOSURE)


@pytest.mark.parametrize("module", IN_CLOSURE)
def test_an_edit_anywhere_in_the_closure_is_noticed(module, root):
    before = fingerprint(root, ["pkg.stage"])
    path = root.joinpath(*module.split(".")).with_suffix(".py")
    path.write_text(path.read_text() + "added = 1\n")
    assert fingerprint(root, ["pkg.stage"]) != before


@pytest.mark.parametrize("package", ["pkg", "pkg/deep"])
def test_code_in_a_package_around_a_module_is_noticed(package, root):
    before = fingerprint(root, ["pkg.stage"])
    (root / package / "__init__.py").write_text('"""Only words."""\n')
    assert fingerprint(root, ["pkg.stage"]) == before
    (root / package / "__init__.py").write_text("import pkg.unused\n")
    assert fingerprint(root, ["pkg.stage"]) != before
    assert "pkg.unused" in closure(root, ["pkg.stage"])


def test_a_package_around_a_folder_without_init_is_noticed(root):
    (root / "pkg" / "loose").mkdir()
    (root / "pkg" / "loose" / "leaf.py").write_text("x = 1\n")
    (root / "pkg" / "__init__.py").write_text("first = 1\n")
    assert sorted(closure(root, ["pkg.loose.leaf"])) == ["pkg", "pkg.loose.leaf"]


def test_a_package_hides_a_module_of_its_name_as_in_python(root):
    (root / "pkg" / "deep.py").write_text("never = 'imported'\n")
    (root / "pkg" / "deep" / "__init__.py").write_text("imported = 1\n")
    before = fingerprint(root, ["pkg.stage"])
    (root / "pkg" / "deep.py").write_text("never = 'seen'\n")
    assert fingerprint(root, ["pkg.stage"]) == before


def test_an_edit_outside_the_closure_is_not_noticed(root):
    before = fingerprint(root, ["pkg.stage"])
    (root / "pkg" / "unused.py").write_text("z = 4\n")
    (root / "pkg" / "new.py").write_text("z = 4\n")
    assert fingerprint(root, ["pkg.stage"]) == before


def test_an_import_for_types_only_is_not_followed(root):
    stage = root / "pkg" / "stage.py"
    stage.write_text("if TYPE_CHECKING:\n    from pkg import unused\n" + stage.read_text())
    assert "pkg.unused" not in closure(root, ["pkg.stage"])


def test_cycles_of_imports_end(root):
    (root / "pkg" / "dotted.py").write_text("import pkg.stage\ny = 2\n")
    assert sorted(closure(root, ["pkg.stage"])) == sorted(IN_CLOSURE)


def test_the_same_content_under_another_name_is_another_closure(root):
    (root / "pkg" / "copy.py").write_text((root / "pkg" / "unused.py").read_text())
    assert fingerprint(root, ["pkg.copy"]) != fingerprint(root, ["pkg.unused"])


def test_a_second_root_enters_with_what_it_imports(root):
    alone = fingerprint(root, ["pkg.stage"])
    before = fingerprint(root, ["pkg.stage", "pkg.loader"])
    assert before != alone
    assert before == fingerprint(root, ["pkg.loader", "pkg.stage"])
    (root / "pkg" / "of_loader.py").write_text("w = 5\n")
    assert fingerprint(root, ["pkg.stage", "pkg.loader"]) != before
    assert fingerprint(root, ["pkg.stage"]) == alone


@pytest.mark.parametrize("modules", [["pkg.stag"], ["pkg.stage", "pkg.loaders.table"], ["numpy"], [""]])
def test_an_unknown_module_is_refused(modules, root):
    with pytest.raises(ModuleNotFoundError) as caught:
        fingerprint(root, modules)
    assert str(caught.value) == f"no module {modules[-1]!r} under {root}"


def test_a_code_param_names_its_modules_and_is_current_until_an_edit(root):
    code = code_param(root, "pkg.stage", "pkg.loader")
    names, _, digest = code.partition("@")
    assert names == "pkg.stage+pkg.loader"
    assert len(digest) == 16
    assert digest == fingerprint(root, ["pkg.stage", "pkg.loader"])
    assert code_is_current(root, code)
    assert not code_is_current(root, code[:-1] + "x")
    (root / "pkg" / "of_loader.py").write_text("# a comment\nw = 4\n")
    assert code_is_current(root, code)
    (root / "pkg" / "of_loader.py").write_text("w = 5\n")
    assert not code_is_current(root, code)
    (root / "pkg" / "loader.py").unlink()
    assert not code_is_current(root, code)


# --- the record -----------------------------------------------------------------------------------------------------


def test_canonical_ignores_the_order_of_keys_and_nothing_else():
    assert canonical({"b": [1, 2], "a": {"d": None, "c": "é"}}) == '{"a":{"c":"é","d":null},"b":[1,2]}'
    assert canonical({"a": 1, "b": 2}) == canonical({"b": 2, "a": 1})
    assert len({canonical(value) for value in ([1, 2], [2, 1], [1.0, 2], ["1", 2], [True, 2], {"1": 2})}) == 6
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"a": float("nan")})


def test_the_record_holds_stage_settings_code_and_versions():
    attributes = Provenance("brainalign.stages.fit_encoder", {"b": 1, "a": 2}, "code").attributes()
    versions = json.loads(attributes.pop("versions"))
    assert attributes == {"stage": "brainalign.stages.fit_encoder", "spec": '{"a":2,"b":1}', "code": "code"}
    assert versions == library_versions()
    assert versions["numpy"] == np.__version__
    assert versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert set(versions) <= {"python", *sys.modules}
