"""What pydantic finds wrong, as clauses of our own: one place, so that every room says the same thing the same way."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

STEPS = ("function-", "constrained-")
"""Parts of a location that are pydantic's own steps and no fields."""
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
"""Pydantic's name for what is wrong -> our clause, where its own speaks of Python."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong. path: keys and indexes inside the value · type: pydantic's name for it.

    clause: what must hold, such as `must be a number such as 0.03`
    """

    path: tuple[str | int, ...]
    type: str
    clause: str

    @property
    def field(self) -> str:
        """The path with dots; empty for the whole value."""
        return ".".join(map(str, self.path))

    def __str__(self) -> str:
        return f"{self.field}: {self.clause}" if self.path else self.clause


def findings(error: ValidationError) -> list[Finding]:
    """Everything that is wrong, in pydantic's order. Values are never quoted: they may be secrets."""
    return [
        Finding(
            path=tuple(part for part in each["loc"] if not str(part).startswith(STEPS)),
            type=each["type"],
            clause=CLAUSES.get(each["type"]) or _clause(each["msg"]),
        )
        for each in error.errors(include_url=False, include_input=False)
    ]


def _clause(message: str) -> str:
    """Pydantic's sentence as a clause after a field: `Input should be greater than 0` -> `must be greater than 0`."""
    for prefix in ("Value error, ", "Assertion failed, "):
        message = message.removeprefix(prefix)
    if message.startswith("Input should "):
        return "must " + message.removeprefix("Input should ")
    return message[:1].lower() + message[1:] if message[:1].isupper() and not message[:2].isupper() else message
