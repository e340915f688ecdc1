"""Options that several commands share, declared once as a dataclass. Knows no option.

@dataclass(frozen=True)
class RunFlags:
wait: str = typer.Option("ready", "--wait")

@with_groups
def apply(paths: list[Path], flags: RunFlags) -> None: ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import wraps
from inspect import Parameter, signature
from typing import Any, get_type_hints


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """A command whose parameters that are dataclasses are read from one option for each of their fields."""
    hints = get_type_hints(command)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}

    @wraps(command)
    def run(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{each.name: values.pop(each.name) for each in fields(group)})
        command(**values)

    parameters = [single for each in signature(command).parameters.values() for single in _single(each, hints)]
    run.__signature__ = signature(command).replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    return run


def _single(parameter: Parameter, hints: dict[str, Any]) -> Iterator[Parameter]:
    """A parameter as it is, or one for each field of its dataclass."""
    hint = hints[parameter.name]
    if not is_dataclass(hint):
        yield parameter.replace(annotation=hint, kind=Parameter.KEYWORD_ONLY)
        return
    types = get_type_hints(hint)
    for each in fields(hint):
        yield Parameter(each.name, Parameter.KEYWORD_ONLY, default=each.default, annotation=types[each.name])
