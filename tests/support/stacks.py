"""Generated stacks for the property tests of this folder: as their author wrote them, and as they live."""

from __future__ import annotations

import copy
import uuid

from hypothesis import strategies as st

from rsspot.constants import NAME_ANNOTATION, STACK_LABEL
from rsspot.manifests.manifest import Manifest
from rsspot.models.money import parse_price
from rsspot.planner.change import Action
from rsspot.planner.live import LiveState
from rsspot.planner.options import PlanOptions
from rsspot.planner.pipeline import build
from rsspot.planner.plan import Plan
from rsspot.resources.registry import kinds
from rsspot.simulator.apiserver.patches import merged
from rsspot.utils.serialization import Document

ORGANIZATION = "org-tests"
CLOUDSPACES = ("edge", "west", "east")
POOLS = ("workers", "batch", "spare")
CATALOG: dict[str, dict[str, Document]] = {
    "Region": {name: {"metadata": {"name": name}, "spec": {}} for name in ("dfw", "iad")},
    "ServerClass": {
        name: {"metadata": {"name": name}, "spec": {"minBidPricePerHour": "0.01"}} for name in ("gp.small", "gp.large")
    },
}
CLASSES = st.sampled_from(["gp.small", "gp.large"])
words = st.sampled_from(["red", "blue", "green"])
maps = st.dictionaries(st.sampled_from(["team", "cost", "tier"]), words, max_size=3)
taints = st.lists(
    st.fixed_dictionaries({"key": words, "effect": st.sampled_from(["NoSchedule", "NoExecute"])}),
    max_size=3,
    unique_by=lambda taint: (taint["key"], taint["effect"]),
)
cloudspace_specs = st.fixed_dictionaries(
    {"region": st.sampled_from(["dfw", "iad"]), "kubernetesVersion": st.sampled_from(["1.32.1", "1.33.0"])},
    optional={"cni": st.sampled_from(["calico", "cilium"]), "webhook": st.sampled_from(["https://a", "https://b"])},
)
pool_specs = st.fixed_dictionaries(
    {
        "serverClass": CLASSES,
        "desired": st.integers(1, 5),
        "bidPrice": st.sampled_from(["0.03", "0.04", "0.06"]),
    },
    optional={"customLabels": maps, "customTaints": taints, "autoscaling": st.just({"enabled": False})},
)


@st.composite
def stacks(draw: st.DrawFn) -> dict[tuple[str, str, str], Document]:
    """(kind, name, cloudspace or "") -> spec, every pool in a cloudspace of the same stack."""
    spaces = draw(st.lists(st.sampled_from(CLOUDSPACES), unique=True))
    found: dict[tuple[str, str, str], Document] = {("CloudSpace", each, ""): draw(cloudspace_specs) for each in spaces}
    for space in spaces:
        for pool in draw(st.lists(st.sampled_from(POOLS), unique=True)):
            found["SpotNodePool", pool, space] = {"cloudSpace": space, **draw(pool_specs)}
    return found


def wanted_of(stack: dict[tuple[str, str, str], Document]) -> list[Manifest]:
    """A stack as its author wrote it."""
    return [
        Manifest(kinds()[kind], name, {"metadata": {}, "spec": parsed(spec)}) for (kind, name, _), spec in stack.items()
    ]


def parsed(spec: Document) -> Document:
    """A spec as it comes out of a file: prices are Decimals."""
    copied = copy.deepcopy(spec)
    return copied | ({"bidPrice": parse_price(copied["bidPrice"])} if "bidPrice" in copied else {})


def world_of(stack: dict[tuple[str, str, str], Document]) -> LiveState:
    """A stack as it lives, the oldest first."""
    live: dict[str, dict[str, Document]] = {"CloudSpace": {}, "SpotNodePool": {}, **CATALOG}
    for (kind, name, _), written in stack.items():
        spec = copy.deepcopy(written)
        wire = kinds()[kind].wire_name(ORGANIZATION, name, spec)
        metadata: Document = {"name": wire, "uid": f"uid-{wire}", "labels": {STACK_LABEL: "default"}}
        if wire != name:
            metadata["annotations"] = {NAME_ANNOTATION: name}
        live.setdefault(kind, {})[wire] = {"kind": kind, "metadata": metadata, "spec": spec}
    return LiveState(ORGANIZATION, live)


def plan_of(wanted: list[Manifest], world: LiveState) -> Plan:
    """The plan, with pruning on so that every action occurs."""
    return build(
        wanted, world, kinds(), stack="default", scope="tests", options=PlanOptions(prune=True, most_deletes=99)
    )


@st.composite
def copies(draw: st.DrawFn, world: LiveState) -> list[Document]:
    """Pools that somebody made from the live ones by hand: another name, perhaps other fields, marks kept or lost."""
    originals = list(world.live["SpotNodePool"].values())
    if not originals:
        return []
    made = []
    for number, original in enumerate(draw(st.lists(st.sampled_from(originals), max_size=3))):
        copied = copy.deepcopy(original)
        metadata = copied["metadata"]
        metadata |= {"name": str(uuid.UUID(int=number + 1, version=4)), "uid": f"copy-{number}"}
        metadata["creationTimestamp"] = draw(st.sampled_from(["2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z"]))
        if draw(st.booleans()):
            del metadata[draw(st.sampled_from(["labels", "annotations"]))]
        copied["spec"] |= draw(
            st.fixed_dictionaries({}, optional={"serverClass": CLASSES, "desired": st.integers(1, 5)})
        )
        made.append(copied)
    return made


def applied(plan: Plan, world: LiveState) -> LiveState:
    """The world in which every change of a plan was made, as the service would have made it."""
    live = {kind: dict(objects) for kind, objects in world.live.items()}
    for change in plan.changes:
        objects = live[change.ref.kind]
        if change.action in (Action.DELETE, Action.REPLACE) and change.base:
            objects.pop(change.base.name, None)
        if change.action in (Action.CREATE, Action.REPLACE):
            body = copy.deepcopy(change.body or {})
            body["metadata"]["uid"] = f"uid-{change.ref.name}-{len(objects)}"
            objects[change.ref.name] = body
        if change.action in (Action.UPDATE, Action.ADOPT, Action.DETACH):
            objects[change.ref.name] = merged(objects[change.ref.name], change.merge_patch)
    return LiveState(world.organization, live)
