"""The commands by name, with their help and the other ways to write them. Imports no command."""

from __future__ import annotations

import importlib
from functools import cache
from typing import Any

from rsspot import services
from rsspot.utils.text import squashed

OWN = {
    "init": ("rsspot.cli.init", "Write a first folder of manifests: a cloudspace and a pool of servers."),
    "plan": ("rsspot.cli.reconcile", "Show what apply would change."),
    "apply": ("rsspot.cli.reconcile", "Make live objects match the manifests."),
    "destroy": ("rsspot.cli.reconcile", "Delete everything a stack owns."),
    "drift": ("rsspot.cli.drift", "Show what somebody else changed since the last apply."),
    "show": ("rsspot.cli.show", "Print a saved plan in any format, without contacting the service."),
    "comment": ("rsspot.cli.comment", "Post a plan as a comment on a pull or merge request."),
    "reviewed": ("rsspot.cli.comment", "Download the plan that was shown on the review of a commit."),
    "graph": ("rsspot.cli.graph", "Draw which objects depend on which."),
    "wait": ("rsspot.cli.wait", "Wait until everything that manifests declare is ready."),
    "watch": ("rsspot.cli.watch", "Plan a stack again and again, and apply what differs if asked to."),
    "fleet": ("rsspot.cli.fleet", "Plan, apply and see many stacks side by side."),
    "adopt": ("rsspot.cli.handover", "Make live objects that belong to no stack objects of a stack."),
    "detach": ("rsspot.cli.handover", "Take live objects out of their stack, and leave them as they are."),
    "move": ("rsspot.cli.handover", "Give live objects of one stack to another."),
    "validate": ("rsspot.cli.validate", "Check manifests without contacting the service."),
    "policy": ("rsspot.cli.policy", "Test the policies that plans have to hold to."),
    "fmt": ("rsspot.cli.fmt", "Put manifests into the usual layout."),
    "render": ("rsspot.cli.render", "Print the manifests as they are understood, with the origin of each default."),
    "export": ("rsspot.cli.export", "Write manifests of live objects, for the stacks that they belong to."),
    "import": ("rsspot.cli.export", "Write manifests of live objects, so that they become part of a stack."),
    "bid": ("rsspot.cli.bid", "Find the lowest bid for a risk."),
    "explain": ("rsspot.cli.explain", "Show what a kind is, or why the plan does what it does with an object."),
    "schema": ("rsspot.cli.schema", "Print the JSON Schema of manifests, for editors."),
    "login": ("rsspot.cli.account", "Log in with a browser and store the refresh token."),
    "logout": ("rsspot.cli.account", "Remove the tokens of a profile."),
    "whoami": ("rsspot.cli.account", "Show the current user and when the token expires."),
    "configure": ("rsspot.cli.configure", "Write a profile to the config file."),
    "profiles": ("rsspot.cli.profiles", "List, show, select and delete profiles."),
    "doctor": ("rsspot.cli.doctor", "Check the config file, the token, the network and the ledger."),
    "config": ("rsspot.cli.config", "Show settings and their sources, and set defaults."),
    "history": ("rsspot.cli.history", "List past commands, with secrets removed."),
    "raw": ("rsspot.cli.raw", "Send one request to any path of the API."),
    "state": ("rsspot.cli.state", "Export, import and clean up state.db."),
    "ledger": ("rsspot.cli.ledger", "Show past runs, step by step; check, shorten and move the ledger."),
    "lock": ("rsspot.cli.lock", "See and change who may apply a stack."),
    "registrations": (
        "rsspot.cli.registrations",
        "Show how far each machine is registered, and retry, skip or retire machines.",
    ),
    "simulator": ("rsspot.cli.simulator", "Run and control a local simulator of the Spot API."),
    "completion": ("rsspot.cli.completion", "Print the completion script of a shell."),
    "man": ("rsspot.cli.man", "Print the manual page of a command."),
    "version": ("rsspot.cli.about", "Show the version."),
    "help": ("rsspot.cli.about", "Show the help of a command."),
}
"""Commands of the CLI itself: name -> (module, help)."""


@cache
def declared(attribute: str) -> dict[str, Any]:
    """What the packages of the services declare under this name, merged. Imports only the packages, not their modules.

    GROUPS: command group -> help · FAMILIES: group of groups -> (help, {name: group}) · BORROWED: command -> the
    command of another group that it is · SAMPLES: group -> name and options of an object, for examples ·
    EXAMPLES: command -> its examples · WITHOUT_EFFECT: group -> options of rsspot 0.3 for fields that the API drops
    """
    merged: dict[str, Any] = {}
    for folder in services.folders():
        merged |= getattr(importlib.import_module(f"{services.__name__}.{folder}"), attribute, {})
    return merged


@cache
def groups() -> dict[str, tuple[str, str]]:
    """Command groups of the services: name -> (folder, help)."""
    groups_by_name: dict[str, tuple[str, str]] = {}
    for folder in services.folders():
        package = importlib.import_module(f"{services.__name__}.{folder}")
        groups_by_name |= {name: (folder, help) for name, help in getattr(package, "GROUPS", {}).items()}
    return groups_by_name


def help_of(name: str) -> str | None:
    """The help of a command, in one line; None if there is no command of this name."""
    if name in OWN:
        return OWN[name][1]
    if name in groups():
        return groups()[name][1]
    family = declared("FAMILIES").get(name)
    return family[0] if family else None


def names() -> list[str]:
    """The names of all commands, in the order that help lists them."""
    return [*OWN, *sorted([*groups(), *declared("FAMILIES")])]


def spelled(word: str) -> str:
    """The name of a command, from any way to write it: `server-classes`, `CloudSpace` or a short name such as `cs`."""
    if help_of(word) is not None:
        return word
    from rsspot.resources.registry import kinds

    plain = squashed(word)
    for kind in kinds().values():
        if plain in (kind.plural, kind.name.lower()) or word in kind.short_names:
            return kind.plural
    return word


def group_at(words: list[str]) -> str | None:
    """The command group that these words name: `nodepools spot` is spotnodepools. None if they name no group."""
    if len(words) == 1:
        name = spelled(words[0])
        return name if name in groups() else None
    family = declared("FAMILIES").get(words[0])
    inside: dict[str, str] = family[1] if family and len(words) == 2 else {}
    return inside.get(words[1])
