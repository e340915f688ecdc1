"""Accounts as they may live: objects of every kind made by stacks, adopted, made with kubectl or copied by hand."""

from __future__ import annotations

import base64
import string
import uuid
from typing import Any

from hypothesis import strategies as st

from rsspot.constants import NAME_ANNOTATION, STACK_LABEL
from rsspot.resources.kind import Naming
from rsspot.resources.registry import kinds
from support.histories import CLASS, KEY
from support.scenes import NAMESPACE

Document = dict[str, Any]
STACKS = ("blue", "default")
REGION = "us-central-dfw-1"
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["no", "012", "1e3", "${var:x}", "$${", "$$${env:A}", "a: b # c", "::error::", "{", "- x", "null", "\t"]
    ),
)
VALUES = st.one_of(
    st.sampled_from(["", "no", "1e3", "012", "true", "null", "1.5", "2026-01-01", "0x1f"]),
    st.text(string.ascii_letters + string.digits, max_size=8),
)
MAPS = st.dictionaries(st.sampled_from(["team", "example.com/cost", "y", "12"]), VALUES, max_size=3)
NOTES = st.dictionaries(st.sampled_from(["note", "example.com/why", "on"]), TEXTS, max_size=2)
NODE_MAPS = st.one_of(MAPS, st.just({"node-role.kubernetes.io/worker": "x", "team": "a"}))
TAINTS = st.lists(
    st.fixed_dictionaries(
        {"key": st.sampled_from(["a", "b"]), "effect": st.sampled_from(["NoSchedule", "NoExecute"])},
        optional={"value": st.sampled_from(["", "x", "1e3"])},
    ),
    max_size=3,
    unique_by=lambda taint: (taint["key"], taint["effect"]),
)
NODES = {"customLabels": NODE_MAPS, "customAnnotations": NOTES, "customTaints": TAINTS}
AUTOSCALING = st.sampled_from(
    [
        {"enabled": False},
        {"enabled": False, "minNodes": 0, "maxNodes": 0},
        {"enabled": False, "minNodes": 1, "maxNodes": 4},
    ]
)
BIDS = st.sampled_from(["0.08", "0.1", "0.10", "0.190"])
SECRETS = st.sampled_from(["https://hooks.example.com/first-one", "https://hooks.example.com/${x}/second: one"])
PROGRAM = base64.b64encode(b"#cloud-config\npassword: correct horse battery\n").decode()
POOLS = {
    "SpotNodePool": ({"bidPrice": BIDS}, {"autoscaling": AUTOSCALING, **NODES}),
    "OnDemandNodePool": ({}, NODES),
}


@st.composite
def accounts(draw: st.DrawFn) -> list[Document]:
    """The objects of an account, in the order in which they can be made."""
    made: list[Document] = [
        draw(_object("VMSSHKey", "operators", {"publicKey": KEY + draw(st.sampled_from(["", "\n"]))}))
    ]
    for name in draw(st.lists(st.sampled_from(["edge", "stack", "blue"]), max_size=2, unique=True)):
        made += draw(_cloudspace(name))
    if draw(st.booleans()):
        made += draw(_machines())
    return [*made, *(copy for body in made for copy in draw(_copies(body)))]


@st.composite
def _cloudspace(draw: st.DrawFn, name: str) -> list[Document]:
    spec = draw(
        st.fixed_dictionaries(
            {"region": st.just(REGION), "kubernetesVersion": st.sampled_from(["1.31.1", "1.33.0", "1.36.0"])},
            optional={
                "cni": st.just("cilium"),
                "deploymentType": st.sampled_from(["gen1", "gen2"]),
                "gpuEnabled": st.booleans(),
                "webhook": SECRETS,
                "HAControlPlane": st.just(False),
            },
        )
    )
    if draw(st.booleans()):
        spec |= {"type": "hosted", "HAControlPlane": True}
    pools = [
        draw(_pool(kind, pool, name))
        for kind in POOLS
        for pool in draw(st.lists(st.sampled_from(["a", "b"]), max_size=2))
    ]
    spot = [pool for pool in pools if pool["kind"] == "SpotNodePool"]
    if spot and draw(st.booleans()):
        # Only one pool of a cloudspace may have it.
        spot[0]["spec"]["autoscaling"] = {"enabled": True, "minNodes": 1, "maxNodes": 3}
    autopilot = draw(_autopilot(name)) if draw(st.booleans()) else []
    return [draw(_object("CloudSpace", name, spec)), *pools, *autopilot]


