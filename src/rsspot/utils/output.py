"""The output formats: what a command shows as a table, JSON, YAML, CSV, names, or by a JSONPath template."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from rsspot.utils.serialization import without_surrogates
from rsspot.utils.tables import PLAIN, Look, as_table, cell
from rsspot.utils.text import did_you_mean, printable

T = TypeVar("T")
STEP = 500
"""How many items of a list are written at once: the first are printed while the others are still to be written."""
_IN_CSV = frozenset({str, int, float, type(None)})
"""The types of values that CSV has as they are."""
_NOT_PLAIN = re.compile(r"[^\n -~]")


class UnknownFormat(ValueError):
    """An output format that does not exist, or that does not fit what a command shows. hint: what to do instead."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


class Shown(Protocol):
    """What a command shows, in the forms that the formats need."""

    @property
    def empty(self) -> bool:
        """Whether it is a list without anything in it."""
        ...

    @property
    def parsed(self) -> bool:
        """Whether `document` comes from JSON, so that nothing in it is of a type that JSON does not have."""
        ...

    def document(self) -> Any:
        """It as JSON has it: a list, an object or a text."""
        ...

    def rows(self, *, wide: bool) -> Any:
        """It as a table has it: a list of mappings, or one. wide: with the columns that few look for."""
        ...

    def names(self) -> list[str]:
        """The names of its objects, as other commands take them."""
        ...

    @property
    def titles(self) -> Mapping[str, str]:
        """Key of a row -> heading, where the words of the key are not the heading."""
        ...

    @property
    def whole(self) -> Sequence[str]:
        """The keys of the columns that matter most, in order: they are shortened last, and left out last."""
        ...


@dataclass(frozen=True)
class Plain:
    """Values of plain types. address: how a row is named, `serverclass/{server_class}`.

    first: the keys of the columns that stand first · extra: those of the columns of wide tables only
    whole: those that matter most, in order · titles: key -> heading, see Shown for both
    """

    value: object
    address: str = "{name}"
    first: Sequence[str] = ()
    extra: Sequence[str] = ()
    whole: Sequence[str] = ()
    titles: Mapping[str, str] = field(default_factory=dict)
    parsed: bool = False

    @property
    def empty(self) -> bool:
        return self.value == []

    def document(self) -> Any:
        return self.value

    def rows(self, *, wide: bool) -> Any:
        if wide or not isinstance(self.value, list):
            return self.value
        return [self._ordered(row) if isinstance(row, Mapping) else row for row in self.value]

    def _ordered(self, row: Mapping[str, Any]) -> dict[str, Any]:
        keys = dict.fromkeys([*(key for key in self.first if key in row), *row])
        return {key: row[key] for key in keys if key not in self.extra}

    def names(self) -> list[str]:
        rows: list[Any] = self.value if isinstance(self.value, list) else [self.value]
        try:
            return [self.address.format_map(row) for row in rows]
        except (KeyError, TypeError):
            if isinstance(self.value, Mapping) and self.value:
                # What a command did is named by what it was done to: {"deleted": …}.
                return [str(next(iter(self.value.values())))]
            raise UnknownFormat("these have no names", hint="use another format than -o name") from None


def render(shown: Shown, output: str, look: Look = PLAIN) -> Iterator[str]:
    """Format what a command shows, in pieces. output: one that `check` accepts. Raises UnknownFormat."""
    name, _, argument = output.partition("=")
    yield from FORMATS[name](shown, look, argument)


def check(output: str, others: Sequence[str] = ()) -> None:
    """Raise UnknownFormat, with what is known, for an output format that is neither one of FORMATS nor of `others`."""
    name, equals, argument = output.partition("=")
    if name == JSONPATH:
        _template(argument)
    elif equals or name not in (*FORMATS, *others):
        known = dict.fromkeys([*(f"{each}=…" if each == JSONPATH else each for each in FORMATS), *others])
        hint = f"use one of: {', '.join(known)}"
        close = did_you_mean(name, known)
        raise UnknownFormat(f"unknown output format {output!r}", hint=f"{close} {hint}" if close else hint)


def as_json(value: object, *, parsed: bool = False) -> str:
    """Format a value as indented JSON. parsed: it comes from JSON"""
    if parsed:
        from pydantic_core import to_json

        # The encoder of Python is not written in C where it indents, and takes five times as long. It alone takes the
        # lone surrogates that stand for bytes of file names.
        with suppress(ValueError):
            return _document(to_json(value, indent=2).decode(), _json_escape)
    return _document(json.dumps(value, indent=2, ensure_ascii=False, default=str), _json_escape)


def as_json_line(value: object) -> str:
    """Format a value as JSON on one line."""
    return _document(json.dumps(value, ensure_ascii=False, default=str), _json_escape)


