"""JSON patches (RFC 6902) as a real API server applies them, which is more lenient than the RFC.

Differences: the last name of a path need not exist for a replace, a copy or a test for null, an index may be negative,
and a path need not begin with a slash.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

_INDEX = re.compile(r"[+-]?\d{1,9}", re.ASCII)


class Unpatchable(Exception):
    """A patch that does not apply."""


def applied(document: Any, operations: list[Any]) -> Any:
    """The document after all operations. It is not changed itself. Raises Unpatchable."""
    document = json.loads(json.dumps(document))
    for operation in operations:
        verb = _VERBS.get((operation or {}).get("op"))
        if verb is None or operation.get("path") is None:
            raise Unpatchable(f"unexpected operation {operation!r}")
        document = verb(document, operation["path"], operation)
    return document


def _add(document: Any, path: str, operation: dict[str, Any]) -> Any:
    _insert(*_found(document, path), operation.get("value"))
    return document


def _remove(document: Any, path: str, _: dict[str, Any]) -> Any:
    container, key = _found(document, path)
    if isinstance(container, list):
        del container[_index(key, len(container))]
    elif key in container:
        del container[key]
    else:
        raise Unpatchable(f"{path} does not exist")
    return document


def _replace(document: Any, path: str, operation: dict[str, Any]) -> Any:
    value = operation.get("value")
    if path == "":
        if not isinstance(value, dict | list):
            raise Unpatchable("a document is an object or a list")
        return value
    container, key = _found(document, path)
    container[_index(key, len(container)) if isinstance(container, list) else key] = value
    return document


def _move(document: Any, path: str, operation: dict[str, Any]) -> Any:
    source = _source(operation)
    value = _value(*_found(document, source))
    _remove(document, source, operation)
    _insert(*_found(document, path), value)
    return document


def _copy(document: Any, path: str, operation: dict[str, Any]) -> Any:
    value = _value(*_found(document, _source(operation)))
    _insert(*_found(document, path), json.loads(json.dumps(value)))
    return document


def _test(document: Any, path: str, operation: dict[str, Any]) -> Any:
    actual = document if path == "" else _value(*_found(document, path))
    # Equal numbers, truth values and texts have equal JSON.
    if json.dumps(actual, sort_keys=True) != json.dumps(operation.get("value"), sort_keys=True):
        raise Unpatchable(f"{path} has another value")
    return document


_VERBS: dict[Any, Callable[[Any, str, dict[str, Any]], Any]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def _source(operation: dict[str, Any]) -> str:
    if operation.get("from") is None:
        raise Unpatchable("from is missing")
    return str(operation["from"])


def _found(document: Any, path: str) -> tuple[Any, str]:
    """The object or list that the last name of a path is in, and that name."""
    first, *names = path.split("/")
    if not names:
        raise Unpatchable(f"{first!r} is not a path")
    for name in names[:-1]:
        document = _value(document, _unescaped(name))
        if not isinstance(document, dict | list):
            raise Unpatchable(f"{path} is in nothing")
    return document, _unescaped(names[-1])


def _unescaped(name: str) -> str:
    return name.replace("~1", "/").replace("~0", "~")


def _value(container: Any, key: str) -> Any:
    if isinstance(container, list):
        return container[_index(key, len(container))]
    return container.get(key)


def _insert(container: Any, key: str, value: Any) -> None:
    if not isinstance(container, list):
        container[key] = value
    elif key == "-":
        container.append(value)
    else:
        container.insert(_index(key, len(container) + 1), value)


def _index(key: str, size: int) -> int:
    """The place in a list. A negative one counts from the end."""
    index = int(key) if _INDEX.fullmatch(key) else size
    if not -size <= index < size:
        raise Unpatchable(f"no index {key}")
    return index % size
