"""The service's controllers: control planes, upgrades, key checks and deletions, driven by timers.

Does not answer requests. Servers are handled in `provisioning`, autopilots in `autopilot`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from rsspot.simulator.apiserver.objects import controlled_by, place
from rsspot.simulator.apiserver.store import Object
from rsspot.simulator.clock import rfc3339
from rsspot.simulator.rng import draw
from rsspot.simulator.spot.admission import own_finalizer
from rsspot.simulator.spot.autoscaler import watch_over
from rsspot.simulator.spot.events import tell
from rsspot.simulator.spot.pools import GROUPS, POOLS, SUPPLIED, is_going, member_of
from rsspot.simulator.spot.provisioning import (
    deliver,
    group_of,
    join,
    phase_of,
    release,
    reserve,
    supply,
)
from rsspot.simulator.spot.sshkeys import fingerprint

if TYPE_CHECKING:
    from rsspot.simulator.spot.protocol import SpotWorld

NOISE = (1.0, 2.5, 4.0)
"""Seconds after a write at which controllers bump the object's version without changing anything."""
UPGRADE_BEGINS = 0.5
"""Seconds after a write at which an upgrade becomes visible."""
STEERING_AFTER = 2.0
"""Seconds after a write at which an autopilot reacts to it."""


def on_created(world: SpotWorld, plural: str, body: Object) -> None:
    """Set the timers of a new object."""
    where = place(plural, body)
    if plural == "cloudspaces":
        phases = ((0.5, "Provisioning"), (8.0, "Error"), (14.0, "Provisioning"))
        for after, phase in phases:
            world.after(after, "phase", {**where, "phase": phase})
        world.after(45.0 + 30.0 * draw(world.seed, "plane", body["metadata"]["uid"]), "control_plane", where)
    elif plural == "vmcloudspaces":
        world.after(20.0, "group_ready", where)
    elif plural == "vmsshkeys":
        world.after(3.0, "check_key", where)
    elif plural == "autopilotnodepools":
        world.after(0.0, "autopilot", where)
    elif plural in SUPPLIED:
        _note_pool(world, plural, body, present=True)
        if plural == "ondemandnodepools":
            world.after(60.0, "reserve", where)
        watch_over(world, plural, body)
    if plural in POOLS or plural in GROUPS:
        on_written(world, plural, body)


def on_written(world: SpotWorld, plural: str, body: Object) -> None:
    """Set the timers that follow any write, including the version bumps of the service's controllers."""
    where = place(plural, body)
    if world.rules.noise:
        world.store.set_timers([world.now + after for after in NOISE], "noise", where)
    if plural == "ondemandnodepools":
        world.after(30.0, "reserve", where)
    elif plural == "autopilotnodepools":
        world.after(STEERING_AFTER, "steer", where)
    elif plural in SUPPLIED:
        watch_over(world, plural, body)
    running = (body.get("status") or {}).get("currentKubernetesVersion")
    if plural == "cloudspaces" and running not in (None, body["spec"]["kubernetesVersion"]):
        world.after(UPGRADE_BEGINS, "upgrade", where)


def on_doomed(world: SpotWorld, plural: str, body: Object) -> None:
    """Start tearing down an object that is to be deleted, and its dependents."""
    where = place(plural, body)
    if plural in GROUPS:
        world.set_status(plural, body, phase="Deleting")
        for pool_plural in _kinds_in(plural):
            for pool in world.store.having(member_of(pool_plural, where["name"]), pool_plural, where["namespace"]):
                world.doom(pool_plural, pool)
    elif plural == "autopilotnodepools":
        for child in controlled_by(world.store, "spotnodepools", body):
            world.doom("spotnodepools", child)
    world.after(40.0 if plural in GROUPS else 15.0, "finalize", where)


def phase(world: SpotWorld, body: Object, plural: str, phase: str) -> None:
    """Set the phase of a starting cloudspace. It passes through `Error` briefly, as on the service."""
    reason = "Operation cannot be fulfilled: the object has been modified" if phase == "Error" else ""
    if not (body.get("status") or {}).get("APIServerEndpoint") and not is_going(body):
        world.set_status(plural, body, phase=phase, reason=reason)


