"""The service's admission rules that CRDs cannot express, with the service's own messages.

Changes nothing but the fields that its webhooks fill in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from rsspot.simulator.apiserver.crds import Definition
from rsspot.simulator.apiserver.messages import Cause, Refusal
from rsspot.simulator.apiserver.store import Object, Store
from rsspot.simulator.spot import bid_rules
from rsspot.simulator.spot.pools import POOLS, scaled_in
from rsspot.simulator.spot.sshkeys import fingerprint
from rsspot.simulator.spot.switches import Rules
from rsspot.utils.versions import version_parts

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
IMMUTABLE = {
    "spotnodepools": ("cloudSpace", "serverClass"),
    "ondemandnodepools": ("cloudSpace", "serverClass"),
    "vmpools": ("vmCloudSpace", "serverClass", "poolType", "vmImage", "vmUserData"),
    "autopilotnodepools": ("region", "cloudSpace"),
    "vmsshkeys": ("publicKey", "description"),
    "cloudspaces": ("region", "cloud", "type", "cni"),
    "vmcloudspaces": ("region", "vmSshKeyRef"),
}
"""Immutable fields: only a create can set them."""

OLDEST, NEWEST = (1, 27), (1, 36)
"""The minor versions of Kubernetes that a cloudspace may be made with."""


def admit(definition: Definition, store: Store, rules: Rules, body: Object, old: Object | None) -> None:
    """Check a create (`old` is None) or an update. Raises Refusal."""
    if definition.plural == "cloudspaces" and (old is None or _ha(body) != _ha(old)):
        _check_hosting(definition, body)
    for reason in _objections(definition.plural, store, rules, body, old):
        raise denied(definition, body, reason)


def denied(definition: Definition, body: Object, reason: str) -> Refusal:
    """A refusal in the form of the service's webhooks."""
    message = f'admission webhook "v{definition.singular}.{definition.group}" denied the request: {reason}'
    name, group = body["metadata"]["name"], definition.group
    return Refusal(403, "Forbidden", message, name=name, kind=definition.plural, group=group)


def _ha(body: Object) -> bool:
    return bool(body["spec"].get("HAControlPlane"))


def _check_hosting(definition: Definition, body: Object) -> None:
    """The one rule outside the schema whose violation the service answers with 422."""
    spec, name = body["spec"], body["metadata"]["name"]
    if spec.get("HAControlPlane") and spec.get("type") != "hosted":
        reason = "HAControlPlane requires a cloudspace of type hosted"
        cause = Cause("FieldValueInvalid", "spec.HAControlPlane", f"Invalid value: true: {reason}")
        message = f'{definition.kind}.{definition.group} "{name}" is invalid: {cause.field}: {cause.message}'
        raise Refusal(422, "Invalid", message, name=name, kind=definition.kind, group=definition.group, causes=(cause,))


def fill_in(definitions: Mapping[str, Definition], store: Store, rules: Rules, plural: str, body: Object) -> None:
    """Add to a new object what the service's own webhooks add."""
    definition = definitions[plural]
    if definition.plural in POOLS:
        group_plural, field = POOLS[definition.plural]
        name, group = body["spec"].get(field, ""), definitions[group_plural]
        uid = store.uid(group_plural, body["metadata"].get("namespace", ""), name)
        label = "ngpc.rxt.io/cloudspace" if group_plural == "cloudspaces" else "ngpc.rxt.io/vmcloudspace"
        if rules.labels:
            labels = body["metadata"].get("labels") or {}
            body["metadata"]["labels"] = {**labels, label: name}
        if uid is not None:
            reference = {"apiVersion": group.api_version, "kind": group.kind, "name": name}
            owner = {**reference, "uid": uid, "blockOwnerDeletion": True}
            body["metadata"]["ownerReferences"] = [owner]
    if definition.plural in POOLS or definition.plural in ("cloudspaces", "vmcloudspaces"):
        body["metadata"]["finalizers"] = [*(body["metadata"].get("finalizers") or ()), own_finalizer(definition)]


def own_finalizer(definition: Definition) -> str:
    """The finalizer that keeps an object until the service has torn it down."""
    return f"{definition.singular}.{definition.group}/finalizer"


