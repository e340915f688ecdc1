"""VMRegistrations: the verbs of a kind stored in the ledger. `create` takes a machine through its states."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

from rsspot.constants import LOCAL_API_VERSION, NAME_ANNOTATION, STACK_LABEL
from rsspot.errors import NotFound, UsageError
from rsspot.resources.documents import Documents, ListedDocuments
from rsspot.services.registrations.registrar import RegistrarFailed, ask
from rsspot.state.ledger.registrations import (
    RegistrationLedger,
    RegistrationRecord,
    RegistrationStatus,
    worker_of_this_process,
)
from rsspot.utils.clock import utc_now
from rsspot.utils.serialization import Document

CLAIM_SECONDS = 900.0
"""How long a claim on a machine lasts: longer than the registrar's timeouts together."""
WALK = (
    (RegistrationStatus.DISCOVERED, "issue_token", RegistrationStatus.TOKEN_ISSUED),
    (RegistrationStatus.TOKEN_ISSUED, "submit", RegistrationStatus.SUBMITTED),
    (RegistrationStatus.SUBMITTED, "confirm", RegistrationStatus.REGISTERED),
)
"""The current state, the question that the registrar is asked, and the next state."""


class VMRegistrations(Documents):
    """Registered machines. A machine not fully registered is not listed, so the next plan creates it again."""

    async def list(self, *, labels: str | None = None) -> ListedDocuments:
        if labels:
            raise UsageError("registrations cannot be filtered by labels")
        organization = await self._organization.namespace()
        return ListedDocuments((_document(each) for each in self._ledger.registered(organization)), {})

    async def get(self, name: str, *, patience: float | None = None) -> Document:
        record = self._ledger.registration(name)
        if record is None or record.status is not RegistrationStatus.REGISTERED:
            raise NotFound(f"no registered machine {name!r}", status=404, reason="NotFound")
        return _document(record)

    async def create(self, body: Document) -> Document:
        """Register a machine, resuming from the state that an earlier attempt reached.

        Raises RegistrarFailed and records the reason in the ledger.
        """
        key = body["metadata"]["name"]
        self._ledger.discover(await self._discovered(body))
        claimed = self._ledger.claim_registrations(self._worker, key=key, ttl=CLAIM_SECONDS)
        if not claimed:
            return self._taken(key)
        try:
            return _document(await self._walk(claimed[0], body["spec"]))
        finally:
            self._ledger.release_registration(key, self._worker)

    def _taken(self, key: str) -> Document:
        """A machine that could not be claimed: returned if it is already registered, else another worker has it."""
        record = self._ledger.registration(key)
        if record is None or record.status is not RegistrationStatus.REGISTERED:
            raise RegistrarFailed("another worker is currently registering this machine")
        return _document(record)

    async def _walk(self, record: RegistrationRecord, spec: Mapping[str, Any]) -> RegistrationRecord:
        """Ask the registrar the remaining questions in order, from the machine's current state."""
        key = record.registration_key
        if record.status is RegistrationStatus.FAILED and _token_is_good(record):
            record = self._advance(key, RegistrationStatus.TOKEN_ISSUED)
        elif record.status in (RegistrationStatus.FAILED, RegistrationStatus.SKIPPED):
            record = self._advance(key, RegistrationStatus.DISCOVERED)
        if record.status is RegistrationStatus.DISCOVERED and spec["registrar"].get("find"):
            answer = await self._answer("find", record, spec)
            if answer.get("registered") is True:
                # Somebody else has taken these steps, and this ledger catches up.
                self._advance(key, RegistrationStatus.TOKEN_ISSUED, token_id=answer.get("tokenId"))
                self._advance(key, RegistrationStatus.SUBMITTED)
                return self._advance(key, RegistrationStatus.REGISTERED)
        for state, question, following in WALK:
            if record.status is not state:
                continue
            answer = await self._answer(question, record, spec)
            token = answer if following is RegistrationStatus.TOKEN_ISSUED else {}
            record = self._advance(
                key, following, token_id=token.get("tokenId"), token_expires_at=token.get("tokenExpiresAt")
            )
        return record

    async def _answer(self, question: str, record: RegistrationRecord, spec: Mapping[str, Any]) -> Document:
        """The registrar's answer. A machine about which it gives none is marked as failed."""
        if self.context.permit:
            self.context.permit()
        try:
            return _checked(await self._ask(question, record, spec))
        except RegistrarFailed as failure:
            self._advance(record.registration_key, RegistrationStatus.FAILED, last_error=failure.message)
            raise

    def _advance(self, key: str, status: RegistrationStatus, **learned: str | None) -> RegistrationRecord:
        return self._ledger.advance(key, status, worker=self._worker, **learned)

    async def patch(self, name: str, patch: Document) -> Document:
        raise UsageError("registrations cannot be patched")

    async def delete(self, name: str, *, uid: str | None = None) -> None:
        """Retire a machine that no longer exists. Its record stays in the ledger; the registrar is not called."""
        if not self._ledger.retire(name):
            raise NotFound(f"no registered machine {name!r}", status=404, reason="NotFound")

    @cached_property
    def _worker(self) -> str:
        # Not when this file is imported: a process may be forked after that, and would have the claims of its parent.
        return worker_of_this_process()

    @property
    def _ledger(self) -> RegistrationLedger:
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
                "registrar": spec.get("registrar"),
            },
        )

    async def _ask(self, question: str, record: RegistrationRecord, spec: Mapping[str, Any]) -> Document:
        registrar = spec["registrar"]
        machine = {
            "uid": record.vm_uid,
            "name": record.vm_name,
            "ipAddress": spec.get("ipAddress"),
            "vmCloudSpace": record.vmcloudspace,
            "vmPool": record.vmpool,
        }
        message = {
            "ask": question,
            "registrationKey": record.registration_key,
            "omniCluster": record.omni_cluster,
            "tokenId": record.token_id,
            "vm": machine,
        }
        return await ask(registrar["exec"], message, registrar.get("timeoutSeconds", 60))


def _checked(answer: Document) -> Document:
    """The answer, if the token's fields are strings or absent. Raises RegistrarFailed."""
    for name in ("tokenId", "tokenExpiresAt"):
        if not isinstance(answer.get(name), str | None):
            raise RegistrarFailed(f"the registrar's {name} is not a string")
    return answer


def _token_is_good(record: RegistrationRecord) -> bool:
    """Whether a token issued earlier can be used again. A token without an expiry time can."""
    if record.token_id is None:
        return False
    try:
        return record.token_expires_at is None or datetime.fromisoformat(record.token_expires_at) > utc_now()
    except (ValueError, TypeError):
        return False


def _document(record: RegistrationRecord) -> Document:
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
        "status": {"state": record.status.value, "updatedAt": record.updated_at},
    }


DOCUMENTS = {"VMRegistration": VMRegistrations}
