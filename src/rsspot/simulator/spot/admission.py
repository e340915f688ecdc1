"""What CRDs cannot say: the service's admission rules, in its words.

Judges, and changes only what its webhooks fill in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal
from typing import Any

from rsspot.simulator.machinery.crds import Definition
from rsspot.simulator.machinery.messages import Cause, Refusal
from rsspot.simulator.machinery.store import Object, Store
from rsspot.simulator.spot.sshkeys import fingerprint

CENT = Decimal("0.01")
LARGEST_BID = Decimal(10**6)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
POOLS = {
    "spotnodepools": ("cloudspaces", "cloudSpace"),
    "ondemandnodepools": ("cloudspaces", "cloudSpace"),
    "autopilotnodepools": ("cloudspaces", "cloudSpace"),
    "vmpools": ("vmcloudspaces", "vmCloudSpace"),
}
"""Plural of a pool -> plural of what it lives in, and the field that names it."""
FINAL = {
    "spotnodepools": ("cloudSpace", "serverClass"),
    "ondemandnodepools": ("cloudSpace", "serverClass"),
    "vmpools": ("vmCloudSpace", "serverClass", "poolType", "vmImage", "vmUserData"),
    "autopilotnodepools": ("region", "cloudSpace"),
    "vmsshkeys": ("publicKey", "description"),
    "cloudspaces": ("region", "cloud", "type", "cni"),
    "vmcloudspaces": ("region", "vmSshKeyRef"),
}
"""Fields that only a create may choose."""


def admit(definition: Definition, store: Store, body: Object, old: Object | None) -> None:
    """Raise the service's refusal of a create (`old` is None) or an update."""
    if definition.plural == "cloudspaces" and old is None:
        _check_hosting(definition, body)
    for said in _objections(definition.plural, store, body, old):
        webhook = f"v{definition.singular}.{definition.group}"
        raise Refusal(
            403,
            "Forbidden",
            f'admission webhook "{webhook}" denied the request: {said}',
            name=body["metadata"]["name"],
            kind=definition.plural,
            group=definition.group,
        )


def _check_hosting(definition: Definition, body: Object) -> None:
    """The one rule that the service answers with 422 though no schema says it."""
    spec, name = body["spec"], body["metadata"]["name"]
    if spec.get("HAControlPlane") and spec.get("type") != "hosted":
        said = "HAControlPlane requires a cloudspace of type hosted"
        cause = Cause("FieldValueInvalid", "spec.HAControlPlane", f"Invalid value: true: {said}")
        message = f'{definition.kind}.{definition.group} "{name}" is invalid: {cause.field}: {cause.message}'
        raise Refusal(422, "Invalid", message, name=name, kind=definition.kind, group=definition.group, causes=(cause,))


def fill_in(definition: Definition, store: Store, body: Object) -> None:
    """What the service's own webhooks add to a new object."""
    if definition.plural in POOLS:
        group_plural, field = POOLS[definition.plural]
        group = store.get(group_plural, body["metadata"].get("namespace", ""), body["spec"].get(field, ""))
        label = "ngpc.rxt.io/cloudspace" if group_plural == "cloudspaces" else "ngpc.rxt.io/vmcloudspace"
        labels = body["metadata"].get("labels") or {}
        body["metadata"]["labels"] = {**labels, label: body["spec"].get(field, "")}
        if group:
            reference = {"apiVersion": group["apiVersion"], "kind": group["kind"], "name": group["metadata"]["name"]}
            owner = {**reference, "uid": group["metadata"]["uid"], "blockOwnerDeletion": True}
            body["metadata"]["ownerReferences"] = [owner]
    if definition.plural in POOLS or definition.plural in ("cloudspaces", "vmcloudspaces"):
        body["metadata"]["finalizers"] = [*(body["metadata"].get("finalizers") or ()), own_finalizer(definition)]


def own_finalizer(definition: Definition) -> str:
    """The finalizer by which the service keeps an object until it is taken down."""
    return f"{definition.singular}.{definition.group}/finalizer"


def _objections(plural: str, store: Store, body: Object, old: Object | None) -> Iterator[str]:
    spec = body["spec"]
    if old is not None:
        for field in FINAL.get(plural, ()):
            if spec.get(field) != old["spec"].get(field):
                yield f"spec.{field} is immutable"
    if plural in ("cloudspaces", "vmcloudspaces", "autopilotnodepools") and old is None:
        yield from _region_objections(store, spec)
    if plural == "vmsshkeys" and fingerprint(spec["publicKey"]) is None:
        yield "spec.publicKey is not a valid OpenSSH public key"
    if plural in POOLS:
        yield from _place_objections(plural, store, body, old)
        check = _autopilot_objections if plural == "autopilotnodepools" else _pool_objections
        yield from check(plural, store, body, old)


