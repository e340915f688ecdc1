"""Fields that a manager gains and loses, written into the tree of FieldsV1 that it has. Pure functions.

A tree is as `fields.tree` makes it: elements in order, "." last in a field that is itself in the set. What stays is
shared with the tree before, so that a change costs what it changes, however large the object is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rsspot.simulator.apiserver.fields import Path

Tree = dict[str, Any]
_SELF = "."
"""The mark of a field that is in the set together with fields below it."""


def holds(tree: Tree, path: Path) -> bool:
    """Whether a field is in the set."""
    node = tree
    for element in path:
        if element not in node:
            return False
        node = node[element]
    return not node or _SELF in node


def is_ordered(tree: Tree) -> bool:
    """Whether a tree is as `fields.tree` makes it. Clients may send others that mean the same."""
    elements = [element for element in tree if element != _SELF]
    marked = [*elements, _SELF] if _SELF in tree else elements
    if list(tree) != marked or elements != sorted(elements) or marked == [_SELF]:
        return False
    return all(is_ordered(inner) for inner in tree.values() if inner)


def with_changes(tree: Tree, added: Iterable[Path], removed: Iterable[Path]) -> Tree:
    """The tree with some fields and without others."""
    for path in removed:
        tree = _without(tree, path)
    for path in added:
        tree = _with(tree, path)
    return tree


def _with(tree: Tree, path: Path) -> Tree:
    element, rest = path[0], path[1:]
    if element not in tree:
        return _ordered({**tree, element: _branch(rest)})
    inner = tree[element]
    if rest:
        # A field without fields below it is in the set; now it has some.
        changed = _with(inner, rest) if inner else {**_branch(rest), _SELF: {}}
        return {**tree, element: changed}
    return tree if not inner or _SELF in inner else {**tree, element: {**inner, _SELF: {}}}


def _branch(path: Path) -> Tree:
    return {path[0]: _branch(path[1:])} if path else {}


def _without(tree: Tree, path: Path) -> Tree:
    element, rest = path[0], path[1:]
    if element not in tree:
        return tree
    inner = tree[element]
    left = _without(inner, rest) if rest and inner else _unmarked(inner) if not rest else inner
    if left is not inner and list(left) == [_SELF]:
        left = {}
    elif not left and not (rest and (not inner or _SELF in inner)):
        return {key: value for key, value in tree.items() if key != element}
    return {**tree, element: left}


def _unmarked(tree: Tree) -> Tree:
    return {key: value for key, value in tree.items() if key != _SELF}


def _ordered(tree: Tree) -> Tree:
    ordered = {element: tree[element] for element in sorted(tree) if element != _SELF}
    return {**ordered, _SELF: tree[_SELF]} if _SELF in tree else ordered
