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
from rsspot.utils.text import did_you_mean

_REFERENCE = re.compile(r"\$\{(?P<kind>[a-z]+):(?P<name>[^}:]+)(?::-(?P<default>[^}]*))?\}")
_LIKE_A_REFERENCE = re.compile(r"\$\{[\w.:/-]")
DEFAULT_HINT = "or give a default: ${…:-default}"
SHOWN = 40
"""Characters of what is no reference that a message shows."""
LARGEST_FILE = 64 * 1024


@dataclass(frozen=True)
class Variables:
    """What references may be replaced with. used: the names of variables that references have asked for"""

    values: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)


def escaped(text: str) -> str:
    """A text that `expand` reads as it is, whatever stands in it."""
    return text.replace("${", "$${")


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

    parts: list[Any] = []
    position = 0
    while (start := value.find("${", position)) >= 0:
        if value.startswith("$${", start - 1) and start > position:
            parts.append(value[position : start - 1] + "${")
            position = start + 2
            continue
        parts.append(value[position:start])
        end = value.find("}", start)
        reference = _REFERENCE.fullmatch(value, start, end + 1) if end >= 0 else None
        try:
            parts.append(_value_of(reference, value[start : start + SHOWN], source, variables))
        except LookupError as problem:
            problems.append(Problem(str(problem.args[0]), source.origin(path), problem.args[1], quotable=False))
            if end < 0:
                # Whatever begins after this does not end either.
                return value
        position = end + 1 if reference else start + 2
    parts.append(value[position:])
    filled = [part for part in parts if part != ""]
    # A variable keeps its type where it stands alone.
    return filled[0] if len(filled) == 1 else "".join(map(str, parts))


def _value_of(reference: re.Match[str] | None, text: str, source: Source, variables: Variables) -> Any:
    """What a reference stands for. Raises LookupError with a message and a hint."""
    if reference is None:
        if not _LIKE_A_REFERENCE.match(text):
            return "${"
        hint = "use ${var:name}, ${env:NAME} or ${file:path}, each with :-default; write $${ where ${ itself is meant"
        raise LookupError(f"{text[: text.find('}') + 1] or text!r} is not a reference", hint)
    return _value(reference, Path(source.file).parent, variables)


def _value(match: re.Match[str], beside: Path, variables: Variables) -> Any:
    kind, name, default = match["kind"], match["name"], match["default"]
    if kind == "var":
        variables.used.add(name)
    if kind == "var" and name in variables.values:
        return variables.values[name]
    if kind == "env" and name in CREDENTIALS:
        raise LookupError(f"{name} is the credential of this account and is never sent as a value", None)
    if kind == "env" and name in variables.environ:
        return variables.environ[name]
    if kind == "file" and (text := _read(beside / name)) is not None:
        return text
    if default is not None:
        return default
    nouns = {"var": "variable", "env": "environment variable", "file": "readable file"}
    if kind not in nouns:
        raise LookupError(f"${{{kind}:…}} is not a kind of reference; use var, env or file", DEFAULT_HINT)
    alike = did_you_mean(name, variables.values) if kind == "var" else None
    raise LookupError(f"no {nouns[kind]} {name!r}", alike or DEFAULT_HINT)


def _read(path: Path) -> str | None:
    try:
        text = read_text(path, most=LARGEST_FILE)
    except (OSError, ValueError):
        return None
    if is_credentials_file(text):
        raise LookupError(f"the file {path.name!r} holds credentials and is never sent as a value", None)
    return text.rstrip("\r\n")
