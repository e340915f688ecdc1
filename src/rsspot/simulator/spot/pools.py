"""Which kinds are pools, what they belong to, and the terms that the store finds them by. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator

from rsspot.simulator.apiserver.store import Object

POOLS = {
    "spotnodepools": ("cloudspaces", "cloudSpace"),
    "ondemandnodepools": ("cloudspaces", "cloudSpace"),
    "autopilotnodepools": ("cloudspaces", "cloudSpace"),
    "vmpools": ("vmcloudspaces", "vmCloudSpace"),
}
"""Plural of a pool -> plural of the cloudspace it belongs to, and the field that refers to it."""
GROUPS = ("cloudspaces", "vmcloudspaces")
BIDDERS = ("spotnodepools", "vmpools")
SUPPLIED = (*BIDDERS, "ondemandnodepools")
"""Pools that servers are delivered to."""
BIDS = "bids/"
"""Prefix of terms with the class and price of a bid."""


def is_going(body: Object) -> bool:
    """Whether an object is being deleted."""
    return bool(body["metadata"].get("deletionTimestamp"))


def member_of(plural: str, group: str) -> str:
    """The term of the pools of a plural in a cloudspace, within its namespace."""
    return f"{POOLS[plural][0]}/{group}"


def scaled_in(plural: str, group: str) -> str:
    """The term of the pools of a plural in a cloudspace that are scaled by themselves."""
    return f"scaled/{member_of(plural, group)}"


def terms_of(plural: str, body: Object) -> Iterator[str]:
    """The terms that an object of the service is found by."""
    if plural not in POOLS:
        return
    spec, group = body["spec"], body["spec"].get(POOLS[plural][1], "")
    yield member_of(plural, group)
    if (spec.get("autoscaling") or {}).get("enabled"):
        yield scaled_in(plural, group)
    if plural in BIDDERS:
        yield f"{BIDS}{spec['serverClass']}/{spec['bidPrice']}"
