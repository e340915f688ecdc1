"""Every setting as a row: its name, key, variables, default and meaning. Made from the schema itself."""

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
    """One setting. key: how a config file spells it · variables: the first one that is set wins."""

    setting: str
    key: str
    variables: tuple[str, ...]
    default: str
    meaning: str


def rows() -> list[Row]:
    """Every setting of a profile, then those of the whole file."""
    found = [_row(name, info, _key(name)) for name, info in leaves(Profile)]
    found += [
        _row(name, info, f"{to_camel(name)} (of the file)")
        for name, info in ConfigFile.model_fields.items()
        if name in ("active_profile", "state_path")
    ]
    files = Row("config_file", "", CONFIG_PATHS, "the first of the usual places", "Which config file is read.")
    return [*found, files]


def markdown() -> str:
    """The rows as a table for the documentation."""
    lines = [f"| {' | '.join(HEAD)} |", f"|{'---|' * len(HEAD)}"]
    for row in rows():
        key = f"`{row.key}`" if row.key and "(" not in row.key else row.key
        variables = ", ".join(f"`{each}`" for each in row.variables)
        lines.append(f"| `{row.setting}` | {key} | {variables} | {row.default} | {row.meaning} |")
    return "\n".join(lines) + "\n"


def _row(name: str, info: FieldInfo, key: str) -> Row:
    variable = {"active_profile": "profile"}.get(name, name)
    default = info.get_default(call_default_factory=True)
    return Row(name, key, ALIASES.get(variable, ()), _said(default), (info.description or "").replace("|", "\\|"))


def _key(dotted: str) -> str:
    return ".".join(to_camel(part) for part in dotted.split("."))


def _said(default: Any) -> str:
    if default is None or default == {}:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ", ".join(str(each) for each in default)
    return f"{default:g}" if isinstance(default, float) else str(default)
