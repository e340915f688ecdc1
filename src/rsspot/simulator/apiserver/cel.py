"""The validation rules of definitions (CEL): the forms that the shipped ones use here, any other by the `cel` extra.

A rule that nothing here understands is an error when its definition is read, never silently true.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from rsspot.errors import UsageError

Rule = Callable[[Any, Any], bool]
"""Whether a value holds, given what it replaces (None where there was nothing)."""


def is_transition(rule: str) -> bool:
    """Whether a rule is about a change, and so says nothing of what is new."""
    return re.search(r"\boldSelf\b", rule) is not None


@lru_cache(maxsize=512)
def compiled(rule: str) -> Rule:
    """A rule as a function. Raises UsageError where it is not understood."""
    if rule == "self == oldSelf":
        return lambda value, old: bool(value == old)
    if matched := re.fullmatch(r"self\.matches\('([^']*)'\)", rule):
        # CEL's $ is the very end, and its \d knows ten digits.
        pattern = re.compile(re.sub(r"\$$", r"\\Z", matched[1].replace("\\\\", "\\")), re.ASCII)
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
            # A rule that ends in an error does not hold; an API server says so as well.
            return False

    return holds
