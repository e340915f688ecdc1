"""Options of rsspot 0.3 for fields that the API does not have: taken where they ask for nothing, else refused."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import Parameter
from typing import Any

import typer

from rsspot.cli.command_table import declared
from rsspot.errors import UsageError
from rsspot.resources.kind import Kind

SWITCH = "autoscaling"
"""The option that turns the others on. They are numbers."""


def scaling_options(kind: Kind[Any]) -> list[Parameter]:
    """The options, which help does not show."""
    return [_parameter(option) for option in declared("WITHOUT_EFFECT").get(kind.plural, ())]


def refuse_scaling(kind: Kind[Any], given: Mapping[str, Any]) -> None:
    """Raise UsageError if they ask for something."""
    if given.get(_key(SWITCH)):
        hint = "leave --autoscaling out; spotnodepools and autopilotnodepools are scaled"
        raise UsageError(f"the service does not scale {kind.plural}", hint=hint)


def _parameter(option: str) -> Parameter:
    names = (f"--{option}/--no-{option}",) if option == SWITCH else (f"--{option}",)
    default = typer.Option(None, *names, hidden=True)
    annotation = bool | None if option == SWITCH else int | None
    return Parameter(_key(option), Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _key(option: str) -> str:
    return f"no_effect_{option.replace('-', '_')}"
