"""What may import what: light modules stay light, and the rules that make closures of code true."""

import ast
import os
import subprocess
import sys
import textwrap
from pathlib import Path

PACKAGES = Path(__file__).parents[1] / "workflow_scripts"
HEAVY = ("torch", "transformers", "scipy", "sklearn", "matplotlib", "statsmodels", "fastparquet", "rocrate")

DRAWS = (
    "brainalign.figures.",
    "brainalign.stages.draw_figure",
)  # one stage, which cannot do without matplotlib

REFUSE = """
import importlib.abc
import sys

class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {heavy!r}:
            raise ImportError(f"a heavy import: {{name}}")

sys.meta_path.insert(0, Refuse())
"""


def modules() -> list[str]:
    files = (PACKAGES / "brainalign").rglob("*.py")
    names = (path.relative_to(PACKAGES).with_suffix("").as_posix().replace("/", ".") for path in files)
    return sorted(name.removesuffix(".__init__") for name in names)


def python(script: str, *folders: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, folders)), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", textwrap.dedent(script)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def heavy_imports(names: list[str], *folders: Path, refused: tuple[str, ...] = HEAVY) -> dict[str, str]:
    """Import modules one after another in a process that refuses heavy libraries; return what failed, and why."""
    script = REFUSE.format(heavy=refused) + textwrap.dedent(f"""
        import importlib, json
        failed = {{}}
        for name in {names!r}:
            try:
                importlib.import_module(name)
            except ImportError as error:
                failed[name] = str(error)
        assert not set({refused!r}) & set(sys.modules)
        print(json.dumps(failed))
    """)
    done = python(script, *folders)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = ast.literal_eval(done.stdout)
    return found


def test_no_module_imports_a_heavy_library_when_it_is_imported():
    drawing = [name for name in modules() if name.startswith(DRAWS)]
    assert heavy_imports([name for name in modules() if name not in drawing], PACKAGES) == {}
    assert heavy_imports(drawing, PACKAGES, refused=("torch", "transformers", "sklearn")) == {}


def test_that_check_can_fail(tmp_path):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("")
    (tmp_path / "light.py").write_text("def f():\n    import torch\n")
    (tmp_path / "heavy.py").write_text("import torch\n")
    (tmp_path / "hidden.py").write_text("import heavy\n")
    assert heavy_imports(["light", "heavy", "hidden"], tmp_path) == {
        "heavy": "a heavy import: torch",
        "hidden": "a heavy import: torch",
    }


def test_the_package_imports_in_less_than_a_second_and_nothing_with_it():
    script = """
        import sys, time
        before = set(sys.modules)
        start = time.perf_counter()
        import brainalign
        print(time.perf_counter() - start, sorted(set(sys.modules) - before))
    """
    done = python(script, PACKAGES)
    seconds, _, imported_too = done.stdout.strip().partition(" ")
    assert float(seconds) < 1
    assert imported_too == "['brainalign']"


# --- the package keeps the rules that make closures true ------------------------------------------------------------

TREES = {
    path.relative_to(PACKAGES).with_suffix("").as_posix().replace("/", "."): ast.parse(path.read_bytes())
    for path in sorted((PACKAGES / "brainalign").rglob("*.py"))
}
KNOW_THE_CONFIG = (
    "brainalign.config.",
    "brainalign.specs",
    "brainalign.model_specs",
    "brainalign.source_specs",
    "brainalign.study_specs",
    "brainalign.checksums",
)
FIND_BY_NAME = {
    "brainalign.activations.nulls.registry",
    "brainalign.stages.draw_figure",
    "brainalign.stages.fetch_source",
    "brainalign.stages.prepare_responses",
    "brainalign.stages.prepare_stimuli",
}
IMPORTLIB_OF_VERSIONS = {"importlib.metadata", "importlib.metadata.version"}


def imported(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def under(names: set[str], package: str) -> set[str]:
    return {name for name in names if name == package or name.startswith(f"{package}.")}


def reads_environment(tree: ast.AST) -> bool:
    words = {"environ", "environb", "getenv", "getenvb"}
    return any(
        (isinstance(node, ast.Attribute) and node.attr in words) or (isinstance(node, ast.alias) and node.name in words)
        for node in ast.walk(tree)
    )


def test_the_checks_of_trees_can_fail():
    assert reads_environment(ast.parse("import os\nx = os.environ['A']"))
    assert reads_environment(ast.parse("from os import getenv as g"))
    assert not reads_environment(ast.parse("environment = 1"))
    assert under(imported(ast.parse("def f():\n    from snakemake.io import x")), "snakemake")
    assert under(imported(ast.parse("from brainalign import config")), "brainalign.config")
    assert not under(imported(ast.parse("import snakemake_like")), "snakemake")


def test_nothing_but_the_specs_knows_the_config():
    knowing = {name for name, tree in TREES.items() if under(imported(tree), "brainalign.config")}
    knowing |= {name for name, tree in TREES.items() if under(imported(tree), "brainalign.specs")}
    assert {name for name in knowing if not f"{name}.".startswith(KNOW_THE_CONFIG)} == set()


def test_nothing_reads_the_environment():
    assert {name for name, tree in TREES.items() if reads_environment(tree)} == set()


def test_nothing_imports_snakemake():
    assert {name for name, tree in TREES.items() if under(imported(tree), "snakemake")} == set()


def test_modules_are_found_by_name_only_where_a_rule_gives_the_module_as_a_second_root():
    uses = {name for name, tree in TREES.items() if under(imported(tree), "importlib") - IMPORTLIB_OF_VERSIONS}
    assert uses == FIND_BY_NAME


def test_nothing_is_executed_from_text():
    words = {"__import__", "exec", "eval", "runpy", "pickle"}
    for name, tree in TREES.items():
        called = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | imported(tree)
        assert (name, called & words) == (name, set())


def test_init_files_are_empty():
    filled = [str(path) for path in (PACKAGES / "brainalign").rglob("__init__.py") if path.stat().st_size]
    assert filled == []


def test_every_folder_with_modules_is_a_package():
    folders = {path.parent for path in (PACKAGES / "brainalign").rglob("*.py")}
    assert [str(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []
