"""OrganizationGroup: the verbs of a kind for any organization (`org=`), and `create(spec)` and `update(spec)`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from rsspot.errors import UsageError
from rsspot.models.resource import Resource
from rsspot.resources.classes import collection_class
from rsspot.resources.collection import Collection
from rsspot.resources.documents import Documents
from rsspot.resources.listing import Listing
from rsspot.resources.sync_twins import BlockingCollection, blocking

if TYPE_CHECKING:
    from rsspot.compatibility.specs import SpecObject

T = TypeVar("T", bound=Resource)


class OrganizationGroup(Collection[T]):
    """The verbs of a kind. org: the name, id or namespace of an organization other than the client's."""

    async def list(
        self,
        org: str | None = None,
        *,
        labels: str | None = None,
        within: str | None = None,
        cloudspace: str | None = None,
    ) -> Listing[T]:
        """`Collection.list`. cloudspace: another name of `within`."""
        parent = cloudspace if within is None else within
        return await self._there(org).list(labels=labels, within=parent)

    async def get(self, name: str, *, org: str | None = None) -> T:
        """`Collection.get`."""
        return await self._there(org).get(name)

    @overload
    async def create(self, spec: SpecObject, /, *, org: str | None = None) -> T: ...

    @overload
    async def create(
        self,
        name: str,
        spec: Mapping[str, Any],
        *,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        org: str | None = None,
    ) -> T: ...

    async def create(
        self,
        name: str | SpecObject | None = None,
        spec: Mapping[str, Any] | SpecObject | None = None,
        *,
        org: str | None = None,
        **marks: Any,
    ) -> T:
        """`Collection.create`, also with one object that has the name and the fields."""
        # Here, since most programs use none of these models.
        from rsspot.compatibility.specs import SpecObject

        there = self._there(org)
        given = name if isinstance(name, SpecObject) else spec
        if isinstance(given, SpecObject):
            return await there.create(given.name, given.whole(), labels=given.labels())
        if not isinstance(name, str) or given is None:
            raise UsageError(f"a {self.kind.name} is created from a name and a spec")
        return await there.create(name, given, **marks)

    async def update(self, spec: SpecObject, *, org: str | None = None) -> T:
        """`Collection.patch` with the fields that an object was given; those that are immutable are left out.

        A pool is the one of this name in the object's cloudspace. Raises NotFound if it lives in another one.
        """
        there = self._there(org)
        wire = await there.documents.wire_name(spec.name, within=spec.parent())
        return await there.patch(wire, spec.changes())

    async def patch(
        self,
        name: str,
        spec: Mapping[str, Any],
        *,
        resource_version: str | None = None,
        org: str | None = None,
    ) -> T:
        """`Collection.patch`."""
        there = self._there(org)
        return await there.patch(name, spec, resource_version=resource_version)

    async def delete(self, name: str, *, missing_ok: bool = False, org: str | None = None) -> None:
        """`Collection.delete`."""
        await self._there(org).delete(name, missing_ok=missing_ok)

    def _there(self, org: str | None) -> Collection[T]:
        made: Collection[T] = collection_class(self.kind)(self._documents_of(org), self.kind)
        return made

    def _documents_of(self, org: str | None) -> Documents:
        if org is None:
            return self.documents
        return type(self.documents)(
            replace(self._context, organization=self._context.organization.other(org)), self.kind
        )


class BlockingOrganizationGroup(BlockingCollection[T], Generic[T]):
    """The synchronous version of OrganizationGroup."""

    list = blocking(OrganizationGroup[T].list)
    get = blocking(OrganizationGroup[T].get)
    update = blocking(OrganizationGroup[T].update)
    patch = blocking(OrganizationGroup[T].patch)
    delete = blocking(OrganizationGroup[T].delete)

    if TYPE_CHECKING:
        # `blocking` would keep only the first of several signatures.
        @overload
        def create(self, spec: SpecObject, /, *, org: str | None = None) -> T: ...

        @overload
        def create(
            self,
            name: str,
            spec: Mapping[str, Any],
            *,
            labels: Mapping[str, str] | None = None,
            annotations: Mapping[str, str] | None = None,
            org: str | None = None,
        ) -> T: ...

        def create(self, *arguments: Any, **options: Any) -> T: ...
    else:
        create = blocking(OrganizationGroup.create)
