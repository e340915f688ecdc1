"""Reads an object that an argument holds or names: JSON or YAML inline, `@FILE`, or `-` for standard input."""

from __future__ import annotations

from typing import Any

from rsspot.errors import UsageError
from rsspot.settings import expanded
from rsspot.utils.reading import parse_json
from rsspot.utils.serialization import Document
from rsspot.utils.text import printable

INLINE = "the argument"
STANDARD_INPUT = "-"
PUBLIC_ARGUMENTS = "other users of this machine can see arguments"
"""What is said of a secret in an argument."""


def read_json_argument(text: str) -> Document:
    """The object that an argument stands for. What is read is bounded, and no message quotes it: it may be a secret.

    Raises UsageError for what cannot be read or is not exactly one object.
    """
    where, content = _content(text)
    value = _value(where, content)
    if not isinstance(value, dict):
        hint = "write an object such as '{\"desired\": 3}', @FILE for a file, or - for standard input"
        raise UsageError(f"{where} is not an object", hint=hint)
    return value


def text_of(given: str, what: str) -> str:
    """The text that `-` (standard input) or `@FILE` stands for. Raises UsageError."""
    try:
        return _content(given)[1]
    except UsageError as error:
        raise UsageError(f"{what}: {error.message}", hint=error.hint) from None


def _content(text: str) -> tuple[str, str]:
    """Where the content of an argument stands, for messages, and the content."""
    from rsspot.manifests.files import ManifestFile
    from rsspot.manifests.files import text_of as text_of_file

    if text != STANDARD_INPUT and not text.startswith("@"):
        return INLINE, text
    path = expanded(text.removeprefix("@"))
    where = "standard input" if text == STANDARD_INPUT else printable(str(path))
    try:
        return where, text_of_file(ManifestFile(path, named=True))
    except ValueError as error:
        raise UsageError(f"{where}: {error}") from None


def _value(where: str, content: str) -> Any:
    """JSON, or YAML that has one document. JSON may be indented with tabs, which YAML does not take."""
    mistake = None
    if content.lstrip()[:1] == "{":
        try:
            return parse_json(content)
        except ValueError as error:
            # It may still be a mapping in YAML's own braces.
            mistake = f"{where}: invalid JSON: {error}"
    from rsspot.manifests.source import parse_text

    sources, problems = parse_text(content, where)
    if problems:
        raise UsageError(mistake or str(problems[0]))
    if len(sources) > 1:
        raise UsageError(f"{where} has {len(sources)} documents instead of one")
    return sources[0].value if sources else None
