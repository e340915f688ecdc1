"""explain: why the plan does with one object what it does, field by field. Sends only GETs, prints nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rsspot.client.async_client import AsyncSpotClient
from rsspot.errors import NotFound, UsageError
from rsspot.manifests.manifest import Manifest, ManifestSet
from rsspot.models.refs import Ref
from rsspot.planner.change import Change
from rsspot.planner.diff import SPEC, declared, ignored_differences, live_value, same
from rsspot.planner.options import PlanOptions
from rsspot.planner.plan import Plan
from rsspot.planner.reasons import FieldReason, field_reasons
from rsspot.planner.wire_form import wire_form
from rsspot.resources.names import called
from rsspot.resources.secrecy import secret_paths
from rsspot.state.ledger.protocol import Ledger
from rsspot.utils.secrets import MASK
from rsspot.utils.serialization import Document
from rsspot.utils.text import did_you_mean, listed
from rsspot.workflows.known import on_record
from rsspot.workflows.reconcile import make_plan


@dataclass(frozen=True)
class Explanation:
    """What becomes of one declared object, and why.

    differences: sentences about fields that are not as declared; values of secrets are masked
    fields: why each declared field is changed, or not compared
    left_alone: fields that have a value and that the manifest does not mention
    objections: what guards object to in the whole plan
    """

    address: str
    source: str
    wire_name: str | None
    action: str
    reason: str
    differences: tuple[str, ...]
    fields: tuple[FieldReason, ...]
    left_alone: tuple[str, ...]
    objections: tuple[str, ...]


async def explain(
    client: AsyncSpotClient,
    ledger: Ledger,
    manifests: ManifestSet,
    address: str,
    *,
    options: PlanOptions | None = None,
) -> Explanation:
    """Explain one object, called by its address or by a shorter name. Raises UsageError for one not declared."""
    manifest = _declared(manifests, address)
    address = manifest.address
    plan = await make_plan(client, ledger, manifests, options=options)
    change = next((each for each in plan.changes if each.address == address and each.body is not None), None)
    change = change or next((each for each in plan.changes if each.address == address), None)
    live = await _live(client, manifest, change)
    return Explanation(
        address=address,
        source=str(manifest.origin),
        wire_name=live["metadata"]["name"] if live else None,
        action=change.action.value if change else "unchanged",
        reason=(change.reason if change else "it is as declared") + (_ignored(manifest, live) if live else ""),
        differences=tuple(differences(manifest, live)) if live else (),
        fields=tuple(field_reasons(manifest, live, _applied(ledger, plan, manifest, live))) if live else (),
        left_alone=tuple(left_alone(manifest, live)) if live else (),
        objections=tuple(str(problem) for problem in plan.refusals),
    )


def _applied(ledger: Ledger, plan: Plan, manifest: Manifest, live: Document) -> Mapping[str, Any] | None:
    """The fields of an object as last applied, by the ledger."""
    owned = on_record(ledger, plan.scope).get(Ref(manifest.kind.name, live["metadata"]["name"]))
    return owned.applied if owned and owned.uid in (None, live["metadata"].get("uid")) else None


def _ignored(manifest: Manifest, live: Document) -> str:
    """How many ignored fields differ, as the end of a sentence."""
    count = len(ignored_differences(manifest, live))
    return f"; {count} ignored field{' differs' if count == 1 else 's differ'}" if count else ""


def differences(manifest: Manifest, live: Document) -> list[str]:
    """Where a live object is not as declared, a sentence each; the order of unordered lists means nothing."""
    # Takes a third of a second to import, and only this command needs it.
    from deepdiff import DeepDiff

    kind = manifest.kind
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    hidden = {*secret_paths(kind, manifest.body), *secret_paths(kind, live)}
    for path, desired in declared(manifest, live).items():
        now = live_value(kind, live, path)
        if not same(kind, path, now, desired):
            before |= {_dotted(path): _shown(now, "now", secret=path in hidden)} if now is not None else {}
            after |= {_dotted(path): _shown(desired, "declared", secret=path in hidden)} if desired is not None else {}
    text: str = DeepDiff(before, after, ignore_order=True, verbose_level=2).pretty()
    lines = (re.sub(r"root\['([^']+)'\]", r"\1", line) for line in text.splitlines() if line)
    return [line.replace(" dictionary.", " the object.") for line in lines]


def left_alone(manifest: Manifest, live: Document) -> list[str]:
    """The fields of the spec that have a value and that the manifest does not mention."""
    mentioned = {path[1] for path in declared(manifest, live) if path[0] == SPEC}
    spec = live.get(SPEC) or {}
    return sorted(key for key, value in spec.items() if key not in mentioned and value not in (None, "", [], {}))


def _declared(manifests: ManifestSet, name: str) -> Manifest:
    by_address = {manifest.address: manifest for manifest in manifests.manifests}
    found = [by_address[name]] if name in by_address else [each for each in by_address.values() if _means(each, name)]
    if not found:
        hint = did_you_mean(name, by_address) or f"declared: {listed(sorted(by_address))}"
        raise UsageError(f"no manifest declares {name!r}", hint=hint)
    if len(found) > 1:
        hint = f"use one of: {listed([each.address for each in found])}"
        raise UsageError(f"{name!r} may be {len(found)} of the declared objects", hint=hint)
    if found[0].kind.expand:
        raise UsageError(f"{found[0].address} stands for other objects", hint="`rsspot plan` lists them")
    return found[0]


def _means(manifest: Manifest, name: str) -> bool:
    """Whether a declared object may be called by this name."""
    try:
        wanted = called(manifest.kind, name)
    except UsageError:
        return False
    parent = manifest.kind.parent_name(manifest.spec)
    return wanted.name == manifest.name and wanted.parent in (None, parent)


async def _live(client: AsyncSpotClient, manifest: Manifest, change: Change | None) -> Document | None:
    """The live object that the plan is about; None when there is none."""
    documents = client.documents(manifest.kind)
    try:
        if change is not None:
            return await documents.get(change.base.name) if change.base else None
        return await documents.get(await documents.wire_name(manifest.address))
    except NotFound:
        return None


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(path[1:] if path[0] == SPEC else path)


def _shown(value: Any, when: str, *, secret: bool) -> Any:
    return f"{MASK} {when}" if secret and value is not None else wire_form(value)
