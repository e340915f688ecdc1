"""`${var:name}`, `${env:NAME}`, `${file:path}` and `${matrix:name}`, each with `:-default`.

Runs no code, and nothing is expanded twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from rsspot.errors import Problem
from rsspot.manifests.own_files import is_credential, may_be_credential
from rsspot.manifests.places import Place
from rsspot.manifests.referenced_files import Files, Refused, Withheld
from rsspot.manifests.source import Source
from rsspot.models.fields import ANY_FILE, SECRET
from rsspot.resources.registry import kinds
from rsspot.utils.reading import reason
from rsspot.utils.serialization import has_text
from rsspot.utils.text import did_you_mean

_REFERENCE = re.compile(r"\$\{(?P<kind>[a-z]+):(?P<name>[^}:]+)(?::-(?P<default>[^}]*))?\}")
_LIKE_A_REFERENCE = re.compile(r"\$\{[\w.:/-]")
DEFAULT_HINT = "or give a default: ${…:-default}"
HOW = (
    "use ${var:name}, ${env:NAME}, ${file:path} or ${matrix:name}, each with :-default;"
    " write $${ where ${ itself is meant"
)
SHOWN = 40
"""Characters of what is no reference that a message shows."""
MOST_FILLED = 16 * 1024 * 1024
"""Characters that texts may have together once their references are filled in."""
TOLD = "told"
"""The rule of a problem that follows from another one and needs no words of its own."""
Trusted = Callable[[Place], bool]
"""Whether a field may hold what must not be shown: one that is secret, or that takes any file."""


@dataclass
class Filled:
    """How many characters texts have got by references."""

    characters: int = 0


@dataclass(frozen=True)
class Variables:
    """What references may be replaced with. used: the names of variables that references have asked for

    withheld: variables whose values may stand only in secret fields, each with the reason
    wrong: variables without a value because of a problem that is told where they are declared or given
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    withheld: Mapping[str, Withheld] = field(default_factory=dict)
    wrong: Set[str] = frozenset()
    files: Files = field(default_factory=Files)
    filled: Filled = field(default_factory=Filled)


