"""Each of the defects that tools like this one have been known to have is ruled out by a test of this folder.

Tests say which, as `@pytest.mark.defect(7)`.
"""

from __future__ import annotations

import ast
from pathlib import Path

COUNT = 52


def ruled_out() -> set[int]:
    """The numbers that tests of this folder are marked with."""
    found: set[int] = set()
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.name.startswith("test_"):
                found |= _numbers(function)
    return found


def _numbers(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[int]:
    return {
        argument.value
        for mark in function.decorator_list
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.defect"
        for argument in mark.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, int)
    }


def test_every_known_defect_is_ruled_out() -> None:
    """A number without a test is a promise without a proof."""
    assert ruled_out() == set(range(1, COUNT + 1))
