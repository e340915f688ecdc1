"""The commands of a kind by name. `reading` has those that only look, `writing` those that change an object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rsspot.cli.verbs import reading, writing
from rsspot.resources.kind import Kind


def verbs_of(kind: Kind[Any]) -> dict[str, Callable[..., None]]:
    """The commands of a kind by name; only those that the API supports for it."""
    commands = {"list": reading.list_command(kind), "get": reading.get_command(kind)}
    if kind.local:
        return commands
    if kind.manageable:
        commands |= {
            "create": writing.create_command(kind),
            "delete": writing.delete_command(kind),
            "wait": reading.wait_command(kind),
        }
    if "patch" in kind.verbs:
        commands |= {"update": writing.update_command(kind), "patch": writing.patch_command(kind)}
    return {**commands, "watch": reading.watch_command(kind)}