def escaped(value: Any, references: Mapping[Place, str] | None = None, path: Place = ()) -> Any:
    """A value whose texts `expand` reads as they are. references: path in it -> what stands there to be expanded"""
    if references and path in references:
        return references[path]
    if isinstance(value, dict):
        return {key: escaped(inner, references, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [escaped(inner, references, (*path, index)) for index, inner in enumerate(value)]
    return value.replace("${", "$${") if isinstance(value, str) else value


def expand(source: Source, variables: Variables) -> list[Problem]:
    """Replace the references in every value of a document, in place."""
    if not has_text(source.value, _refers):
        return []
    source.value, problems, _ = expanded(source, (), variables)
    return problems


def _refers(text: str) -> bool:
    return "${" in text


def expanded(
    source: Source, path: Place, variables: Variables, trusted: Trusted | None = None
) -> tuple[Any, list[Problem], list[Withheld]]:
    """The value at a path of a document without its references, the problems, and why it may not be shown."""
    value = source.value
    for part in path:
        value = value[part]
    expansion = _Expansion(source, variables, trusted or _trusted(source))
    return expansion.of(value, path), expansion.problems, expansion.withheld


def _trusted(source: Source) -> Trusted:
    """By the facts about the fields of the kind that a document is of."""
    name = source.value.get("kind") if isinstance(source.value, dict) else None
    kind = kinds().get(name) if isinstance(name, str) else None
    paths = {("spec", *path) for fact in (SECRET, ANY_FILE) for path in (kind.marked(fact) if kind else ())}
    longest = max(map(len, paths), default=0)

    def trusted(place: Place) -> bool:
        names = tuple(part for part in place if isinstance(part, str))
        return any(names[:length] in paths for length in range(1, longest + 1))

    return trusted


class _Expansion:
    """Fills in the references of one document."""

    def __init__(self, source: Source, variables: Variables, trusted: Trusted) -> None:
        self._source, self._variables, self._trusted = source, variables, trusted
        self.problems: list[Problem] = []
        self.withheld: list[Withheld] = []

    def of(self, value: Any, path: Place) -> Any:
        if isinstance(value, dict):
            return {key: self.of(inner, (*path, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.of(inner, (*path, index)) for index, inner in enumerate(value)]
        if not isinstance(value, str) or not _refers(value):
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
                parts.append(self._value_of(reference, value[start : start + SHOWN], path))
            except Refused as refused:
                self._refuse(refused, path)
                if end < 0:
                    # Whatever begins after this does not end either.
                    return value
            position = end + 1 if reference else start + 2
        parts.append(value[position:])
        return self._joined(parts, path)

    def _refuse(self, refused: Refused, path: Place) -> None:
        origin = self._source.origin(path)
        self.problems.append(Problem(refused.message, origin, refused.hint, refused.rule, quotable=False))

    def _joined(self, parts: list[Any], path: Place) -> Any:
        filled = [part for part in parts if part != ""]
        if len(filled) == 1:
            # A variable keeps its type where it stands alone.
            return filled[0]
        if any(isinstance(part, (list, dict)) for part in filled):
            self._refuse(Refused("a list cannot stand inside a text", "let the reference be the whole value"), path)
            return ""
        texts = [as_text(part) for part in filled]
        self._variables.filled.characters += sum(map(len, texts))
        if self._variables.filled.characters > MOST_FILLED:
            self._refuse(Refused(f"more than {MOST_FILLED} characters in texts with references", None), path)
            return ""
        return "".join(texts)

    def _value_of(self, reference: re.Match[str] | None, text: str, path: Place) -> Any:
        """What a reference stands for. Raises Refused."""
        if reference is None:
            if not _LIKE_A_REFERENCE.match(text):
                return "${"
            raise Refused(f"{text[: text.find('}') + 1] or text!r} is not a reference", HOW)
        kind, name, default = reference["kind"], reference["name"], reference["default"]
        if kind not in _SOURCES:
            message = f"${{{kind}:…}} is not a kind of reference; use var, env, file or matrix"
            raise Refused(message, DEFAULT_HINT)
        try:
            return _SOURCES[kind](self, name, path)
        except LookupError as missing:
            if default is not None:
                return default
            message, hint = missing.args
            raise Refused(message, hint or DEFAULT_HINT) from None

    def _variable(self, name: str, path: Place) -> Any:
        variables = self._variables
        variables.used.add(name)
        if name in variables.wrong:
            raise Refused(f"no variable {name!r}", None, rule=TOLD)
        if name not in variables.values:
            raise LookupError(f"no variable {name!r}", did_you_mean(name, variables.values))
        if name in variables.withheld:
            self._check(variables.withheld[name], path)
        return variables.values[name]

    def _environment(self, name: str, path: Place) -> Any:
        if is_credential(name):
            raise Refused(f"{name} is the credential of this account and is never sent as a value", None)
        if may_be_credential(name):
            self._check(Withheld(f"{name} is named like a credential, and the field is not secret", None), path)
        if name not in self._variables.environ:
            raise LookupError(f"no environment variable {name!r}", None)
        return self._variables.environ[name]

    def _file(self, name: str, path: Place) -> Any:
        text, why = self._variables.files.text(name, self._source.origin(path).file)
        if why is not None:
            self._check(why, path)
        if isinstance(text, (OSError, ValueError)):
            raise LookupError(f"no readable file {name!r}: {reason(text)}", None)
        return text

    def _matrix(self, name: str, path: Place) -> Any:
        values = self._source.matrix
        if name not in values:
            hint = did_you_mean(name, values) if values else "the document has no matrix"
            raise LookupError(f"no matrix value {name!r}", hint)
        return values[name]

    def _check(self, why: Withheld, path: Place) -> None:
        """Refuse a value that may not be shown in a field that is. Raises Refused."""
        if not self._trusted(path):
            raise Refused(why.message, why.hint)
        self.withheld.append(why)


_SOURCES: dict[str, Callable[[_Expansion, str, Place], Any]] = {
    "var": _Expansion._variable,
    "env": _Expansion._environment,
    "file": _Expansion._file,
    "matrix": _Expansion._matrix,
}


def as_text(value: Any) -> str:
    """A value as it stands inside a text: truth values as YAML writes them."""
    return str(value).lower() if isinstance(value, bool) else str(value)
