"""Reads CustomResourceDefinition files into the kinds that are served. Validates no object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Definition:
    """A served kind."""

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool
    schema: dict[str, Any] = field(repr=False)
    short_names: tuple[str, ...] = ()
    columns: tuple[dict[str, Any], ...] = ()
    has_status: bool = False
    list_kind: str = ""
    categories: tuple[str, ...] = ()
    selectable: tuple[str, ...] = ()
    """JSON paths that field selectors may use."""

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}"

    @property
    def resource(self) -> str:
        """The name of the kind in messages: `spotnodepools.ngpc.rxt.io`."""
        return f"{self.plural}.{self.group}"


@cache
def shipped() -> tuple[Definition, ...]:
    """The definitions shipped with this package."""
    return tuple(
        definition_of(yaml.load(file.read_text(encoding="utf-8"), _Loader))
        for file in sorted((files("rsspot.simulator") / "crds").iterdir(), key=lambda file: file.name)
        if file.name.endswith(".yaml")
    )


def from_files(paths: Iterable[Path]) -> list[Definition]:
    """Read the definitions of additional kinds from files."""
    return [
        definition_of(document)
        for path in paths
        for document in yaml.load_all(path.read_text(encoding="utf-8"), _Loader)
        if document
    ]


def definition_of(crd: dict[str, Any]) -> Definition:
    """The kind that a CustomResourceDefinition defines, in its storage version."""
    spec = crd["spec"]
    version = next(candidate for candidate in spec["versions"] if candidate["storage"])
    names = spec["names"]
    return Definition(
        group=spec["group"],
        version=version["name"],
        kind=names["kind"],
        plural=names["plural"],
        singular=names["singular"],
        namespaced=spec["scope"] == "Namespaced",
        schema=_rooted(version["schema"]["openAPIV3Schema"]),
        short_names=tuple(names.get("shortNames", ())),
        columns=tuple(version.get("additionalPrinterColumns", ())),
        has_status="status" in version.get("subresources", {}),
        list_kind=names.get("listKind", f"{names['kind']}List"),
        categories=tuple(names.get("categories", ())),
        selectable=tuple(field["jsonPath"] for field in version.get("selectableFields", ())),
    )


def _rooted(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with the fields that every object has, even if its definition leaves them out."""
    implied: dict[str, Any] = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
    }
    return {**schema, "properties": {**implied, **schema.get("properties", {})}}
