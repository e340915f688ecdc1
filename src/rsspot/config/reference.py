"""The table of all settings in docs/configuration.md, generated from the schema. Writes no file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from rsspot.config.models import ConfigFile, Profile, leaves
from rsspot.settings import ALIASES, CONFIG_PATHS

HEAD = ("Setting", "In a profile", "Environment", "Default", "Meaning")


@dataclass(frozen=True)
class Row:
    """One setting. key: its spelling in a config file · variables: the first one that is set wins."""

    setting: str
    key: str
    variables: tuple[str, ...]
    default: str
    meaning: str


def rows() -> list[Row]:
    """The settings of a profile, then those of the whole file."""
    settings = [_row(name, info, _camel(name)) for name, info in leaves(Profile)]
    settings += [
        _row(name, info, f"{to_camel(name)} (top level)")
        for name, info in ConfigFile.model_fields.items()
        if name in ("active_profile", "state_path", "ledger")
    ]
    files = Row("config_file", "", CONFIG_PATHS, "the first default path that exists", "Path of the config file.")
    return [*settings, files]


def markdown() -> str:
    """The rows as a Markdown table."""
    lines = [f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}"]
    for row in rows():
        key = f"`{row.key}`" if row.key and "(" not in row.key else row.key
        variables = ", ".join(f"`{each}`" for each in row.variables)
        lines.append(f"| `{row.setting}` | {key} | {variables} | {row.default} | {row.meaning} |")
    return "\n".join(lines) + "\n"


def _row(name: str, info: FieldInfo, key: str) -> Row:
    variable = {"active_profile": "profile"}.get(name, name)
    default = info.get_default(call_default_factory=True)
    return Row(name, key, ALIASES.get(variable, ()), _shown(default), (info.description or "").replace("|", "\\|"))


def _camel(dotted: str) -> str:
    return ".".join(to_camel(part) for part in dotted.split("."))


def _shown(default: Any) -> str:
    if default is None or default == {}:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ", ".join(str(each) for each in default)
    return f"{default:g}" if isinstance(default, float) else str(default)
