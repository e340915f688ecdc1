"""Live objects to manifests: what an author could have written of one, and comments on the rest. Sends nothing.

What comes out is validated as if it had been read from a file. A value that a manifest may not hold, such as a label
that only Kubernetes sets, is left out with a comment, since a field that no manifest mentions is left as it is. An
object of which something is missing then cannot be written at all.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel

from rsspot.constants import API_VERSION
from rsspot.errors import Origin, Problem
from rsspot.manifests.document import BOOKKEEPING, manifest_of
from rsspot.manifests.key_order import order_of_kind
from rsspot.manifests.manifest import Manifest
from rsspot.manifests.places import Place
from rsspot.manifests.source import Source
from rsspot.manifests.variables import escaped
from rsspot.manifests.yaml_text import Comments, yaml_text
from rsspot.models.fields import SECRET, SERVER_OWNED
from rsspot.models.resource import models_in
from rsspot.resources.field import Field, Path, is_zero
from rsspot.resources.kind import Kind
from rsspot.resources.lenient import without
from rsspot.resources.secrecy import holds_mask, secrets_of, texts
from rsspot.utils.secrets import Secrets
from rsspot.utils.serialization import Document, at_path

SPEC = "spec"
METADATA = "metadata"
NEEDED: frozenset[Place] = frozenset({(), ("apiVersion",), ("kind",), (METADATA,), (METADATA, "name"), (SPEC,)})
"""What no manifest can be without."""
A_SECRET = "a secret: set this variable"
SERVICE_DEFAULT = "the service's default"
HOLDS_A_SECRET = "left out, since a secret stands in it"
_PLAIN_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,62}")


class Unwritable(ValueError):
    """A live object that no manifest can declare; its text is a clause that says why."""


@dataclass(frozen=True)
class Authored:
    """What an author could have written of one live object.

    document: in canonical key order; its secrets are in it · secrets: where they stand
    """

    manifest: Manifest
    document: Document = field(repr=False)
    secrets: tuple[Path, ...] = ()
    comments: Comments = field(default_factory=Comments)

    def named(self, name: str) -> Authored:
        """The same under the name that its author gave it."""
        metadata = {**self.document[METADATA], "name": name}
        return replace(self, manifest=replace(self.manifest, name=name), document={**self.document, METADATA: metadata})

    def text(self, variables: Mapping[Path, str], beside_name: str | None = None) -> str:
        """The manifest as YAML. variables: path of each secret -> the environment variable that stands for it."""
        beside: dict[Place, str] = {**self.comments.beside, **dict.fromkeys(variables, A_SECRET)}
        if beside_name:
            beside[METADATA, "name"] = beside_name
        references: dict[Place, str] = {path: f"${{env:{name}}}" for path, name in variables.items()}
        return yaml_text(escaped(self.document, references), replace(self.comments, beside=beside))


def authored(kind: Kind[Any], live: Document, credentials: Secrets | None = None) -> Authored:
    """What an author could have written of a live object. credentials: never to be written. Raises Unwritable."""
    draft = _Draft(kind, live)
    draft.write()
    draft.leave_out_secrets(credentials)
    manifest = draft.validate()
    secrets = tuple((SPEC, *path) for path in kind.marked(SECRET) if at_path(draft.document, (SPEC, *path)) is not None)
    return Authored(manifest, order_of_kind(kind.name).arranged(draft.document), secrets, draft.comments())


class _Draft:
    """A manifest in the making."""

    def __init__(self, kind: Kind[Any], live: Document) -> None:
        self._kind, self._live = kind, live
        self.document: Document = {"apiVersion": kind.api_version, "kind": kind.name}
        self._beside: dict[Place, str] = {}
        self._services: list[str] = []
        self._unknown: list[str] = []
        self._below: dict[Place, list[str]] = {}

    def write(self) -> None:
        """Everything that an author may write, as it lives."""
        metadata = self._live[METADATA]
        self.document[METADATA] = {"name": metadata["name"], **dict(_notes(metadata))}
        self.document[SPEC] = self._object(self._live.get(SPEC) or {}, self._kind.spec_model, ())

    def comments(self) -> Comments:
        """What is to be said about single values, and about what is not written."""
        below = dict(self._below)
        if self._services:
            below.setdefault((SPEC,), []).append(f"{', '.join(self._services)}: set by the service")
        if self._unknown:
            known = [each for each in self._unknown if _PLAIN_KEY.fullmatch(each)]
            names = ", ".join(known) or f"{len(self._unknown)} fields"
            below.setdefault((SPEC,), []).append(f"{names}: not known to this rsspot, and left as they are")
        return Comments(self._beside, {path: tuple(lines) for path, lines in below.items()})

    def leave_out_secrets(self, credentials: Secrets | None) -> None:
        """Leave out what is no secret field and yet holds a secret, a credential of ours, or the mask of one."""
        hidden = [secrets_of(self._kind, self._live), credentials or Secrets(())]
        for path, text in list(texts(self.document, ())):
            if path[0] not in (METADATA, SPEC) or path in NEEDED or self._is_secret(path):
                continue
            if any(each.in_text(path[-1]) for each in hidden):
                # Its name would tell as much as its value.
                self.document = without(self.document, path)
            elif holds_mask(text) or any(each.in_text(text) for each in hidden):
                self._leave_out(path, HOLDS_A_SECRET)

    def validate(self) -> Manifest:
        """Leave out what a manifest may not hold. Raises Unwritable if nothing is left to leave out."""
        while True:
            manifest, problems = _read(self.document)
            if manifest is not None and not problems:
                return manifest
            before = self.document
            for path, problem in problems:
                if path in NEEDED:
                    raise Unwritable(problem.message)
                self._leave_out(path, f"left out: {'not valid' if self._is_secret(path) else _clause(path, problem)}")
            if self.document is before:
                raise Unwritable(problems[0][1].message if problems else "it is not understood")

    def _is_secret(self, path: Place) -> bool:
        return path[:1] == (SPEC,) and path[1:] in self._kind.marked(SECRET)

    def _leave_out(self, path: Place, why: str) -> None:
        """Leave out a value, unless it is gone already, with what it stood in."""
        missing = object()
        if at_path(self.document, path, missing) is not missing:
            self.document = without(self.document, path)
            self._below.setdefault(path[:1], []).append(f"{'.'.join(map(str, path[1:]))}: {why}")

    def _object(self, value: Document, model: type[BaseModel], above: Path) -> Document:
        """The part of an object of the spec that is its author's."""
        written: Document = {}
        for name, info in model.model_fields.items():
            key = info.alias or name
            declared = self._kind.fields.get((*above, key))
            if key in value and declared is not None and self._is_authors(declared, value[key]):
                inside = next(iter(models_in(info.annotation)), None)
                inner = self._value(declared, value[key], inside)
                if info.is_required() or not is_zero(declared.canonical(inner)):
                    written[key] = inner
        known = {info.alias or name for name, info in model.model_fields.items()}
        self._unknown += [".".join((*above, key)) for key, inner in value.items() if key not in known and inner]
        return written

    def _is_authors(self, declared: Field, value: Any) -> bool:
        """Whether a field is its author's to write; of one that is the service's, a comment is made."""
        if declared.has(SERVER_OWNED):
            self._services += [".".join(declared.path)] if value else []
            return False
        switch = declared.yields_to
        if switch and at_path(self._live, (SPEC, *switch)):
            text = f"{'.'.join(declared.path)}: set by the service while {'.'.join(switch)} is true"
            self._below.setdefault((SPEC,), []).append(text)
            return False
        if declared.service_default is not None and value == declared.service_default:
            self._beside[(SPEC, *declared.path)] = SERVICE_DEFAULT
        return True

    def _value(self, declared: Field, value: Any, model: type[BaseModel] | None) -> Any:
        """One value in its canonical spelling; zeros that the service leaves out are left out."""
        if isinstance(value, dict):
            if model is not None:
                return self._object(value, model, declared.path)
            return dict(sorted((key, inner) for key, inner in value.items() if inner is not None))
        if isinstance(value, list) or declared.is_price:
            return declared.canonical(value)
        return value


