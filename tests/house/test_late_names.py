"""Names that modules import on first use: each leads somewhere, and no further module has such names.

They may come from rooms above, which import-linter cannot see. So they stay what they are for: the names of rsspot 0.3.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

import rsspot

SRC = Path(rsspot.__file__).parent
USERS = {
    "rsspot.client",
    "rsspot.config",
    "rsspot.config.models",
    "rsspot.http",
    "rsspot.models",
    "rsspot.services",
    "rsspot.settings",
    "rsspot.state",
    "rsspot.workflows",
}
"""The modules whose names rsspot 0.3 has there. A new name does not need to be one of them."""


def module_of(file: Path) -> str:
    """The name of the module in a file."""
    return ".".join(("rsspot", *file.relative_to(SRC).with_suffix("").parts)).removesuffix(".__init__")


def late_names_in(file: Path) -> dict[str, str]:
    """Name -> the `module:attribute` that it leads to."""
    calls = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    found = [ast.literal_eval(call.args[1]) for call in calls if getattr(call.func, "id", None) == "late_names"]
    return {name: home for homes in found for name, home in homes.items()}


FILES = {
    module_of(file): file
    for file in sorted(SRC.rglob("*.py"))
    if "late_names" in file.read_text(encoding="utf-8") and file.stem != "late_names"
}
HOMES = [(module, name, home) for module, file in FILES.items() for name, home in late_names_in(file).items()]


def test_only_these_modules_have_late_names() -> None:
    """And each of them has some."""
    assert set(FILES) == USERS == {module for module, _, _ in HOMES}


@pytest.mark.parametrize(("module", "name", "home"), HOMES, ids=[f"{module}.{name}" for module, name, _ in HOMES])
def test_a_late_name_leads_somewhere(module: str, name: str, home: str) -> None:
    """To what is written beside it: a class, a function or a constant of a module of ours."""
    place, _, attribute = home.partition(":")
    assert place.startswith("rsspot.")
    assert getattr(importlib.import_module(module), name) is getattr(importlib.import_module(place), attribute)
