"""VMRegistrations: the verbs of a kind stored in the ledger. `create` takes a machine through its states."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from rsspot.constants import LOCAL_API_VERSION, NAME_ANNOTATION, STACK_LABEL
from rsspot.errors import NotFound, UsageError
from rsspot.resources.documents import Documents, ListedDocuments
from rsspot.resources.registry import kinds
from rsspot.services.registrations.questions import Terms
from rsspot.services.registrations.registrar import TIMEOUT_SECONDS, RegistrationRetry
from rsspot.services.registrations.registrars.choice import registrar_of
from rsspot.services.registrations.registrars.protocol import RegistrarFailed
from rsspot.services.registrations.walk import register
from rsspot.state.ledger.registration_history import RegistrationHistory
from rsspot.state.ledger.registration_progress import RegistrationProgress, absence
from rsspot.state.ledger.registrations import RegistrationRecord, RegistrationStatus, worker_of_this_process
from rsspot.utils.serialization import Document, at_path


class VMRegistrations(Documents):
    """Registered machines, and those that somebody has passed over by hand.

    A machine not fully registered is not listed, so the next plan creates it again.
    """

    async def list(self, *, labels: str | None = None) -> ListedDocuments:
        if labels:
            raise UsageError("registrations cannot be filtered by labels")
        organization, now = await self._organization.namespace(), self.context.clock.now()
        progresses, none = self._ledger.progresses(), RegistrationProgress()
        known = (
            (each, progresses.get(each.registration_key, none)) for each in self._ledger.registrations(organization)
        )
        return ListedDocuments((_document(*each, now) for each in known if _is_settled(*each)), {})

    async def get(self, name: str, *, patience: float | None = None) -> Document:
        record, progress = self._ledger.registration(name), self._ledger.progress(name)
        if record is None or not _is_settled(record, progress):
            raise NotFound(f"no registered machine {name!r}", status=404, reason="NotFound")
        return self._document(record)

    async def create(self, body: Document) -> Document:
        """Register a machine, resuming from the state that an earlier attempt reached.

        One that somebody has passed over by hand is left as it is. Raises RegistrarFailed; the ledger has the reason.
        """
        spec, record = body["spec"], self._ledger.discover(await self._discovered(body))
        if not self._ledger.progress(record.registration_key).passed_over:
            record = await register(record.registration_key, self._terms(spec))
        return self._document(record)

    def _terms(self, spec: Mapping[str, Any]) -> Terms:
        registrar = spec["registrar"]
        return Terms(
            self._ledger,
            registrar_of(registrar),
            self.context.clock,
            worker_of_this_process(),
            self.context.permit or _always,
            registrar.get("timeoutSeconds", TIMEOUT_SECONDS),
            RegistrationRetry.model_validate(spec.get("retry") or {}),
            bool(registrar.get("find")),
            spec,
        )

    async def patch(self, name: str, patch: Document) -> Document:
        raise UsageError("registrations cannot be patched")

    async def delete(self, name: str, *, uid: str | None = None, version: str | None = None) -> None:
        """Retire a machine that no longer exists. Its record stays in the ledger; the registrar is not called.

        Raises RegistrarFailed for one that was missing when the plan was made, and is there again.
        """
        await self._refuse_if_back(name)
        if not self._ledger.retire(name):
            raise NotFound(f"no registered machine {name!r}", status=404, reason="NotFound")

    async def _refuse_if_back(self, name: str) -> None:
        record = self._ledger.registration(name)
        if record is None or self._ledger.progress(name).missing_since is None:
            return
        parents = Documents(self.context, kinds()["VMCloudSpace"])
        with suppress(NotFound):
            group = await parents.get(record.vmcloudspace)
            if record.vm_uid in (at_path(group, ("status", "assignedServers")) or {}):
                self._ledger.sighted(found=[name], now=self.context.clock.now())
                raise RegistrarFailed("the machine is there again, and stays registered", hint="make a new plan")

    @property
    def _ledger(self) -> RegistrationHistory:
        return self.context.registrations()

    async def _discovered(self, body: Document) -> RegistrationRecord:
        spec, metadata = body["spec"], body["metadata"]
        return RegistrationRecord(
            registration_key=metadata["name"],
            vm_uid=spec["vmUid"],
            org_id=await self._organization.namespace(),
            vmcloudspace=spec["vmCloudSpace"],
            vmpool=spec.get("vmPool"),
            vm_name=spec.get("vmName"),
            omni_cluster=spec["omniCluster"],
            payload={
                "stack": (metadata.get("labels") or {}).get(STACK_LABEL),
                "ipAddress": spec.get("ipAddress"),
                "registrar": _shown(spec.get("registrar")),
            },
        )

    def _document(self, record: RegistrationRecord) -> Document:
        return _document(record, self._ledger.progress(record.registration_key), self.context.clock.now())


def _is_settled(record: RegistrationRecord, progress: RegistrationProgress) -> bool:
    """Whether there is nothing to be done about a machine."""
    return record.status is RegistrationStatus.REGISTERED or progress.passed_over


def _always() -> None:
    """Anything may be begun."""


def _shown(registrar: Mapping[str, Any] | None) -> Document | None:
    """A registrar as it is kept: without the secret."""
    if not registrar or "webhook" not in registrar:
        return dict(registrar) if registrar else None
    return {**registrar, "webhook": {"url": registrar["webhook"]["url"]}}


def _document(record: RegistrationRecord, progress: RegistrationProgress, now: datetime) -> Document:
    stack = record.payload.get("stack")
    return {
        "apiVersion": LOCAL_API_VERSION,
        "kind": "VMRegistration",
        "metadata": {
            "name": record.registration_key,
            "uid": record.registration_key,
            "labels": {STACK_LABEL: stack} if stack else {},
            "annotations": {NAME_ANNOTATION: record.vm_uid},
        },
        "spec": {
            "vmCloudSpace": record.vmcloudspace,
            "vmUid": record.vm_uid,
            "vmName": record.vm_name,
            "vmPool": record.vmpool,
            "ipAddress": record.payload.get("ipAddress"),
            "omniCluster": record.omni_cluster,
            "registrar": record.payload.get("registrar"),
        },
        "status": {
            "state": record.status.value,
            "updatedAt": record.updated_at,
            "absence": absence(progress, now).value,
        },
    }


DOCUMENTS = {"VMRegistration": VMRegistrations}
