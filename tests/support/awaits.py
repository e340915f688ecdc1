"""Which awaits and ledger writes a module has, by its source, and which of them a process is at, by its frames."""

from __future__ import annotations

import ast
import asyncio
import gc
import inspect
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, TypeGuard

Where = tuple[int | None, int | None, int | None, int | None]
"""First line, last line, first column, last column: of an expression, and of the instruction that it became."""
WAITS = (ast.Await, ast.AsyncWith, ast.AsyncFor)


@dataclass(frozen=True)
class Place:
    """One await, or one write into the ledger. text: how it is written, up to the end of its first line"""

    file: str
    function: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}: {self.function}: {self.text}"


class Sources:
    """The places of some modules.

    writes: the names of the methods that write into the ledger
    passing: those of coroutines of which one await is a place, whoever awaits them
    """

    def __init__(self, paths: Iterable[Path], writes: frozenset[str], passing: frozenset[str] = frozenset()) -> None:
        self._places: dict[str, dict[Where, Place]] = {}
        for path in paths:
            source = path.read_text(encoding="utf-8")
            found = _places(path.name, source, ast.parse(source), writes, passing)
            self._places[str(path)] = dict(found)

    @property
    def places(self) -> set[Place]:
        """All of them."""
        return {place for found in self._places.values() for place in found.values()}

    def at(self, frame: FrameType) -> Place | None:
        """The place that a frame is at; None if it is at none, or of another module."""
        found = self._places.get(frame.f_code.co_filename)
        return found and found.get(_position(frame.f_code, frame.f_lasti // 2))

    def under_way(self) -> set[Place]:
        """Where this process is: in the code that runs, and in every task that waits."""
        found = {self.at(frame) for frame in _running()}
        for task in asyncio.all_tasks():
            found |= {self.at(frame) for frame in _suspended(task.get_coro())}
        return {place for place in found if place is not None}


@cache
def _position(code: CodeType, instruction: int) -> Where:
    return next(islice(code.co_positions(), instruction, None))


def _running() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back


def _suspended(awaited: Any) -> Iterator[FrameType]:
    """The frames of a coroutine and of all that it awaits, one in the other."""
    while awaited is not None:
        if inspect.iscoroutine(awaited):
            frame, awaited = awaited.cr_frame, awaited.cr_await
        elif inspect.isasyncgen(awaited):
            frame, awaited = awaited.ag_frame, awaited.ag_await
        else:
            # The step of a generator, or the wrapper of a coroutine, tells only the collector what it is of.
            inner = [
                each for each in gc.get_referents(awaited) if inspect.isasyncgen(each) or inspect.iscoroutine(each)
            ]
            frame, awaited = None, inner[0] if inner else None
        if frame is not None:
            yield frame


def _places(
    file: str, source: str, tree: ast.Module, writes: frozenset[str], passing: frozenset[str]
) -> Iterator[tuple[Where, Place]]:
    for function, node in _in_functions(tree, "module"):
        if (isinstance(node, WAITS) and not _passes(node, passing)) or _is_write(node, writes):
            text = (ast.get_source_segment(source, node) or "").splitlines()[0]
            yield (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset), Place(file, function, text)


def _in_functions(node: ast.AST, function: str) -> Iterator[tuple[str, ast.AST]]:
    """Every node with the name of the function that it is in."""
    for child in ast.iter_child_nodes(node):
        yield function, child
        inner = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        yield from _in_functions(child, child.name if inner else function)


def _passes(node: ast.AST, passing: frozenset[str]) -> bool:
    """Whether this awaits one of the coroutines that have a place in them."""
    called = node.value.func if isinstance(node, ast.Await) and isinstance(node.value, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr in passing


def _is_write(node: ast.AST, writes: frozenset[str]) -> TypeGuard[ast.Call]:
    """Whether this writes into what is called a ledger."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in writes:
        return False
    return ast.unparse(node.func.value).rpartition(".")[2].strip("_") == "ledger"
