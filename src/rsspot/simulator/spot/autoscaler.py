"""The cluster autoscaler: sets a pool's desired servers within its bounds, as its workload requires.

There is no real workload. The number of nodes it needs comes from the seed, or from an annotation that a test sets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rsspot.simulator.apiserver.objects import place
from rsspot.simulator.apiserver.store import Object
from rsspot.simulator.rng import draw
from rsspot.simulator.spot.events import tell
from rsspot.simulator.spot.pools import is_going
from rsspot.simulator.spot.provisioning import group_of

if TYPE_CHECKING:
    from rsspot.simulator.spot.protocol import SpotWorld

MANAGER = "cluster-autoscaler"
NEEDED = "simulator.rsspot.dev/nodes"
"""Pool annotation with the number of nodes that the workload needs."""
LOOK_EVERY = 60.0
UNNEEDED_FOR = 600.0
"""Seconds that a node must be idle before it is released."""
SHIFT = 3600.0
"""Seconds between changes of a workload that comes from the seed."""


def watch_over(world: SpotWorld, plural: str, pool: Object) -> None:
    """Start autoscaling a pool that has it enabled, unless that has started already."""
    fact = f"autoscaled/{pool['metadata']['uid']}"
    if _bounds(pool) and not world.store.fact(fact, ""):
        world.store.set_fact(fact, str(world.now))
        world.after(LOOK_EVERY, "autoscale", place(plural, pool))


def autoscale(world: SpotWorld, body: Object, plural: str) -> None:
    """Scale a pool once, if needed, and schedule the next check."""
    fact, bounds = f"autoscaled/{body['metadata']['uid']}", _bounds(body)
    if bounds is None or is_going(body):
        world.store.remove_fact(fact)
        return
    world.after(LOOK_EVERY, "autoscale", place(plural, body))
    desired, busy_at = body["spec"]["desired"], float(world.store.fact(fact, str(world.now)))
    wanted = min(max(_needed(world, body, *bounds), bounds[0]), bounds[1])
    if wanted >= desired:
        world.store.set_fact(fact, str(world.now))
    elif world.now - busy_at < UNNEEDED_FOR:
        return
    if wanted != desired:
        world.write(plural, body, {"spec": {**body["spec"], "desired": wanted}}, by=MANAGER)
        group = group_of(world, plural, body)
        if group:
            tell(world, group, f"pool {body['metadata']['name']} was scaled from {desired} to {wanted}")


def _bounds(pool: Object) -> tuple[int, int] | None:
    scaling: dict[str, Any] = pool["spec"].get("autoscaling") or {}
    return (scaling["minNodes"], scaling["maxNodes"]) if scaling.get("enabled") else None


def _needed(world: SpotWorld, pool: Object, least: int, most: int) -> int:
    annotation = (pool["metadata"].get("annotations") or {}).get(NEEDED, "")
    if annotation.isascii() and annotation.isdigit() and len(annotation) < 10:
        return int(annotation)
    shift = int(world.now // SHIFT)
    return least + int(draw(world.seed, "workload", pool["metadata"]["uid"], shift) * (most - least + 1))