def as_yaml(value: object, *, parsed: bool = False) -> str:
    """Format a value as one YAML document. Keys keep their order. parsed: it comes from JSON"""
    from rsspot.utils.yaml_writer import written

    if not parsed:
        value = json.loads(without_surrogates(json.dumps(value, default=str, ensure_ascii=False)))
    return _document(written(value), _yaml_escape).rstrip()


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Format rows as CSV, with a line of their keys first.

    Texts are quoted and otherwise exact, even those that a spreadsheet takes for formulas: a script reads them too.
    """
    return "".join(_csv_pieces(rows))


def _csv_pieces(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    yield _csv_lines([keys])
    for some in _steps(rows):
        yield "\n" + _csv_lines([[_in_csv(row.get(key)) for key in keys] for row in some])


def _csv_lines(lines: Iterable[Sequence[Any]]) -> str:
    import csv
    import io

    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n").writerows(lines)
    whole = text.getvalue().removesuffix("\n")
    return whole if whole.replace("\n", "").isprintable() else "\n".join(map(printable, whole.split("\n")))


def _steps(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + STEP] for start in range(0, len(items), STEP))


def _in_csv(value: Any) -> Any:
    return value if type(value) in _IN_CSV else cell(value)


def _json(shown: Shown, _look: Look, _: str) -> Iterator[str]:
    document = shown.document()
    if not isinstance(document, list) or len(document) <= STEP:
        yield as_json(document, parsed=shown.parsed)
        return
    before = "["
    for some in _steps(document):
        yield before + as_json(some, parsed=shown.parsed)[len("[") : -len("\n]")]
        before = ","
    yield "\n]"


def _yaml(shown: Shown, _look: Look, _: str) -> Iterator[str]:
    document = shown.document()
    if not isinstance(document, list) or len(document) <= STEP:
        yield as_yaml(document, parsed=shown.parsed)
        return
    before = ""
    for some in _steps(document):
        yield before + as_yaml(some, parsed=shown.parsed)
        before = "\n"


def _table(shown: Shown, look: Look, _: str) -> Iterable[str]:
    return (as_table(shown.rows(wide=False), look, shown.titles, shown.whole),)


def _wide(shown: Shown, look: Look, _: str) -> Iterable[str]:
    """Every column in full: whoever asks for more wants no part of it left out."""
    return (as_table(shown.rows(wide=True), replace(look, width=None), shown.titles),)


def _csv(shown: Shown, _look: Look, _: str) -> Iterable[str]:
    rows = shown.rows(wide=True)
    rows = [rows] if isinstance(rows, Mapping) else rows
    return _csv_pieces(rows) if isinstance(rows, list) and rows else ()


def _names(shown: Shown, _look: Look, _: str) -> Iterable[str]:
    return ("\n".join(printable(name) for name in shown.names()),)


def _jsonpath(shown: Shown, _look: Look, template: str) -> Iterable[str]:
    from rsspot.utils.jsonpath_steps import JSONPathError

    document = shown.document()
    if isinstance(document, list):
        document = {"apiVersion": "v1", "kind": "List", "items": document}
    try:
        return (str(_template(template).render(document)),)
    except JSONPathError as error:
        raise UnknownFormat(f"the JSONPath {template!r} does not fit: {error}") from None


def _template(template: str) -> Any:
    from rsspot.utils.jsonpath import parse
    from rsspot.utils.jsonpath_steps import JSONPathError

    if not template:
        raise UnknownFormat("-o jsonpath needs a template", hint="such as -o jsonpath='{.items[*].metadata.name}'")
    try:
        return parse(template)
    except JSONPathError as error:
        raise UnknownFormat(f"invalid JSONPath {template!r}: {error}") from None


JSONPATH = "jsonpath"
FORMATS: dict[str, Callable[[Shown, Look, str], Iterable[str]]] = {
    "table": _table,
    "wide": _wide,
    "json": _json,
    "yaml": _yaml,
    "name": _names,
    "csv": _csv,
    JSONPATH: _jsonpath,
}
"""The output formats for lists and objects, given how tables look and what stands after `=`.

Plans and runs have their own: see `reports`.
"""
LINES = frozenset({"table", "wide", "name", "csv"})
"""The formats that have nothing to print for an empty list."""


def _document(text: str, escape: Callable[[int], str]) -> str:
    r"""JSON or YAML in which nothing is left that a terminal obeys, or that can be seen to be nothing.

    Characters beyond the basic plane are escaped as well. What is left can be escaped as `\uXXXX`, which JSON and YAML
    have in common, by a stream that cannot encode it.
    """
    if text.isascii() and "\x7f" not in text:
        return text

    def safe(found: re.Match[str]) -> str:
        character = found[0]
        return character if character.isprintable() and character <= "\uffff" else escape(ord(character))

    return _NOT_PLAIN.sub(safe, without_surrogates(text))


def _json_escape(code: int) -> str:
    return json.dumps(chr(code))[1:-1] if code > 0x7F else f"\\u{code:04x}"


def _yaml_escape(code: int) -> str:
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
