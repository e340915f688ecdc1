"""The options that set the fields of a spec, made from the fields of the kind: `--bid-price 0.03`, `--label a=b`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from inspect import Parameter
from typing import Any, get_origin

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from rsspot.cli.inputs import PUBLIC_ARGUMENTS, text_of
from rsspot.cli_history import shown
from rsspot.errors import UsageError
from rsspot.models.fields import IMMUTABLE, SECRET, SERVER_OWNED, TRIMMED, CommandLine, marks
from rsspot.models.resource import plain_types
from rsspot.resources.field import INHERITED
from rsspot.resources.kind import Kind
from rsspot.utils.serialization import Document
from rsspot.utils.text import did_you_mean, squashed


@dataclass(frozen=True)
class SpecOption:
    """One option. path: of the field, on the wire · form: how its texts become a value"""

    path: tuple[str, ...]
    option: str
    form: str
    facts: tuple[Any, ...] = ()

    @property
    def key(self) -> str:
        """The name of the option's value in Python."""
        return "field_" + self.option.replace("-", "_")

    @property
    def command_line(self) -> CommandLine | None:
        return next((fact for fact in self.facts if isinstance(fact, CommandLine)), None)

    @property
    def holds_text(self) -> bool:
        """Whether its value may be long or secret, and so come from a file or standard input."""
        return SECRET in self.facts or TRIMMED in self.facts

    def parameter(self, *others: str) -> Parameter:
        """The option as Typer takes it. others: further names"""
        names = (f"--{self.option}/--no-{self.option}",) if self.form == FLAG else (f"--{self.option}", *others)
        option = typer.Option([] if self.form in REPEATED else None, *names, metavar=_METAVARS.get(self.form))
        if not self.holds_text and self.form not in REPEATED:
            option = shown(option)
        return Parameter(self.key, Parameter.KEYWORD_ONLY, default=option, annotation=_TYPES[self.form])

    def from_arguments(self, given: Any) -> Any:
        """The value of the field from those of the option. Raises UsageError."""
        if FROM_FILE in self.facts:
            return self.from_text(text_of(f"@{given}", f"--{self.option}"))
        return self.from_text(self._text(given) if self.holds_text else given)

    def from_text(self, given: Any) -> Any:
        """The value of the field from a text as it is, or several of them. Raises UsageError."""
        if self.form == MAP:
            return dict(pair(text, f"--{self.option}") for text in given)
        read = self.command_line.read if self.command_line else None
        if self.form == LIST:
            return [self._read(read, text) for text in given] if read else list(given)
        return self._read(read, given) if read and isinstance(given, str) else given

    def _read(self, read: Callable[[str], Any], text: str) -> Any:
        try:
            return read(text)
        except ValueError as error:
            raise UsageError(f"--{self.option} {error}") from None

    def _text(self, given: str) -> str:
        if given.startswith("@") or given == "-":
            return text_of(given, f"--{self.option}")
        if SECRET in self.facts and given:
            print(f"note: {PUBLIC_ARGUMENTS}; --{self.option} also takes - or @FILE", file=sys.stderr)
        return given


TEXT, NUMBER, FLAG, LIST, MAP = "text", "number", "flag", "list", "map"
REPEATED = (LIST, MAP)
_TYPES: dict[str, Any] = {TEXT: str | None, NUMBER: str | None, FLAG: bool | None, LIST: list[str], MAP: list[str]}
_METAVARS = {NUMBER: "N", MAP: "NAME=VALUE"}


@cache
def spec_options(kind: Kind[Any]) -> tuple[SpecOption, ...]:
    """The options of a kind, one for each field that an author may set."""
    return tuple(_options(kind.spec_model, (), (), ()))


def _options(
    model: type[BaseModel], path: tuple[str, ...], words: tuple[str, ...], above: tuple[Any, ...]
) -> Iterator[SpecOption]:
    for name, info in model.model_fields.items():
        facts = (*marks(info.annotation, info.metadata), *above)
        if SERVER_OWNED in facts:
            continue
        here = (*path, info.alias or name)
        # `vm_ssh_key_ref.name` is --vm-ssh-key-name, and `autoscaling.enabled` is --autoscaling.
        spoken = (*words, *(() if name == "enabled" and words else (name.removesuffix("_ref").replace("_", "-"),)))
        inner = next(filter(_is_model, plain_types(info.annotation)), None)
        if inner:
            yield from _options(inner, here, spoken, tuple(fact for fact in facts if fact in INHERITED))
        else:
            command_line = next((fact for fact in facts if isinstance(fact, CommandLine)), None)
            option = command_line.option if command_line else "-".join(spoken)
            yield SpecOption(here, option, _form(info), facts)
            if command_line and command_line.file_option:
                yield SpecOption(here, command_line.file_option, TEXT, (*facts, FROM_FILE))