def _objections(plural: str, store: Store, rules: Rules, body: Object, old: Object | None) -> Iterator[str]:
    spec = body["spec"]
    if old is not None:
        for field in _final(plural, rules):
            if spec.get(field) != old["spec"].get(field):
                yield f"spec.{field} is immutable"
        if plural == "cloudspaces" and not rules.ha_change and _ha(body) != _ha(old):
            yield "spec.HAControlPlane is immutable"
    if plural == "cloudspaces":
        yield from _version_objections(spec, old["spec"] if old is not None else None)
    if plural in ("cloudspaces", "vmcloudspaces", "autopilotnodepools") and old is None:
        yield from _region_objections(store, spec)
    if plural == "vmsshkeys" and fingerprint(spec["publicKey"]) is None:
        yield "spec.publicKey is not a valid OpenSSH public key"
    if plural in POOLS:
        yield from _place_objections(plural, store, body, old)
        if plural == "autopilotnodepools":
            yield from _autopilot_objections(body)
        else:
            yield from _pool_objections(plural, store, rules, body, old)


def _version_objections(spec: dict[str, Any], old: dict[str, Any] | None) -> Iterator[str]:
    """A version can be raised, to one that may exist. The service's own words for this are not on record."""
    wanted, running = version_parts(spec["kubernetesVersion"]), version_parts((old or {}).get("kubernetesVersion"))
    if wanted is None or wanted == running:
        return
    if running is not None and wanted < running:
        yield f"kubernetesVersion cannot be lowered from {old and old['kubernetesVersion']}"
    elif not OLDEST <= wanted[:2] <= NEWEST:
        yield f"kubernetesVersion {spec['kubernetesVersion']} is not supported"


def _final(plural: str, rules: Rules) -> Iterator[str]:
    """The immutable fields of a kind."""
    for field in IMMUTABLE.get(plural, ()):
        if not (field == "cni" and rules.cni_change):
            yield field


def _region_objections(store: Store, spec: dict[str, Any]) -> Iterator[str]:
    if store.get("regions", "", spec["region"]) is None:
        yield f"region {spec['region']} does not exist"


def _place_objections(plural: str, store: Store, body: Object, old: Object | None) -> Iterator[str]:
    spec, metadata = body["spec"], body["metadata"]
    if not UUID.fullmatch(metadata["name"]):
        yield "metadata.name must be a valid lowercase UUID"
    group_plural, field = POOLS[plural]
    if old is None and store.uid(group_plural, metadata.get("namespace", ""), spec[field]) is None:
        yield f"{field} {spec[field]} does not exist"


def _autopilot_objections(body: Object) -> Iterator[str]:
    spec = body["spec"]
    if spec["vcpu"]["total"] < 1:
        yield "vcpu.total must be greater than 0"
    band = spec.get("vcpuPerNode") or {}
    if "min" in band and "max" in band and band["min"] > band["max"]:
        yield "vcpuPerNode.min must not be greater than vcpuPerNode.max"


def _pool_objections(plural: str, store: Store, rules: Rules, body: Object, old: Object | None) -> Iterator[str]:
    spec = body["spec"]
    if spec["desired"] < (0 if old is not None and rules.zero_desired else 1):
        yield "desired must be greater than or equal to 1"
    server_class = store.get("serverclasses", "", spec["serverClass"])
    if server_class is None:
        yield f"serverClass {spec['serverClass']} does not exist"
        return
    if "bidPrice" in spec and (old is None or rules.revalidate or spec["bidPrice"] != old["spec"]["bidPrice"]):
        market = Decimal(server_class["status"]["spotPricing"]["marketPricePerHour"])
        minimum = server_class["spec"].get("minBidPricePerHour", "")
        yield from bid_rules.objections(spec["bidPrice"], market, minimum, rules.bids)
    if old is None and server_class["spec"].get("availability") != "available":
        yield f"serverClass {spec['serverClass']} is not available"
    autoscaling = spec.get("autoscaling") or {}
    if autoscaling.get("enabled"):
        yield from _autoscaling_objections(plural, store, body, autoscaling)


def _autoscaling_objections(plural: str, store: Store, body: Object, autoscaling: dict[str, Any]) -> Iterator[str]:
    least, most = autoscaling.get("minNodes"), autoscaling.get("maxNodes")
    if least is None or most is None or most < least:
        yield "autoscaling needs minNodes and maxNodes, and maxNodes must not be smaller than minNodes"
    elif least < 1:
        yield "autoscaling.minNodes must be greater than or equal to 1"
    group, metadata = body["spec"][POOLS[plural][1]], body["metadata"]
    if store.any_having(scaled_in(plural, group), plural, metadata.get("namespace", ""), besides=metadata["name"]):
        yield f"autoscaling is already enabled on another pool of {POOLS[plural][1]} {group}"