def _notes(metadata: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, str]]]:
    """The labels and annotations that are neither the service's nor written by rsspot and kubectl themselves."""
    for part in ("labels", "annotations"):
        kept = {key: text for key, text in (metadata.get(part) or {}).items() if _is_note(key) and text is not None}
        if kept:
            yield part, dict(sorted(kept.items()))


def _is_note(key: str) -> bool:
    domain, group = key.rpartition("/")[0], API_VERSION.partition("/")[0]
    return key not in BOOKKEEPING and domain != group and not domain.endswith(f".{group}")


def _read(document: Document) -> tuple[Manifest | None, list[tuple[Place, Problem]]]:
    """The manifest that a document is, and each problem with the path of the value that it is about."""
    places = list(_places(document, ()))
    marks = {path: Origin("", line) for line, path in enumerate(places, start=1)}
    problems: list[Problem] = []
    manifest = manifest_of(Source("", copy.deepcopy(document), marks), problems)
    return manifest, [(places[problem.origin.line - 1] if problem.origin else (), problem) for problem in problems]


def _places(value: Any, path: Place) -> Iterator[Place]:
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield from _places(inner, (*path, key))


def _clause(path: Place, problem: Problem) -> str:
    """What a problem says, without the field that it is about."""
    return problem.message.removeprefix(f"{'.'.join(map(str, path))}: ")
