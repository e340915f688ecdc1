"""check_offered(): manifests against what the service offers now, as if none of their objects existed. Sends only GETs.

Regions, classes, versions, bids and servers are judged by the guards of the planner. Objects of the stack are not
compared, so nothing is said about changes, owners or deletions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rsspot.client.async_client import AsyncSpotClient
from rsspot.client.snapshot import Snapshot, take_snapshot
from rsspot.errors import ManifestError, Problem
from rsspot.manifests.leaks import own_credentials
from rsspot.manifests.manifest import Manifest, ManifestSet
from rsspot.planner.case import Rule
from rsspot.planner.live import LiveState
from rsspot.planner.pipeline import build
from rsspot.planner.plan import Plan
from rsspot.resources.kind import Kind
from rsspot.resources.registry import kinds
from rsspot.utils.serialization import Document


async def check_offered(client: AsyncSpotClient, manifests: ManifestSet) -> Plan:
    """A plan that would make everything anew: its refusals are what the service would refuse. It cannot be applied."""
    declared = manifests.manifests
    if problems := list(own_credentials(declared, client.credentials)):
        raise ManifestError(problems, hint="nothing was sent")
    snapshot = await take_snapshot(client, _named_kinds(declared))
    if snapshot.incomplete:
        raise ManifestError(list(_unread(snapshot)), hint="what could not be read could not be checked")
    state = LiveState(snapshot.organization, _without_declared(snapshot, declared))
    return build(declared, state, kinds(), stack=manifests.stack, scope="", files=manifests.files)


def _named_kinds(declared: Iterable[Manifest]) -> list[Kind[Any]]:
    """The kinds of the objects that manifests name: what is on offer, and what others may have made."""
    known = kinds()
    names = {to.kind for manifest in declared for _, to in manifest.kind.references}
    # A class is in a region, which manifests may not name themselves.
    names |= {to.kind for name in tuple(names) for _, to in known[name].references}
    return [known[name] for name in sorted(names) if "list" in known[name].verbs]


def _without_declared(snapshot: Snapshot, declared: Iterable[Manifest]) -> dict[str, dict[str, Document]]:
    """The live objects except those that are declared."""
    wanted = {
        (manifest.kind.name, manifest.kind.wire_name(snapshot.organization, manifest.name, manifest.spec))
        for manifest in declared
    }
    return {
        kind: {name: each for name, each in objects.items() if (kind, name) not in wanted}
        for kind, objects in snapshot.live.items()
    }


def _unread(snapshot: Snapshot) -> Iterator[Problem]:
    for kind, why in sorted(snapshot.incomplete.items()):
        message = f"the live {kinds()[kind].plural} could not be read: {why}"
        yield Problem(message, hint="try again when the service answers", rule=Rule.INCOMPLETE_READ)
