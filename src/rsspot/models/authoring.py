"""Rules for what people write. What the service returns is read without them: it has accepted it already.

A live object must never be unreadable because it would not be allowed in a manifest. So each rule here is applied only
in a validation with the context AUTHORING: of manifests, and of what an SDK caller asks to be written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from rsspot.utils.text import did_you_mean

T = TypeVar("T")
AUTHORING: dict[str, Any] = {"authoring": True}
"""The context of a validation that applies these rules."""
MOST_INTEGER = 2**31 - 1

_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
INTEGER_TEXT = f"^{_INTEGER.pattern}$"
"""The texts that are taken for whole numbers."""
_WORDS = {"true": True, "false": False}


def is_authoring(info: ValidationInfo) -> bool:
    """Whether a validation is of something that a person wrote."""
    return bool(info.context and info.context.get("authoring"))


@dataclass(frozen=True, slots=True)
class AuthoringRule(AfterValidator):
    """A validator of what people write, with as much of its rule as JSON Schema can say: `{"minimum": 1}`."""

    keywords: Mapping[str, Any] = field(default_factory=dict, compare=False)


def rule(check: Callable[[Any], object], **keywords: Any) -> AuthoringRule:
    """A validator that calls `check`, which raises ValueError for a value that may not be written.

    keywords: of JSON Schema, for editors; they refuse nothing that `check` allows
    """

    def apply(value: T, info: ValidationInfo) -> T:
        if value is not None and is_authoring(info):
            check(value)
        return value

    return AuthoringRule(apply, keywords)


def between(least: int, most: int = MOST_INTEGER) -> AuthoringRule:
    """A validator of whole numbers with a range."""

    def check(value: int) -> None:
        if value < least:
            raise ValueError(f"must be greater than or equal to {least}")
        if value > most:
            raise ValueError(f"must be less than or equal to {most}")

    # The largest integer there is says nothing to anybody.
    return rule(check, minimum=least, **({"maximum": most} if most < MOST_INTEGER else {}))


def _whole_number(value: Any, info: ValidationInfo) -> Any:
    """Only what everybody reads as a whole number: pydantic also takes true, 1_0 and digits of other scripts."""
    if not is_authoring(info) or value is None:
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) <= MOST_INTEGER:
        return int(value)
    raise ValueError("must be a whole number")


def _truth(value: Any, info: ValidationInfo) -> Any:
    if not is_authoring(info) or value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value in _WORDS:
        return _WORDS[value]
    raise ValueError("must be true or false")


def among(words: tuple[str, ...]) -> Callable[[Any], None]:
    """A check that raises ValueError for a value that is none of a few words."""
    plain = tuple(map(str, words))

    def check(value: Any) -> None:
        if value not in plain:
            *others, last = map(repr, plain)
            alike = f"; {hint}" if (hint := did_you_mean(str(value), plain)) else ""
            raise ValueError((f"must be {', '.join(others)} or {last}" if others else f"must be {last}") + alike)

    return check


def one_of(*words: str) -> AuthoringRule:
    """A validator of texts with a few known values. The service may know more by now, so reading allows any."""
    return rule(among(words), enum=list(map(str, words)))


WholeNumber = Annotated[int, BeforeValidator(_whole_number)]
"""An integer. Written as a number, or as its decimal digits, as variables give it."""
Truth = Annotated[bool, BeforeValidator(_truth)]
"""true or false."""
