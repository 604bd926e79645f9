"""Which files a figure needs is said by its module, and read without importing it."""

import ast
import importlib
from pathlib import Path

import pytest

from brainalign.config.figures import FIGURES, OF_EVERY_MODEL, OF_ONE_MODEL
from brainalign.figures import needs as needs_module
from brainalign.figures.needs import OF_ONE_MODEL as MODULES_OF_ONE_MODEL
from brainalign.figures.needs import drawn_by, expanded, needs

NAMES = [*FIGURES, *(f"{start}gpt2" for start in OF_ONE_MODEL)]
TABLES = {"alignment", "properties", "correlations", "controlled_correlations", "pairs", "averages"}
FILES = {"ceilings", "responses", "cells", "encodings", "activations", "manifests", "losses"}


def test_the_config_knows_the_figures_of_one_model_under_the_same_names():
    assert tuple(MODULES_OF_ONE_MODEL.values()) == OF_EVERY_MODEL
    assert tuple(f"{module}-" for module in MODULES_OF_ONE_MODEL) == OF_ONE_MODEL


def test_every_module_that_draws_has_a_name_in_the_config():
    folder = Path(needs_module.__file__).parent
    draw = [path.stem for path in folder.glob("*.py") if "\nNEEDS = " in path.read_text(encoding="utf-8")]
    assert sorted(draw) == sorted(drawn_by(name)[0] for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_needs_are_those_of_the_module_and_are_known(name):
    module = importlib.import_module(f"brainalign.figures.{drawn_by(name)[0]}")
    assert needs(name) == module.NEEDS
    assert set(module.NEEDS) <= TABLES | FILES
    assert module.TITLE
    assert callable(module.select)
    assert callable(module.draw)


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_asks_for_no_table_that_it_does_not_need(name):
    """Attributes of StudyTables that select reads are among the needs, those of modules that it calls included."""
    read = {"controlled": "controlled_correlations", "behavior_alignment": "alignment"}
    source = Path(needs_module.__file__).with_name(f"{drawn_by(name)[0]}.py").read_text(encoding="utf-8")
    found = {
        node.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "tables"
    }
    assert {read.get(attribute, attribute) for attribute in found} - {"files", "settings"} <= set(needs(name))


def test_cards_of_all_models_are_figures_of_one_model_each():
    assert expanded(["layers", "cards", "card-b"], ["a", "b"]) == ["layers", "card-a", "card-b"]
    assert drawn_by("card-card-a") == ("card", "card-a")