def control_plane(world: SpotWorld, body: Object, plural: str) -> None:
    """Bring up the API server of a cloudspace."""
    if is_going(body):
        return
    name, uid = body["metadata"]["name"], body["metadata"]["uid"]
    world.set_status(
        plural,
        body,
        phase=phase_of(world, body),
        reason="",
        health="Healthy",
        APIServerEndpoint=f"hcp-{uid[:8]}.spot.rackspace.com",
        currentKubernetesVersion=body["spec"]["kubernetesVersion"],
        firstReadyTimestamp=rfc3339(world.now),
        cloudspaceClassName=name,
    )
    tell(world, body, f"cloudspace {name} is ready")


def upgrade(world: SpotWorld, body: Object, plural: str) -> None:
    """Start upgrading the control plane to the version in the spec."""
    if not is_going(body) and body["status"]["currentKubernetesVersion"] != body["spec"]["kubernetesVersion"]:
        world.set_status(plural, body, phase="Upgrading", upgradePhase="ControlPlane")
        world.after(180.0, "upgraded", place(plural, body))


def upgraded(world: SpotWorld, body: Object, plural: str) -> None:
    """Finish an upgrade: the cloudspace runs the version in its spec."""
    if not is_going(body):
        version = body["spec"]["kubernetesVersion"]
        world.set_status(plural, body, phase=phase_of(world, body), upgradePhase="", currentKubernetesVersion=version)
        tell(world, body, f"cloudspace {body['metadata']['name']} runs Kubernetes {version}")


def group_ready(world: SpotWorld, body: Object, plural: str) -> None:
    """Make a VM cloudspace ready for machines."""
    if is_going(body):
        return
    world.set_status(plural, body, phase="Ready", health="Healthy", reason="")
    tell(world, body, f"cloudspace {body['metadata']['name']} is ready")


def check_key(world: SpotWorld, body: Object, plural: str) -> None:
    """Validate a public key and record its fingerprint."""
    world.set_status(plural, body, fingerprint=fingerprint(body["spec"]["publicKey"]), validated=True)


def noise(world: SpotWorld, body: Object, plural: str) -> None:
    """Bump the object's version without changing it."""
    world.store.put(plural, body)


def finalize(world: SpotWorld, body: Object, plural: str) -> None:
    """Release an object that is being deleted, once it has no dependents."""
    if _is_inhabited(world, body, plural):
        world.after(10.0, "finalize", place(plural, body))
        return
    if plural in SUPPLIED:
        supply(world, plural, body, group_of(world, plural, body), 0, notice=0.0)
        _note_pool(world, plural, body, present=False)
    definition = world.definitions[plural]
    world.objects.released(definition, body, own_finalizer(definition))


def _is_inhabited(world: SpotWorld, body: Object, plural: str) -> bool:
    """Whether pools of a cloudspace, or child pools of an autopilot, still exist."""
    if plural == "autopilotnodepools":
        return bool(controlled_by(world.store, "spotnodepools", body))
    namespace, name = body["metadata"].get("namespace", ""), body["metadata"]["name"]
    return any(world.store.any_having(member_of(pool, name), pool, namespace) for pool in _kinds_in(plural))


def _kinds_in(group_plural: str) -> list[str]:
    """The kinds of the pools of a cloudspace."""
    return [plural for plural, (of, _) in POOLS.items() if of == group_plural]


OBJECT_ACTIONS: dict[str, Callable[..., None]] = {
    "phase": phase,
    "control_plane": control_plane,
    "upgrade": upgrade,
    "upgraded": upgraded,
    "group_ready": group_ready,
    "check_key": check_key,
    "noise": noise,
    "reserve": reserve,
    "deliver": deliver,
    "join": join,
    "release": release,
    "finalize": finalize,
}
"""Actions of timers for one object. The caller looks it up first, and skips the action if it is gone."""


def _note_pool(world: SpotWorld, plural: str, pool: Object, *, present: bool) -> None:
    """Update a cloudspace's list of its pools."""
    group = group_of(world, plural, pool)
    if group is None:
        return
    field = "onDemandRequests" if plural == "ondemandnodepools" else "bidRequests"
    names: list[Any] = [name for name in group["spec"].get(field, []) if name != pool["metadata"]["name"]]
    wanted = sorted([*names, pool["metadata"]["name"]]) if present else names
    group_plural = POOLS[plural][0]
    world.write(group_plural, group, {"spec": {**group["spec"], field: wanted}})
    bids = (group.get("status") or {}).get("bids", {})
    if not present and pool["metadata"]["name"] in bids:
        left = {name: bid for name, bid in bids.items() if name != pool["metadata"]["name"]}
        world.set_status(group_plural, group, bids=left)
