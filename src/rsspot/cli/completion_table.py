"""Builds the table that shell completion reads, from the commands. `make reference` writes it to completion_words.py.

Completion must not wait for Python to import every command, so it knows them from that file. It is Python, since
importing the json library would take ten times as long as all the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rsspot.cli.command_tree import CommandNode, command_tree
from rsspot.cli.completing import COMMANDS, FILES, NAMES, SUBJECTS
from rsspot.cli.completion import SCRIPTS
from rsspot.cli.options import FORMATS, GLOBAL_OPTIONS, SHAPES
from rsspot.manifests.described_kinds import find
from rsspot.manifests.own_documents import DOCUMENTS
from rsspot.resources.description import FieldDescription
from rsspot.resources.kind import Kind
from rsspot.resources.registry import kinds
from rsspot.utils.text import squashed

ABOUT = "What shell completion knows of the commands. Written by `make reference`; see completion_table.py."
HELP = ("-h", "--help")
OTHER_NAMES = {"profiles": f"{NAMES}profiles", "organizations": f"{NAMES}organizations"}
"""Group -> what completes an argument NAME, for groups that are no kinds."""
DEFAULTS = {"profile": f"{NAMES}profiles", "org": f"{NAMES}organizations", "region": f"{NAMES}regions"}
"""A default that `config` sets -> what completes its value."""
OF_ARGUMENTS: dict[str, list[Any]] = {
    "explain": [SUBJECTS, FILES],
    "help": [COMMANDS],
    "man": [COMMANDS],
    "completion": [list(SCRIPTS)],
    "config set-default": [list(DEFAULTS), DEFAULTS],
    "config unset-default": [list(DEFAULTS)],
    **{f"config set-default-{name}": [value] for name, value in DEFAULTS.items()},
}
"""Command -> what completes its arguments, where they do not say so themselves."""
OF_GLOBALS = {
    "profile": f"{NAMES}profiles",
    "config_file": FILES,
    "organization": f"{NAMES}organizations",
    "region": f"{NAMES}regions",
    "output": [each.rstrip("…") for each in FORMATS],
    "shape": list(SHAPES),
}
"""Attribute of the global options -> what completes its value."""


def table() -> dict[str, Any]:
    """commands: path -> its node · aliases: word without hyphens -> command · kinds: plural -> name of the kind

    fields: name of a kind -> the paths of its fields, separated by spaces, which Python loads faster than a list
    A node has `commands` (name -> help), `options` (name -> value) and `arguments` (values; the last may repeat). A
    value is null for a flag, a list of words, FILES, NAMES and a plural, COMMANDS, SUBJECTS, a mapping of the argument
    before it to one of these, or "" if nothing is known about it.
    """
    known, shown = kinds().values(), [option for option in GLOBAL_OPTIONS if option.help]
    return {
        "globals": {name: OF_GLOBALS.get(option.attribute) for option in shown for name in option.names},
        "aliases": {word: kind.plural for kind in known for word in _words_of(kind)},
        "kinds": {kind.plural: kind.name for kind in known},
        "fields": {name: " ".join(_paths(find(name).field)) for name in _kind_names()},
        "commands": {" ".join(node.words): _entry(node) for node in command_tree().walk()},
    }


def _paths(field: FieldDescription, above: str = "") -> Iterator[str]:
    """The paths of all fields in a field."""
    for each in field.fields:
        yield f"{above}{each.name}"
        yield from _paths(each, f"{above}{each.name}.")


def _kind_names() -> list[str]:
    return sorted([*kinds(), *DOCUMENTS])


def _words_of(kind: Kind[Any]) -> tuple[str, ...]:
    """How a kind's group can be called, without hyphens."""
    return (squashed(kind.name), kind.plural, *kind.short_names)


def source() -> str:
    """The table as a module: a line for each command."""
    lines = [f'"""{ABOUT}"""', "", "TABLE: dict[str, dict[str, object]] = {"]
    for section, entries in table().items():
        lines += [f"    {section!r}: {{", *(f"        {key!r}: {value!r}," for key, value in entries.items()), "    },"]
    return "\n".join([*lines, "}", ""])


def _entry(node: CommandNode) -> dict[str, Any]:
    entry: dict[str, Any] = {"options": dict.fromkeys(HELP)}
    if node.children:
        entry["commands"] = {child.words[-1]: child.help for child in node.children}
    for option in node.options:
        value = None if option.is_flag else _value(option, node)
        entry["options"] |= dict.fromkeys((*option.opts, *option.secondary_opts), value)
    if node.arguments:
        values = OF_ARGUMENTS.get(" ".join(node.words))
        entry["arguments"] = values or [_value(each, node) for each in node.arguments]
        entry["repeats"] = node.arguments[-1].nargs == -1
    return entry


def _value(parameter: Any, node: CommandNode) -> str | list[str]:
    """What completes the value of an option or argument."""
    if parameter.type_descriptor.annotation in (Path, list[Path]):
        return FILES
    if str(parameter.metavar or "").startswith("KIND"):
        return _kind_names()
    return _names(parameter, node)


def _names(parameter: Any, node: CommandNode) -> str:
    """The names that a parameter takes: of the kind that it is called after, or of the kind of its group."""
    words = {squashed(word) for word in (parameter.name, *parameter.opts)}
    own = next((kind for kind in kinds().values() if kind.plural == node.group), None)
    if "name" in words and parameter.param_type_name == "argument" and node.words[-1] != "create":
        return f"{NAMES}{own.plural}" if own else OTHER_NAMES.get(node.words[0], "")
    if "within" in words and own and own.parent:
        return f"{NAMES}{_parent_plural(own)}"
    by_word = {word: kind.plural for kind in kinds().values() for word in (squashed(kind.name), kind.plural)}
    return next((f"{NAMES}{by_word[word]}" for word in words if word in by_word), "")


def _parent_plural(kind: Kind[Any]) -> str:
    assert kind.parent
    return kinds()[kind.parent.kind].plural