FROM_FILE = object()
"""Marks an option whose value is the name of a file."""


def _is_model(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, BaseModel)


def _form(info: FieldInfo) -> str:
    types = plain_types(info.annotation)
    if bool in types:
        return FLAG
    if int in types:
        return NUMBER
    containers = [get_origin(each) for each in types]
    return MAP if dict in containers else LIST if list in containers else TEXT


def descriptions(kind: Kind[Any]) -> dict[str, str]:
    """What the options mean, by their keys: the descriptions of the fields, which are read from the source."""
    from rsspot.resources.description import described

    fields = {each.name: each for each in described(kind.spec_model)}
    texts: dict[str, str] = {}
    for option in spec_options(kind):
        field = fields[option.path[0]].at(option.path[1:])
        texts[option.key] = _about(option, field.description if field else "")
    return texts


def _about(option: SpecOption, description: str) -> str:
    if FROM_FILE in option.facts:
        return f"A file with the text of --{option.command_line.option if option.command_line else option.option}."
    text = description or f"Sets {'.'.join(option.path)}."
    if IMMUTABLE in option.facts:
        text += " Cannot be changed later."
    if option.holds_text:
        text += " - reads standard input, @FILE a file."
    return text + (" May be repeated." if option.form in REPEATED else "")


def spec_from(kind: Kind[Any], given: Mapping[str, Any]) -> Document:
    """The fields that these options set. given: the options of a command by their keys; None is not given."""
    spec: Document = {}
    for option in spec_options(kind):
        value = given.get(option.key)
        if value in (None, []):
            continue
        _put(spec, option.path, option.from_arguments(value))
    return spec


def with_defaults(kind: Kind[Any], spec: Document) -> Document:
    """A spec with the defaults of the command line in fields that it does not have."""
    whole = dict(spec)
    for option in spec_options(kind):
        default = option.command_line.default if option.command_line else None
        if default is not None and len(option.path) == 1:
            whole.setdefault(option.path[0], default)
    return whole


def spec_from_words(kind: Kind[Any], words: Mapping[str, Any], *, arguments: bool) -> tuple[str | None, Document]:
    """The name and the spec of an object from loosely written fields: `serverclass=gp.vs1.large-dfw, desired=2`.

    arguments: whether they are of the command line, where `@FILE` stands for the content of a file
    """
    by_field = {squashed(each.path[-1]): each for each in spec_options(kind) if len(each.path) == 1}
    options = by_field | {squashed(each.option): each for each in spec_options(kind)}
    wire = {squashed(option.path[0]): option.path[0] for option in spec_options(kind)}
    name, spec = None, Document()
    for word, value in words.items():
        plain = squashed(word)
        if plain == "name":
            name = str(value)
        elif isinstance(value, Mapping | list) and plain in wire:
            spec[wire[plain]] = value
        elif plain not in options:
            known = ["name", *(option.option for option in spec_options(kind))]
            raise UsageError(f"{kind.name} has no field {word!r}", hint=did_you_mean(word, known))
        else:
            option = options[plain]
            given = [value] if option.form in REPEATED else value
            if isinstance(value, str):
                given = option.from_arguments(given) if arguments else option.from_text(given)
            _put(spec, option.path, given)
    return name, spec


def pair(text: str, option: str) -> tuple[str, str]:
    """The two sides of NAME=VALUE. Raises UsageError, which does not quote the text: it may be a secret."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(
            f"{option} takes NAME=VALUE", hint="one of its values has no equals sign, or nothing before it"
        )
    return name.strip(), value.strip()


def _put(spec: Document, path: tuple[str, ...], value: Any) -> None:
    for step in path[:-1]:
        spec = spec.setdefault(step, {})
    spec[path[-1]] = value
