"""What help calls the values of options and arguments: `--limit N`, `--org-id ID`, `FOLDER`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

BY_TYPE = {int: "N", float: "N", Path: "FILE"}


def value_name(parameter: Any) -> str:
    """What a value is called: as its declaration says, or by its type, or by the last word of the option."""
    if parameter.metavar:
        return str(parameter.metavar)
    annotation = parameter.type_descriptor.annotation
    by_type = next((BY_TYPE[each] for each in (annotation, *get_args(annotation)) if each in BY_TYPE), None)
    # `--memory-per-vcpu` takes a memory.
    return by_type or parameter.name.partition("_per_")[0].rpartition("_")[2].upper()


def argument_usage(argument: Any) -> str:
    """An argument as a usage line has it: in brackets if it may be left out, with dots if it may be repeated."""
    name = value_name(argument)
    name = name if argument.required else f"[{name}]"
    return f"{name}..." if argument.nargs != 1 else name