@st.composite
def _pool(draw: st.DrawFn, kind: str, name: str, cloudspace: str) -> Document:
    needed, optional = POOLS[kind]
    fields = st.fixed_dictionaries({"serverClass": CLASS, "desired": st.integers(1, 3), **needed}, optional=optional)
    body: Document = draw(_object(kind, name, {"cloudSpace": cloudspace, **draw(fields)}))
    return body


@st.composite
def _autopilot(draw: st.DrawFn, cloudspace: str) -> list[Document]:
    spec = draw(
        st.fixed_dictionaries(
            {"vcpu": st.just({"total": 4}), "budgetPerHour": st.sampled_from(["0.2", "0.50"])},
            optional={
                "vcpuPerNode": st.just({"min": 2}),
                "memoryPerVCPU": st.sampled_from(["any", "4"]),
                "allocationStrategy": st.just("LowestPrice"),
                **NODES,
            },
        )
    )
    return [draw(_object("AutopilotNodePool", "burst", {"cloudSpace": cloudspace, "region": REGION, **spec}))]


@st.composite
def _machines(draw: st.DrawFn) -> list[Document]:
    group: Document = {"region": REGION, "vmSshKeyRef": {"name": "operators"}}
    group |= draw(st.fixed_dictionaries({}, optional={"webhook": SECRETS}))
    pool = draw(
        st.fixed_dictionaries(
            {"serverClass": CLASS, "desired": st.integers(1, 2), "bidPrice": BIDS},
            optional={"vmImage": st.just("ubuntu24.04"), "vmUserData": st.just(PROGRAM), "poolType": st.just("spot")},
        )
    )
    return [
        draw(_object("VMCloudSpace", "edge", group)),
        draw(_object("VMPool", "runners", {"vmCloudSpace": "edge", **pool})),
    ]


@st.composite
def _object(draw: st.DrawFn, kind: str, name: str, spec: Document) -> Document:
    """An object as one of its possible makers would have made it."""
    stack = draw(st.sampled_from([None, *STACKS]))
    labels, annotations = draw(MAPS), draw(NOTES)
    if "webhook" in spec and draw(st.booleans()):
        annotations |= {"copy": f"calls {spec['webhook']}"}
    wire = name
    if kinds()[kind].naming is Naming.UUID:
        derived = draw(st.booleans())
        wire = kinds()[kind].wire_name(NAMESPACE, name, spec) if derived else str(draw(st.uuids(version=4)))
        annotations |= {NAME_ANNOTATION: name} if draw(st.booleans()) else {}
    labels |= {STACK_LABEL: stack} if stack else {}
    return {
        "apiVersion": kinds()[kind].api_version,
        "kind": kind,
        "metadata": {"name": wire, "labels": labels, "annotations": annotations},
        "spec": spec,
    }


@st.composite
def _copies(draw: st.DrawFn, body: Document) -> list[Document]:
    """What somebody cloned by hand, marks and all."""
    if kinds()[body["kind"]].naming is not Naming.UUID or draw(st.integers(0, 3)):
        return []
    name = str(uuid.uuid5(uuid.NAMESPACE_OID, body["metadata"]["name"]))
    spec = {key: value for key, value in body["spec"].items() if key != "autoscaling"}
    return [{**body, "metadata": {**body["metadata"], "name": name}, "spec": spec}]