def _region_objections(store: Store, spec: dict[str, Any]) -> Iterator[str]:
    if store.get("regions", "", spec["region"]) is None:
        yield f"region {spec['region']} does not exist"


def _place_objections(plural: str, store: Store, body: Object, old: Object | None) -> Iterator[str]:
    spec, metadata = body["spec"], body["metadata"]
    if not UUID.fullmatch(metadata["name"]):
        yield "metadata.name must be a valid lowercase UUID"
    group_plural, field = POOLS[plural]
    if old is None and store.get(group_plural, metadata.get("namespace", ""), spec[field]) is None:
        yield f"{field} {spec[field]} does not exist"


def _autopilot_objections(plural: str, store: Store, body: Object, old: Object | None) -> Iterator[str]:
    spec = body["spec"]
    if spec["vcpu"]["total"] < 1:
        yield "vcpu.total must be greater than 0"
    band = spec.get("vcpuPerNode") or {}
    if "min" in band and "max" in band and band["min"] > band["max"]:
        yield "vcpuPerNode.min must not be greater than vcpuPerNode.max"


def _pool_objections(plural: str, store: Store, body: Object, old: Object | None) -> Iterator[str]:
    spec = body["spec"]
    if old is None and spec["desired"] < 1:
        yield "desired must be greater than or equal to 1"
    server_class = store.get("serverclasses", "", spec["serverClass"])
    if server_class is None:
        yield f"serverClass {spec['serverClass']} does not exist"
        return
    if "bidPrice" in spec and (old is None or spec["bidPrice"] != old["spec"]["bidPrice"]):
        yield from _bid_objections(spec["bidPrice"], server_class)
    if old is None and server_class["spec"].get("availability") != "available":
        yield f"serverClass {spec['serverClass']} is not available"
    autoscaling = spec.get("autoscaling") or {}
    if autoscaling.get("enabled"):
        yield from _autoscaling_objections(plural, store, body, autoscaling)


def _bid_objections(text: str, server_class: Object) -> Iterator[str]:
    bid, minimum = Decimal(text), server_class["spec"].get("minBidPricePerHour", "")
    market = Decimal(server_class["status"]["spotPricing"]["marketPricePerHour"])
    failed = "BidPrice validation failed: "
    if not minimum:
        yield (
            f"{failed}failed to parse serverclass min bid price while validating bid price: "
            'strconv.ParseFloat: parsing "": invalid syntax'
        )
    elif bid < market:
        yield f"{failed}BidPrice must be greater than or equal to the market price of {market:.6f}, but got {bid:.6f}"
    elif bid < Decimal(minimum):
        floor = f"the minimum bid price of {Decimal(minimum):.6f}"
        yield f"{failed}BidPrice must be greater than or equal to {floor}, but got {bid:.6f}"
    elif not on_ladder(bid):
        yield f"bid price {text} is not on the bid ladder"


def on_ladder(bid: Decimal) -> bool:
    """Whole cents.

    Every one below 0.04, every second below 0.10, every third below 0.20 (0.22 being the last), then every fifth.
    """
    if not CENT <= bid < LARGEST_BID or bid != bid.quantize(CENT):
        return False
    cents = int(bid * 100)
    bands = ((4, 1, 1), (10, 4, 2), (22, 10, 3))
    for below, start, step in bands:
        if cents < below:
            return (cents - start) % step == 0
    return (cents - 22) % 5 == 0


def next_rung(price: Decimal) -> Decimal:
    """The lowest bid on the ladder that is not below a price."""
    bid = max(price, CENT).quantize(CENT, ROUND_CEILING)
    while not on_ladder(bid):
        bid += CENT
    return bid


def _autoscaling_objections(plural: str, store: Store, body: Object, autoscaling: dict[str, Any]) -> Iterator[str]:
    least, most = autoscaling.get("minNodes"), autoscaling.get("maxNodes")
    if least is None or most is None or most < least:
        yield "autoscaling needs minNodes and maxNodes, and maxNodes must not be smaller than minNodes"
    _, field = POOLS[plural]
    for other in store.objects(plural, body["metadata"].get("namespace", "")):
        same = other["spec"][field] == body["spec"][field] and other["metadata"]["name"] != body["metadata"]["name"]
        if same and (other["spec"].get("autoscaling") or {}).get("enabled"):
            yield f"autoscaling is already enabled on another pool of {field} {body['spec'][field]}"
