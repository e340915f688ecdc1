"""Evaluates expressions in a process of its own, whose time and memory are bounded. Imports nothing of this package.

What it reads is one JSON object: `path` of the library, `memory` in bytes, `most` findings, the `expressions`, and what
they may look at: `plan` without its changes, `brief` as much of it as stands beside one change, `changes`, `money`.
With `compile` they are read and not evaluated. For each expression it prints a line of JSON when it begins, and one
with what came of it.
"""

from __future__ import annotations

import json
import sys
from typing import Any

EACH = "change"
"""An expression that names this is evaluated for every change."""
ALL = "changes"


def main() -> None:
    """Read, evaluate, print."""
    given = json.loads(sys.stdin.buffer.read())
    _bound(given["memory"])
    sys.path.append(given["path"])
    for index, expression in enumerate(given["expressions"]):
        _tell({"begins": index})
        _tell({"index": index, **_evaluated(expression, given)})


def _tell(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def _bound(memory: int) -> None:
    """Bound the memory of this process, where the system can do that."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, OSError, ValueError):
        pass


def _evaluated(expression: str, given: dict[str, Any]) -> dict[str, Any]:
    """violations: indices of the first changes for which it does not hold, none for the whole plan · total: of all

    failure: why it could not be evaluated · at: the index of the change at which
    """
    import cel

    try:
        program = cel.compile(expression)
    except Exception as error:
        return {"failure": _clause(error)}
    named = set(program.variables())
    if {EACH, ALL} <= named:
        return {"failure": f"it names both {EACH} and {ALL}: judge each change, or all of them at once"}
    if given["compile"]:
        return {"violations": [], "total": 0}
    # To convert a variable takes longer than to evaluate most expressions: only what is named is handed over.
    if EACH in named:
        around = {name: value for name, value in (("plan", given["brief"]), ("money", given["money"])) if name in named}
        return _each(program, around, given)
    whole = {"plan": {**given["plan"], ALL: given[ALL]}, ALL: given[ALL], "money": given["money"]}
    held = _held(program, {name: value for name, value in whole.items() if name in named})
    return held if isinstance(held, dict) else {"violations": [], "total": 0 if held else 1}


def _each(program: Any, around: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    violations, total = [], 0
    for index, change in enumerate(given[ALL]):
        held = _held(program, {**around, EACH: change})
        if isinstance(held, dict):
            return {**held, "at": index}
        if not held:
            total += 1
            if total <= given["most"]:
                violations.append(index)
    return {"violations": violations, "total": total}


def _held(program: Any, variables: dict[str, Any]) -> bool | dict[str, Any]:
    """Whether an expression holds; or a failure."""
    try:
        value = program.execute(variables)
    except KeyError as error:
        return {"failure": f"there is no {error}; ask with has() where it may be missing"}
    except Exception as error:
        return {"failure": _clause(error)}
    return value if isinstance(value, bool) else {"failure": f"it is {type(value).__name__}, and not true or false"}


def _clause(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else text[:299] + "…"


if __name__ == "__main__":
    main()
