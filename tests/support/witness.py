"""Looks at each mutation right before the simulator does: was it intended, was it approved, may it be deleted?"""

from __future__ import annotations

import json
from pathlib import Path

from rsspot.constants import STACK_LABEL
from rsspot.manifests.lifecycle import ON_REMOVE_PATH, OnRemove
from rsspot.models.refs import Ref
from rsspot.planner.order import Verb, order
from rsspot.planner.plan import Plan
from rsspot.resources.registry import kinds
from rsspot.state.ledger import open_database
from rsspot.testing import SimulatedSpot
from rsspot.utils.clock import exact_stamp, utc_now
from rsspot.utils.serialization import Document, at_path
from rsspot.wire import httpx
from support import ledger_places
from support.scenes import NAMESPACE

VERBS = {"POST": ("create",), "PATCH": ("patch", "detach"), "DELETE": ("delete",)}
INTENT = """
SELECT COUNT(*) AS number FROM attempts JOIN steps USING (run_id, seq)
WHERE kind = ? AND name = ? AND verb IN (?, ?) AND outcome IS NULL AND sent_at <= ?
"""
"""Attempts at a write that began and have no outcome yet, as another process sees them: only what is committed."""
Mutation = tuple[str, Ref]
"""A verb of HTTP, and what it is about."""


def is_mutation(request: httpx.Request) -> bool:
    """Whether a request may change an object."""
    return request.method in VERBS and request.url.path.startswith("/apis/ngpc")


CONFLICT = 409
"""The answer to a DELETE of another version of an object than the one that it was judged by."""


class Witness(httpx.AsyncBaseTransport):
    """Passes every request on to the simulator. `mutations`: all it saw.

    stack: whose objects may be deleted · broken: gets what must never happen, and did
    approved: what may be sent; None for anything
    """

    def __init__(self, spot: SimulatedSpot, ledger: Path, stack: str, broken: list[str] | None = None) -> None:
        self._spot, self._stack = spot, stack
        self._ledger = open_database(ledger_places.url_of(ledger.parent), reading=True)
        self._kinds = {kind.plural: kind for kind in kinds().values()}
        self.approved: set[Mutation] | None = None
        self.mutations: list[Mutation] = []
        self.broken = broken if broken is not None else []

    def close(self) -> None:
        self._ledger.close()

    def approve(self, plan: Plan) -> None:
        """Only what a plan says may be sent from now on."""
        self.approved = set(writes_of(plan))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        takes_away = is_mutation(request) and self._look_at(request)
        response = await self._spot.transport.handle_async_request(request)
        if takes_away and response.status_code != CONFLICT:
            self.broken.append(f"DELETE of {self._subject(request)}, which is not to be deleted by this stack")
        return response

    def _look_at(self, request: httpx.Request) -> bool:
        """Note what is wrong with a mutation; gives whether it is a DELETE of what must stay, unless it is refused."""
        ref = self._subject(request)
        mutation = (request.method, ref)
        self.mutations.append(mutation)
        if not self._is_intended(mutation):
            self.broken.append(f"{request.method} of {ref} has no intent in the ledger")
        if self.approved is not None and mutation not in self.approved:
            self.broken.append(f"{request.method} of {ref} is not in the plan")
        live = self._live(ref)
        return request.method == "DELETE" and live is not None and not self._may_go(live)

    def _subject(self, request: httpx.Request) -> Ref:
        plural, _, name = request.url.path.partition(f"/namespaces/{NAMESPACE}/")[2].partition("/")
        return Ref(self._kinds[plural].name, name or json.loads(request.content)["metadata"]["name"])

    def _is_intended(self, mutation: Mutation) -> bool:
        method, ref = mutation
        verbs = VERBS[method]
        [row] = self._ledger.rows(INTENT, *ref, verbs[0], verbs[-1], exact_stamp(utc_now()))
        return bool(row["number"])

    def _live(self, ref: Ref) -> Document | None:
        plural = kinds()[ref.kind].plural
        return self._spot.world.store.get(plural, NAMESPACE, ref.name)

    def _may_go(self, live: Document) -> bool:
        ours = at_path(live, ("metadata", "labels", STACK_LABEL)) == self._stack
        return ours and at_path(live, ON_REMOVE_PATH) not in (OnRemove.PROTECT.value, OnRemove.DETACH.value)


METHODS = {Verb.CREATE: "POST", Verb.PATCH: "PATCH", Verb.DETACH: "PATCH", Verb.DELETE: "DELETE"}


def writes_of(plan: Plan) -> list[Mutation]:
    """The mutations that an apply of a plan may send."""
    found = []
    for step in order(plan.changes):
        if step.verb in METHODS:
            change = step.change
            old = step.verb is Verb.DELETE and change.base is not None
            found.append((METHODS[step.verb], Ref(change.ref.kind, change.base.name) if old else change.ref))
    return found
