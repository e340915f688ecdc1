"""The strings below the fields of a class, which say what each is for. Read from its source, so only where needed."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import cache


def field_docs(cls: type[object]) -> dict[str, str]:
    """Field -> what it is for, with those of base classes. Without the source, as in a frozen program, there are none.

    pydantic would keep them in the model, but reads the source of each class when it is imported, for every command.
    """
    docs: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        docs |= _of_module(base.__module__).get(base.__qualname__, {})
    return docs


@cache
def _of_module(name: str) -> dict[str, dict[str, str]]:
    """Class -> field -> what it is for, for the classes of one module."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[name]))
    except (OSError, TypeError, KeyError):
        return {}
    return {node.name: dict(_of_class(node)) for node in tree.body if isinstance(node, ast.ClassDef)}


def _of_class(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in zip(node.body, node.body[1:], strict=False):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str):
            yield field.target.id, " ".join(inspect.cleandoc(below.value.value).split())
