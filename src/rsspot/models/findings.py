"""Turns pydantic's validation errors into our own messages, so that all of rsspot words them the same way."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

STEPS = ("function-", "constrained-")
"""Prefixes of the parts of an error location that are pydantic's internal steps, not fields."""
CLAUSES = {
    "missing": "is missing",
    "extra_forbidden": "is not a known field",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "dict_type": "must be a mapping",
    "list_type": "must be a list",
    "string_type": "must be a string",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
}
"""Pydantic's error type -> our message, where its own message uses Python terms."""


@dataclass(frozen=True)
class Finding:
    """One validation error. path: keys and indexes inside the value · type: pydantic's error type.

    clause: what is wrong, to follow the name of the field, such as `must be a number such as 0.03`
    """

    path: tuple[str | int, ...]
    type: str
    clause: str

    @property
    def field(self) -> str:
        """The path joined with dots; empty for the whole value."""
        return ".".join(map(str, self.path))

    def __str__(self) -> str:
        return f"{self.field}: {self.clause}" if self.path else self.clause


def findings(error: ValidationError) -> list[Finding]:
    """All validation errors, in pydantic's order. They contain no values, which may be secrets."""
    return [
        Finding(
            path=tuple(part for part in each["loc"] if not str(part).startswith(STEPS)),
            type=each["type"],
            clause=CLAUSES.get(each["type"]) or _clause(each["msg"]),
        )
        for each in error.errors(include_url=False, include_input=False)
    ]


def _clause(message: str) -> str:
    """Pydantic's message as a clause: `Input should be greater than 0` -> `must be greater than 0`."""
    for prefix in ("Value error, ", "Assertion failed, "):
        message = message.removeprefix(prefix)
    if message.startswith("Input should "):
        return "must " + message.removeprefix("Input should ")
    return message[:1].lower() + message[1:] if message[:1].isupper() and not message[:2].isupper() else message
