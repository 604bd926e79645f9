"""Which module draws a figure, and which files it needs; read without importing what draws."""

import ast
from collections.abc import Sequence
from functools import cache
from pathlib import Path

OF_ONE_MODEL = {"card": "cards", "brain": "brains"}  # module → the name that stands for one figure of every model


def drawn_by(figure: str) -> tuple[str, str | None]:
    """Return the module of `brainalign.figures` that draws a figure, and the model that it is of, if of one.

    >>> drawn_by("over-nulls"), drawn_by("card-gpt2-xl")
    (('over_nulls', None), ('card', 'gpt2-xl'))
    """
    for module in OF_ONE_MODEL:
        if figure.startswith(f"{module}-"):
            return module, figure.removeprefix(f"{module}-")
    return figure.replace("-", "_"), None


def expanded(figures: Sequence[str], models: Sequence[str]) -> list[str]:
    """Return figures with "cards" and "brains" replaced by those of each model, every figure once.

    >>> expanded(["layers", "cards"], ["gpt2", "gpt2-xl"])
    ['layers', 'card-gpt2', 'card-gpt2-xl']
    """
    modules = {plural: module for module, plural in OF_ONE_MODEL.items()}
    found: list[str] = []
    for figure in figures:
        found += [f"{modules[figure]}-{model}" for model in models] if figure in modules else [figure]
    return list(dict.fromkeys(found))


@cache
def needs(figure: str) -> tuple[str, ...]:
    """Return the kinds of files that a figure selects from: the constant NEEDS of its module.

    It is read from the source, so that whoever plans the drawing need not load matplotlib.

    Raises
    ------
    FileNotFoundError : no module draws it.
    """
    source = Path(__file__).with_name(f"{drawn_by(figure)[0]}.py").read_text(encoding="utf-8")
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Assign) and [ast.unparse(target) for target in statement.targets] == ["NEEDS"]:
            return tuple(ast.literal_eval(statement.value))
    raise LookupError(f"the figure {figure!r} does not say what it needs: its module has no constant NEEDS")
