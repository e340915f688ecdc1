"""Each known defect of tools like this one is covered by a test of this folder, marked `@pytest.mark.defect(7)`."""

from __future__ import annotations

import ast
from pathlib import Path

COUNT = 52


def covered() -> set[int]:
    """The defect numbers that tests of this folder are marked with."""
    numbers: set[int] = set()
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.name.startswith("test_"):
                numbers |= _numbers(function)
    return numbers


def _numbers(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[int]:
    return {
        argument.value
        for mark in function.decorator_list
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.defect"
        for argument in mark.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, int)
    }


def test_every_known_defect_has_a_test() -> None:
    """A number without a test is not covered."""
    assert covered() == set(range(1, COUNT + 1))
