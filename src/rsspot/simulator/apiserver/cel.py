"""CEL validation rules of definitions. The forms in the shipped definitions are built in; others need the `cel` extra.

A rule that cannot be compiled raises an error. It is never silently true.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from rsspot.errors import UsageError

Rule = Callable[[Any, Any], bool]
"""Whether a value satisfies the rule. Takes the value and the old value, or None if there was none."""


def is_transition(rule: str) -> bool:
    """Whether a rule compares with the old value. Such a rule does not apply to a new object."""
    return re.search(r"\boldSelf\b", rule) is not None


@lru_cache(maxsize=512)
def compiled(rule: str) -> Rule:
    """Compile a rule to a function. Raises UsageError if the rule cannot be read."""
    if rule == "self == oldSelf":
        return lambda value, old: bool(value == old)
    if match := re.fullmatch(r"self\.matches\('([^']*)'\)", rule):
        # In CEL, $ matches only at the end of the text, and \d matches only ASCII digits.
        pattern = re.compile(re.sub(r"\$$", r"\\Z", match[1].replace("\\\\", "\\")), re.ASCII)
        return lambda value, _: pattern.search(value) is not None
    return _by_library(rule)


def _by_library(rule: str) -> Rule:
    try:
        import celpy
        from celpy.adapter import json_to_cel
        from celpy.celparser import CELParseError
        from celpy.evaluation import CELEvalError
    except ImportError:
        hint = "install rsspot with its extra: rsspot[cel]"
        raise UsageError(f"the rule {rule!r} needs a CEL interpreter", hint=hint) from None
    environment = celpy.Environment()
    try:
        program = environment.program(environment.compile(rule))
    except CELParseError as error:
        raise UsageError(f"the rule {rule!r} cannot be read: {error}") from None

    def holds(value: Any, old: Any) -> bool:
        names = {"self": json_to_cel(value), **({"oldSelf": json_to_cel(old)} if is_transition(rule) else {})}
        try:
            return bool(program.evaluate(names))
        except CELEvalError:
            # A rule whose evaluation fails does not hold. A real API server does the same.
            return False

    return holds
