"""Reads CustomResourceDefinition files into the kinds that are served. Validates no object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
READS = ("get", "list", "watch")
CATALOGUE = "spot-catalogue"
"""Category of the kinds whose objects the operators of the service provide. Tenants may only read them."""
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
    verbs: tuple[str, ...] = VERBS
    """What tenants may do with the objects."""
    per_tenant: bool = False
    """Whether each tenant has one object, named like its namespace, and sees no other."""
    stored: bool = True
    """False for reviews, which are answered at once. Everybody may ask for one."""

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        """Where the group and version is served: `/apis/ngpc.rxt.io/v1`, or `/api/v1` for the core group."""
        return f"/{'apis' if self.group else 'api'}/{self.api_version}"

    @property
    def resource(self) -> str:
        """The name of the kind in messages: `spotnodepools.ngpc.rxt.io`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


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
    categories = tuple(names.get("categories", ()))
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
        categories=categories,
        selectable=tuple(field["jsonPath"] for field in version.get("selectableFields", ())),
        verbs=READS if CATALOGUE in categories else VERBS,
    )


def _rooted(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with the fields that every object has, even if its definition leaves them out."""
    implied: dict[str, Any] = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
    }
    return {**schema, "properties": {**implied, **schema.get("properties", {})}}
