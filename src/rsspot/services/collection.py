"""Collection: the verbs of one kind as typed models. Kinds with more to offer subclass it."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from rsspot.errors import RsspotError
from rsspot.models.resource import Resource
from rsspot.services.documents import Documents
from rsspot.services.kind import Kind
from rsspot.utils import Document

T = TypeVar("T", bound=Resource)


class Collection(Generic[T]):
    """Objects of one kind in one organisation."""

    def __init__(self, documents: Documents, kind: Kind[T]) -> None:
        self.documents = documents
        self.kind = kind

    async def list(self, *, labels: str | None = None) -> builtins.list[T]:
        """Every object; `labels` is a Kubernetes label selector. Source: GET of the plural, all pages."""
        return [self._decode(document) for document in await self.documents.list(labels=labels)]

    async def get(self, name: str) -> T:
        """One object by its wire name. Raises NotFound."""
        return self._decode(await self.documents.get(name))

    async def create(self, name: str, spec: Mapping[str, Any], *, labels: Mapping[str, str] | None = None) -> T:
        """Create an object from its name and wire-spelled spec.

        Raises AlreadyExists, Invalid, Forbidden, OutcomeUnknown.
        """
        body: Document = {
            "apiVersion": self.kind.api_version,
            "kind": self.kind.name,
            "metadata": {"name": name, "labels": dict(labels or {})},
            "spec": dict(spec),
        }
        return self._decode(await self.documents.create(body))

    async def patch(self, name: str, spec: Mapping[str, Any]) -> T:
        """Change only the given fields of the spec; None removes one.

        Raises NotFound, Invalid, Conflict, OutcomeUnknown.
        """
        return self._decode(await self.documents.patch(name, {"spec": dict(spec)}))

    async def delete(self, name: str) -> None:
        """Ask for an object's deletion; returns before it is gone. Raises NotFound."""
        await self.documents.delete(name)

    def _decode(self, document: Document) -> T:
        try:
            return self.kind.model.model_validate(document)
        except ValidationError as error:
            name = (document.get("metadata") or {}).get("name", "?")
            fields = ", ".join(".".join(map(str, problem["loc"])) for problem in error.errors())
            raise RsspotError(
                f"the service's {self.kind.name} {name} does not have the expected shape: {fields}"
            ) from None
