"""`${var:name}`, `${env:NAME}` and `${file:path}`, each with `:-default`.

Runs no code, and nothing is expanded twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rsspot.errors import Problem
from rsspot.manifests.leaks import CREDENTIALS, is_credentials_file
from rsspot.manifests.source import Place, Source
from rsspot.utils.reading import read_text

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<kind>[a-z]+):(?P<name>[^}:]+)(?::-(?P<default>[^}]*))?\}")
LARGEST_FILE = 64 * 1024


@dataclass(frozen=True)
class Variables:
    """What references may be replaced with."""

    values: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)


def expand(source: Source, variables: Variables) -> list[Problem]:
    """Replace the references in every value of a document, in place."""
    problems: list[Problem] = []
    source.value = _expand(source.value, (), source, variables, problems)
    return problems


def _expand(value: Any, path: Place, source: Source, variables: Variables, problems: list[Problem]) -> Any:
    if isinstance(value, dict):
        return {key: _expand(inner, (*path, key), source, variables, problems) for key, inner in value.items()}
    if isinstance(value, list):
        return [_expand(inner, (*path, i), source, variables, problems) for i, inner in enumerate(value)]
    if not isinstance(value, str) or "${" not in value:
        return value

    def look_up(match: re.Match[str]) -> str:
        if match["kind"] is None:
            return "${"
        try:
            return str(_value(match, Path(source.file).parent, variables))
        except LookupError as missing:
            hint = "or give a default: ${…:-default}"
            problems.append(Problem(str(missing.args[0]), source.origin(path), hint, quotable=False))
            return match[0]

    whole = _REFERENCE.fullmatch(value)
    if whole and whole["kind"] == "var" and whole["name"] in variables.values:
        return variables.values[whole["name"]]
    return _REFERENCE.sub(look_up, value)


def _value(match: re.Match[str], beside: Path, variables: Variables) -> Any:
    kind, name, default = match["kind"], match["name"], match["default"]
    if kind == "var" and name in variables.values:
        return variables.values[name]
    if kind == "env" and name in CREDENTIALS:
        raise LookupError(f"{name} is the credential of this account and is never sent as a value")
    if kind == "env" and name in variables.environ:
        return variables.environ[name]
    if kind == "file" and (text := _read(beside / name)) is not None:
        return text
    if default is not None:
        return default
    nouns = {"var": "variable", "env": "environment variable", "file": "readable file"}
    if kind not in nouns:
        raise LookupError(f"${{{kind}:…}} is not a kind of reference; use var, env or file")
    raise LookupError(f"no {nouns[kind]} {name!r}")


def _read(path: Path) -> str | None:
    try:
        text = read_text(path, most=LARGEST_FILE)
    except (OSError, ValueError):
        return None
    if is_credentials_file(text):
        raise LookupError(f"the file {path.name!r} holds credentials and is never sent as a value")
    return text.rstrip("\r\n")
